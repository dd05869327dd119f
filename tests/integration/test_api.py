"""What programs are answered by a daemon that runs, and that the reference has every path and field of it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import pytest
from yarl import URL

from regsync.events import ImageDelayed, JobQueued
from regsync.record.objects import live_object
from regsync.record.values import LiveBlob, LiveImage
from regsync.service import Service
from tests.integration.test_reload import HEAD, HOUR, IMAGE, Life
from tests.support.built import image_bytes, write_layout
from tests.support.clock import settle
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Change, Fault

ROOT: Final = Path(__file__).parents[2]
REFERENCE: Final = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
API: Final = "/api/v1"


class Asked(Life):
    """A daemon that answers, and whoever asks it.

    `listen` is where, a socket unless said otherwise; `token` is what commands need, none are taken unless it is said.
    """

    listen = ""
    token = ""

    async def ask(self, path: str) -> tuple[int, dict[str, Any]]:
        """Return the status and the object that a path below `/api/v1` is answered with."""
        connector = aiohttp.UnixConnector(f"{self.folder}/socket")
        url = URL(f"http://regsync{API}{path}", encoded=True)
        async with aiohttp.ClientSession(connector=connector) as session, session.get(url) as answer:
            assert answer.content_type == "application/json"
            return answer.status, json.loads(await answer.read())

    async def text(self, path: str) -> str:
        """Return the text a path is answered with."""
        connector = aiohttp.UnixConnector(f"{self.folder}/socket")
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(f"http://regsync{path}") as answer,
        ):
            assert answer.status == 200
            return await answer.text()

    async def get(self, path: str) -> dict[str, Any]:
        status, found = await self.ask(path)
        assert status == 200, found
        return found

    @property
    def head(self) -> str:
        """What the file says besides its entries and logins."""
        listen = self.listen or f"unix:{self.folder}/socket"
        token = f", token: {self.token}" if self.token else ""
        return f"{HEAD}server: {{listen: '{listen}'{token}}}\n"

    @asynccontextmanager
    async def answering(self, *entries: str, creds: str = "", visits: int = 2) -> AsyncIterator[Service]:
        """Run it with these entries until each was visited so often."""
        self.write(*entries, head=f"{creds}{self.head}")
        async with self.serving() as service:
            for visit in range(visits):
                if visit:
                    await self.clock.advance(HOUR)
                await self.ended(len(entries))
            yield service

    async def ended(self, count: int) -> None:
        for _ in range(count):
            await self.finished.get()

    def queued(self) -> list[JobQueued]:
        return [event for event in self.told if isinstance(event, JobQueued)]

    def failing(self, name: str) -> str:
        return self.entry(name).replace("in:v1", "in:none")


@pytest.fixture
def life(tmp_path: Path) -> Asked:
    return Asked(tmp_path)


async def test_entries_say_what_they_are_and_what_became_of_them(life: Asked) -> None:
    async with life.answering(life.entry("b"), life.failing("a")):
        failing, fine = (await life.get("/entries"))["entries"]
    assert (failing["name"], failing["outcome"], failing["succeeded"], failing["equal"]) == ("a", "failed", None, None)
    assert (fine["name"], fine["outcome"], fine["type"], fine["interval"]) == ("b", "unchanged", "image", "1h0m0s")
    assert (fine["source"], fine["running"]) == (f"ocidir://{life.folder}/in:v1", None)
    assert fine["succeeded"] >= fine["equal"] > ""


async def test_lists_come_in_pages(life: Asked) -> None:
    async with life.answering(*map(life.entry, "cab")):
        first = await life.get("/entries?limit=2")
        second = await life.get(f"/entries?limit=2&after={first['next']}")
        runs = await life.get("/entries/a/runs?limit=1")
        earlier = await life.get(f"/entries/a/runs?limit=1&before={runs['next']}")
    assert [[one["name"] for one in page["entries"]] for page in (first, second)] == [["a", "b"], ["c"]]
    assert [one["scope"] for one in (*runs["runs"], *earlier["runs"])] == ["changed", "missing"]
    assert (second["next"], earlier["next"]) == (None, None)


async def test_a_name_in_a_path_may_have_slashes_in_it(life: Asked) -> None:
    unnamed = life.entry("a").replace("name: a, ", "")
    async with life.answering(unnamed, visits=1):
        (entry,) = (await life.get("/entries"))["entries"]
        found = await life.get(f"/entries/{quote(entry['name'], safe='')}/runs")
    assert [run["entry"] for run in found["runs"]] == [entry["name"]]


async def test_failures_and_changes_are_those_of_the_last_day(life: Asked) -> None:
    async with life.answering(life.entry("a"), life.failing("b")):
        write_layout(life.folder / "in", {"v1": image_bytes(b"another one")})
        await life.clock.advance(HOUR)
        await life.ended(2)
        changes, failures = (await life.get("/changes"))["changes"], (await life.get("/failures"))["failures"]
        run = await life.get(f"/runs/{changes[0]['run']}")
    assert [(one["entry"], one["before"] != one["digest"]) for one in changes] == [("a", True)] * 2
    assert {one["entry"] for one in failures} == {"b"}
    assert len(failures) == 3
    assert run["images"] == [{key: value for key, value in changes[0].items() if key != "run"}]


async def test_no_answer_has_a_secret_in_it(life: Asked) -> None:
    creds = "creds: [{registry: a.example, user: ann, pass: canary-canary}]\n"
    async with life.answering(
        life.failing("b").replace("in:none", "in/canary-canary:none"), creds=creds, visits=1
    ) as service:
        asked = [await life.ask(f"/{path}") for path in ("entries", "failures", "entries/b/runs?canary-canary=1")]
        assert service.setup.entries["b"].source.endswith("canary-canary:none")
    assert "canary-canary" not in json.dumps(asked)
    assert [json.dumps(one).count("[censored]") > 0 for one in asked] == [True] * 3


REFUSED: Final = [
    ("/entries?limit=0", 400, 'limit: expected a number from 1 to 1000, found "0"'),
    ("/failures?limit=1001", 400, 'limit: expected a number from 1 to 1000, found "1001"'),
    ("/images?limit=%D9%A1", 400, 'limit: expected a number from 1 to 1000, found "\\u0661"'),
    ("/changes?since=1", 400, 'unknown parameter "since": there is limit'),
    ("/entries?before=1", 400, 'unknown parameter "before": there is after and limit'),
    ("/runs/x?limit=1", 400, 'unknown parameter "limit": there are none here'),
    ("/entries/none/runs", 404, "there is no entry of this name"),
    ("/runs/none", 404, "there is no run of this name, or not any more"),
    ("/nothing", 404, "there is nothing of this name; docs/reference/api.md lists what there is"),
]


async def test_an_image_that_waits_is_in_flight_in_the_run_that_its_entry_names(
    life: Asked, fake_registry: FakeRegistry
) -> None:
    fake_registry.seed("app", {"v1": IMAGE})
    few = Change({"RateLimit-Remaining": "9", "RateLimit-Limit": "100"})
    fake_registry.fail(Fault(few, kind="manifest", times=10_000))
    entry = life.entry("a", more=", ratelimit: {min: 10}")
    entry = entry.replace(f"ocidir://{life.folder}/in", f"{fake_registry.host}/app")
    creds = f"creds: [{{registry: '{fake_registry.host}', tls: disabled}}]\n"
    async with life.answering(entry, creds=creds, visits=0) as service:
        while not life.events(ImageDelayed):
            await settle()
        found, (told,) = await life.get("/images"), (await life.get("/entries"))["entries"]
        run = await life.get(f"/runs/{told['running']}")
        service.stop_now()
    (image,) = found["images"]
    assert (image["entry"], image["target"]) == ("a", f"ocidir://{life.folder}/out:a")
    assert (image["run"], found["total"]) == (told["running"], 1)
    assert (run["outcome"], run["ended"], run["images"]) == ("running", None, [])
    assert image["until"] > image["since"]
    assert image["why"]


async def test_what_cannot_be_answered_has_one_error(life: Asked) -> None:
    async with life.answering(life.entry("a"), visits=1):
        answers = [await life.ask(path) for path, _, _ in REFUSED]
    assert answers == [(status, {"error": why}) for _, status, why in REFUSED]


async def test_odd_marks_and_names_are_no_matter(life: Asked) -> None:
    async with life.answering(life.entry("a"), visits=1):
        for odd in ("%00", "%FF", "%ED%A0%80", "%25", "a" * 4000, "%F4%8F%BF%BF"):
            assert (await life.ask(f"/entries?after={odd}"))[0] == 200
            assert (await life.ask(f"/entries/a/runs?before={odd}"))[0] == 200
            assert (await life.ask(f"/runs/{odd}"))[0] == 404


async def test_the_reference_has_every_path_and_every_field(life: Asked) -> None:
    async with life.answering(life.entry("a"), life.failing("b")):
        found = {path: await life.get(path) for path in ("/entries", "/entries/b/runs", "/failures", "/changes")}
        run = await life.get(f"/runs/{found['/failures']['failures'][0]['run']}")
    entry, of_entry, image = found["/entries"]["entries"][0], found["/entries/b/runs"]["runs"][0], run["images"][0]
    assert documented("Entry") == entry.keys()
    assert documented("Run") == {*of_entry, *of_entry["counts"]}
    assert documented("Image") == {"run", *image} == found["/failures"]["failures"][0].keys()
    assert run.keys() - of_entry.keys() == {"images"}


async def test_every_path_of_the_reference_is_answered_and_no_other(life: Asked) -> None:
    questions = REFERENCE.partition("\n## Telling it to\n")[0]
    paths = re.findall(rf"^\| `{API}(/.*?)` \|", questions, flags=re.MULTILINE)
    async with life.answering(life.entry("a"), visits=1):
        (run,) = (await life.get("/entries/a/runs"))["runs"]
        for path in paths:
            await life.get(path.replace("{name}", "a").replace("{id}", run["id"]))
    entries = ["/entries", "/entries/{name}", "/entries/{name}/runs"]
    assert paths == [*entries, "/runs/{id}", "/images", "/failures", "/changes", "/hosts", "/openapi.json"]


def test_the_reference_has_every_field_of_an_image_in_flight() -> None:
    blob = LiveBlob("sha256:1", "a.x/app", ("b.x/app",), 1, 2)
    image = live_object(LiveImage("r", "a", "a.x/app:1", "b.x/app:1", datetime.now(UTC), blobs=(blob,)))
    assert documented("Image in flight") == {*image, *asdict(blob)}


def documented(section: str) -> set[str]:
    """The fields that a section of the reference has rows or words for; values are not among them."""
    part = REFERENCE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \| (.*) \|$", part, flags=re.MULTILINE)
    inner = [words for field, words in rows if field in {"`counts`", "`blobs`"}]
    return {name for words in [*(field for field, _ in rows), *inner] for name in re.findall("`([a-z]+)`", words)}
