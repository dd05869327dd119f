"""One entry that cannot work among many that can."""

from __future__ import annotations

import pytest

from regsync.config.load import Loaded
from tests.unit.config.loading import loaded, problems_of

GOOD = "  - {source: 'a.example/x:%d', target: 'b.example/x:%d', type: image}\n"
ENTRY = "  - source: a.example/y\n    target: b.example/y\n    type: repository\n"
BAD = [
    ("  - {source: 'docker.io/', target: b.example/y, type: image}\n", "sync[1].source"),
    ("  - {source: a.example/y, target: b.example/y}\n", "sync[1].type"),
    ("  - {source: 'a:1', target: b.example/y, type: repository}\n", "sync[1].source"),
    ("  - text\n", "sync[1]"),
    ("  -\n", "sync[1]"),
    (f"{ENTRY}    tagss: {{}}\n", "sync[1].tagss"),
    (f"{ENTRY}    type: repository\n", "sync[1].type"),
    (f"{ENTRY}    fastCheck: yes\n", "sync[1].fastCheck"),
    (f"{ENTRY}    tags: {{allow: [a, '(']}}\n", "sync[1].tags.allow[1]"),
    (f"{ENTRY}    schedule: sometimes\n", "sync[1].schedule"),
]


def without_the_bad(bad: str, *, head: str = "", flag: bool = True) -> Loaded:
    text = f"{head}sync:\n{GOOD % (1, 1)}{bad}{GOOD % (2, 2)}"
    return loaded(text, skip_invalid_entries=flag)


@pytest.mark.parametrize(("bad", "path"), BAD)
def test_an_entry_with_an_error_of_its_own_is_left_out_with_its_place(bad: str, path: str) -> None:
    kept = without_the_bad(bad)
    assert [step.source for step in kept.config.sync] == ["a.example/x:1", "a.example/x:2"]
    assert kept.left_out == 1
    (told,) = [warning for warning in kept.warnings if "entry left out: " in warning]
    place, line, _, shown, _ = told.split(":", 4)
    assert (place, shown.strip()) == ("<stdin>", path)
    assert int(line) > 2


@pytest.mark.parametrize(("bad", "_path"), BAD)
def test_without_the_flag_it_refuses_the_file(bad: str, _path: str) -> None:
    assert problems_of(f"sync:\n{GOOD % (1, 1)}{bad}") != []


def test_the_file_itself_may_ask_for_it() -> None:
    kept = without_the_bad(BAD[0][0], head="defaults: {skipInvalidEntries: true}\n", flag=False)
    assert (len(kept.config.sync), kept.left_out) == (2, 1)


def test_the_entries_that_stay_know_their_places() -> None:
    assert [step.place for step in without_the_bad(BAD[0][0]).config.sync] == ["<stdin>:2", "<stdin>:4"]


def test_every_error_of_an_entry_is_told_and_the_entry_counts_once() -> None:
    kept = without_the_bad(f"{ENTRY}    tagss: {{}}\n    fastCheck: 1\n")
    assert (len(kept.warnings), kept.left_out) == (2, 1)


@pytest.mark.parametrize(
    "text",
    [
        "defaults: {fastCheck: yes}\n",
        "defaults: {fastcheck: true}\n",
        "creds: [{registry: 'a b'}]\n",
        "creds: [text]\n",
        "sinc: []\n",
        "version: 2\n",
        "version: 1\nversion: 1\n",
        "x-shared: &a {b: 1, b: 2}\n",
        "sync: text\n",
        "sync: []\nsync: []\n",
        "defaults: {skipInvalidEntries: yes}\n",
    ],
)
def test_an_error_anywhere_else_refuses_the_file_all_the_same(text: str) -> None:
    assert problems_of(text, skip_invalid_entries=True) != []


def test_a_file_without_such_entries_is_read_as_ever() -> None:
    kept = loaded(f"sync:\n{GOOD % (1, 1)}", skip_invalid_entries=True)
    assert (len(kept.config.sync), kept.left_out, kept.warnings) == (1, 0, ())
