"""A message as people and programs get it."""

from __future__ import annotations

import json
from typing import Any

from regsync.notify.message import Change, Message, Reason
from regsync.notify.text import headline, told
from regsync.notify.webhook import document
from tests.unit.notify.runs import NEW, NOON, OLD, minutes

FAILURE = Message(
    "failure",
    NOON,
    "alpine",
    "a.example/alpine",
    "b.example/alpine",
    "20260101T120000-r1",
    (
        Reason("alpine", "no login", 5, ("b.example/x:1", "b.example/x:2"), "Log in.", repeated=3, since=minutes(-90)),
        Reason("alpine", "disk full", 1, ("b.example/x:3",)),
    ),
)


def read(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(document(message))
    return found


def test_a_failure_is_a_headline_and_a_line_for_each_cause() -> None:
    assert [headline(FAILURE), *told(FAILURE)] == [
        "regsync: 6 images failed: alpine",
        "a.example/alpine -> b.example/alpine",
        "- no login (b.example/x:1, b.example/x:2 and 3 more); 3 times more since 2026-01-01 10:30 UTC. Log in.",
        "- disk full (b.example/x:3)",
    ]


def test_the_other_events_have_their_words() -> None:
    over = (Reason("alpine", "no login", repeated=1, since=NOON), Reason("alpine", "not seen equal since then"))
    recovered = Message("recovered", NOON, "alpine", reasons=over)
    assert [headline(recovered), *told(recovered)] == [
        "regsync: all is well again: alpine",
        "- no login; 1 run failed since 2026-01-01 12:00 UTC",
        "- not seen equal since then",
    ]
    changes = (Change("alpine", "s", "b.example/x:1", OLD, NEW), Change("alpine", "s", "b.example/x:2", "", NEW))
    changed = Message("changed", NOON, "alpine", changes=changes)
    assert [headline(changed), *told(changed)] == [
        "regsync: 2 images changed: alpine",
        "- b.example/x:1: 111111111111 -> 222222222222",
        "- b.example/x:2: new -> 222222222222",
    ]
    stale = Message("stale", NOON, "", reasons=(Reason("a", "old"), Reason("b", "older")))
    assert [headline(stale), *told(stale)] == ["regsync: not up to date: several entries", "- a: old", "- b: older"]


def test_what_is_long_is_counted() -> None:
    many = Message("failure", NOON, "", reasons=tuple(Reason(f"entry {one}", "x" * 1000) for one in range(500)))
    assert told(many)[-1] == "- and 490 more"
    assert max(map(len, told(many))) < 400
    found = read(many)
    assert (len(found["causes"]), found["omitted"], len(found["content"])) == (100, 400, 2000)
    assert len(document(many)) < 200_000


def test_no_name_of_a_registry_calls_anybody_or_forges_a_line() -> None:
    said = "<!channel> @everyone @Here\nregsync: all is well \u202e\x1b[31m <https://evil.example|click>"
    lines = told(Message("failure", NOON, said, reasons=(Reason("a", said),)))
    (line,) = lines
    assert not set("<>\n\x1b\u202e") & set(line)
    assert "@everyone" not in line
    assert "@Here" not in line
    assert read(FAILURE)["allowed_mentions"] == {"parse": []}


def test_the_object_has_its_stable_fields() -> None:
    found = read(FAILURE)
    assert found.pop("text") == "\n".join([headline(FAILURE), *told(FAILURE)]) == found.pop("content")
    first, _ = found.pop("causes")
    assert found == {
        "version": 1,
        "event": "failure",
        "time": "2026-01-01T12:00:00.000Z",
        "entry": "alpine",
        "source": "a.example/alpine",
        "target": "b.example/alpine",
        "run": "20260101T120000-r1",
        "changes": [],
        "omitted": 0,
        "allowed_mentions": {"parse": []},
    }
    assert first == {
        "entry": "alpine",
        "error": "no login",
        "advice": "Log in.",
        "count": 5,
        "images": ["b.example/x:1", "b.example/x:2"],
        "repeated": 3,
        "since": "2026-01-01T10:30:00.000Z",
    }


def test_whatever_is_secret_is_taken_out_of_all_texts() -> None:
    changes = (Change("hunter2", "hunter2", "hunter2", OLD, NEW),)
    reasons = (Reason("hunter2", "hunter2", images=("hunter2",)),)
    message = Message("failure", NOON, "hunter2", "hunter2", "hunter2", "r", reasons, changes)
    cleaned = message.cleaned(lambda text: text.replace("hunter2", "***"))
    assert b"hunter2" in document(message)
    assert b"hunter2" not in document(cleaned)
