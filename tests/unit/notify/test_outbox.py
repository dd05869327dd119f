"""What waits for a receiver, and what is said of one that takes nothing."""

from __future__ import annotations

import asyncio

import pytest

from regsync.errors import NotNotified
from regsync.events import Event, Notified, Warned
from regsync.notify.message import Kind, Message
from regsync.notify.outbox import Outbox
from regsync.notify.receiver import Receiver
from tests.support.clock import FakeClock, settle
from tests.unit.notify.runs import NOON

RECEIVER = Receiver(1, frozenset({"failure"}), "https://ann:hunter2@chat.example/canary?token=canary")
PLACE = "defaults.notify[1] (chat.example)"


class Sender:
    """Takes messages when it is `open`, and fails with these words."""

    def __init__(self, *fails: str) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.took: list[Message] = []
        self._fails = [*fails]

    async def __call__(self, message: Message) -> None:
        await self.open.wait()
        if self._fails:
            raise NotNotified(self._fails.pop(0))
        self.took.append(message)


def a_message(kind: Kind = "failure") -> Message:
    return Message(kind, NOON, "one")


def box_of(sender: Sender, clock: FakeClock | None = None) -> tuple[Outbox, list[Event]]:
    told: list[Event] = []
    return Outbox(RECEIVER, sender, clock=clock or FakeClock(), tell=told.append), told


def outcomes(told: list[Event]) -> list[str]:
    return [event.outcome for event in told if isinstance(event, Notified)]


def warnings(told: list[Event]) -> list[Warned]:
    return [event for event in told if isinstance(event, Warned)]


async def test_a_receiver_gets_what_it_wants_to_be_told_and_nothing_else() -> None:
    box, told = box_of(sender := Sender())
    box.put(a_message("changed"))
    box.put(a_message())
    await box.sent()
    assert ([one.kind for one in sender.took], told) == (["failure"], [Notified(PLACE, "failure", "sent")])
    box.close()


async def test_why_nothing_is_taken_is_said_once_an_hour() -> None:
    clock = FakeClock()
    box, told = box_of(Sender("away", "away", "full", "away"), clock)
    for pause in (0.0, 60.0, 60.0, 3600.0):
        await clock.advance(pause)
        box.put(a_message())
        await box.sent()
    assert outcomes(told) == ["failed"] * 4
    assert warnings(told) == [
        Warned("Notification not sent", {"receiver": PLACE, "err": why}) for why in ("away", "full", "away")
    ]
    box.close()


async def test_a_receiver_that_hangs_costs_messages_which_are_counted_and_told_of_once() -> None:
    box, told = box_of(sender := Sender())
    sender.open.clear()
    box.put(a_message())
    await settle()
    for _ in range(105):
        box.put(a_message())
    assert box.waiting == 101
    assert outcomes(told) == ["dropped"] * 5
    sender.open.set()
    await box.sent()
    await settle()
    assert (box.waiting, len(sender.took)) == (0, 101)
    assert [(one.message, one.fields.get("count")) for one in warnings(told)] == [
        ("Notifications are dropped: too many wait for one that is slow or away", None),
        ("Notifications were dropped", 5),
    ]
    box.close()


async def test_a_bug_in_sending_ends_no_other_message() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) == 1:
            raise RuntimeError("canary")

    told: list[Event] = []
    box = Outbox(RECEIVER, send, clock=FakeClock(), tell=told.append)
    box.put(a_message())
    box.put(a_message())
    await box.sent()
    assert outcomes(told) == ["failed", "sent"]
    assert [one.fields["err"] for one in warnings(told)] == ["failed by a bug: RuntimeError"]
    box.close()


async def test_what_is_closed_sends_nothing_more() -> None:
    box, _ = box_of(sender := Sender())
    sender.open.clear()
    box.put(a_message())
    await settle()
    box.close()
    sender.open.set()
    await settle()
    assert sender.took == []


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://ann:hunter2@chat.example:8443/canary", "defaults.notify[0] (chat.example)"),
        ("tgram://canary/canary", "defaults.notify[0] (tgram)"),
        ("MAILTO://canary:canary@canary", "defaults.notify[0] (mailto)"),
    ],
)
def test_a_receiver_is_called_by_its_place_and_nothing_that_may_be_secret(url: str, place: str) -> None:
    receiver = Receiver(0, frozenset(), url)
    assert receiver.place == place
    assert "canary" not in repr(receiver)
