"""A real daemon between two docker-registries: what is pushed arrives, nothing runs twice, signals are obeyed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from functools import cache, partial
from http.client import HTTPConnection
from pathlib import Path
from typing import TypeVar

import pytest

from tests.e2e.program import Ended, Started, creds, log_lines, once, wait_for
from tests.support.built import Built, digest_of, image_bytes, some_bytes, write_layout
from tests.support.proxy import Proxy
from tests.support.real import DockerRegistry, run

ARRIVES_WITHIN = 4.0  # seconds, two intervals
MARGIN = 10.0  # seconds a busy machine may need to end a process

Two = tuple[DockerRegistry, DockerRegistry]
T = TypeVar("T")


@cache
def large() -> Built:
    """An image whose copy can be met in its middle."""
    return image_bytes(some_bytes(256 << 20))


async def when(condition: Callable[[], T], *, within: float) -> T:
    """Wait for a condition while the fakes of this event loop go on."""
    return await asyncio.to_thread(wait_for, condition, within=within)


def digest_at(registry: DockerRegistry, repository: str, tag: str) -> str | None:
    """Return what a tag stands for at a registry."""
    connection = HTTPConnection("127.0.0.1", registry.port, timeout=5)
    try:
        accept = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
        connection.request("HEAD", f"/v2/{repository}/manifests/{tag}", headers=accept)
        return connection.getresponse().headers["Docker-Content-Digest"]
    finally:
        connection.close()


def stands_for(image: Built, registry: DockerRegistry, repository: str, tag: str) -> bool:
    return digest_at(registry, repository, tag) == image.digest


def push(folder: Path, registry: DockerRegistry, repository: str, images: dict[str, Built]) -> None:
    """Push images, as somebody would who is no regsync."""
    write_layout(folder, images)
    for tag in images:
        there = f"docker://{registry.host}/{repository}:{tag}"
        run("skopeo", "copy", "-q", "--preserve-digests", "--dest-tls-verify=false", f"oci:{folder}:{tag}", there)


def config_of(source: str, target: str, *steps: str) -> str:
    return creds(source, target) + "defaults: {interval: 2s}\nsync:\n" + "".join(f"- {step}\n" for step in steps)


def repository(source: str, target: str) -> str:
    return f"{{source: {source}, target: {target}, type: repository}}"


def server(config: str, *arguments: str, cwd: Path) -> Started:
    cwd.mkdir(exist_ok=True)
    (cwd / "regsync.yml").write_text(config)
    return Started("server", "-c", "regsync.yml", "-v", "debug", "--logopt", "json", *arguments, cwd=cwd)


def assert_one_run_at_a_time(ended: Ended, *, at_least: int) -> None:
    """Fail if a run of an entry began before its last one ended, or if runs are few."""
    runs: dict[str, list[str]] = {}
    for line in ended.lines:
        if line["msg"] in {"Running task", "Task finished"}:
            runs.setdefault(line["entry"], []).append(line["msg"])
    assert len(runs) == 3
    for said in runs.values():
        assert said == ["Running task", "Task finished"] * (len(said) // 2)
        assert len(said) // 2 >= at_least


def test_what_is_pushed_meanwhile_arrives_and_no_entry_runs_twice_at_once(two_registries: Two, tmp_path: Path) -> None:
    source, target = two_registries
    push(tmp_path / "first", source, "a", {"first": image_bytes(b"first")})
    push(tmp_path / "b", source, "b", {"first": image_bytes(b"b")})
    steps = (
        repository(f"{source.host}/a", f"{target.host}/a"),
        repository(f"{source.host}/b", f"{target.host}/deep/b"),
        f"{{source: '{target.host}/a:first', target: '{target.host}/again:first', type: image}}",
    )
    with server(config_of(source.host, target.host, *steps), cwd=tmp_path / "run") as process:
        wait_for(lambda: digest_at(target, "a", "first"), within=30)
        for number in range(10):
            pushed, mirrored = (("a", "a"), ("b", "deep/b"))[number % 2]
            image = image_bytes(b"of all", str(number).encode())
            push(tmp_path / f"push{number}", source, pushed, {f"t{number}": image, "moves": image})
            for tag in (f"t{number}", "moves"):
                wait_for(partial(stands_for, image, target, mirrored, tag), within=ARRIVES_WITHIN)
        process.signal(signal.SIGTERM)
        process.process.wait(timeout=MARGIN)
        ended = process.ended()
    assert ended.code == 0, ended.err
    assert digest_at(target, "again", "first") == image_bytes(b"first").digest
    assert_one_run_at_a_time(ended, at_least=5)
    assert not [line for line in ended.lines if line["level"] in {"WARN", "ERROR"}]


@pytest.fixture
async def proxy(two_registries: Two) -> AsyncIterator[Proxy]:
    async with Proxy(two_registries[0].port) as proxy:
        yield proxy


async def mid_copy(process: Started, target: DockerRegistry) -> None:
    """Return when the large layer is under way and a good part of it has arrived."""

    def arrived() -> bool:
        return any(file.stat().st_size > 8 << 20 for file in target.data.rglob("_uploads/*/data"))

    await when(arrived, within=60)
    assert process.process.poll() is None


def assert_whole_or_absent(target: DockerRegistry, folder: Path) -> bool:
    """Fail if the target has half of something; say whether it has all of it."""
    found = digest_at(target, "a", "large")
    assert found in {None, large().digest}
    for file in target.data.rglob("blobs/sha256/*/*/data"):
        assert file.parent.name == digest_of(file.read_bytes()).removeprefix("sha256:")
    if found is None:
        return False
    there = f"docker://{target.host}/a:large"
    run("skopeo", "copy", "-q", "--preserve-digests", "--src-tls-verify=false", there, f"oci:{folder}:large")
    return True


@pytest.fixture
async def config(two_registries: Two, proxy: Proxy, tmp_path: Path) -> str:
    """Has the large image copied, through a proxy that can stop the flow."""
    source, target = two_registries
    await asyncio.to_thread(push, tmp_path / "large", source, "a", {"large": large()})
    return config_of(proxy.host, target.host, repository(f"{proxy.host}/a", f"{target.host}/a"))


async def test_a_copy_that_cannot_end_within_the_grace_is_given_up_and_leaves_the_target_consistent(
    two_registries: Two, proxy: Proxy, config: str, tmp_path: Path
) -> None:
    target = two_registries[1]
    with server(config, "--grace", "5s", cwd=tmp_path / "run") as process:
        await mid_copy(process, target)
        proxy.partition()
        process.signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.process.wait, 5 + MARGIN)
        log = process.log()
    assert "Traceback" not in log
    assert [line["grace"] for line in log_lines(log) if line["msg"] == "Stopping server"] == [5]
    assert not assert_whole_or_absent(target, tmp_path / "out")
    assert code == 1, "what was cut off is no clean end: " + log
    proxy.heal()
    again = await asyncio.to_thread(once, config, cwd=tmp_path / "again")
    assert again.code == 0, again.err
    assert assert_whole_or_absent(target, tmp_path / "whole")


async def test_a_copy_that_can_end_within_the_grace_does(two_registries: Two, config: str, tmp_path: Path) -> None:
    with server(config, "--grace", "60s", cwd=tmp_path / "run") as process:
        await mid_copy(process, two_registries[1])
        process.signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.process.wait, 60 + MARGIN)
        log = process.log()
    assert assert_whole_or_absent(two_registries[1], tmp_path / "out")
    assert code == 0, log
    messages = [line["msg"] for line in log_lines(log)]
    assert "Running task" not in messages[messages.index("Stopping server") :]


async def test_a_second_signal_ends_it_at_once(two_registries: Two, proxy: Proxy, config: str, tmp_path: Path) -> None:
    with server(config, "--grace", "10m", cwd=tmp_path / "run") as process:
        await mid_copy(process, two_registries[1])
        proxy.partition()
        process.signal(signal.SIGTERM)
        await when(lambda: "Stopping server" in process.log(), within=MARGIN)
        process.signal(signal.SIGTERM)
        await asyncio.to_thread(process.process.wait, MARGIN)
        assert "Traceback" not in process.log()
    assert not assert_whole_or_absent(two_registries[1], tmp_path / "out")
