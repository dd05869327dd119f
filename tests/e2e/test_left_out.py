"""`--skip-invalid-entries`: one entry that cannot work does not keep the others from running, and is not forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.program import Ended, regsync
from tests.support.pages import ROOT

LAYOUT = f"ocidir://{ROOT / 'examples' / 'layout'}"
CONFIG = f"""\
sync:
- {{source: '{LAYOUT}:hello', target: 'ocidir://out/hello:1', type: image}}
- {{source: 'docker.io/', target: 'ocidir://out/nothing:1', type: image}}
- {{source: '{LAYOUT}:tools-1.0', target: 'ocidir://out/tools:1', type: image}}
"""
PLACE = "regsync.yml:3:12: sync[1].source: entry left out: "
LAST = "entries left out: 1; each is in a warning that says why"


def run(command: str, *arguments: str, cwd: Path, config: str = CONFIG) -> Ended:
    (cwd / "regsync.yml").write_text(config)
    return regsync(command, "-c", "regsync.yml", *arguments, cwd=cwd)


def test_once_runs_the_other_entries_and_exits_with_one(tmp_path: Path) -> None:
    ended = run("once", "--skip-invalid-entries", "--logopt", "json", cwd=tmp_path)
    assert ended.code == 1
    assert (ended.figures["copied"], ended.figures["failed"]) == (2, 0)
    assert [line["level"] for line in ended.lines if line["msg"].startswith(PLACE)] == ["WARN"]
    assert ended.plain == [LAST]


def test_check_looks_at_the_other_entries_and_exits_with_one_even_when_asked_for_drift(tmp_path: Path) -> None:
    ended = run("check", "--skip-invalid-entries", "--exit-code", cwd=tmp_path)
    assert ended.code == 1
    assert ended.err.count('msg="Image sync needed"') == 2


@pytest.mark.parametrize("arguments", [[], ["--check"]])
def test_config_tells_of_it_and_exits_with_one(arguments: list[str], tmp_path: Path) -> None:
    ended = run("config", "--skip-invalid-entries", *arguments, cwd=tmp_path)
    assert ended.code == 1
    assert ended.err.startswith(PLACE)
    assert ended.err.endswith(f"{LAST}\n")
    assert ended.out.count("source:") == (0 if arguments else 2)


def test_without_it_nothing_runs(tmp_path: Path) -> None:
    ended = run("once", cwd=tmp_path)
    assert ended.code == 2
    assert not (tmp_path / "out").exists()


def test_a_server_of_which_nothing_is_left_is_refused(tmp_path: Path) -> None:
    config = "sync: [{source: 'docker.io/', target: 'ocidir://out/nothing:1', type: image}]\n"
    assert run("server", "--skip-invalid-entries", cwd=tmp_path, config=config).code == 2
