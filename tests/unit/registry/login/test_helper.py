from __future__ import annotations

import asyncio
import os
import select
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from regsync.errors import AccessDenied
from regsync.registry.login.helper import HelperAnswer, ask_helper, list_helper

NAME = "docker-credential-test"
Program = Callable[[str], dict[str, str]]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Write the helper program, as a shell script, and return the environment it is found in."""

    def write(script: str) -> dict[str, str]:
        path = tmp_path / NAME
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return {"PATH": f"{tmp_path}:/usr/bin:/bin", "KEY": "inherited", "FOLDER": str(tmp_path)}

    return write


async def test_a_helper_answers_with_a_login(program: Program, tmp_path: Path) -> None:
    environ = program(
        'printf %s "$1" > "$FOLDER/action"; cat > "$FOLDER/question"; '
        'printf \'{"ServerURL":"x","Username":"%s","Secret":"s"}\' "$KEY"'
    )
    assert await ask_helper(NAME, "https://index.docker.io/v1/", environ=environ) == HelperAnswer("inherited", "s")
    assert (tmp_path / "action").read_text() == "get"
    assert (tmp_path / "question").read_bytes() == b"https://index.docker.io/v1/"


async def test_the_user_token_means_an_identity_token(program: Program) -> None:
    environ = program('echo \'{"Username": "<token>", "Secret": "T"}\'')
    assert await ask_helper(NAME, "a.example", environ=environ) == HelperAnswer(token="T")


async def test_a_secret_without_a_user_name_is_an_identity_token(program: Program) -> None:
    environ = program('echo \'{"ServerURL": "a.example", "Username": "", "Secret": "T"}\'')
    assert await ask_helper(NAME, "a.example", environ=environ) == HelperAnswer(token="T")


@pytest.mark.parametrize(
    "said",
    [
        "credentials not found in native keychain",
        "credentials not found in native keychain\\r\\n\\n",
        "Warning: the key ring is old\\n  Credentials not found in native keychain.",
        "credentials not found",
        "The specified item could not be found in the keychain.",
        "Element not found.\\r\\n",
        "Error: docker-credential-helpers/aHR0/robot is not in the password store.",
        "No credentials found for a.example",
        "credentials for a.example not found",
        "error getting credentials - err: exit status 1, out: \\140credentials not found in native keychain\\140",
    ],
)
async def test_a_helper_that_says_it_holds_no_login_is_believed(program: Program, said: str) -> None:
    for where in ("", ">&2"):
        environ = program(f"printf '{said}' {where}; exit 1")
        assert await ask_helper(NAME, "a.example", environ=environ) is None
        assert await list_helper(NAME, environ=environ) == {}


async def test_a_helper_that_answers_with_nothing_holds_no_login(program: Program) -> None:
    environ = program('echo \'{"ServerURL": "", "Username": "", "Secret": ""}\'')
    assert await ask_helper(NAME, "a.example", environ=environ) is None


async def test_a_helper_that_works_is_run_once_whatever_it_complains_of(program: Program, tmp_path: Path) -> None:
    environ = program('echo run >> "$FOLDER/runs"; echo warning >&2; echo \'{"Username": "u", "Secret": "s"}\'')
    assert await ask_helper(NAME, "a.example", environ=environ) == HelperAnswer("u", "s")
    assert (tmp_path / "runs").read_text() == "run\n"


async def test_an_answer_of_windows_is_read(program: Program) -> None:
    environ = program('printf \'\\357\\273\\277{"ServerURL":"other.example",\\r\\n"Username":"u","Secret":"s"}\\r\\n\'')
    assert await ask_helper(NAME, "a.example", environ=environ) == HelperAnswer("u", "s")


@pytest.mark.parametrize(
    "before", ["WARNING: no gcloud update for a year", "\\n\\n", "Warnung: Schl\\374ssel {alt}\\r", "one\\ntwo"]
)
async def test_lines_before_the_answer_of_a_helper_are_warnings(program: Program, before: str) -> None:
    environ = program(f'printf \'{before}\\n\'; printf \' {{"Username":"u",\n"Secret":"s"}}\\nbye\'')
    assert await ask_helper(NAME, "a.example", environ=environ) == HelperAnswer("u", "s")


async def test_the_case_of_the_words_in_an_answer_is_no_matter(program: Program) -> None:
    environ = program('echo \'{"serverurl": "a.example", "username": "u", "secret": "s"}\'')
    assert await ask_helper(NAME, "a.example", environ=environ) == HelperAnswer("u", "s")


async def test_a_helper_that_does_not_read_its_question_may_answer(program: Program) -> None:
    environ = program('exec <&-; echo \'{"Username": "u", "Secret": "s"}\'')
    assert await ask_helper(NAME, "a.example", environ=environ) == HelperAnswer("u", "s")


async def test_a_helper_lists_its_servers(program: Program) -> None:
    environ = program('[ "$1" = list ] && echo \'{"a.example": "u", "b.example": 5}\'')
    assert await list_helper(NAME, environ=environ) == {"a.example": "u"}


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (
            "echo canary; echo canary >&2; exit 1",
            r"\(exit 1\); `echo a\.example | docker-credential-[a-z]+ get` shows why$",
        ),
        ("echo canary", "no JSON object"),
        ("echo '[\"canary\"]'", "no JSON object"),
        ("true", "no JSON object"),
        ('echo \'{"Username": "canary"}\'', "without a user name"),
        ("echo '{}'", "without a user name"),
        ("echo 'canary: no credentials server URL'; exit 1", "failed for"),
        ("echo 'canary: pass: command not found' >&2; exit 127", "exit 127"),
        ("echo 'no canary credentials found in the provider chain' >&2; exit 1", "failed for"),
        ("echo 'User interaction is not allowed.'; exit 1", "failed for"),
        ('echo \'{"Username": null, "Secret": "canary"}\'', "without a user name"),
        ('echo \'{"Username": "canary", "Secret": 5}\'', "without a user name"),
        ("echo credentials not found in native keychain; echo canary; exit 1", r"failed for a\.example \(exit 1\)"),
        ("echo canary: credentials not found in native keychain; exit 1", r"failed for a\.example \(exit 1\)"),
        ("echo credentials not found in native keychain", "no JSON object"),
        ('echo \'canary {"Username": "u", "Secret": "canary"}\'', "no JSON object"),
        ('echo \'{canary}\'; echo \'{"Username": "u", "Secret": "canary"}\'', "no JSON object"),
        ("kill -9 $$", r"exit -9"),
        ("yes canary", "more than 64 KiB"),
        ("yes canary; exit 0", "more than 64 KiB"),
        ("head -c 1000000 /dev/zero", "more than 64 KiB"),
        ("printf 'canary\\377\\376\\000'", "no JSON object"),
        ("printf '\\377\\376{}'", "no JSON object"),
        ("head -c 60000 /dev/zero | tr '\\0' '['", "no JSON object"),
        ('echo \'{"Username": "u", "Secret": ["canary"]}\'', "without a user name"),
        ('echo \'{"Username": "<token>", "Secret": ""}\'', "without a user name"),
    ],
)
async def test_a_failing_helper_is_access_denied_and_never_quoted(program: Program, script: str, why: str) -> None:
    with pytest.raises(AccessDenied, match=why) as caught:
        await ask_helper(NAME, "a.example", environ=program(script))
    seen: BaseException | None = caught.value
    while seen is not None:
        assert "canary" not in f"{seen!r} {seen} {vars(seen)}"
        seen = seen.__cause__ or seen.__context__


async def test_a_helper_that_hangs_is_killed_with_all_it_started(program: Program, tmp_path: Path) -> None:
    environ = program('sleep 600 & echo $! > "$FOLDER/child"; echo $$ > "$FOLDER/parent"; wait')
    with pytest.raises(AccessDenied, match=r"did not answer within 0\.5 s"):
        await ask_helper(NAME, "a.example", environ=environ, patience=0.5)
    _wait_until_gone(tmp_path / "parent")
    _wait_until_gone(tmp_path / "child")


async def test_a_child_that_keeps_the_pipe_open_is_killed(program: Program, tmp_path: Path) -> None:
    environ = program('sleep 600 & echo $! > "$FOLDER/child"; echo \'{"Username": "u", "Secret": "s"}\'')
    with pytest.raises(AccessDenied, match="did not answer"):
        await ask_helper(NAME, "a.example", environ=environ, patience=0.5)
    _wait_until_gone(tmp_path / "child")


async def test_a_helper_that_leaves_a_daemon_with_its_output_is_given_up_in_time(
    program: Program, tmp_path: Path
) -> None:
    environ = program(
        "setsid sh -c 'echo $$ > \"$FOLDER/daemon\"; exec sleep 600' & "
        'while ! [ -s "$FOLDER/daemon" ]; do :; done; echo \'{"Username": "u", "Secret": "canary"}\''
    )
    with pytest.raises(AccessDenied, match=r"did not answer within 2 s$"):
        await ask_helper(NAME, "a.example", environ=environ, patience=2.0)
    os.kill(int((tmp_path / "daemon").read_text()), signal.SIGKILL)


async def test_without_a_path_the_usual_folders_are_looked_through() -> None:
    with pytest.raises(AccessDenied, match="is not on PATH"):
        await ask_helper(NAME, "a.example", environ={})


async def test_a_helper_that_closes_its_output_and_stays_is_killed(program: Program, tmp_path: Path) -> None:
    environ = program('echo $$ > "$FOLDER/parent"; exec >&-; sleep 600')
    with pytest.raises(AccessDenied, match="did not answer"):
        await ask_helper(NAME, "a.example", environ=environ, patience=0.5)
    _wait_until_gone(tmp_path / "parent")


async def test_whoever_is_cancelled_leaves_no_helper_behind(program: Program) -> None:
    asking, pid = await _started(program('echo $$ > "$FOLDER/started"; sleep 600'))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    _wait_until_gone(pid)


async def test_whoever_is_cancelled_at_once_leaves_no_helper_behind(program: Program, tmp_path: Path) -> None:
    environ = program('echo $$ > "$FOLDER/parent"; sleep 600 & echo $! > "$FOLDER/child"; wait')
    for turns in range(6):
        asking = asyncio.ensure_future(ask_helper(NAME, "a.example", environ=environ))
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        _wait_until_gone(tmp_path / "parent")
        _wait_until_gone(tmp_path / "child")


async def test_a_child_that_flees_its_group_with_the_pipe_holds_nobody_up(program: Program) -> None:
    asking, pid = await _started(program("setsid sh -c 'echo $$ > \"$FOLDER/started\"; exec sleep 600' & wait"))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("server", ["a\nb", "a\rb", "a\0b", "a b", "", "é", "x" * 2000])
async def test_a_server_name_that_could_be_two_questions_is_not_asked_about(server: str) -> None:
    with pytest.raises(AccessDenied, match="no server name"):
        await ask_helper(NAME, server, environ={"PATH": "/nowhere"})


@pytest.mark.parametrize(
    "name",
    ["sh", "/bin/sh", "docker-credential-../x", "docker-credential-", "docker-credential-a b", "docker-credential-X;"],
)
async def test_a_helper_with_an_unsafe_name_is_not_run(name: str) -> None:
    with pytest.raises(AccessDenied, match="no credential helper"):
        await ask_helper(name, "a.example", environ={"PATH": "/bin:/usr/bin"})


async def test_a_helper_is_found_only_in_absolute_folders_of_the_path(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program('echo \'{"Username": "u", "Secret": "s"}\'')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AccessDenied, match="is not on PATH"):
        await ask_helper(NAME, "a.example", environ={"PATH": ".:"})


async def test_a_helper_that_cannot_be_executed_is_access_denied(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"\x7fELF, but not really")
    (tmp_path / NAME).chmod(0o755)
    with pytest.raises(AccessDenied, match="cannot be run"):
        await ask_helper(NAME, "a.example", environ={"PATH": str(tmp_path)})


async def _started(environ: dict[str, str]) -> tuple[asyncio.Task[HelperAnswer | None], int]:
    """Return the asking task once the program has written a process number to `started`, and that number."""
    started = Path(environ["FOLDER"], "started")
    os.mkfifo(started)
    asking = asyncio.ensure_future(ask_helper(NAME, "a.example", environ=environ))
    return asking, int(await asyncio.to_thread(started.read_text))


def _wait_until_gone(noted: Path | int) -> None:
    """Return when the process whose number is noted there has ended; it may have been killed before it noted it."""
    text = str(noted) if isinstance(noted, int) else noted.read_text() if noted.exists() else ""
    if text:
        with suppress(ProcessLookupError):
            process = os.pidfd_open(int(text))
            select.select([process], [], [])
            os.close(process)
