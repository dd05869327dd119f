"""What a daemon is told over HTTP: who may, what it does then, and what it says of it."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import pytest
from yarl import URL

from regsync.events import Commanded, PassedOver, RunFinished, Warned
from regsync.service import Service
from tests.integration.test_api import API, REFERENCE, Asked
from tests.integration.test_reload import HOUR
from tests.support.built import image_bytes
from tests.support.clock import settle
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Fault, Stall

TOKEN: Final = "a-token-of-this-test"
OTHER: Final = "another-token-of-this-test"


class Told(Asked):
    """A daemon that takes commands, and whoever gives them."""

    token = TOKEN

    async def tell(
        self,
        command: str,
        *,
        token: str = TOKEN,
        headers: Mapping[str, str] = MappingProxyType({}),
        method: str = "POST",
        data: bytes | None = None,
    ) -> tuple[int, dict[str, Any], Mapping[str, str]]:
        """Return the status, the object and the headers that a command (`a/run`) is answered with."""
        login = {"Authorization": f"Bearer {token}"} if token else {}
        url = URL(f"http://regsync{API}/entries/{command}", encoded=True)
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(f"{self.folder}/socket")) as session,
            session.request(method, url, headers={**login, **headers}, data=data) as answer,
        ):
            body = await answer.read()
            return answer.status, json.loads(body) if body else {}, answer.headers.copy()

    async def done(self, command: str) -> tuple[int, str, bool]:
        status, said, _ = await self.tell(command)
        return status, said["result"], said["paused"]


@pytest.fixture
def life(tmp_path: Path) -> Told:
    return Told(tmp_path)


async def test_an_entry_is_run_when_that_is_asked_for_also_one_that_is_never_due(life: Told) -> None:
    async with life.answering(life.entry("a"), visits=1) as service:
        head = life.head.replace("interval: 1h, ", "")
        life.write(life.entry("a", more=", interval: 1h"), life.entry("never"), head=head)
        await service.reload()
        for entry in ("a", "never"):
            assert await life.done(f"{entry}/run") == (202, "queued", False)
            await life.ended(1)
            (run, *_) = (await life.get(f"/entries/{entry}/runs"))["runs"]
            assert (run["scope"], run["outcome"]) == ("changed", "unchanged" if entry == "a" else "copied")
    assert life.events(Commanded) == [Commanded("run", entry, "API", "socket", False) for entry in ("a", "never")]


@asynccontextmanager
async def copying(life: Told, registry: FakeRegistry) -> AsyncIterator[Service]:
    """Run a and b, both in the middle of a copy that does not get on: a's the first time, b's whenever it is tried."""
    stuck = []
    for name, times in (("a", 2), ("b", 1000)):
        registry.seed(name, {"v1": image_bytes(name.encode())})
        registry.fail(Fault(Stall(), kind="blob", path=f"/{name}/", times=times))
        entry = life.entry(name).replace(f"ocidir://{life.folder}/in", f"{registry.host}/{name}")
        stuck.append(entry.replace("/out:", f"/out-{name}:"))
    creds = f"creds: [{{registry: '{registry.host}', tls: disabled}}]\n"
    async with life.answering(*stuck, creds=creds, visits=0) as service:
        while len(registry.faults.waiting) > 1 or len((await life.get("/images"))["images"]) < 2:
            await settle()
        yield service
        service.stop_now()


async def test_a_run_is_cancelled_in_the_middle_of_a_copy_and_the_next_one_completes_it(
    life: Told, fake_registry: FakeRegistry
) -> None:
    async with copying(life, fake_registry):
        assert (await life.tell("a/run"))[:2] == (409, {"error": "already running"})
        assert await life.done("a/cancel") == (202, "cancelled", False)
        await life.ended(1)
        assert [(event.entry, event.cut) for event in life.told if isinstance(event, RunFinished)] == [("a", True)]
        (run,) = (await life.get("/entries/a/runs"))["runs"]
        assert run["outcome"] == "cut"
        assert (await life.get("/entries/b"))["running"]
        assert (await life.tell("a/cancel"))[:2] == (409, {"error": "no run of this entry goes on or waits"})
        assert await life.done("a/run") == (202, "queued", False)
        await life.ended(1)
        assert (await life.get("/entries/a"))["outcome"] == "copied"


async def test_a_paused_entry_is_visited_no_more_until_it_is_resumed_but_runs_when_asked_to(life: Told) -> None:
    async with life.answering(life.entry("a"), life.entry("b"), visits=1):
        assert await life.done("a/pause") == (200, "paused", True)
        assert await life.done("a/pause") == (200, "already paused", True)
        assert [one["paused"] for one in (await life.get("/entries"))["entries"]] == [True, False]
        assert await life.due_within(2 * HOUR) == ["b", "b"]
        assert len(life.events(PassedOver)) == 1
        assert await life.done("a/run") == (202, "queued", True)
        await life.ended(1)
        assert await life.done("a/resume") == (200, "resumed", False)
        assert await life.done("a/resume") == (200, "not paused", False)
        assert await life.due_within(HOUR) == ["a", "b"]
    assert not life.events(Warned)


async def test_a_pause_outlives_a_reload_and_ends_with_its_entry(life: Told) -> None:
    async with life.answering(life.entry("a"), life.entry("b"), visits=1) as service:
        for entry in "ab":
            await life.done(f"{entry}/pause")
        for entries, paused in (("ab", {"a", "b"}), ("a", {"a"}), ("ab", {"a"})):
            life.write(*(life.entry(name, more=", interval: 2h") for name in entries), head=life.head)
            await service.reload()
            assert service.control.paused == paused
        await life.ended(1)  # the first visit of b, which is new


async def test_a_pause_outlives_a_restart_where_runs_are_kept_and_somebody_may_end_it(life: Told) -> None:
    kept = life.head.replace("defaults: {", f"defaults: {{state: '{life.folder}/state.db', ")
    life.write(life.entry("a"), life.entry("b"), head=kept)
    async with life.serving():
        await life.ended(2)
        assert await life.done("a/pause") == (200, "paused", True)
        await settle()
    life.told.clear()
    async with life.serving() as service:
        await life.ended(1)
        assert [event.entry for event in life.queued()] == ["b"]
        assert life.events(Warned) == [Warned("Entries are still paused", {"entries": ["a"]})]
        assert service.control.paused == {"a"}
    life.told.clear()
    life.write(life.entry("a"), life.entry("b"), head=kept.replace(f", token: {TOKEN}", ""))
    async with life.serving() as service:
        await life.ended(2)
        assert service.control.paused == frozenset()


async def test_an_entry_that_a_pause_kept_from_any_visit_is_overdue_as_its_metrics_say(life: Told) -> None:
    life.write(life.entry("a"), head=life.head.replace("defaults: {", f"defaults: {{state: '{life.folder}/state.db', "))
    async with life.serving():
        await life.ended(1)
        assert await life.done("a/pause") == (200, "paused", True)
        await settle()
    with closing(sqlite3.connect(life.folder / "state.db")) as state, state:
        state.execute("DELETE FROM runs")
    life.told.clear()
    async with life.serving():
        for hours, overdue in ((3, False), (1, True)):
            await life.clock.advance(hours * HOUR)
            (entry,) = (await life.get("/entries"))["entries"]
            line = re.search(
                r"^regsync_entry_overdue_timestamp_seconds\{.*\} (.*)", await life.text("/metrics"), re.MULTILINE
            )
            assert line
            assert [entry["overdue"], float(line[1]) < life.clock.now().timestamp()] == [overdue, overdue]


async def test_only_whoever_has_the_token_is_heard_and_another_one_counts_at_once(life: Told) -> None:
    async with life.answering(life.entry("a"), visits=1) as service:
        for token in ("", "wrong", OTHER):
            status, said, headers = await life.tell("a/run", token=token)
            assert (status, [*said], headers["WWW-Authenticate"][:6]) == (401, ["error"], "Bearer")
        life.write(life.entry("a"), head=life.head.replace(TOKEN, OTHER))
        await service.reload()
        assert not life.events(Warned)
        assert [(await life.tell("a/run", token=token))[0] for token in (TOKEN, OTHER)] == [401, 202]
        await life.ended(1)
        assert (await life.tell("none/run", token=""))[0] == 401  # and nothing of what there is
        status, _, headers = await life.tell("a/run", token=OTHER)
        assert (status, headers["Retry-After"]) == (429, "60")
        await life.clock.advance(61)
        assert (await life.tell("a/pause", token=OTHER))[0] == 200


async def test_without_a_token_in_the_configuration_nothing_can_be_told(life: Told) -> None:
    life.token = ""
    async with life.answering(life.entry("a"), visits=1):
        status, said, _ = await life.tell("a/run")
    assert (status, said) == (403, {"error": "nothing can be told here: server.token in the configuration turns it on"})


@pytest.mark.parametrize("origin", ["http://evil.example", "http://regsync:81", "null", "http://[", "ftp://regsync"])
async def test_a_page_from_elsewhere_is_refused_and_uses_up_no_try(life: Told, origin: str) -> None:
    async with life.answering(life.entry("a"), visits=1):
        for token in ("wrong",) * 6:
            assert (await life.tell("a/run", token=token, headers={"Origin": origin}))[0] == 403
        assert (await life.tell("a/run", headers={"Origin": origin}))[0] == 403
        status, _, headers = await life.tell("a/pause", headers={"Origin": "http://regsync"})
    assert status == 200
    assert not [name for name in headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_a_command_is_taken_by_post_alone(life: Told, method: str) -> None:
    async with life.answering(life.entry("a"), visits=1):
        for command in ("run", "cancel", "pause", "resume"):
            status, _, headers = await life.tell(f"a/{command}", method=method)
            assert (status, headers["Allow"]) == (405, "POST")


async def test_names_may_have_slashes_and_those_that_there_are_not_are_told(life: Told) -> None:
    named = life.entry("a").replace("name: a,", "name: 'b/ü run',")
    async with life.answering(named, life.entry("c").replace("name: c,", "name: b/run,"), visits=1):
        for name in ("b/ü run", "b/run"):
            status, said, _ = await life.tell(f"{quote(name, safe='')}/pause")
            assert (status, said["entry"]) == (200, name)
        assert (await life.tell("none/run"))[:2] == (404, {"error": "there is no entry of this name"})
        assert (await life.tell("b%2Frun/run?now=1"))[0] == 400


async def test_a_body_is_no_matter_unless_it_is_large(life: Told) -> None:
    async with life.answering(life.entry("a"), visits=1):
        assert (await life.tell("a/pause", data=b'{"for": "an hour"}'))[0] == 200
        assert (await life.tell("a/pause", data=b"x" * (1 << 17)))[0] == 413


async def test_nothing_can_be_told_any_more_while_the_server_stops(life: Told, fake_registry: FakeRegistry) -> None:
    async with copying(life, fake_registry) as service:
        service.stop()
        assert (await life.tell("b/pause"))[:2] == (503, {"error": "the server is being stopped"})


async def test_the_answers_are_as_the_document_says(life: Told) -> None:
    async with life.answering(life.entry("a"), visits=1):
        document = await life.get("/openapi.json")
        commands = re.findall(
            rf"^\| `({API}/.*?)` \|", REFERENCE.partition("\n## Telling it to\n")[2], flags=re.MULTILINE
        )
        assert commands == [path for path, asked in document["paths"].items() if "post" in asked]
        for command, status in (("pause", 200), ("resume", 200), ("run", 202)):
            described = document["paths"][f"{API}/entries/{{name}}/{command}"]["post"]
            assert described["security"] == [{"bearer": []}]
            assert f"{status}" in described["responses"]
            _, said, _ = await life.tell(f"a/{command}")
            done = document["components"]["schemas"]["Done"]
            assert done["properties"].keys() == said.keys()
            assert said["result"] in done["properties"]["result"]["enum"]


async def test_what_was_told_is_done_and_logged_though_who_told_it_has_hung_up(
    life: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, goes_on = asyncio.Event(), asyncio.Event()

    async with life.answering(life.entry("a"), visits=1) as service:
        pause = service.control.pause

        async def slowly(entry: str) -> bool:
            asked.set()
            await goes_on.wait()
            return await pause(entry)

        monkeypatch.setattr(service.control, "pause", slowly)
        telling = asyncio.create_task(life.tell("a/pause"))
        await asked.wait()
        telling.cancel()
        await settle()
        goes_on.set()
        while not life.events(Commanded):
            await settle()
        assert service.control.paused == {"a"}
