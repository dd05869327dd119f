"""A forked run of regsync is one that was started by its command line, but for the time that takes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import warm

CONFIG = """
version: 1
creds: [{registry: a.example, user: "{{ env `NAME` }}"}]
sync: [{source: a.example/x, target: 'ocidir://here', type: repository}]
"""
DEV = ("-X", "dev", "-W", "error")


def both(
    *arguments: str, cwd: Path, flags: tuple[str, ...] = DEV, stdin: str = "", name: str = "ann"
) -> tuple[int, str, str]:
    """Run it both ways and return what is the same."""
    root = str(Path(__file__).parents[2])
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": root, "NAME": name, "TZ": "Asia/Tokyo"}
    forked = warm.run(*arguments, cwd=cwd, environ=environ, flags=flags, stdin=stdin)
    done = subprocess.run(
        [sys.executable, *flags, "-m", "regsync", *arguments],
        cwd=cwd, env=environ, input=stdin, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (forked.returncode, forked.stdout, forked.stderr) == (done.returncode, done.stdout, done.stderr)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("name", ["ann", "bob"])
def test_it_has_its_own_arguments_environment_and_input(tmp_path: Path, name: str) -> None:
    code, out, _ = both("config", "-c", "-", cwd=tmp_path, stdin=CONFIG, name=name)
    assert code == 0
    assert name in out


@pytest.mark.parametrize(
    ("arguments", "code"), [(["once", "-c", "nothing.yml"], 2), (["nope"], 2), (["version"], 0), ([], 0)]
)
def test_it_ends_as_the_program_does(tmp_path: Path, arguments: list[str], code: int) -> None:
    found, out, err = both(*arguments, cwd=tmp_path)
    assert (found, bool(out), bool(err)) == (code, code == 0, code != 0)


def test_it_runs_under_the_flags_it_is_asked_for(tmp_path: Path) -> None:
    for flags in ((), DEV):
        assert both("version", cwd=tmp_path, flags=flags)[0] == 0
    assert warm._nursery(()) is not warm._nursery(DEV)


def test_one_that_does_not_end_is_killed_and_the_next_one_is_none_the_worse(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with pytest.raises(subprocess.TimeoutExpired):
        warm.run("config", "-c", str(tmp_path / "fifo"), cwd=tmp_path, environ=environ, within=0.5)
    assert warm.run("version", cwd=tmp_path, environ=environ).returncode == 0


def test_one_that_goes_on_is_asked_and_signalled_as_any_process(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with Path(os.devnull).open("r+") as null:
        waiting, stopping = (
            warm.start("config", "-c", str(tmp_path / "fifo"), cwd=tmp_path, environ=environ, files=(null, null, null))
            for _ in range(2)
        )
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(0.1)
    assert waiting.poll() is None
    waiting.kill()
    assert waiting.wait(60) == waiting.poll() == -signal.SIGKILL
    (tmp_path / "fifo").write_text("version: 1\n")
    assert stopping.wait(60) == 0
    stopping.send_signal(signal.SIGTERM)
