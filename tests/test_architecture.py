"""What CONTRIBUTING.md promises about the shape of the code, counted."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LONGEST_FUNCTION = 40
LONGEST_FILE = 300
FOLDERS = ("regsync", "tests", "benchmarks", "examples")
NOT_OURS = {"__pycache__", "demo-output", "build", "dist"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources(*folders: str) -> Iterator[Path]:
    """Every Python file below these folders."""
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def project_files(folder: Path = ROOT) -> Iterator[Path]:
    """Every file of the project as a checkout has it, without what tools leave behind."""
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or path.name in NOT_OURS or (path.name.startswith(".") and path.name != ".ci"):
            continue
        if path.is_dir():
            yield from project_files(path)
        else:
            yield path


def functions(path: Path) -> Iterator[Function]:
    """Every function of a file, at any depth."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, Function):
            yield node


def length(function: Function) -> int:
    """Lines of a function, from `def` to its last, docstring included."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def imported(node: ast.AST) -> tuple[str, ...]:
    """The modules an import statement names."""
    if isinstance(node, ast.Import):
        return tuple(alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return (node.module or "",)
    return ()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_module_imports_only_from_floors_below_its_own() -> None:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = run("-c", code, "--no-cache")
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_function_is_longer_than_forty_lines() -> None:
    long = [
        f"{place(path, function.lineno)}: {function.name} has {length(function)} lines"
        for path in sources(*FOLDERS)
        for function in functions(path)
        if length(function) > LONGEST_FUNCTION
    ]
    assert long == []


def test_half_of_the_functions_are_shorter_than_ten_lines() -> None:
    lengths = [length(function) for path in sources("regsync") for function in functions(path)]
    assert statistics.median(lengths) < 10


def test_no_file_is_longer_than_three_hundred_lines() -> None:
    counted = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources(*FOLDERS)}
    assert [f"{path.relative_to(ROOT)}: {lines}" for path, lines in counted.items() if lines > LONGEST_FILE] == []


def test_a_bug_ends_with_its_job_unit_observer_reload_message_question_side_work_or_process_and_nowhere_else() -> None:
    ends = (
        "daemon/runner.py",
        "sync/run.py",
        "facts.py",
        "beside.py",
        "service.py",
        "notify/outbox.py",
        "web/trouble.py",
        "process.py",
    )
    may = {ROOT / "regsync" / name for name in ends}
    catchers = [
        place(path, node.lineno)
        for path in sources("regsync")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception"))
        and path not in may
    ]
    assert catchers == []


def test_what_happens_is_told_and_only_the_sinks_log_and_who_keeps_the_log_of_a_library_to_itself() -> None:
    loggers = [
        place(path, node.lineno)
        for path in sources("regsync")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        and any(name.partition(".")[0] in {"logging", "structlog"} for name in imported(node))
        and path.parent != ROOT / "regsync" / "observe"
        and path not in {ROOT / "regsync" / "notify" / "others.py", ROOT / "regsync" / "web" / "trouble.py"}
    ]
    assert loggers == []


def test_packages_are_one_level_deep_but_for_the_rooms_of_registry_and_named_for_what_they_hold() -> None:
    vague = {"utils", "util", "common", "base", "core", "helpers", "misc", "manager"}
    paths = [path.relative_to(ROOT / "regsync") for path in sources("regsync")]
    deep = {path.parts[:-1] for path in paths if len(path.parts) > 2}
    assert deep == {("registry", "http"), ("registry", "login"), ("registry", "content")}
    assert [str(path) for path in paths if vague.intersection(part.removesuffix(".py") for part in path.parts)] == []


def test_nothing_unfinished_is_left_in_the_package() -> None:
    marks = ("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error")
    lines = [
        place(path, number)
        for path in sources("regsync")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if any(mark in line for mark in marks)
    ]
    assert lines == []


def test_no_file_names_a_package_index_or_a_place_on_somebody_s_machine() -> None:
    joined = ("pypi .org", "python hosted.org", "npm js.org", "crates .io/", "proxy .golang.org", "/ work/", "/ root/")
    forbidden = [name.replace(" ", "").encode() for name in joined]
    named = [
        f"{path.relative_to(ROOT)}: {name.decode()}"
        for path in project_files()
        for name in forbidden
        if name in path.read_bytes()
    ]
    assert named == []


@pytest.mark.parametrize("name", [f"requirements{kind}.txt" for kind in ("", "-build", "-dev", "-docs")])
def test_requirements_are_pinned_with_hashes_and_name_no_index(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    assert lines
    assert [line for line in lines if "==" not in line.split()[0] or "--hash=sha256:" not in line] == []
    assert [line for line in lines if "://" in line or "--index" in line or "--find-links" in line] == []


def test_saying_the_version_loads_neither_the_http_library_nor_the_models() -> None:
    done = run("-X", "importtime", "-m", "regsync", "version")
    assert done.returncode == 0, done.stderr
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert (
        loaded.intersection({"aiohttp", "asyncio", "pydantic", "yaml", "structlog", "rich", "croniter", "re2"}) == set()
    )


def test_a_file_without_templates_loads_nothing_that_runs_them(tmp_path: Path) -> None:
    entry = "{source: a.example/x, target: b.example/x, type: repository, backup: old}"
    for text, needed in ((f"sync: [{entry}]", False), (f"sync: [{entry.replace('old', '{{ 1 }}')}]", True)):
        (tmp_path / "regsync.yml").write_text(text.replace("{{ 1 }}", "'{{ 1 }}'"), encoding="utf-8")
        done = run("-X", "importtime", "-m", "regsync", "config", "--check", "-c", str(tmp_path / "regsync.yml"))
        assert done.returncode == 0, done.stderr
        assert (" regsync.template" in done.stderr) is needed


def test_every_module_that_contributors_are_sent_to_is_there() -> None:
    named = set(re.findall(r"`(regsync/[\w/.]*)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    assert len(named) > 40
    assert sorted(path for path in named if not (ROOT / path).exists()) == []
