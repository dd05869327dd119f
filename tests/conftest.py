"""Fixtures of every test: no network but loopback, no settings of whoever runs the tests, registries to talk to."""

from __future__ import annotations

import gc
import ipaddress
import itertools
import os
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support.fake_registry import FakeRegistry
from tests.support.real import DockerRegistry

COUNTED = "requests"  # a property of a test: its row of the table, see `tests/integration/test_request_counts.py`
_NAMES = itertools.count(1)
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
_FOREIGN = (
    *("DOCKER_CONFIG", "DOCKER_AUTH_CONFIG", "REGISTRY_AUTH_FILE", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy"),
    "SOURCE_DATE_EPOCH",
)


def pytest_configure() -> None:
    """Look for garbage more seldom: each look goes through twelve thousand tests, which stay until the end."""
    gc.set_threshold(20_000, 20, 50)


def pytest_xdist_auto_num_workers() -> int:
    """Two more than there are cores: a third of a test's time it waits, for processes of its own mostly."""
    return (os.cpu_count() or 1) + 2


def _is_here(address: Any) -> bool:
    """Say whether a socket address is on this machine; what is no internet address is (pipes, unix sockets)."""
    if not isinstance(address, tuple):
        return True
    try:
        return ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return bool(address[0] == "localhost")


@pytest.fixture(autouse=True, scope="session")
def _only_loopback() -> Iterator[None]:
    """Fail whoever connects to another machine."""
    patch = pytest.MonkeyPatch()
    for method in ("connect", "connect_ex"):
        original = getattr(socket.socket, method)

        def guarded(self: socket.socket, address: Any, *, _original: Any = original) -> Any:
            if not _is_here(address):
                pytest.fail(f"a test connects to {address!r}, which is not loopback")
            return _original(self, address)

        patch.setattr(socket.socket, method, guarded)
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def _nobodys_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the tests an empty home; a test that wants something in a home sets one of its own."""
    patch = pytest.MonkeyPatch()
    home = tmp_path_factory.mktemp("home")
    patch.setenv("HOME", str(home))
    patch.setenv("XDG_RUNTIME_DIR", str(home))
    for name in _FOREIGN:
        if name in os.environ:
            patch.delenv(name)
    patch.setenv("DOCKER_CONFIG", str(home / ".docker"))
    yield
    patch.undo()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how often registries were asked, if that was counted, in whichever process."""
    reports = [each for kind in ("passed", "failed") for each in terminalreporter.getreports(kind)]
    if rows := sorted(row for each in reports for name, row in each.user_properties if name == COUNTED):
        terminalreporter.section("requests: the Go regsync's and ours")
        for _, situation, formula, theirs, ours in [(0, "situation", "the Go regsync asks", "Go", "ours"), *rows]:
            terminalreporter.write_line(f"{situation:<58} {formula:>44} {theirs:>4} {ours:>5}")


@pytest.fixture
def repository_name() -> str:
    """A repository name no other test of this run uses."""
    return f"tests/r{next(_NAMES)}"


@pytest.fixture
def docker_registry(tmp_path: Path) -> Iterator[DockerRegistry]:
    """A fresh docker-registry of this test alone."""
    with DockerRegistry(tmp_path / "registry") as registry:
        yield registry


@pytest.fixture
def two_registries(tmp_path: Path) -> Iterator[tuple[DockerRegistry, DockerRegistry]]:
    """Two fresh docker-registries: a source and a target."""
    with DockerRegistry(tmp_path / "source") as source, DockerRegistry(tmp_path / "target") as target:
        yield source, target


@pytest.fixture(scope="session")
def shared_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerRegistry]:
    """One docker-registry for the whole run: use `repository_name` in it, and leave it as it is."""
    with DockerRegistry(tmp_path_factory.mktemp("shared-registry")) as registry:
        yield registry


@pytest.fixture
async def fake_registry() -> AsyncIterator[FakeRegistry]:
    """A fresh fake registry that behaves like docker-registry until told otherwise."""
    async with FakeRegistry() as registry:
        yield registry
