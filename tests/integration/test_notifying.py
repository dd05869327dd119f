"""Who is to be told is told of real runs: once an hour, on after a reload, and never at the cost of a copy."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from regsync import app
from regsync.events import Notified, Reloaded, Warned
from regsync.facts import Fact
from tests.integration.test_reload import Life
from tests.support.built import image_bytes, write_layout
from tests.support.listener import Heard, listening

CANARY = "canary-7f3a91"
MINUTE = 60.0
OF_RUNS = "failure, recovered, changed"


class Watched(Life):
    """A daemon whose source can be taken away, and what became of its notifications."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.notified = asyncio.Queue[Notified]()

    def _note(self, fact: Fact) -> None:
        super()._note(fact)
        if isinstance(fact.event, Notified):
            self.notified.put_nowait(fact.event)

    def tells(self, *receivers: str, entry: str = "one", more: str = "") -> None:
        """Write a configuration with these receivers, and one entry that is due every 20 minutes."""
        items = "".join(f"  - {one}\n" for one in receivers)
        self.write(self.entry(entry), head=f"defaults:\n  interval: 20m\n{more}  notify:\n{items or '    []'}\n")

    def lose_the_source(self) -> None:
        (self.folder / "in").rename(self.folder / "away")

    def find_the_source(self) -> None:
        (self.folder / "away").rename(self.folder / "in")

    async def told_after(self, minutes: float, count: int) -> list[str]:
        """Let so much time pass and return what became of the notifications, of which there have to be so many."""
        await self.clock.advance(minutes * MINUTE)
        outcomes = [await self.notified.get() for _ in range(count)]
        assert self.notified.empty()
        return [one.outcome for one in outcomes]

    async def visit(self, count: int = 1) -> list[str]:
        """Let 20 minutes pass in which the entry is visited, and count what is told."""
        while not self.finished.empty():
            self.finished.get_nowait()
        await self.clock.advance(20 * MINUTE)
        await self.finished.get()
        return await self.told_after(0, count)


def receiver(heard: Heard, on: str = OF_RUNS) -> str:
    return f"{{on: [{on}], url: 'http://ann:{CANARY}@{heard.host}/{CANARY}?token={CANARY}'}}"


def events(heard: Heard) -> list[str]:
    return [body["event"] for body in heard.bodies]


@pytest.fixture
def life(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


async def test_a_failure_is_told_once_an_hour_with_how_often_it_was_met_and_that_it_is_over(life: Watched) -> None:
    with listening(204) as heard:
        life.tells(receiver(heard))
        async with life.serving():
            assert await life.told_after(0, 1) == ["sent"]
            life.lose_the_source()
            for count in (1, 0, 0, 1):
                assert await life.visit(count) == ["sent"] * count
            life.find_the_source()
            assert await life.visit() == ["sent"]
            assert await life.visit(0) == []
    assert events(heard) == ["changed", "failure", "failure", "recovered"]
    changed, first, again, over = heard.bodies
    assert (changed["changes"][0]["target"], changed["changes"][0]["before"]) == (f"ocidir://{life.folder}/out:one", "")
    assert [first["causes"][0][key] for key in ("entry", "count", "repeated")] == ["one", 1, 0]
    assert first["source"] == f"ocidir://{life.folder}/in:v1"
    assert again["causes"][0]["repeated"] == 2
    assert over["causes"][0]["error"] == first["causes"][0]["error"]
    assert over["text"].startswith("regsync: all is well again: one\n")
    assert all("regsync" in str(agent) for agent in heard.agents)
    assert CANARY not in repr(life.told)


async def test_each_receiver_is_told_what_it_wants_to_know(life: Watched) -> None:
    with listening(200) as one, listening(200) as two:
        life.tells(receiver(one, "failure"), receiver(two, "changed, recovered"))
        async with life.serving():
            assert await life.told_after(0, 1) == ["sent"]
            life.lose_the_source()
            assert await life.visit() == ["sent"]
            life.find_the_source()
            assert await life.visit() == ["sent"]
    assert (events(one), events(two)) == (["failure"], ["changed", "recovered"])


async def test_an_entry_that_grows_old_is_told_of_once_an_hour_and_that_it_is_over(life: Watched) -> None:
    with listening(200) as heard:
        life.tells(receiver(heard, "stale, recovered"))
        async with life.serving():
            life.lose_the_source()
            for count in (0, 0, 0):
                assert await life.visit(count) == []
            assert await life.told_after(1, 1) == ["sent"]
            assert await life.told_after(58, 0) == []
            assert await life.told_after(2, 1) == ["sent"]
            life.find_the_source()
            assert await life.visit() == ["sent"]
    assert events(heard) == ["stale", "stale", "recovered"]
    assert heard.bodies[0]["causes"][0]["error"] == "source and target were not seen equal since 2026-01-01 00:00 UTC"


async def test_another_list_is_in_force_at_once_and_what_was_told_is_not_told_again(life: Watched) -> None:
    with listening(200) as one, listening(200) as two:
        life.tells()
        async with life.serving() as service:
            await life.visited(1)
            life.lose_the_source()
            assert await life.visit(0) == []
            life.tells(receiver(one, "failure"))
            await service.reload()
            assert await life.visit() == ["sent"]
            life.tells(receiver(two))
            await service.reload()
            assert await life.visit(0) == []
            life.find_the_source()
            assert await life.visit() == ["sent"]
            life.tells()
            await service.reload()
            life.lose_the_source()
            assert await life.visit(0) == []
    assert (events(one), events(two)) == (["failure"], ["recovered"])


async def test_a_list_that_cannot_be_used_leaves_the_one_before_in_force(life: Watched) -> None:
    with listening(200) as heard:
        life.tells(receiver(heard, "failure"))
        async with life.serving() as service:
            await life.visited(1)
            life.tells(f"{{on: [failure], url: 'nosuch://{CANARY}'}}")
            standing = await service.reload()
            assert "defaults.notify[0].url: not a URL that apprise can send to" in standing.problems[0]
            assert CANARY not in standing.problems[0]
            life.lose_the_source()
            assert await life.visit() == ["sent"]
    assert life.events(Reloaded) == []


async def test_a_receiver_that_fails_is_warned_of_without_its_url_and_costs_no_copy(life: Watched) -> None:
    with listening(403) as heard:
        life.tells(receiver(heard))
        async with life.serving():
            assert await life.told_after(0, 1) == ["failed"]
            life.lose_the_source()
            assert await life.visit() == ["failed"]
    warned = [event for event in life.told if isinstance(event, Warned)]
    assert [(one.message, one.fields) for one in warned if "Notif" in one.message] == [
        ("Notification not sent", {"receiver": "defaults.notify[0] (127.0.0.1)", "err": "answered 403"})
    ]
    assert CANARY not in repr(life.told)


async def test_a_receiver_that_hangs_holds_up_no_end_and_is_told_of(
    life: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "_LAST_WORDS_OF_A_DAEMON", 0.0)
    taken = asyncio.Event()
    connected = asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await taken.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    life.tells(f"{{on: [changed], url: 'http://{host}:{port}/{CANARY}'}}")
    async with life.serving():
        await life.visited(1)
        await connected.wait()
    taken.set()
    server.close()
    await server.wait_closed()
    (warned,) = [event for event in life.told if isinstance(event, Warned) and "Notifications" in event.message]
    assert warned == Warned(
        "Notifications were not sent before the end", {"receiver": f"defaults.notify[0] ({host})", "count": 1}
    )


async def test_a_bug_that_ends_a_run_is_told_and_so_is_the_next_good_run(
    life: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(200) as heard:
        life.tells(receiver(heard, "failure, recovered"))
        async with life.serving():
            await life.visited(1)
            with monkeypatch.context() as patched:
                patched.setattr("regsync.service.run_entries", 17)
                assert await life.visit() == ["sent"]
            assert await life.visit() == ["sent"]
    assert events(heard) == ["failure", "recovered"]
    assert heard.bodies[0]["causes"][0]["error"] == "a bug in regsync: TypeError"
    assert "report it" in heard.bodies[0]["causes"][0]["advice"]


async def test_once_tells_before_it_ends_and_check_tells_nobody(life: Watched) -> None:
    write_layout(life.folder / "gone", {"v1": image_bytes(b"gone")})
    with listening(200) as heard:
        life.tells(receiver(heard))
        assert (await life.app().once("check", abort_on_error=False)).needed == 1
        assert events(heard) == []
        await life.app().once("changed", abort_on_error=False)
        assert events(heard) == ["changed"]
        life.lose_the_source()
        await life.app().once("changed", abort_on_error=False)
    assert events(heard) == ["changed", "failure"]
    assert heard.bodies[1]["entry"] == "one"


async def test_with_a_state_file_an_entry_is_as_old_as_it_was_before_the_start(life: Watched) -> None:
    with listening(200) as heard:
        life.tells(receiver(heard, "stale"), more=f"  state: '{life.folder}/state.db'\n")
        async with life.serving():
            await life.visited(1)
            assert await life.visit(0) == []
        life.lose_the_source()
        await life.clock.advance(60 * MINUTE)
        life.told.clear()
        async with life.serving():
            assert await life.told_after(1, 1) == ["sent"]
    assert events(heard) == ["stale"]
