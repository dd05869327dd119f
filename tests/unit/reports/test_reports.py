from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from regsync.errors import ConfigError
from regsync.events import ImageCopied, ImageFailed, ImageNeeded, RunStarted
from regsync.facts import Telling
from regsync.record.tally import Tally
from regsync.record.values import Counts, ImageRecord, RunRecord
from regsync.record.words import causes, short, summary
from regsync.reports import report
from regsync.reports.files import Reports
from regsync.secrets import Secrets
from tests.support.clock import FakeClock

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
OLD, NEW = "sha256:" + "0123456789ab" + "0" * 52, "sha256:" + "ba9876543210" + "0" * 52
COPIED = ImageRecord("one", "a.x/app:v1", "b.x/app:v1", "copied", NOON, OLD, NEW, 28000, 21000, 0.123456)
SAME = ImageRecord("one", "a.x/app:v2", "b.x/app:v2", "unchanged", NOON, digest=OLD)
EVIL = "<script>alert(1)</script> | `x` [link](http://evil.example) \x1b[31m\nnext"
FAILED = ImageRecord("one", "a.x/app:v3", "b.x/app:v3", "failed", NOON, message="Failed to copy image", error=EVIL)
RUN = RunRecord(
    "20260101T120000-r1",
    "",
    "changed",
    NOON,
    NOON + timedelta(seconds=2),
    2.0,
    Counts(copied=1, unchanged=1, failed=1, moved=28000, spared=21000),
    (COPIED, SAME, FAILED),
)


def test_a_report_for_programs_has_every_image_with_its_decision_digests_bytes_seconds_and_error() -> None:
    told = json.loads(report(RUN, "run.json"))
    assert (told["version"], told["outcome"], told["began"]) == (1, "failed", "2026-01-01T12:00:00.000Z")
    assert told["counts"]["moved"] == 28000
    copied, same, failed = told["images"]
    assert (copied["outcome"], copied["before"], copied["digest"], copied["moved"]) == ("copied", OLD, NEW, 28000)
    assert (copied["seconds"], same["outcome"], failed["error"]) == (0.123, "unchanged", EVIL)


def test_a_report_for_a_job_s_summary_says_first_what_failed_and_then_what_changed() -> None:
    lines = report(RUN, "run.md").splitlines()
    assert lines[0] == "## regsync failed for 1 of 3 images"
    assert lines[2] == "1 image copied, 1 unchanged, 1 failed, 27 KiB in 2.0 s; 21 KiB came by links."
    assert lines.index("### Failed") < lines.index("### Copied")
    assert "| `b.x/app:v1` | `a.x/app:v1` | `0123456789ab` | `ba9876543210` | 27 KiB | 0.1 s |" in lines
    assert not [line for line in lines if "app:v2" in line]


def test_what_a_registry_says_stays_text_in_markdown() -> None:
    (line,) = [line for line in report(RUN, "-").splitlines() if "alert" in line]
    assert r"\<script\>alert\(1\)\</script\> \| \`x\` \[link\]\(http://evil.example\)" in line
    assert "\x1b" not in line


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_report_for_people_fetches_nothing_and_what_a_registry_says_stays_text_in_it() -> None:
    shown = _Tags()
    shown.feed(report(RUN, "run.HTML"))
    assert not {"script", "link", "img", "iframe", "a"}.intersection(shown.tags)
    assert EVIL in shown.text
    assert all(image.target in shown.text for image in RUN.images)


def test_a_table_for_a_job_s_summary_is_cut_and_says_so() -> None:
    run = replace(RUN, images=tuple(replace(COPIED, target=f"b.x/app:{number}") for number in range(250)))
    text = report(run, "summary")
    assert (text.count("| `b.x/app:"), text.endswith("… and 50 more\n")) == (200, True)


@pytest.mark.parametrize(
    ("counts", "seconds", "said"),
    [
        (Counts(), 0.04, "No images, in 0.0 s"),
        (Counts(copied=1), 0.14, "1 image copied in 0.1 s"),
        (
            Counts(copied=5, unchanged=2, moved=27648, spared=21504),
            0.1,
            "5 images copied, 2 unchanged, 27 KiB in 0.1 s; 21 KiB came by links",
        ),
        (Counts(needed=2), 75, "2 images to be copied, seen in 1 min 15 s"),
        (Counts(skipped=1, failed=1), 7300, "1 image skipped, 1 failed in 2 h 1 min"),
    ],
)
def test_a_run_is_summed_up_in_words(counts: Counts, seconds: float, said: str) -> None:
    assert summary(replace(RUN, counts=counts, seconds=seconds)) == said


def test_what_failed_for_one_cause_is_one_cause() -> None:
    def failed(tag: str, error: str) -> ImageRecord:
        return replace(FAILED, source=f"a.x/app:{tag}", target=f"b.x/app:{tag}", error=error)

    found = causes(
        [
            COPIED,
            failed("v1", "a.x/app:v1: 503"),
            failed("v10", "b.x: no room"),
            failed("v20", "blob sha256:1: b.x: no room"),
            failed("v30", "blob sha256:2: b.x: no room"),
            failed("v40", "a.x/app:v40: 503"),
            failed("v50", "a.x/app:v50: 503"),
        ]
    )
    assert [len(cause.images) for cause in found] == [3, 2, 1]
    short_tags = causes([failed(tag, f"a.x/app: {tag} is not there") for tag in ("v1", "v2")])
    assert [len(cause.images) for cause in short_tags] == [2]
    assert len(causes([failed("v1", "b.x: v10 tries"), failed("v2", "b.x: v20 tries")])) == 2


def test_of_digests_so_much_is_written_as_people_compare() -> None:
    assert [short(OLD), short("")] == ["0123456789ab", "-"]


def test_reports_are_written_of_a_run_that_was_cut_off_and_hold_no_secret(tmp_path: Path) -> None:
    secrets = Secrets()
    secrets.keep("hunter2hunter2")
    path = tmp_path / "run.json"
    reports = Reports([str(path)], secrets)
    tell, tally = Telling(reports.observers(), FakeClock()), Tally()
    with tell.run(tally, entry=""):
        tell(RunStarted("", "changed"))
        tell(ImageNeeded("a", "b", NEW))
        tell(ImageCopied("a", "b", NEW))
        tell(ImageFailed("Failed to copy image", "a", "c", "it said hunter2hunter2", 1))
        tell(tally.finished("", seconds=1, cut=True))
    reports.write()
    told = json.loads(path.read_text())
    assert (told["outcome"], [image["target"] for image in told["images"]]) == ("failed", ["b", "c"])
    assert "hunter2" not in path.read_text()


@pytest.mark.parametrize("path", ["nowhere/run.json", "."])
def test_a_report_that_cannot_be_written_is_refused_before_anything_is_done(tmp_path: Path, path: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Reports([str(tmp_path / path)], Secrets()).observers()
    (problem,) = refused.value.problems
    assert problem.startswith(f"--report {tmp_path / path}: cannot be written: ")


def test_where_no_report_is_wanted_nobody_takes_notes() -> None:
    assert Reports([], Secrets()).observers() == []


def test_no_text_of_an_image_shows_a_secret(tmp_path: Path) -> None:
    secrets = Secrets()
    secrets.keep("hunter2hunter2")
    path = tmp_path / "run.md"
    reports = Reports([str(path)], secrets)
    tell, tally = Telling(reports.observers(), FakeClock()), Tally()
    with tell.run(tally, entry=""):
        tell(RunStarted("", "changed"))
        tell(ImageFailed("no hunter2hunter2", "a.x/hunter2hunter2:v1", "b.x/hunter2hunter2:v1", "no", 1))
        tell(tally.finished("", seconds=1))
    reports.write()
    assert "hunter2" not in path.read_text()
    assert "censored" in path.read_text()
