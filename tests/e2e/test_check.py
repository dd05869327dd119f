"""`check` looks and does not touch; and what holds for every command: its words, its streams and its exit codes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from regsync import __version__
from tests.e2e.program import creds, once, regsync
from tests.support.built import image_bytes, read_layout, write_layout
from tests.support.fake_registry import FakeRegistry

SECRET = "canary-5e1d"
IMAGES = {f"v{number}": image_bytes(str(number).encode()) for number in range(3)}
OTHER = image_bytes(b"another")


def step(source: str | Path, target: str | Path, kind: str = "repository") -> str:
    return f"- {{source: '{source}', target: '{target}', type: {kind}}}\n"


def layout(path: Path) -> str:
    return f"ocidir://{path}"


def write(folder: Path, config: str) -> None:
    (folder / "regsync.yml").write_text(config)


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A directory with a source layout and a configuration that copies it to a target that is not there."""
    write_layout(tmp_path / "source", IMAGES)
    write(tmp_path, "sync:\n" + step(layout(tmp_path / "source"), layout(tmp_path / "target")))
    return tmp_path


@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["--exit-code"], 3), (["--exit-code=false"], 0)])
def test_a_check_says_what_is_needed_and_writes_nothing(arguments: list[str], code: int, work: Path) -> None:
    before = files_in(work)
    ended = regsync("check", "-c", "regsync.yml", *arguments, cwd=work)
    assert ended.code == code, ended.err
    needed = [line for line in ended.err.splitlines() if 'level=INFO msg="Image sync needed"' in line]
    assert len(needed) == len(IMAGES)
    for tag in IMAGES:
        ends = f"source=ocidir://{work}/source:{tag} target=ocidir://{work}/target:{tag}"
        assert any(line.endswith(ends) for line in needed), ended.err
    assert files_in(work) == before
    assert not (work / "target").exists()


def test_what_is_gone_at_its_source_is_not_missing_where_the_target_has_its_name(work: Path) -> None:
    write_layout(work / "target", {"gone": OTHER})
    write(work, "sync:\n" + step(f"{layout(work / 'source')}:gone", f"{layout(work / 'target')}:gone", "image"))
    ended = regsync("once", "--missing", "-c", "regsync.yml", "--logopt", "json", cwd=work)
    assert ended.code == 0, ended.err
    assert ended.figures["unchanged"] == 1
    assert regsync("once", "-c", "regsync.yml", cwd=work).code == 1


async def test_a_check_only_asks_registries(fake_registry: FakeRegistry, tmp_path: Path) -> None:
    fake_registry.seed("a", IMAGES)
    fake_registry.seed("b", {"v0": OTHER, "v1": IMAGES["v1"]})
    host = fake_registry.host
    write(tmp_path, creds(host) + "sync:\n" + step(f"{host}/a", f"{host}/b") + step(f"{host}/a", f"{host}/new"))
    ended = await asyncio.to_thread(regsync, "check", "-c", "regsync.yml", "--exit-code", cwd=tmp_path)
    assert ended.code == 3, ended.err
    assert ended.err.count('msg="Image sync needed"') == 5
    assert {each.method for each in fake_registry.journal} <= {"GET", "HEAD"}
    assert fake_registry.asked(kind="blob") == []
    assert fake_registry.repositories["b"].tags["v0"] == OTHER.digest


def test_a_check_of_what_is_there_already_finds_nothing(work: Path) -> None:
    assert regsync("once", "-c", "regsync.yml", cwd=work).code == 0
    ended = regsync("check", "-c", "regsync.yml", "--exit-code", cwd=work)
    assert ended.code == 0
    assert "Image sync needed" not in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("-c", "regsync.yml", "--logopt", "json", "once"),
        ("once", "--config=regsync.yml", "--logopt=json"),
        ("-cregsync.yml", "once", "--logopt", "json"),
        ("--logopt", "json", "once", "-c", "regsync.yml", "--missing=false"),
        ("-c", "nowhere.yml", "--verbosity", "error", "once", "-c", "regsync.yml", "-v", "info", "--logopt", "json"),
    ],
)
def test_flags_may_stand_before_and_after_the_command(arguments: tuple[str, ...], work: Path) -> None:
    ended = regsync(*arguments, cwd=work)
    assert ended.code == 0, ended.err
    assert ended.figures["copied"] == len(IMAGES)
    assert ended.out == ""


@pytest.mark.parametrize("command", ["once", "check", "config"])
def test_a_configuration_comes_from_standard_input(command: str, work: Path) -> None:
    ended = regsync(command, "-c", "-", cwd=work, stdin=(work / "regsync.yml").read_text())
    assert ended.code == 0, ended.err
    wrong = regsync(command, "-c", "-", cwd=work, stdin="sync:\n- tip: image\n")
    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.err.startswith("<stdin>:2:3: sync[0].")


@pytest.mark.parametrize(
    ("flag", "copied", "stale"), [("--missing", 1, True), ("--missing=true", 1, True), ("--missing=false", 2, False)]
)
def test_missing_goes_by_name(flag: str, copied: int, stale: bool, tmp_path: Path) -> None:
    write_layout(tmp_path / "source", IMAGES)
    write_layout(tmp_path / "target", {"v0": OTHER, "v1": IMAGES["v1"]})
    config = "sync:\n" + step(layout(tmp_path / "source"), layout(tmp_path / "target"))
    ended = once(config, flag, cwd=tmp_path)
    assert (ended.code, ended.figures["copied"]) == (0, copied), ended.err
    assert (read_layout(tmp_path / "target")[0]["v0"] == OTHER.digest) is stale


def test_secrets_are_printed_only_when_asked_for(work: Path) -> None:
    with (work / "regsync.yml").open("a") as config:
        config.write(f"creds:\n- {{registry: r.example, user: me, pass: {SECRET}}}\n")
        config.write(f"- {{registry: s.example, token: {SECRET}}}\n")
    hidden = regsync("config", "-c", "regsync.yml", cwd=work)
    assert (hidden.code, hidden.err) == (0, "")
    assert SECRET not in hidden.out
    assert "r.example" in hidden.out
    shown = regsync("config", "-c", "regsync.yml", "--show-secrets", cwd=work)
    assert (shown.code, shown.out.count(SECRET)) == (0, 2)
    again = regsync("config", "-c", "-", "--show-secrets", cwd=work, stdin=shown.out)
    assert again.out == shown.out
    checked = regsync("config", "-c", "regsync.yml", "--check", cwd=work)
    assert (checked.code, checked.err) == (0, "")
    assert SECRET not in checked.out


@pytest.mark.parametrize(
    ("verbosity", "seen", "unseen"),
    [
        ("trace", "level=DEBUG", "level=TRACE"),
        ("debug", "level=DEBUG", "level=ERROR"),
        ("INFO", "level=INFO", "level=DEBUG"),
        ("Info+0", "level=INFO", "level=DEBUG"),
        ("INFO-4", "level=DEBUG", "level=ERROR"),
    ],
)
def test_the_log_is_as_loud_as_wanted(verbosity: str, seen: str, unseen: str, work: Path) -> None:
    ended = regsync("once", "-c", "regsync.yml", "-v", verbosity, cwd=work)
    assert ended.code == 0
    assert seen in ended.err
    assert unseen not in ended.err


@pytest.mark.parametrize("verbosity", ["warn", "ERROR", "info+2"])
def test_a_quiet_log_says_nothing_of_what_went_well(verbosity: str, work: Path) -> None:
    ended = regsync("once", "-c", "regsync.yml", "-v", verbosity, cwd=work)
    assert (ended.code, ended.out, ended.plain) == (0, "", [])
    assert "time=" not in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("once",),
        ("once", "-c", "regsync.yml", "-v", "TRACE"),
        ("once", "-c", "regsync.yml", "-v", "loud"),
        ("once", "-c", "regsync.yml", "--logopt", "xml"),
        ("once", "-c", "regsync.yml", "more"),
        ("once", "-c", "regsync.yml", "--missing=perhaps"),
        ("check", "-c", "regsync.yml", "--missing"),
        ("twice", "-c", "regsync.yml"),
        ("server", "-c", "regsync.yml", "--grace", "25"),
        ("--versions",),
    ],
)
def test_a_wrong_command_line_is_exit_code_2_and_no_traceback(arguments: tuple[str, ...], work: Path) -> None:
    ended = regsync(*arguments, cwd=work)
    assert (ended.code, ended.out) == (2, ""), ended.err
    assert ended.err
    assert "Traceback" not in ended.err
    assert not (work / "target").exists()


def test_help_and_version_are_no_failures(tmp_path: Path) -> None:
    bare, asked = regsync(cwd=tmp_path), regsync("--help", cwd=tmp_path)
    assert (bare.code, bare.err) == (asked.code, asked.err) == (0, "")
    assert bare.out == asked.out
    for command in ("once", "check", "diff", "server", "status", "config", "version"):
        assert command in bare.out
    version = regsync("version", cwd=tmp_path)
    assert version.code == 0
    assert __version__ in version.out
