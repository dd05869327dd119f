"""What would change, as a table, as Markdown, as a page and as JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest

from regsync.events import ImageDiffers, RunStarted
from regsync.facts import Telling, working
from regsync.record.differences import Comparison, Difference, Differences
from regsync.record.tally import Tally
from regsync.record.values import Counts
from regsync.reports import report
from regsync.reports.files import Reports
from regsync.reports.table import table
from regsync.secrets import Secrets
from tests.support.clock import FakeClock
from tests.unit.reports.test_reports import EVIL, NEW, NOON, OLD, RUN

ENTRY = "repository a.x/app -> b.x/app"
AGES = NOON - timedelta(days=40), NOON - timedelta(hours=5)
CHANGED = Difference("a.x/app:v1", "b.x/app:v1", "changed", OLD, NEW, *AGES, 28000, entry=ENTRY)
FRESH = Difference("a.x/app:v10", "b.x/app:v10", "new", "", NEW, None, NOON, 1 << 30, entry=ENTRY)
GONE = Difference("c.x/one:v0", "b.x/one:v0", "gone", OLD, "", NOON - timedelta(days=900), entry="one")
FOUND = Differences((CHANGED, FRESH, GONE), (1 << 30) + 28000)
CHECKED = replace(RUN, scope="check", counts=Counts(unchanged=3, needed=2, failed=1), ended=NOON)


def test_the_table_has_a_line_for_each_image_below_its_entry_within_eighty_columns() -> None:
    assert table(CHECKED, FOUND, colours=False).splitlines() == [
        "           target        age  source        age    bytes  tag",
        "repository a.x/app -> b.x/app",
        "  changed  0123456789ab  40d  ba9876543210   5h   27 KiB  v1",
        "  new      -               -  ba9876543210   0s  1.0 GiB  v10",
        "one: c.x/one -> b.x/one",
        "  gone     0123456789ab   2y  -               -        -  v0",
        "",
        "1 new, 1 changed, 1 gone at the source; 1.0 GiB would move (3 unchanged, 1 failed)",
    ]


def test_an_image_that_gets_another_tag_is_shown_with_both() -> None:
    found = Differences((replace(CHANGED, entry="two", source="c.x/one:stable", target="b.x/one:v7"),))
    lines = table(CHECKED, found, colours=False).splitlines()
    assert (lines[1], lines[2].split()[-1]) == ("two: c.x/one:stable -> b.x/one:v7", "v7")


def test_a_long_tag_is_not_cut_and_colours_change_no_text() -> None:
    tag = "t" * 128
    found = Differences((replace(CHANGED, target=f"b.x/app:{tag}"), FRESH, GONE))
    shown, plain = table(CHECKED, found, colours=True), table(CHECKED, found, colours=False)
    assert tag in plain
    assert "\x1b[33mchanged\x1b[0m" in shown
    for code in ("0", "1", "31", "32", "33"):
        shown = shown.replace(f"\x1b[{code}m", "")
    assert shown == plain


def test_what_others_named_steers_no_terminal() -> None:
    found = Differences((replace(CHANGED, entry=EVIL, target=f"b.x/{EVIL}:v1"),))
    assert "\x1b" not in table(CHECKED, found, colours=False)
    assert "<script>" not in report(CHECKED, "run.html", found)
    (row,) = [line for line in report(CHECKED, "run.md", found).splitlines() if "| changed |" in line]
    assert row.count("|") == 9


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Differences(), "nothing would change"),
        (Differences((GONE,)), "1 gone at the source; nothing would change"),
        (Differences((CHANGED, GONE, GONE), 28000), "1 changed, 2 gone at the source; 27 KiB would move"),
        (Differences((replace(CHANGED, change="partial"),), 5), "1 partial; 5 B would move"),
        (Differences((CHANGED, replace(FRESH, size=None)), 28000), "1 new, 1 changed; 27 KiB or more would move"),
    ],
)
def test_what_would_change_is_said_in_a_sentence(found: Differences, said: str) -> None:
    assert found.sentence() == said


def test_where_nothing_would_change_the_sentence_is_all() -> None:
    run = replace(CHECKED, counts=Counts(unchanged=2), cut=True)
    expected = "nothing would change (2 unchanged); not everything was looked at\n"
    assert table(run, Differences(), colours=True) == expected


def test_programs_get_every_difference_with_whole_digests_times_and_bytes() -> None:
    told = json.loads(report(CHECKED, "run.json", FOUND))
    assert told["changes"] == {"new": 1, "changed": 1, "partial": 0, "gone": 1, "bytes": FOUND.size}
    assert told["differences"][0] == {
        "entry": ENTRY,
        "source": "a.x/app:v1",
        "target": "b.x/app:v1",
        "tag": "v1",
        "change": "changed",
        "before": OLD,
        "before_created": "2025-11-22T12:00:00.000Z",
        "digest": NEW,
        "created": "2026-01-01T07:00:00.000Z",
        "bytes": 28000,
    }
    ends = ["source", "target", "change", "before", "digest", "before_created", "created"]
    assert [*told["differences"][0]] == ["entry", *ends, "tag", "bytes"]
    assert told["differences"][2]["bytes"] is None
    assert len(told["images"]) == len(CHECKED.images)


def test_a_job_s_summary_and_a_page_have_the_columns_of_the_table() -> None:
    lines = report(CHECKED, "run.md", FOUND).splitlines()
    assert lines[2] == "1 new, 1 changed, 1 gone at the source; 1.0 GiB would move (3 unchanged, 1 failed)."
    assert lines.index("### Failed") < lines.index("### What would change")
    row = f"| `{ENTRY}` | `v1` | changed | `0123456789ab` | 40d | `ba9876543210` | 5h | 27 KiB |"
    assert row in lines
    page = report(CHECKED, "run.html", FOUND)
    assert "What would change" in page
    assert f'<td class="word"><code title="{OLD}">0123456789ab</code></td><td class="number">40d</td>' in page
    assert "What would change" not in report(CHECKED, "run.html", Differences())
    assert ("Other images" in page, ">moved<" in page, ">moved<" in report(RUN, "run.html")) == (True, False, True)
    alone = report(replace(CHECKED, images=(replace(RUN.images[0], outcome="needed"),)), "run.html", FOUND)
    assert "mages</h2>" not in alone
    assert "What would change" not in report(CHECKED, "run.md", Differences())


def test_differences_are_told_by_entry_and_by_tags_as_people_count() -> None:
    comparison = Comparison()
    tell = Telling([comparison], FakeClock())
    for entry, target in (
        ("two", "b.x/z:v1"),
        ("one", "b.x/app:v10"),
        ("one", "b.x/app:v9"),
        ("one", "b.x/app:latest"),
    ):
        with working(entry=entry):
            tell(ImageDiffers("a.x/app:v1", target, "new", size=3, more=2))
    found = comparison.found()
    assert [image.target for image in found.images] == ["b.x/app:latest", "b.x/app:v9", "b.x/app:v10", "b.x/z:v1"]
    assert found.size == 8


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("b.x:5000/app:v1", ("b.x:5000/app", "v1")),
        ("b.x:5000/app", ("b.x:5000/app", "")),
        (f"b.x/app@{OLD}", ("b.x/app", OLD)),
        ("ocidir://a/b:v1", ("ocidir://a/b", "v1")),
        ("ocidir://a/b", ("ocidir://a/b", "")),
    ],
)
def test_a_name_is_a_repository_and_what_is_called_so_there(name: str, parts: tuple[str, str]) -> None:
    image = replace(CHANGED, source=name, target=name)
    assert (image.places, image.tag) == ((parts[0], parts[0]), parts[1])


class _Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("environ", "coloured"), [("", True), ("1", False)])
def test_a_terminal_gets_colours_unless_none_are_wanted(
    environ: str, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("NO_COLOR", environ)
    reports = Reports([], Secrets(), compares=True, shown="table")
    tell, tally = Telling(reports.observers(), FakeClock()), Tally()
    with tell.run(tally, entry=""):
        tell(RunStarted("", "check"))
        tell(ImageDiffers("a.x/app:v1", "b.x/app:v1", "new"))
        tell(tally.finished("", seconds=1))
    reports.write()
    assert ("\x1b[32mnew" in terminal.getvalue()) is coloured
    assert "new" in terminal.getvalue()


@pytest.mark.parametrize("shown", ["table", "json", "report"])
def test_what_is_printed_is_one_thing_and_holds_no_secret(
    shown: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = Secrets()
    secrets.keep("hunter2hunter2")
    paths = ["-"] if shown == "report" else [str(tmp_path / "run.md")]
    reports = Reports(paths, secrets, compares=True, shown="json" if shown == "json" else "table")
    tell, tally = Telling(reports.observers(), FakeClock()), Tally()
    with tell.run(tally, entry=""):
        tell(RunStarted("", "check"))
        with working(entry="hunter2hunter2"):
            tell(ImageDiffers("a.x/hunter2hunter2:v1", "b.x/hunter2hunter2:v1", "new", digest=NEW, size=1, more=1))
        tell(tally.finished("", seconds=1))
    reports.write()
    printed = capsys.readouterr().out
    assert printed.startswith({"table": " ", "json": "{", "report": "## regsync"}[shown])
    assert "hunter2" not in printed
    assert "censored" in printed
