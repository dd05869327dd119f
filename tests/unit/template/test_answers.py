"""Templates and what Go makes of them, recorded: Go 1.26, with the functions and data of regclient's regsync v0.11.7.

None is a template that Go refuses, when it reads or when it runs it.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Final

import pytest

from regsync.errors import BadTemplate
from tests.unit.template.surroundings import rendered


def _recorded(name: str) -> list[tuple[str, str | None]]:
    rows = json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return [(text, answer) for text, answer in rows]


ANSWERS: Final = _recorded("answers.json")
_UNREADABLE: Final = {'{{ file "/nonexistent" }}|'}  # an error here, nothing in Go


@pytest.mark.parametrize(("text", "answer"), [row for row in ANSWERS if row[0] not in _UNREADABLE])
def test_a_template_gives_what_it_gives_in_go(text: str, answer: str | None) -> None:
    if answer is None:
        with pytest.raises(BadTemplate):
            rendered(text)
    else:
        assert rendered(text) == answer


def test_there_are_hundreds_of_answers_and_no_two_of_one_template() -> None:
    assert len(ANSWERS) > 300
    assert len({text for text, _ in ANSWERS}) == len(ANSWERS)


@pytest.mark.parametrize(("text", "answer"), _recorded("answers_in_berlin.json"))
def test_a_time_is_told_where_the_machine_is(text: str, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    assert rendered(text) == answer
