"""What `make dist` builds: the same bytes each time, which install where nothing else is."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tokenize
import zipfile
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

import click
import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from regsync import __version__
from regsync.cli import program
from tests.support.bill import OURS, PAGE, bill, libraries, licences
from tests.support.manual import SHARE, files
from tests.support.pages import ROOT

NAME = f"regsync-{__version__}"
WHEEL = f"{NAME}-py3-none-any.whl"
SDIST = f"{NAME}.tar.gz"
MOST = 500_000  # bytes of the wheel: hundreds of small modules, each compressed by itself
HELP = "from regsync.cli import program as p; print(repr([c.help for c in (p, *p.commands.values())]))"
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
EPOCH = 1_750_000_000
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


def ran(*command: str | Path, cwd: Path, **environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MAKE", "COVERAGE"))}
    done = subprocess.run(
        command, cwd=cwd, env={**kept, **environment}, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def commands() -> Mapping[str, click.Command]:
    return {"": program, **program.commands}


def dist(target: Path, **environment: str) -> Path:
    """Run `make dist` into a directory, with the environment the tests run in."""
    venv = Path(sys.prefix)
    made = [part for name in ("run", "dev") for part in ("-o", f"{venv}/{name}.stamp")]
    epoch = {"SOURCE_DATE_EPOCH": str(EPOCH), **environment}
    ran("make", *made, "dist", f"VENV={venv}", f"DIST={target}", cwd=ROOT, **epoch)
    return target


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dist(tmp_path_factory.mktemp("dist"))


def contents(directory: Path) -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_two_builds_are_the_same_to_the_last_byte(built: Path, tmp_path: Path) -> None:
    again = dist(tmp_path, TZ="Asia/Tokyo", LC_ALL="C.UTF-8", PYTHONHASHSEED="7")
    assert contents(again) == contents(built)
    assert {*contents(built)} == {
        WHEEL,
        SDIST,
        f"{NAME}.cdx.json",
        f"{NAME}-requirements.txt",
        f"{NAME}-requirements-notify.txt",
        "SHA256SUMS",
    }
    ran("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=built)


def test_the_sdist_builds_the_same_wheel(built: Path, tmp_path: Path) -> None:
    with tarfile.open(built / SDIST) as archive:
        archive.extractall(tmp_path, filter="data")
    source = tmp_path / NAME
    build = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    ran(*build, cwd=source, SOURCE_DATE_EPOCH=str(EPOCH))
    assert (tmp_path / WHEEL).read_bytes() == (built / WHEEL).read_bytes()
    assert [
        name for name in ("Makefile", "requirements.txt", "Dockerfile", "tests") if not (source / name).exists()
    ] == []


def test_a_wheel_holds_the_program_and_no_more(built: Path) -> None:
    with zipfile.ZipFile(built / WHEEL) as archive:
        times = {info.date_time for info in archive.infolist()}
        names = archive.namelist()
    assert (built / WHEEL).stat().st_size < MOST
    assert len(times) == 1
    assert {name.partition("/")[0] for name in names} == {"regsync", f"{NAME}.dist-info", f"{NAME}.data"}
    assert [name for name in names if name.startswith("regsync/share/") or "__pycache__" in name] == []
    of_pages = (path for kind in ("templates", "static") for path in (ROOT / "regsync" / "pages" / kind).iterdir())
    assert {str(path.relative_to(ROOT)) for path in of_pages} <= set(names)


def modules(wheel: Path) -> Mapping[str, str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist() if name.endswith(".py")}


def statements(text: str) -> tuple[str, list[tuple[int, int]]]:
    """What is left of a module without its docstrings, and the line and column of each of its parts."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, Documented) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    places = [(node.lineno, node.col_offset) for node in ast.walk(tree) if isinstance(node, ast.stmt | ast.expr)]
    return ast.dump(tree), places


def test_a_module_in_the_wheel_is_that_of_the_repository_line_by_line_but_for_its_docstrings(built: Path) -> None:
    shipped = modules(built / WHEEL)
    ours = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in (ROOT / "regsync").rglob("*.py")}
    assert {*shipped} == {*ours}
    assert [name for name, text in ours.items() if statements(shipped[name]) != statements(text)] == []
    counted = {name: text.count("\n") for name, text in ours.items()}
    assert {name: text.count("\n") for name, text in shipped.items()} == counted


def test_no_words_are_left_in_the_modules_of_the_wheel(built: Path) -> None:
    docstrings, comments = set(), []
    for text in modules(built / WHEEL).values():
        documented = (node for node in ast.walk(ast.parse(text)) if isinstance(node, Documented))
        docstrings |= {ast.get_docstring(node, clean=False) for node in documented}
        comments += [
            part for part in tokenize.generate_tokens(StringIO(text).readline) if part.type == tokenize.COMMENT
        ]
    assert docstrings == {None, "."}
    assert comments == []


def test_nothing_in_the_package_reads_its_words() -> None:
    readers = {"__doc__", "getdoc", "getcomments", "getsource", "getsourcelines", "linecache"}
    readers |= {"use_attribute_docstrings", "model_json_schema", "json_schema"}  # pydantic's: our schema is a file
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in sorted((ROOT / "regsync").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for word in readers.intersection(getattr(node, field, None) for field in ("attr", "id", "arg", "name"))
    ]
    assert found == []
    assert [name for name, command in commands().items() if command.callback and command.callback.__doc__] == []


def test_the_wheel_runs_where_nothing_but_the_pinned_libraries_is(built: Path, tmp_path: Path) -> None:
    home, venv = tmp_path / "home", tmp_path / "venv"
    ran(sys.executable, "-m", "venv", "--without-pip", venv, cwd=tmp_path)
    into = (*PIP, "--python", str(venv / "bin" / "python"), "install", "--no-compile")
    pinned = str(built / f"{NAME}-requirements.txt")
    ran(*into, "--only-binary", ":all:", "--require-hashes", "-r", pinned, cwd=tmp_path)
    ran(*into, "--no-deps", "--no-index", str(built / WHEEL), cwd=tmp_path)
    shutil.copytree(ROOT / "examples", home / "examples")
    shutil.copy(ROOT / "config.example.yaml", home)
    runs_the_example(home, venv / "bin")
    ran(*PIP, "--python", str(venv / "bin" / "python"), "check", cwd=tmp_path)
    (home / "chat.yml").write_text("defaults: {notify: [{url: 'ntfys://ntfy.example/mirrors'}]}\n")
    checks = (venv / "bin" / "regsync", "config", "--check", "-c", "chat.yml")
    refused = subprocess.run(checks, cwd=home, capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    with_notify = str(built / f"{NAME}-requirements-notify.txt")
    ran(*into, "--only-binary", ":all:", "--require-hashes", "-r", with_notify, cwd=tmp_path)
    ran(*checks, cwd=home)
    for path in files():
        assert (venv / "share" / path.relative_to(SHARE)).read_bytes() == path.read_bytes()


def runs_the_example(home: Path, programs: Path) -> None:
    regsync, module = (programs / "regsync",), (programs / "python", "-m", "regsync")
    for called in (regsync, module):
        assert ran(*called, "version", cwd=home).startswith(f"VCSTag:   v{__version__}\n")
    assert ran(programs / "python", "-c", HELP, cwd=home).strip() == repr([one.help for one in commands().values()])
    ran(*regsync, "config", "--check", "-c", "config.example.yaml", cwd=home)
    json.loads(ran(*regsync, "config", "--schema", cwd=home))
    ran(*regsync, "once", "-c", "config.example.yaml", cwd=home)
    ran(*module, "check", "--exit-code", "-c", "config.example.yaml", cwd=home)
    assert (home / "demo-output" / "hello" / "index.json").exists()


def test_the_bill_of_materials_is_one_that_cyclonedx_takes(built: Path) -> None:
    text = (built / f"{NAME}.cdx.json").read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert json.loads(text) == bill(EPOCH)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text.replace('"library"', '"book"')) is not None


def test_the_bill_names_every_pinned_library_and_what_needs_it() -> None:
    made = bill(EPOCH)
    assert {part["purl"] for part in made["components"]} == {library.purl for library in libraries()}
    needed = {purl for edge in made["dependencies"] for purl in edge["dependsOn"]}
    assert needed == {library.purl for library in libraries()}
    assert bill(EPOCH + 1)["serialNumber"] != made["serialNumber"]


def test_what_is_pinned_for_notifications_is_what_is_pinned_without_them_and_more() -> None:
    plain, more = libraries(), libraries("requirements-notify.txt")
    assert "apprise" in {library.name for library in more}
    assert [library for library in plain if library not in more] == []


def test_the_list_of_licences_is_that_of_the_pinned_libraries() -> None:
    assert PAGE.read_text(encoding="utf-8") == licences(), "make licences"


def test_a_version_stands_in_one_place_and_everything_else_agrees() -> None:
    chart = yaml.safe_load((ROOT / "deploy" / "helm" / "regsync" / "Chart.yaml").read_text(encoding="utf-8"))
    assert (chart["appVersion"], chart["version"]) == (__version__, __version__)
    for overlay in ("server", "cronjob"):
        text = (ROOT / "deploy" / "kubernetes" / overlay / "kustomization.yaml").read_text(encoding="utf-8")
        assert [image["newTag"] for image in yaml.safe_load(text)["images"]] == [__version__]
    for workflow in ("github", "gitlab", "forgejo"):
        assert f"/{WHEEL}" in (ROOT / "deploy" / "ci" / f"{workflow}.yml").read_text(encoding="utf-8")
    assert f"\n## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f'\nlicense = "{OURS}"\n' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
