from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from prometheus_client.parser import text_string_to_metric_families

from regsync.events import (
    BlobDone,
    BlobRead,
    Event,
    Exchanged,
    JobSkipped,
    Notified,
    Reloaded,
    ReloadRefused,
    RequestRetried,
    RunStarted,
)
from regsync.metrics.board import BUCKETS, Board
from regsync.metrics.exposition import Readings, exposition
from regsync.metrics.hosts import HostNow
from regsync.record.values import Counts, RunRecord
from tests.support.facts import a_fact
from tests.support.pages import ROOT

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def a_run(outcome: str, *, seconds: float = 1.0, scope: str = "changed", minute: int = 1) -> RunRecord:
    began = NOON + timedelta(minutes=minute)
    counts = Counts(copied=outcome == "copied", unchanged=outcome != "failed", failed=outcome == "failed")
    return RunRecord("r", "one", scope, began, began + timedelta(seconds=seconds), seconds, counts)  # type: ignore[arg-type]


def a_board(*events: Event, runs: tuple[RunRecord, ...] = ()) -> Board:
    board = Board(NOON)
    for event in events:
        board(a_fact(event))
    for run in runs:
        board.add(run)
    return board


def readings(board: Board) -> Readings:
    return Readings(
        now=LATER,
        began=board.began,
        entries=board.entries,
        overdue_at=lambda _, since: since + timedelta(hours=3),
        known_since=board.known_since,
        running=frozenset({"one"}),
        traffic=board.hosts,
        hosts={"a.example": HostNow(3, 8, remaining=76, until=LATER), "b.example": HostNow(0, 8)},
        reloads=board.reloads,
        notifications=board.notifications,
        paused=2,
        digest="abc",
        since=NOON,
        refused=True,
        dropped=7,
        lag=0.25,
    )


def text_of(board: Board) -> str:
    return b"".join(exposition(readings(board))).decode()


def shown(board: Board) -> dict[str, float]:
    return dict(_samples(text_of(board)))


def _samples(text: str) -> Iterator[tuple[str, float]]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            yield f"{sample.name}{{{labels}}}", sample.value


def test_a_mirror_is_as_fresh_as_the_begin_of_the_last_run_that_left_it_equal() -> None:
    board = a_board(runs=(a_run("copied"), a_run("unchanged", scope="missing", minute=20), a_run("failed", minute=30)))
    found = shown(board)
    assert found["regsync_entry_freshness_seconds{entry=one}"] == 59 * 60
    assert found["regsync_entry_last_success_timestamp_seconds{entry=one}"] == NOON.timestamp() + 20 * 60 + 1
    assert found["regsync_entry_failing{entry=one}"] == 1


def test_a_mirror_is_overdue_some_time_after_it_was_equal_or_the_process_began() -> None:
    name = "regsync_entry_overdue_timestamp_seconds{entry=one}"
    assert shown(a_board(runs=(a_run("copied"),)))[name] == (NOON + timedelta(hours=3, minutes=1)).timestamp()
    assert shown(a_board(runs=(a_run("failed"),)))[name] == (NOON + timedelta(hours=3)).timestamp()


def test_a_mirror_that_never_was_equal_is_as_old_as_the_process() -> None:
    found = shown(a_board(runs=(a_run("failed"),)))
    assert found["regsync_entry_freshness_seconds{entry=one}"] == 3600
    assert not [name for name in found if name.startswith("regsync_entry_last_success")]


def test_runs_and_images_are_counted_by_what_became_of_them_and_durations_in_buckets() -> None:
    cut = replace(a_run("unchanged"), cut=True)
    runs = (a_run("copied"), a_run("failed", seconds=400), a_run("failed", seconds=1e6), cut)
    found = shown(a_board(JobSkipped("one", NOON, 1), runs=runs))
    assert [found[f"regsync_entry_runs_total{{entry=one,outcome={word}}}"] for word in ("copied", "failed", "cut")] == [
        1, 2, 1,
    ]  # fmt: skip
    assert found["regsync_entry_images_total{entry=one,outcome=failed}"] == 2
    assert found["regsync_entry_run_seconds_bucket{entry=one,le=2.0}"] == 2
    assert found["regsync_entry_run_seconds_bucket{entry=one,le=1800.0}"] == 3
    assert found["regsync_entry_run_seconds_bucket{entry=one,le=+Inf}"] == 4
    assert found["regsync_entry_run_seconds_sum{entry=one}"] == 1000402
    assert found["regsync_entry_skipped_total{entry=one}"] == 1


def test_what_goes_over_the_wire_is_counted_for_its_host() -> None:
    found = shown(
        a_board(
            Exchanged("GET", "https://a.example/v2/app/manifests/v1", 404, authorized=False),
            Exchanged("GET", "https://a.example/v2/app/manifests/v2", 429, authorized=False),
            RequestRetried("a.example", "GET manifest", 1, 1.0, "429"),
            BlobRead("a.example/team/app", "sha256:1", 100),
            BlobDone("b.example/app", "sha256:1", 100, "copied"),
            BlobDone("b.example/app", "sha256:2", 7, "adopted"),
            BlobDone("ocidir:///srv/copy", "sha256:2", 9, "copied"),
            BlobDone("b.example/app", "sha256:3", 1000, "present"),
        )
    )
    assert found["regsync_host_requests_total{host=a.example,method=GET,status=4xx}"] == 2
    assert found["regsync_host_retries_total{host=a.example}"] == 1
    assert found["regsync_host_read_bytes_total{host=a.example}"] == 100
    assert found["regsync_host_written_bytes_total{host=b.example}"] == 100
    assert found["regsync_host_spared_bytes_total{host=b.example}"] == 7
    assert found["regsync_host_mounts_total{host=b.example}"] == 1
    assert found["regsync_host_written_bytes_total{host=ocidir}"] == 9


def test_hosts_of_which_there_are_too_many_are_counted_together() -> None:
    board = a_board(*(Exchanged("GET", f"https://h{number}.example/", 200, authorized=False) for number in range(500)))
    assert len(board.hosts) == 201
    assert shown(board)["regsync_host_requests_total{host=other,method=GET,status=2xx}"] == 300


def test_hosts_show_how_busy_they_are_what_they_let_be_fetched_and_whether_they_are_avoided() -> None:
    found = shown(a_board())
    assert (found["regsync_host_in_flight{host=a.example}"], found["regsync_host_limit{host=a.example}"]) == (3, 8)
    assert found["regsync_host_pulls_left{host=a.example}"] == 76
    assert "regsync_host_pulls_left{host=b.example}" not in found
    assert [found[f"regsync_host_left_alone{{host={name}.example}}"] for name in "ab"] == [1, 0]


def test_the_process_shows_its_configuration_and_what_became_of_others() -> None:
    found = shown(a_board(Reloaded("abc", 1, 1, 0, 0), ReloadRefused(("no",)), ReloadRefused(("no",))))
    assert found["regsync_config_info{digest=abc}"] == 1
    assert found["regsync_config_last_reload_successful{}"] == 0
    assert [found[f"regsync_reloads_total{{outcome={word}}}"] for word in ("taken", "refused")] == [1, 2]
    assert (found["regsync_log_lines_dropped_total{}"], found["regsync_loop_lag_seconds{}"]) == (7, 0.25)


def test_messages_are_counted_by_what_became_of_them() -> None:
    outcomes: tuple[Literal["sent", "failed"], ...] = ("sent", "failed", "sent")
    found = shown(a_board(*(Notified("defaults.notify[0] (a.example)", "failure", one) for one in outcomes)))
    assert [found[f"regsync_notifications_total{{outcome={word}}}"] for word in ("sent", "failed", "dropped")] == [
        2, 1, 0,
    ]  # fmt: skip


def test_entries_that_are_no_more_are_forgotten_and_what_is_no_matter_changes_nothing() -> None:
    board = a_board(RunStarted("one", "changed"), runs=(a_run("copied"),))
    board.keep_only(["two"])
    assert board.entries == {}


def test_any_name_of_an_entry_comes_back_as_it_was() -> None:
    name = 'a "b" \\n\n{c="d"} é \U0001f433, e'
    board = a_board(runs=(replace(a_run("copied"), entry=name),))
    families = text_string_to_metric_families(text_of(board))
    samples = [one for family in families for one in family.samples if one.name.startswith("regsync_entry_")]
    assert {one.labels["entry"] for one in samples} == {name}
    assert len(samples) == 6 + len(board.entries[name].runs) + len(board.entries[name].images) + len(BUCKETS) + 3


def test_what_is_said_of_thousands_of_entries_is_made_in_small_pieces() -> None:
    board = a_board(runs=tuple(replace(a_run("copied"), entry=f"e{number}") for number in range(1000)))
    pieces = [*exposition(readings(board))]
    assert max(piece.count(b"\n") for piece in pieces) <= 100 * (len(BUCKETS) + 3)
    assert len(shown(board)) > 17_000


def test_every_metric_that_is_exported_is_documented_with_its_labels_and_no_other_one() -> None:
    board = a_board(
        Exchanged("GET", "https://a.example/", 200, authorized=False),
        Reloaded("a", 1, 1, 0, 0),
        runs=(a_run("copied"),),
    )
    exported = {
        (f"{family.name}_total" if family.type == "counter" else family.name): {
            label for sample in family.samples for label in sample.labels if label != "le"
        }
        for family in text_string_to_metric_families(text_of(board))
    }
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    documented = {
        name: set(re.findall(r"`([a-z]+)`", labels))
        for name, labels in re.findall(r"^\| `(regsync_[a-z_]+)` \|([^|]*)\|", page, flags=re.MULTILINE)
    }
    assert documented == exported
