from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.images import assert_whole, read_layout

ROOT = Path(__file__).parents[3]


def started(module: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.unit.layout.{module}", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_writer_killed_at_any_file_operation_costs_nothing_that_was_there(tmp_path: Path) -> None:
    crasher = started("crasher", str(tmp_path))
    said, complaints = crasher.communicate()
    assert crasher.returncode == 0, complaints
    assert int(said.split()[0]) > 60


def test_eight_processes_that_add_twenty_tags_each_make_a_hundred_and_sixty(tmp_path: Path) -> None:
    writers = [started("writer", str(tmp_path / "layout"), f"p{number}", "20") for number in range(8)]
    for writer in writers:
        _, complaints = writer.communicate()
        assert writer.returncode == 0, complaints
    tags, contents = read_layout(tmp_path / "layout")
    assert len(tags) == 160
    for digest in tags.values():
        assert_whole(digest, contents)
