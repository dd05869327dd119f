"""What programs are answered about this moment: when entries are due, how hosts are; and what comes with a reload."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest

from regsync.events import ImageFailed, ImagePostponed
from regsync.record.objects import stamp
from tests.integration.test_api import Asked, documented
from tests.integration.test_reload import HEAD, HOUR, IMAGE
from tests.support.clock import settle
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Change, Fault


@pytest.fixture
def life(tmp_path: Path) -> Asked:
    return Asked(tmp_path)


class Remote:
    """Entries that are read from a registry."""

    def __init__(self, life: Asked, registry: FakeRegistry) -> None:
        self.host = registry.host
        self.creds = f"creds: [{{registry: '{registry.host}', tls: disabled}}]\n"
        self.entry = life.entry("a").replace(f"ocidir://{life.folder}/in", f"{registry.host}/app")
        registry.seed("app", {"v1": IMAGE})


async def test_an_entry_says_when_it_is_next_due_if_ever(life: Asked) -> None:
    daily, never = (
        life.entry(name, more=f", schedule: '{line}'") for name, line in (("b", "@daily"), ("c", "0 0 30 2 *"))
    )
    async with life.answering(life.entry("a"), daily, never, visits=1):
        began = life.clock.now()
        await life.clock.advance(60)
        entries = (await life.get("/entries"))["entries"]
    midnight = (began + timedelta(days=1)).replace(hour=0, minute=0, second=0)
    assert [entry["due"] for entry in entries] == [stamp(began + timedelta(hours=1)), stamp(midnight), None]


async def test_an_entry_is_overdue_when_three_due_times_have_passed(life: Asked) -> None:
    async with life.answering(life.entry("a"), life.failing("b"), visits=2):
        before = [one["overdue"] for one in (await life.get("/entries"))["entries"]]
        for _ in range(3):
            await life.clock.advance(HOUR)
            await life.ended(2)
        after = [one["overdue"] for one in (await life.get("/entries"))["entries"]]
    assert (before, after) == ([False, False], [False, True])


async def test_what_jitter_puts_off_is_due_later(life: Asked) -> None:
    jittered = [life.entry(f"e{number}", more=", jitter: 30m") for number in range(5)]
    async with life.answering(*jittered, visits=1):
        said = {one["name"]: one["due"] for one in (await life.get("/entries"))["entries"]}
        life.told.clear()
        await life.clock.advance(2 * HOUR)
        came = {event.entry: stamp(event.due) for event in reversed(life.queued())}
    assert said == came
    assert len({*said.values()}) == 5


async def test_nothing_is_due_any_more_while_the_server_stops(life: Asked) -> None:
    async with life.answering(life.entry("a"), visits=1) as service:
        service.stop()
        assert await service.dues(["a"]) == {}


async def test_one_entry_says_what_the_list_says_of_it(life: Asked) -> None:
    unnamed = life.entry("a").replace("name: a, ", "")
    async with life.answering(life.entry("a").replace("name: a,", "name: a/runs,"), unnamed, visits=1):
        for entry in (await life.get("/entries"))["entries"]:
            assert await life.get(f"/entries/{quote(entry['name'], safe='')}") == entry
        assert await life.ask("/entries/b") == (404, {"error": "there is no entry of this name"})
        assert (await life.ask("/entries/a?limit=1"))[0] == 400


async def test_hosts_say_how_busy_they_are_and_what_went_over_the_wire(
    life: Asked, fake_registry: FakeRegistry
) -> None:
    remote = Remote(life, fake_registry)
    counted = Change({"RateLimit-Remaining": "76", "RateLimit-Limit": "100"})
    fake_registry.fail(Fault(counted, kind="manifest", times=10_000))
    async with life.answering(remote.entry, creds=remote.creds, visits=2):
        found = {one["name"]: one for one in (await life.get("/hosts"))["hosts"]}
        page = await life.get("/hosts?limit=1")
        rest = await life.get(f"/hosts?after={quote(page['next'], safe='')}")
    host, layouts = found[remote.host], found["ocidir"]
    assert (host["used"], host["waiting"], host["limit"] >= 8) == (0, 0, True)
    assert (host["remaining"], host["allowed"], host["until"], host["why"]) == (76, 100, None, "")
    assert host["answers"] == {"2xx": host["requests"]}
    assert host["read"] == layouts["written"] > 0
    assert [one["name"] for one in (*page["hosts"], *rest["hosts"])] == sorted(found)
    assert documented("Host") == host.keys()


@pytest.mark.parametrize("seconds", [60, 1800])
async def test_a_host_that_is_left_alone_says_until_when_and_why(
    life: Asked, fake_registry: FakeRegistry, seconds: int
) -> None:
    remote = Remote(life, fake_registry)
    fake_registry.fail(Fault(Change({"Retry-After": f"{seconds}"}, status=429), kind="manifest", times=10_000))
    async with life.answering(remote.entry, creds=remote.creds, visits=0) as service:
        while not (life.events(ImagePostponed) or life.events(ImageFailed)):
            await settle()
        found = {one["name"]: one for one in (await life.get("/hosts"))["hosts"]}
        service.stop_now()
    host = found[remote.host]
    assert host["until"] == stamp(life.clock.now() + timedelta(seconds=seconds))
    assert "429 Too Many Requests" in host["why"]


async def test_an_entry_that_comes_back_with_a_reload_is_as_old_as_it_was(life: Asked) -> None:
    head = f"{HEAD}server: {{listen: 'unix:{life.folder}/socket'}}\n"
    async with life.answering(life.entry("a"), life.entry("b"), visits=2) as service:
        life.write(life.entry("a"), head=head)
        await service.reload()
        assert "b" not in await freshness(life)
        await life.clock.advance(HOUR / 2)
        life.write(life.entry("a"), life.entry("b"), head=head)
        await service.reload()
        await life.ended(1)  # a first visit, which tells nothing of how fresh it is
        assert await freshness(life) == {"a": HOUR / 2, "b": HOUR / 2}


async def test_an_entry_that_comes_with_a_reload_is_as_old_as_it_is_there(life: Asked) -> None:
    async with life.answering(life.entry("a"), visits=1) as service:
        await life.clock.advance(5 * HOUR)
        life.write(life.entry("a"), life.entry("b"), head=f"{HEAD}server: {{listen: 'unix:{life.folder}/socket'}}\n")
        await service.reload()
        await life.clock.advance(60)
        assert (await freshness(life))["b"] == 60


async def freshness(life: Asked) -> dict[str, float]:
    connector = aiohttp.UnixConnector(f"{life.folder}/socket")
    async with aiohttp.ClientSession(connector=connector) as session, session.get("http://regsync/metrics") as answer:
        found = re.findall(r'^regsync_entry_freshness_seconds{entry="(.)"} (.*)$', await answer.text(), re.MULTILINE)
    return {entry: float(seconds) for entry, seconds in found}
