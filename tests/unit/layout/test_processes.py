from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from regsync.oci.digest import Digest
from regsync.oci.referrers import fallback_tag
from tests.support.images import assert_whole, read_layout
from tests.unit.layout.writer import SUBJECT

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


def test_eight_processes_that_add_twenty_tags_and_referrers_each_lose_none(tmp_path: Path) -> None:
    writers = [started("writer", str(tmp_path / "layout"), f"p{number}", "20") for number in range(8)]
    for writer in writers:
        _, complaints = writer.communicate()
        assert writer.returncode == 0, complaints
    tags, contents = read_layout(tmp_path / "layout")
    lists = tags.pop(fallback_tag(Digest.parse(SUBJECT.digest)))
    assert len(tags) == len(json.loads(contents[lists])["manifests"]) == 160
    for digest in (*tags.values(), lists):
        assert_whole(digest, contents)
