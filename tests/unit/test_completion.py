"""Shells complete what the program takes: the scripts are read by a real bash, which asks the program."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from regsync.cli import program
from regsync.completion import SHELLS, proposals, script
from regsync.flags import spelt_out
from tests.support.real import require, run

ROOT = Path(__file__).parents[2]
COMPLETED = 'COMP_WORDS=({words}) COMP_CWORD={at}; _regsync_completion "$1" "" ""; printf "%s\\n" "${{COMPREPLY[@]}}"'


def proposed(monkeypatch: pytest.MonkeyPatch, typed: str) -> list[str]:
    """What is proposed to bash where a line so far ends."""
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split(" ")) - 1))
    return (proposals(program, "bash", spelt_out) or "").splitlines()


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_gets_a_script_that_asks_the_program(shell: str) -> None:
    text = script(program, shell)
    assert f"_REGSYNC_COMPLETE={shell}_complete" in text
    if shell == "bash":
        run("bash", "-n", stdin=text.encode())


@pytest.mark.parametrize(
    ("typed", "completed"),
    [("on", {"once"}), ("once --mi", {"--missing"}), ("completion ", {*SHELLS}), ("-v error stat", {"status"})],
)
def test_a_real_bash_completes(typed: str, completed: set[str], tmp_path: Path) -> None:
    program_file = tmp_path / "regsync"
    program_file.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m regsync "$@"\n')
    program_file.chmod(0o755)
    words = ["regsync", *typed.split(" ")]
    asked = COMPLETED.format(words=" ".join(word or "''" for word in words), at=len(words) - 1)
    text = f"compopt() {{ :; }}\n{script(program, 'bash')}\n{asked}"  # which works while a line is typed only
    done = subprocess.run(
        [require("bash"), "-c", text, "bash", str(program_file)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    assert {*done.stdout.split()} == completed


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("regsync once --missing --ab", ["plain,--abort-on-error"]),
        ("regsync once --missing=false --ab", ["plain,--abort-on-error"]),
        ("regsync once -c ", ["file,"]),
        ("regsync -c my", ["file,my"]),
        ("regsync check --report ", ["file,"]),
        ("regsync init -o ", ["file,"]),
        ("regsync help ver", ["plain,version"]),
        ("regsync once x", []),
    ],
)
def test_options_files_and_commands_are_proposed_where_they_may_stand(
    typed: str, completed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert proposed(monkeypatch, typed) == completed


def test_every_command_is_proposed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {*proposed(monkeypatch, "regsync ")} == {f"plain,{name}" for name in program.commands}


@pytest.mark.parametrize(
    "environ", [{"_REGSYNC_COMPLETE": "bash_complete"}, {"_REGSYNC_COMPLETE": "tcsh_complete", "COMP_WORDS": "regsync"}]
)
def test_a_variable_that_asks_for_nothing_harms_nobody(environ: Mapping[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "regsync", "version"],
        cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "VCSTag" in done.stdout


@pytest.mark.parametrize("arguments", [[], ["powershell"]])
def test_an_unknown_shell_is_a_usage_error_that_names_the_known_ones(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "regsync", "completion", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert all(shell in done.stderr for shell in SHELLS)
