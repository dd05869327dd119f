"""The pages of a daemon that runs, as whoever has no script reads them: what they say, and what they never do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import aiohttp
import pytest
from yarl import URL

from regsync.events import ImageDelayed
from tests.integration.test_api import Asked
from tests.integration.test_reload import HEAD, HOUR, IMAGE
from tests.support.built import image_bytes, write_layout
from tests.support.clock import settle
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Change, Fault, Status
from tests.support.html import Page

POLICY: Final = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
}
HOSTILE: Final = '<script>alert(1)</script><img src=x onerror=alert(1)>" style="x\' \u202egpj.exe {{ 7*7 }} &amp;'
NAME: Final = HOSTILE.replace("\u202e", "")  # no control characters get past the configuration


@dataclass(frozen=True, slots=True)
class Shown:
    """What a path was answered with."""

    status: int
    headers: dict[str, str]
    text: str
    page: Page


class Looked(Asked):
    """A daemon that is looked at."""

    async def shown(self, path: str) -> Shown:
        connector = aiohttp.UnixConnector(f"{self.folder}/socket")
        url = URL(f"http://regsync{path}", encoded=True)
        async with aiohttp.ClientSession(connector=connector) as session, session.get(url) as answer:
            text = await answer.text()
            return Shown(answer.status, dict(answer.headers), text, Page(text))

    async def look(self, path: str = "/", *, status: int = 200) -> Page:
        """Return a page that is as all have to be."""
        shown = await self.shown(path)
        assert shown.status == status, shown.text
        assert shown.headers["Content-Type"] == "text/html; charset=utf-8"
        assert set(shown.headers["Content-Security-Policy"].split("; ")) == POLICY
        assert (shown.headers["Cache-Control"], shown.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
        assert shown.headers["Server"] == "regsync"
        shown.page.assert_sound()
        return shown.page


@pytest.fixture
def life(tmp_path: Path) -> Looked:
    return Looked(tmp_path)


def told(page: Page, entry: str) -> str:
    """What the row of an entry says."""
    (row,) = page.all("tr", **{"data-entry": entry})
    return row.text


async def test_the_first_page_says_how_every_entry_is(life: Looked) -> None:
    async with life.answering(life.entry("b"), life.failing("a")):
        page = await life.look()
    assert "not compared yet" in told(page, "a")
    assert "failed 0.0 s just now, 1 image failed last 2 runs: 2 failed" in told(page, "a")
    assert f"ocidir://{life.folder}/in:v1 → ocidir://{life.folder}/out:b fresh equal just now" in told(page, "b")
    assert "in 1 h every 1 h unchanged 0.0 s just now last 2 runs: 1 unchanged, 1 copied" in told(page, "b")
    assert page.title == "1 failing · regsync"
    assert page.by_id("tiles").text == "All 2 Fresh 1 Late 0 Overdue 0 Not compared 1 Failing 1 Running 0"
    assert page.by_id("live").text == "Under way Nothing is being copied. The next visit is due in 1 h."
    assert page.by_id("hosting").text == "No registry has been asked yet: that comes with the first visit."


async def test_an_entry_becomes_late_and_overdue_when_it_fails_for_long(life: Looked) -> None:
    async with life.answering(life.entry("a")):
        (life.folder / "in" / "index.json").unlink()
        words = []
        for _ in range(4):
            await life.clock.advance(HOUR)
            await life.ended(1)
            words.append(told(await life.look(), "a").partition(" equal ")[0].rpartition("out:a ")[2])
    assert words == ["fresh", "fresh", "late", "overdue"]


async def test_an_entry_that_comes_with_a_reload_is_not_as_old_as_the_process(life: Looked) -> None:
    async with life.answering(life.entry("a")) as service:
        for _ in range(5):
            await life.clock.advance(HOUR)
            await life.ended(1)
        life.write(life.entry("a"), life.entry("b"), head=f"{HEAD}server: {{listen: 'unix:{life.folder}/socket'}}\n")
        await service.reload()
        await life.ended(1)
        assert "not compared yet" in told(await life.look(), "b")


async def test_failures_come_with_their_reason_and_what_to_do(life: Looked) -> None:
    async with life.answering(life.failing("a"), life.failing("b")):
        failed = (await life.look()).by_id("failed")
    assert failed.text.startswith(f"ocidir://{life.folder}/in: none is not there What to do: Check repository")
    assert failed.text.count(" run") == 4


async def test_changes_name_the_tag_and_both_digests(life: Looked) -> None:
    async with life.answering(life.entry("a")):
        write_layout(life.folder / "in", {"v1": (other := image_bytes(b"another one"))})
        await life.clock.advance(HOUR)
        await life.ended(1)
        page = await life.look()
        (row, first) = page.all("tr")[3:5]
        old, new = (image.digest.removeprefix("sha256:")[:12] for image in (IMAGE, other))
        assert row.text == f"ocidir://{life.folder}/out:a {old} → {new} just now"
        assert first.text == f"ocidir://{life.folder}/out:a new → {old} 2 h ago"
        run = next(link for link in page.links if link.startswith("/runs/"))
        assert f"{old} → {new}" in (await life.look(run)).by_id("images").text


async def test_an_entry_and_a_run_have_pages_of_their_own(life: Looked) -> None:
    async with life.answering(life.failing("x").replace("name: x,", "name: 'a/b c?d#e%f',")):
        page = await life.look()
        entry = await life.look(next(link for link in page.links if link.startswith("/entries/")))
        run = await life.look(next(link for link in entry.links if link.startswith("/runs/")))
    assert entry.title == "a/b c?d#e%f · regsync"
    assert "Next visit in 1 h every 1 h Now idle Last run failed" in entry.by_id("facts").text
    assert len(entry.all("tr")) == 3
    assert run.title == "failed: a/b c?d#e%f · regsync"
    assert run.by_id("facts").text.startswith("failed 1 image failed in 0.0 s.")
    assert "What to do: Check repository and tag" in run.by_id("failed").text


async def test_what_is_not_there_is_a_page_that_leads_back(life: Looked) -> None:
    async with life.answering(life.entry("a"), visits=1):
        for path in ("/entries/none", "/runs/none", "/runs/%00", "/entries/%ED%A0%80", f"/entries/{'x' * 4000}"):
            assert "/" in (await life.look(path, status=404)).links


async def test_words_and_states_filter_without_a_script(life: Looked) -> None:
    async with life.answering(life.entry("alpha"), life.entry("beta"), life.failing("gamma")):
        found = {
            path: [row.attributes["data-entry"] for row in (await life.look(path)).all("tr") if row.attributes]
            for path in (
                "/?q=ALP",
                "/?q=out:+et",
                "/?state=failing",
                "/?state=fresh&q=a",
                "/?q=nobody",
                "/?state=odd&page=9",
            )
        }
        page = await life.look("/?state=fresh&q=alp")
    assert [*found.values()] == [["alpha"], ["beta"], ["gamma"], ["alpha", "beta"], [], ["alpha", "beta", "gamma"]]
    assert page.all("input", id="q")[0].attributes["value"] == "alp"
    assert page.all("input", type="hidden")[0].attributes == {"type": "hidden", "name": "state", "value": "fresh"}
    assert page.all("a", **{"aria-current": "true"})[0].text == "Fresh 1"


async def test_a_configuration_that_was_refused_is_told_at_the_top(life: Looked) -> None:
    async with life.answering(life.entry("a"), visits=1) as service:
        assert (await life.look()).by_id("banner").text == ""
        life.path.write_text("sync:\n- {source: a, target: b, type: image, schedule: 61 * * * *}\n")
        await service.reload()
        banner = (await life.look()).by_id("banner").text
    assert banner.startswith("The configuration read just now was refused")
    assert "minute '61'" in banner


async def test_an_image_under_way_or_waiting_is_shown_with_its_reason(
    life: Looked, fake_registry: FakeRegistry
) -> None:
    fake_registry.seed("app", {"v1": IMAGE})
    few = Change({"RateLimit-Remaining": "9", "RateLimit-Limit": "100"})
    fake_registry.fail(Fault(few, kind="manifest", times=10_000))
    entry = life.entry("a", more=", ratelimit: {min: 10}")
    entry = entry.replace(f"ocidir://{life.folder}/in", f"{fake_registry.host}/app")
    async with life.answering(entry, creds=plain(fake_registry), visits=0) as service:
        while not life.events(ImageDelayed):
            await settle()
        pages = [await life.look(path) for path in ("/", "/entries/a")]
        running = next(link for link in pages[1].links if link.startswith("/runs/"))
        pages.append(await life.look(running))
        service.stop_now()
    for page in pages:
        assert "waits, in 5 min" in page.by_id("live").text
        assert "9 pulls are left" in page.by_id("live").text
    assert "9 of 100" in pages[0].by_id("hosting").text
    assert "Began just now and goes on" in pages[2].by_id("facts").text


def plain(registry: FakeRegistry) -> str:
    return f"creds: [{{registry: '{registry.host}', tls: disabled}}]\n"


async def test_whatever_others_say_is_text_and_nothing_else(life: Looked, fake_registry: FakeRegistry) -> None:
    body = json.dumps({"errors": [{"code": "DENIED", "message": HOSTILE}]})
    fake_registry.fail(Fault(Status(403, body=body.encode()), kind="manifest", times=10_000))
    entry = life.entry("a").replace(f"ocidir://{life.folder}/in", f"{fake_registry.host}/app")
    entry = entry.replace("name: a,", f"name: {json.dumps(NAME)},")
    async with life.answering(entry, creds=plain(fake_registry), visits=1):
        page = await life.look(f"/?q={quote(HOSTILE)}&state={quote(HOSTILE)}")
        pages = [page, *[await life.look(link) for link in set(page.links) if link.startswith(("/entries/", "/runs/"))]]
    assert len(pages) == 3
    for page in pages:
        assert not page.all("img")
        assert NAME in page.by_id("main").text
    assert HOSTILE.replace("\u202e", "\\u202e") in pages[0].by_id("failed").text


async def test_no_page_has_a_secret_in_it(life: Looked) -> None:
    creds = "creds: [{registry: a.example, user: ann, pass: canary-canary}]\n"
    secret = life.failing("b").replace("in:none", "in/canary-canary:none").replace("name: b", "name: b-canary-canary")
    async with life.answering(secret, creds=creds, visits=1):
        page = await life.look("/?q=canary-canary")
        run = await life.look(next(link for link in page.links if link.startswith("/runs/")))
        entry = (await life.shown("/entries/b-canary-canary")).text
        texts = [(await life.shown("/?q=canary-canary")).text, " ".join(one.text for one in run.elements), entry]
    assert [text.count("canary-canary") for text in texts] == [0, 0, 0]
    assert [text.count("[censored]") > 0 for text in texts] == [True] * 3


async def test_what_a_page_needs_is_served_beside_it_and_may_be_kept(life: Looked) -> None:
    async with life.answering(life.entry("a"), visits=1):
        page = await life.look()
        needed = [one.attributes["href"] for one in page.all("link")] + [
            one.attributes["src"] for one in page.all("script")
        ]
        files = [await life.shown(path) for path in needed]
        other = [(await life.shown(f"/static/{name}")).status for name in ("none.css", "..%2Fanswers.py", "index.html")]
    assert [file.headers["Content-Type"] for file in files] == ["image/svg+xml", "text/css", "text/javascript"]
    assert all(file.headers["Cache-Control"] == "max-age=31536000, immutable" for file in files)
    assert sum(len(file.text) for file in files) < 40_000
    assert other == [404, 404, 404]
