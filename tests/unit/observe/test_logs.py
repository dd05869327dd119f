from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import get_args

import pytest

from regsync import events
from regsync.errors import Malformed
from regsync.events import BlobStarted, ImageCurrent, ImageFailed, ImageNeeded, JobSkipped, RunFinished, Warned
from regsync.observe.logs import DEBUG, ERROR, INFO, TRACE, WARN, Log, parse_verbosity
from tests.support.facts import a_fact


def written(*told: events.Event, threshold: int = DEBUG, as_json: bool = False) -> list[str]:
    stream = io.StringIO()
    log = Log(stream, threshold=threshold, as_json=as_json)
    for event in told:
        log(a_fact(event))
    return stream.getvalue().splitlines()


def test_a_line_has_the_keys_and_the_form_the_go_regsync_writes() -> None:
    assert written(ImageNeeded("a.x/app:v1", "b.x/app:v1")) == [
        'time=2026-01-01T12:00:00.000Z level=INFO msg="Image sync needed" source=a.x/app:v1 target=b.x/app:v1'
    ]


def test_a_json_line_has_the_same_keys() -> None:
    line = json.loads(written(ImageNeeded("a", "b"), as_json=True)[0])
    assert list(line) == ["time", "level", "msg", "source", "target"]
    assert line["msg"] == "Image sync needed"


def test_below_the_threshold_nothing_is_written() -> None:
    assert written(ImageCurrent("a", "b", "same"), threshold=INFO) == []
    assert len(written(ImageFailed("Failed to copy image", "a", "b", "no", 1), threshold=ERROR)) == 1


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        ("plain", "plain"),
        ("", '""'),
        ("two words", '"two words"'),
        ("a=b", '"a=b"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("line\nbreak", '"line\\nbreak"'),
        ("\x1b[31mred", '"\\x1b[31mred"'),
        ("turned\u202eround", '"turned\\u202eround"'),
        ("carriage\rreturn", '"carriage return"'),
    ],
)
def test_values_are_quoted_so_that_no_value_forges_a_line(value: str, printed: str) -> None:
    assert written(Warned("w", {"key": value}))[0].endswith(f"key={printed}")


def test_one_value_is_at_most_four_kibibytes() -> None:
    assert len(written(Warned("w", {"key": "x" * 100_000}))[0]) < 5000
    assert len(written(Warned("w", {"key": "x" * 100_000}), as_json=True)[0]) < 5000


def test_blobs_are_named_as_in_the_go_regsync() -> None:
    config, layer = written(BlobStarted("a", "b", "sha256:1", "config"), BlobStarted("a", "b", "sha256:2", "layer"))
    assert 'msg="Copy config" source=a target=b digest=sha256:1' in config
    assert 'msg="Copy layer" source=a target=b layer=sha256:2' in layer


def test_a_daemons_entry_that_had_nothing_to_do_is_quiet() -> None:
    quiet = RunFinished("one", copied=0, unchanged=3, skipped=0, failed=0, moved=0, spared=0, seconds=0.1)
    whole = RunFinished("", copied=0, unchanged=3, skipped=0, failed=0, moved=0, spared=0, seconds=0.1)
    assert written(quiet, threshold=INFO) == []
    assert 'msg="Run finished" copied=0 unchanged=3' in written(whole, threshold=INFO)[0]


def test_an_entry_that_is_skipped_again_and_again_is_warned_of_more_and_more_rarely() -> None:
    skips = [JobSkipped("one", datetime(2026, 1, 1, tzinfo=UTC), times) for times in range(1, 3601)]
    warnings = written(*skips, threshold=WARN)
    assert [line.rpartition("=")[2] for line in warnings] == [f"{3 << doubled}" for doubled in range(11)]
    assert 'level=WARN msg="Still running, not started again" entry=one' in warnings[0]


def test_a_stream_that_cannot_be_written_fails_nothing() -> None:
    stream = io.StringIO()
    log = Log(stream, threshold=DEBUG, as_json=False)
    stream.close()
    log(a_fact(Warned("w")))


@pytest.mark.parametrize(
    ("text", "threshold"), [("info", 0), ("INFO", 0), ("Debug", -4), ("warn", 4), ("INFO+2", 2), ("trace", TRACE)]
)
def test_verbosity_is_a_level_with_an_offset(text: str, threshold: int) -> None:
    assert parse_verbosity(text) == threshold


@pytest.mark.parametrize("text", ["TRACE", "loud", "", "info+", "+2"])
def test_what_is_no_verbosity_says_so(text: str) -> None:
    with pytest.raises(Malformed, match="unable to parse verbosity"):
        parse_verbosity(text)


def test_every_event_is_in_the_union_observers_match_on() -> None:
    defined = {one for one in vars(events).values() if isinstance(one, type) and hasattr(one, "__dataclass_fields__")}
    assert defined == set(get_args(events.Event))
