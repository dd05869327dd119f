from __future__ import annotations

import asyncio
import os
import select
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

import pytest

from regsync.errors import HookFailed
from regsync.hooks.exec import run_exec
from regsync.hooks.hook import Exec

Script = Callable[[str], Path]
EVENT = b'{"version": 1}\n'


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Write a program, as a shell script, and return its path."""

    def write(text: str) -> Path:
        path = tmp_path / "hook"
        path.write_text(f"#!/bin/sh\ncd '{tmp_path}'\n{text}\n")
        path.chmod(0o755)
        return path

    return write


async def ran(
    path: Path, *arguments: str, within: float = 30.0, environ: Mapping[str, str] = MappingProxyType({})
) -> None:
    await run_exec(Exec((str(path), *arguments), within), EVENT, {"PATH": "/usr/bin:/bin", **environ})


async def test_a_program_gets_its_arguments_as_they_are_and_the_event(script: Script, tmp_path: Path) -> None:
    await ran(script('printf "%s|" "$@" > arguments; cat > event'), "$HOME", "a b", "; exit 1", "")
    assert (tmp_path / "arguments").read_text() == "$HOME|a b|; exit 1||"
    assert (tmp_path / "event").read_bytes() == EVENT


async def test_a_program_is_found_on_the_path(tmp_path: Path, script: Script) -> None:
    path = script("touch ran")
    await run_exec(Exec((path.name,), 30.0), EVENT, {"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert (tmp_path / "ran").exists()


async def test_a_program_does_not_get_what_is_nobody_s_business(script: Script, tmp_path: Path) -> None:
    proxies = {"HTTPS_PROXY": "http://p.example", "no_proxy": "a.example", "ALL_PROXY": "b"}
    kept = {"HOME": "/h", "LANG": "C", "TZ": "UTC", **proxies}
    secret = {"DOCKER_AUTH_CONFIG": "canary", "AWS_SECRET_ACCESS_KEY": "canary"}
    await ran(script("env > environ"), environ={**kept, **secret})
    told = dict(line.split("=", 1) for line in (tmp_path / "environ").read_text().splitlines())
    assert {name: told.get(name) for name in kept} == kept
    assert set(told) <= {*kept, "PATH", "PWD", "OLDPWD", "SHLVL", "_"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("exit 3", "ended with exit code 3$"),
        ("echo first >&2; echo 'the disk is full ' >&2; echo >&2; exit 1", "ended with exit code 1: the disk is full$"),
        ("echo unheard; exit 1", "ended with exit code 1$"),
        ("yes line | head -c 1000000 >&2; echo last >&2; exit 1", "ended with exit code 1: last$"),
        ("printf '\\033[2Jgone\\377' >&2; exit 1", r"ended with exit code 1: \\x1b\[2Jgone�$"),
        ("head -c 100000 /dev/zero | tr '\\0' x >&2; exit 1", "ended with exit code 1: x{500}$"),
        ("kill -9 $$", "was ended by signal 9$"),
    ],
)
async def test_a_program_that_fails_is_quoted_with_one_line(script: Script, text: str, why: str) -> None:
    with pytest.raises(HookFailed, match=why):
        await ran(script(text))


async def test_a_program_that_takes_too_long_is_killed_with_all_it_started(script: Script, tmp_path: Path) -> None:
    path = script("sleep 600 & echo $! > child; echo $$ > parent; wait")
    with pytest.raises(HookFailed, match=r"did not end within 1s$"):
        await ran(path, within=1.0)
    assert (tmp_path / "child").exists()
    _wait_until_gone(tmp_path / "parent")
    _wait_until_gone(tmp_path / "child")


async def test_whoever_is_cancelled_leaves_no_program_behind(script: Script, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "started")
    running = asyncio.ensure_future(ran(script("echo $$ > parent; echo > started; exec sleep 600")))
    await asyncio.to_thread((tmp_path / "started").read_text)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    _wait_until_gone(tmp_path / "parent")


@pytest.mark.parametrize("name", ["no-such-program", "/no/such/program"])
async def test_a_program_that_is_not_there_is_a_failure_that_names_it(name: str) -> None:
    with pytest.raises(HookFailed, match=f"^{name} cannot be run: no such file or directory$"):
        await run_exec(Exec((name, "argument"), 30.0), EVENT, {"PATH": "/nowhere"})


async def test_a_program_that_may_not_be_run_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "hook").write_text("no program")
    with pytest.raises(HookFailed, match=r"cannot be run: permission denied$"):
        await ran(tmp_path / "hook")


def _wait_until_gone(noted: Path) -> None:
    """Return when the process whose number is noted there has ended."""
    with suppress(ProcessLookupError):
        process = os.pidfd_open(int(noted.read_text()))
        select.select([process], [], [])
        os.close(process)
