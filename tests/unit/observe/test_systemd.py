"""What a service manager hears of the service, over the socket it has named."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from regsync.events import Event, JobFinished, Ready, Reloaded, Reloading, ReloadRefused, Stopping
from regsync.facts import Fact
from regsync.observe.systemd import Systemd
from tests.support.clock import FakeClock


@pytest.fixture(params=["a path", "an abstract name"])
def heard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """A socket that listens, and its address as `NOTIFY_SOCKET` has it."""
    name = str(tmp_path / "notify") if request.param == "a path" else f"@regsync-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(name.replace("@", "\0", 1))
        listening.setblocking(False)
        yield name, listening


def messages(listening: socket.socket) -> list[str]:
    found: list[str] = []
    try:
        while True:
            found.append(listening.recv(4096).decode())
    except BlockingIOError:
        return found


def test_what_becomes_of_the_service_is_told(heard: tuple[str, socket.socket]) -> None:
    name, listening = heard
    clock = FakeClock()
    clock._passed = 12.5
    environ = {"NOTIFY_SOCKET": name, "HOME": "/"}
    systemd = Systemd(environ, clock)
    assert environ == {"HOME": "/"}
    events: list[Event] = [
        Ready(3, "d1"),
        JobFinished("a", 0),
        Reloading(),
        ReloadRefused(("secret",)),
        Reloading(),
        Reloaded("d2", 4, 1, 0, 0),
        Stopping(25.0),
    ]
    for event in events:
        systemd(Fact(clock.now(), "", "", "", event))
    assert messages(listening) == [
        "READY=1\nSTATUS=Serving 3 entries",
        "RELOADING=1\nMONOTONIC_USEC=12500000",
        "READY=1\nSTATUS=Configuration of 2026-01-01 00:00:12Z refused, the one before is in force",
        "RELOADING=1\nMONOTONIC_USEC=12500000",
        "READY=1\nSTATUS=Serving 4 entries, configuration of 2026-01-01 00:00:12Z",
        "STOPPING=1\nSTATUS=Stopping",
    ]


@pytest.mark.parametrize("process", ["any", "ours"])
async def test_the_watchdog_hears_twice_as_often_as_it_wants_that_the_loop_goes_round(
    process: str, heard: tuple[str, socket.socket]
) -> None:
    name, listening = heard
    clock = FakeClock()
    number = str(os.getpid()) if process == "ours" else ""
    systemd = Systemd({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "20000000", "WATCHDOG_PID": number}, clock)
    living = asyncio.create_task(systemd.live())
    await clock.advance(35)
    living.cancel()
    assert messages(listening) == ["WATCHDOG=1"] * 4


@pytest.mark.parametrize(
    "environ", [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "9", "WATCHDOG_PID": "1x"}]
)
async def test_without_a_watchdog_nothing_is_said_again_and_again(environ: dict[str, str]) -> None:
    await Systemd(environ, FakeClock()).live()


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": "/nowhere/at/all"}, {"NOTIFY_SOCKET": "vsock:1:2"}])
def test_where_nobody_listens_nothing_happens(environ: dict[str, str]) -> None:
    systemd = Systemd(environ, FakeClock())
    systemd(Fact(FakeClock().now(), "", "", "", Ready(1, "")))
