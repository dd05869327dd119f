"""`diff` says what `once` would do before it does it: the same images, the same bytes, and nothing is written."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.program import Ended, creds, once, regsync
from tests.e2e.test_check import files_in, layout, step, write
from tests.support.built import Built, compact, image_bytes, index_bytes, some_bytes, write_layout
from tests.support.real import DockerRegistry


def image(name: str, *, days: int, base: str = "base") -> Built:
    """An image of so many days on a base that others share."""
    created = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    config = compact({"created": created, "rootfs": {"type": "layers"}, "os": "linux", "architecture": "amd64"})
    return image_bytes(some_bytes(300_000, base), some_bytes(50_000, name), config=config)


def diff(folder: Path, *arguments: str) -> Ended:
    return regsync("diff", "-c", "regsync.yml", *arguments, cwd=folder)


def told(folder: Path, *arguments: str) -> tuple[int, Any]:
    ended = diff(folder, "--json", *arguments)
    return ended.code, json.loads(ended.out)


def stored(folder: Path) -> dict[str, bytes]:
    """What a registry keeps, without its log."""
    return {name: data for name, data in files_in(folder).items() if name != "registry.log"}


def test_what_is_said_to_move_is_what_moves_between_registries(
    two_registries: tuple[DockerRegistry, DockerRegistry], tmp_path: Path
) -> None:
    source, target = two_registries
    old, new = image("old", days=40), image("new", days=3)
    gone, other = image("gone", days=9, base="its own"), image("other", days=9, base="another")
    write_layout(tmp_path / "seeds", {"v1": old, "v0": gone})
    write_layout(tmp_path / "later", {"v1": new})
    write_layout(tmp_path / "shared", {"v2": index_bytes(other, image("arm", days=9, base="another")), "v3": other})
    reach = creds(source.host, target.host)

    def seed(name: str, place: str) -> None:
        assert once(reach + "sync:\n" + step(layout(tmp_path / name), place), cwd=tmp_path).code == 0

    seed("seeds", f"{target.host}/mirror/app")
    seed("later", f"{source.host}/app")
    seed("shared", f"{source.host}/shared")
    steps = [("app", "mirror/app"), ("shared", "one"), ("shared", "two")]
    config = "".join(step(f"{source.host}/{name}", f"{target.host}/{place}") for name, place in steps)
    write(tmp_path, reach + "sync:\n" + config)
    before = stored(tmp_path / "target")
    code, said = told(tmp_path)
    assert code == 3
    assert said["changes"] == {"new": 4, "changed": 1, "partial": 0, "gone": 1, "bytes": said["changes"]["bytes"]}
    shown = diff(tmp_path)
    assert shown.code == 3, shown.err
    lines = shown.out.splitlines()
    assert f"repository {source.host}/app -> {target.host}/mirror/app" in lines
    (changed,) = [line for line in lines if line.startswith("  changed")]
    assert changed.split()[1:5] == [old.digest[7:19], "40d", new.digest[7:19], "3d"]
    (line,) = [line for line in lines if line.startswith("  gone")]
    assert line.split()[1:] == [gone.digest[7:19], "9d", "-", "-", "-", "v0"]
    assert lines[-1].startswith("4 new, 1 changed, 1 gone at the source; ")
    assert "level=INFO" not in shown.err
    assert stored(tmp_path / "target") == before
    copied = once((tmp_path / "regsync.yml").read_text(), cwd=tmp_path)
    assert (copied.code, copied.figures["copied"]) == (0, 5)
    assert copied.figures["bytes"] == said["changes"]["bytes"]
    after = diff(tmp_path)
    assert (after.code, after.out.splitlines()[-1]) == (0, "1 gone at the source; nothing would change (5 unchanged)")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Layouts: one tag has changed, one is new, one is gone."""
    images = {f"v{number}": image(f"{number}", days=number) for number in range(3)}
    write_layout(tmp_path / "source", {"v1": images["v1"], "v2": images["v2"]})
    write_layout(tmp_path / "target", {"v0": images["v0"], "v1": images["v0"]})
    write(tmp_path, "sync:\n" + step(layout(tmp_path / "source"), layout(tmp_path / "target")))
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "1 new, 1 changed, 1 gone at the source; "),
        (["--missing"], "1 new, 1 gone at the source; "),
        (["--abort-on-error", "--no-progress"], "1 new, 1 changed, 1 gone at the source; "),
    ],
)
def test_a_diff_of_layouts_writes_nothing(arguments: list[str], sentence: str, work: Path) -> None:
    before = files_in(work)
    ended = diff(work, *arguments)
    assert (ended.code, ended.plain) == (3, []), ended.err
    assert ended.out.splitlines()[-1].startswith(sentence)
    assert files_in(work) == before


def test_an_entry_that_fails_is_told_and_wins_while_others_are_shown(work: Path) -> None:
    with (work / "regsync.yml").open("a") as config:
        config.write(step(f"{layout(work / 'source')}:v9", f"{layout(work / 'other')}:v9", "image"))
    ended = diff(work)
    assert ended.code == 1
    assert ended.plain == [
        f"ocidir://{work}/source:v9 -> ocidir://{work}/other:v9: ocidir://{work}/source: v9 is not there (tried once)"
    ]
    assert "level=ERROR" in ended.err
    assert ended.out.splitlines()[-1].endswith(" would move (1 failed)")


@pytest.mark.parametrize("arguments", [("--exit-code",), ("-o", "json"), ("--report", "nowhere/x.md"), ("more",)])
def test_a_wrong_command_line_prints_no_table(arguments: tuple[str, ...], work: Path) -> None:
    ended = diff(work, *arguments)
    assert (ended.code, ended.out) == (2, "")


def test_a_check_s_report_has_the_same_columns_and_its_exit_code_is_a_check_s(work: Path) -> None:
    ended = regsync("check", "-c", "regsync.yml", "--report", "run.json", "--report", "run.md", cwd=work)
    assert (ended.code, ended.out) == (0, ""), ended.err
    assert ended.err.count('msg="Image sync needed"') == 2
    said, (_, shown) = json.loads((work / "run.json").read_text()), told(work)
    assert (said["changes"], said["differences"]) == (shown["changes"], shown["differences"])
    assert said["changes"] | {"bytes": 0} == {"new": 1, "changed": 1, "partial": 0, "gone": 1, "bytes": 0}
    assert "| v1" not in (work / "run.md").read_text()
    assert "| `v1` | changed |" in (work / "run.md").read_text()


def test_a_report_on_standard_output_takes_the_place_of_the_table(work: Path) -> None:
    ended = diff(work, "--report", "-")
    assert ended.code == 3
    assert ended.out.startswith("## regsync would copy what has changed\n\n1 new, 1 changed, 1 gone at the source; ")
