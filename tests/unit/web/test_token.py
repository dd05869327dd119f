"""Who is let in, who is not, and how often somebody may try."""

from __future__ import annotations

import pytest

from regsync.events import Event, Warned
from regsync.web.parameters import Refused
from regsync.web.token import Door
from tests.support.clock import FakeClock

TOKEN = "correct-horse-battery"
RIGHT = f"Bearer {TOKEN}"


class Lab:
    def __init__(self) -> None:
        self.token = TOKEN
        self.clock = FakeClock()
        self.told: list[Event] = []
        self.door = Door(lambda: self.token, clock=self.clock, tell=self.told.append)

    def ask(self, authorization: str, client: str = "192.0.2.1") -> int:
        """Return the status of an answer; 200 is being let in."""
        try:
            self.door.admit(authorization, client)
        except Refused as refused:
            return refused.status
        return 200


@pytest.mark.parametrize("authorization", [RIGHT, f"bearer {TOKEN}", f"BEARER   {TOKEN} "])
def test_whoever_has_the_token_is_let_in(authorization: str) -> None:
    assert Lab().ask(authorization) == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        TOKEN,
        "Bearer",
        "Bearer ",
        f"Basic {TOKEN}",
        f"{RIGHT}x",
        RIGHT[:-1],
        f"Bearer {TOKEN.upper()}",
        "Bearer \udcff",
    ],
)
def test_whoever_has_another_one_or_none_is_challenged(authorization: str) -> None:
    with pytest.raises(Refused) as refused:
        Lab().door.admit(authorization, "192.0.2.1")
    assert refused.value.status == 401
    assert refused.value.headers["WWW-Authenticate"].startswith('Bearer realm="regsync"')
    assert TOKEN not in str(refused.value)


def test_without_a_token_in_the_configuration_nobody_is_let_in_and_learns_what_turns_it_on() -> None:
    lab = Lab()
    lab.token = ""
    with pytest.raises(Refused, match=r"server\.token in the configuration turns it on") as refused:
        lab.door.admit("Bearer ", "192.0.2.1")
    assert refused.value.status == 403


def test_another_token_counts_at_once() -> None:
    lab = Lab()
    lab.token = "another-token-another"
    assert [lab.ask(RIGHT), lab.ask(f"Bearer {lab.token}")] == [401, 200]


def test_after_five_wrong_ones_in_a_minute_not_even_the_right_one_is_looked_at() -> None:
    lab = Lab()
    for _ in range(4):
        lab.ask("Bearer wrong")
    assert lab.ask(RIGHT) == 200  # which takes none of them back
    assert [lab.ask("Bearer wrong"), lab.ask(RIGHT), lab.ask("")] == [401, 429, 429]
    assert lab.ask(RIGHT, "192.0.2.2") == 200
    assert lab.told == [Warned("Too many wrong tokens", {"client": "192.0.2.1", "within": 60.0})]


async def test_each_wrong_one_is_forgotten_after_a_minute() -> None:
    lab = Lab()
    for _ in range(5):
        lab.ask("")
        await lab.clock.advance(10)
    with pytest.raises(Refused) as refused:
        lab.door.admit(RIGHT, "192.0.2.1")
    assert refused.value.headers == {"Retry-After": "10"}
    await lab.clock.advance(10)
    assert [lab.ask(RIGHT), lab.ask(""), lab.ask(RIGHT)] == [200, 401, 429]


@pytest.mark.parametrize(
    ("one", "another", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("socket", "socket", True),
    ],
)
def test_addresses_that_one_party_can_choose_among_are_one(one: str, another: str, same: bool) -> None:
    lab = Lab()
    for _ in range(5):
        lab.ask("", one)
    assert lab.ask(RIGHT, another) == (429 if same else 200)


def test_so_many_addresses_are_remembered_and_no_more() -> None:
    lab = Lab()
    for number in range(5000):
        lab.ask("", f"10.0.{number // 250}.{number % 250}")
    assert len(lab.door._failures) == 1000
