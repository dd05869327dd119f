from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from regsync.events import Event, ImageNeeded, Warned
from regsync.facts import Fact, Observer, Telling, working
from tests.support.clock import FakeClock

NEEDED = ImageNeeded("a", "b")


def places(facts: list[Fact]) -> list[tuple[str, str, str]]:
    return [(fact.run, fact.entry, fact.image) for fact in facts]


async def test_a_fact_says_when_it_happened_and_for_what() -> None:
    seen: list[Fact] = []
    clock = FakeClock()
    tell = Telling([seen.append], clock)
    began = clock.now()
    tell(NEEDED)
    await clock.advance(5)
    with working(run="r7", entry="one", image="b:v1"):
        tell(NEEDED)
    assert [(fact.at - began).total_seconds() for fact in seen] == [0, 5]
    assert places(seen) == [("", "", ""), ("r7", "one", "b:v1")]
    assert [fact.event for fact in seen] == [NEEDED, NEEDED]


def test_what_is_not_said_again_stays_as_it_is_outside() -> None:
    seen: list[Fact] = []
    tell = Telling([seen.append], FakeClock())
    with working(run="r1", entry="one"):
        with working(image="b:v1"):
            tell(NEEDED)
        with working(entry="", image="c"):
            tell(NEEDED)
        tell(NEEDED)
    assert places(seen) == [("r1", "one", "b:v1"), ("r1", "", "c"), ("r1", "one", "")]


async def test_tasks_work_for_what_they_were_started_for_and_disturb_nobody_else() -> None:
    seen: list[Fact] = []
    tell = Telling([seen.append], FakeClock())

    async def work(image: str) -> None:
        with working(image=image):
            await asyncio.sleep(0)
            tell(NEEDED)

    with working(run="r1", entry="one"):
        await asyncio.gather(work("a"), work("b"))
        tell(NEEDED)
    assert places(seen) == [("r1", "one", "a"), ("r1", "one", "b"), ("r1", "one", "")]


def test_the_place_is_left_when_the_work_fails() -> None:
    seen: list[Fact] = []
    tell = Telling([seen.append], FakeClock())
    with pytest.raises(ValueError, match="no"), working(run="r1"):
        raise ValueError("no")
    tell(NEEDED)
    assert places(seen) == [("", "", "")]


def test_every_run_has_a_name_of_its_own_and_a_follower_that_sees_no_other_run() -> None:
    seen: list[Fact] = []
    first: list[Fact] = []
    second: list[Fact] = []
    tell = Telling([seen.append], FakeClock())
    with tell.run(first.append, entry="one"):
        tell(NEEDED)
        with tell.run(second.append, entry=""):
            tell(NEEDED)
        tell(NEEDED)
    tell(NEEDED)
    assert places(first) == [("r1", "one", ""), ("r1", "one", "")]
    assert places(second) == [("r2", "", "")]
    assert [fact.run for fact in seen] == ["r1", "r2", "r1", ""]


def broken(_fact: Fact) -> None:
    raise KeyError("a secret of the observer")


@pytest.mark.parametrize("order", [lambda one: [broken, one], lambda one: [one, broken]])
def test_an_observer_that_fails_is_told_of_once_and_left_out(order: Callable[[Observer], list[Observer]]) -> None:
    seen: list[Event] = []
    tell = Telling(order(lambda fact: seen.append(fact.event)), FakeClock())
    tell(NEEDED)
    tell(NEEDED)
    left_out = Warned("An observer failed and is left out", {"error": "KeyError"})
    assert seen == [NEEDED, left_out, NEEDED]


def test_observers_that_all_fail_hurt_nobody() -> None:
    def broken_too(_fact: Fact) -> None:
        raise OSError("no")

    tell = Telling([broken, broken_too], FakeClock())
    tell(NEEDED)
    tell(NEEDED)


def test_a_follower_that_fails_is_left_out_of_its_run_alone() -> None:
    seen: list[Event] = []
    tell = Telling([lambda fact: seen.append(fact.event)], FakeClock())
    with tell.run(broken, entry="one"):
        tell(NEEDED)
        tell(NEEDED)
    assert seen == [NEEDED, Warned("An observer failed and is left out", {"error": "KeyError"}), NEEDED]


def test_who_joins_is_told_of_what_happens_meanwhile() -> None:
    seen: list[Fact] = []
    tell = Telling([], FakeClock())
    tell(NEEDED)
    with tell.joined(seen.append):
        tell(NEEDED)
    tell(NEEDED)
    assert len(seen) == 1
