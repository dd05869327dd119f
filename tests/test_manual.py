"""The man page and the scripts of shells are those of the program, and a wheel installs them."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from regsync.cli import program
from tests.support.manual import SHARE, files
from tests.support.pages import ROOT
from tests.test_docs import options

PAGE = SHARE / "man" / "man1" / "regsync.1"


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(SHARE)))
def test_what_is_installed_is_what_make_man_would_make(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == files()[path], "make man"


def test_nothing_else_is_installed() -> None:
    assert {path for path in SHARE.rglob("*") if path.is_file()} == {*files()}


def test_a_wheel_puts_each_file_where_programs_look_for_it_and_nowhere_else(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {*archive.namelist()}
    shared = {name for name in names if "/share/" in name}
    parts = [path for path in (ROOT / "regsync").rglob("*") if path.suffix in {".py", ".html", ".css", ".js", ".svg"}]
    assert {str(path.relative_to(ROOT)) for path in parts} <= names
    assert {name.partition("/data/share/")[2] for name in shared} == {str(path.relative_to(SHARE)) for path in files()}


def test_the_page_tells_of_every_command_option_exit_code_and_variable() -> None:
    page = PAGE.read_text(encoding="utf-8").replace(r"\-", "-")
    assert [name for name in program.commands if f".SS regsync {name}" not in page] == []
    assert [name for name in options() if rf"\fB{name}\fR" not in page] == []
    for word in (r"\fB130\fR", r"\fB0\fR", "DOCKER_CONFIG", "NO_COLOR"):
        assert word in page


def test_no_line_of_the_page_is_a_request_by_accident() -> None:
    known = (".TH ", ".SH ", ".SS ", ".TP", ".B ", '.\\" ')
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith((".", "'")) and not line.startswith(known)] == []
    assert [line for line in lines if "`" in line.removeprefix('.\\"') and not line.startswith('.\\"')] == []
    assert [line for line in lines if "](" in line] == []
