from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsync.observe.lines import json_line, people_line, text_line
from regsync.secrets import Secrets
from tests.support.facts import NOON

TAGS = [f"tag-{number:07}" for number in range(200_000)]
VALUES = st.one_of(st.text(max_size=9000), st.integers(), st.none(), st.lists(st.text(max_size=300), max_size=60))


def as_text(fields: dict[str, Any], secrets: Secrets | None = None) -> str:
    return text_line(NOON, "WARN", "No matching tags found", fields, secrets or Secrets())


def as_json(fields: dict[str, Any], secrets: Secrets | None = None) -> dict[str, Any]:
    line = json_line(NOON, "WARN", "No matching tags found", fields, secrets or Secrets())
    assert len(line.encode()) < 4096
    read: dict[str, Any] = json.loads(line)
    return read


def test_a_list_that_is_cut_says_how_many_there_are_besides() -> None:
    line = as_text({"source": "a", "tags": "allow x", "available": TAGS})
    assert 4000 < len(line) < 4096
    assert 'available="[tag-0000000 tag-0000001 ' in line
    shown = line.count("tag-")
    assert line.endswith(f' ... and {200_000 - shown} more]"')
    *available, more = as_json({"source": "a", "tags": "allow x", "available": TAGS})["available"]
    assert available == TAGS[: len(available)]
    assert len(available) > 200
    assert more == f"... and {200_000 - len(available)} more"


def test_only_what_is_long_is_cut() -> None:
    fields = {"source": "s" * 1000, "error": "e" * 3_000_000, "attempts": 3}
    read = as_json(fields)
    assert (read["source"], read["attempts"]) == (fields["source"], 3)
    assert read["error"].rstrip("e") == "" or read["error"].endswith("e...")
    assert len(read["error"]) > 2500


def test_two_long_values_share_the_line() -> None:
    read = as_json({"one": "1" * 9000, "two": "2" * 9000, "short": "it"})
    assert abs(len(read["one"]) - len(read["two"])) < 10
    assert len(read["one"]) > 1900
    assert read["short"] == "it"


@pytest.mark.parametrize("character", ["\u00e4", "\U0001f600", "\x01", '"', "\\", "\n", "\ud800", "\u202e"])
def test_what_takes_more_bytes_than_it_has_characters_counts_with_its_bytes(character: str) -> None:
    line = as_text({"error": character * 5000})
    assert len(line.encode(errors="backslashreplace")) < 4096
    assert as_json({"error": character * 5000})["error"].startswith(character * 300)


@given(st.dictionaries(st.sampled_from(["source", "target", "error", "available", "err", "digest"]), VALUES))
def test_every_line_is_whole_and_short(fields: dict[str, Any]) -> None:
    assert as_json(fields).keys() == {"time", "level", "msg", *fields}
    line = as_text(fields)
    assert len(line.encode(errors="backslashreplace")) < 4096
    assert line.count("\n") == 0


def test_nothing_is_cut_that_fits() -> None:
    fields: dict[str, Any] = {"one": "x" * 3000, "list": ["a", "b"], "none": None, "number": 1.5}
    read = as_json(fields)
    assert {key: read[key] for key in fields} == fields


@pytest.mark.parametrize("value", ["hunter2 was wrong", ["v1", "hunter2"], RuntimeError("hunter2"), "aHVudGVyMg=="])
def test_no_value_shows_a_secret(value: object) -> None:
    secrets = Secrets()
    secrets.keep("hunter2")
    for line in (as_text({"error": value}, secrets), json.dumps(as_json({"error": value}, secrets))):
        assert "[censored]" in line
        assert "hunter2" not in line
        assert "aHVudGVyMg" not in line


def test_a_secret_that_is_cut_in_two_by_the_length_of_a_line_is_gone_as_a_whole() -> None:
    secrets = Secrets()
    secrets.keep("correct-horse-battery")
    for offset in range(3800, 4100):
        assert "corr" not in as_text({"error": "x" * offset + "correct-horse-battery" + "y" * 9000}, secrets)


@pytest.fixture
def _in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


def for_people(level: str, message: str, fields: dict[str, Any], *, colours: bool = False) -> str:
    return people_line(NOON, level, message, fields, Secrets(), colours=colours)


@pytest.mark.usefixtures("_in_berlin")
def test_people_read_when_it_was_where_they_are_and_from_where_to_where() -> None:
    copied = {"source": "a.example/app:1", "target": "ocidir://app:1", "digest": "sha256:88dce2f4"}
    assert for_people("INFO", "Image copied", copied) == "13:00:00 Image copied: a.example/app:1 -> ocidir://app:1"
    failed = {"source": "a.example/app:1", "target": "b.example/app:1", "error": "no such host", "attempts": 3}
    line = '13:00:00 ERROR Failed: a.example/app:1 -> b.example/app:1 error="no such host" attempts=3'
    assert for_people("ERROR", "Failed", failed) == line
    assert for_people("WARN", "Registry is odd", {"host": "a"}) == "13:00:00 WARN Registry is odd host=a"


@pytest.mark.usefixtures("_in_berlin")
def test_colours_of_a_line_are_those_of_its_hour_and_of_a_bad_level() -> None:
    assert for_people("INFO", "Run", {}, colours=True) == "\x1b[2m13:00:00\x1b[0m Run"
    assert for_people("ERROR", "Run", {}, colours=True) == "\x1b[2m13:00:00\x1b[0m \x1b[31mERROR\x1b[0m Run"


@given(VALUES, VALUES)
def test_no_value_steers_a_terminal_or_floods_it(source: object, error: object) -> None:
    line = for_people("WARN", "It", {"source": source, "error": error})
    assert line.isprintable()
    assert len(line.encode()) < 3 * 4096


def test_people_see_no_secret_either() -> None:
    secrets = Secrets()
    secrets.keep("hunter22")
    said = {"source": "a/hunter22", "err": "b hunter22"}
    line = people_line(NOON, "WARN", "It\x1b[2J says hunter22", said, secrets, colours=False)
    assert "hunter22" not in line
    assert line.isprintable()
