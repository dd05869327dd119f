"""The page of a real daemon between two docker-registries, in Chromium: how it looks, works and is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import assert_fits, assert_open_to_all, chromium, looked_at, picture
from tests.support.past import Lived
from tests.support.real import DockerRegistry
from tests.support.stage import EVERYDAY, LARGE, PAST, Daemon, Stage, mirrored, step
from tests.support.trickle import Trickle

SLOW = 700_000  # bytes a second
WITHIN = 30_000  # milliseconds something may take to be seen
expect.set_options(timeout=WITHIN)
MANY = 10_000
PHONE = 390  # pixels
TOKEN = "a-token-of-these-tests"
UNNAMED = "- {source: 'hub.example/library/alpine:3.22', target: 'mirror.example/copies:3.22', type: image}\n"
TROUBLED = (
    step("vault", "gone.example/hashicorp/vault:1.21", "mirror.example/hashicorp/vault:1.21"),
    mirrored("traefik", "library/traefik", "v3.6"),
    step("cuda", f"slow.example/{LARGE}:12.4", f"mirror.example/{LARGE}:12.4"),
)
TROUBLED_PAST = (
    *PAST,
    Lived("vault", "mirror.example/hashicorp/vault", last=9000.0, failing=True),
    Lived("traefik", "mirror.example/library/traefik", last=5000.0, failing=True),
    Lived("cuda", "mirror.example/ml/cuda", last=3000.0),
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    with DockerRegistry(folder / "source") as source, DockerRegistry(folder / "target") as target:
        found = Stage(folder, source, target)
        found.fill()
        yield found


@pytest.fixture(scope="module")
def idle(stage: Stage) -> Iterator[Daemon]:
    """A daemon that has nothing to do."""
    with stage.daemon("idle", *EVERYDAY, past=PAST) as daemon:
        yield daemon


def settled(page: Page) -> Page:
    """The same page when nothing is under way any more; it renews itself."""
    expect(page.locator("#live .empty")).to_be_visible()
    expect(page.locator(".mark.running")).to_have_count(0)
    return page


RENEW = """() => new Promise((done) => {
  document.addEventListener("renewed", done, { once: true });
  document.getElementById("list").dataset.was = "something else";
  document.querySelector("footer p").firstChild.data = "a while ago";
  document.dispatchEvent(new Event("renew"));
})"""


def test_an_idle_page_is_complete_and_open_to_all_in_light_and_dark(
    browser: Browser, idle: Daemon, tmp_path: Path
) -> None:
    for scheme, name in (("light", "idle"), ("dark", "dark")):
        with looked_at(browser, idle.url, color_scheme=scheme) as page:
            expect(settled(page).locator("tr[data-entry=alpine] .badge")).to_have_text("fresh")
            assert page.locator("tr[data-entry=alpine] svg title").text_content()
            assert page.locator("#tools button").count() == 0
            assert_open_to_all(page)
            assert_fits(page)
            picture(page, tmp_path, name)


def test_it_fits_a_telephone(browser: Browser, idle: Daemon, tmp_path: Path) -> None:
    with looked_at(browser, idle.url, width=PHONE, height=844) as page:
        assert_fits(settled(page))
        assert_open_to_all(page)
        picture(page, tmp_path, "narrow")
        page.locator("tr[data-entry=alpine] a").first.click()
        expect(page.locator("h1")).to_have_text("alpine")
        assert_fits(page)


def test_it_can_be_walked_through_by_keyboard(browser: Browser, idle: Daemon) -> None:
    with looked_at(browser, idle.url) as page:
        settled(page)
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_text("Skip to the content")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_contain_text("All")
        page.locator("#q").focus()
        page.keyboard.type("graf")
        expect(page.locator("tr[data-entry]")).to_have_count(1)
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{idle.url}/?q=graf")
        page.locator("tr[data-entry] a").first.focus()
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("grafana")


def test_it_renews_itself_and_leaves_focus_scroll_and_what_is_typed_alone(browser: Browser, idle: Daemon) -> None:
    with looked_at(browser, idle.url, height=400) as page:
        link = settled(page).locator("tr[data-entry=prometheus] a").first
        link.focus()
        page.evaluate("scrollTo(0, 333)")
        page.evaluate(RENEW)
        expect(page.locator("footer p").first).to_contain_text("seen")
        assert page.evaluate("[scrollY, document.activeElement.textContent]") == [333, "prometheus"]


def test_no_script_and_no_style_but_ours_is_heeded(browser: Browser, idle: Daemon) -> None:
    with looked_at(browser, idle.url, but="Content Security Policy") as page:
        page.evaluate(
            """() => {
              const script = document.createElement("script"), style = document.createElement("style");
              script.textContent = "window.ran = true";
              style.textContent = "body { display: none }";
              document.body.append(script, style);
            }"""
        )
        assert page.evaluate("[window.ran === undefined, getComputedStyle(document.body).display]") == [True, "block"]


def test_it_is_complete_without_a_script(browser: Browser, idle: Daemon) -> None:
    with looked_at(browser, idle.url, java_script_enabled=False) as page:
        page.fill("#q", "mirror.example/library debian")
        page.get_by_role("button", name="Filter").click()
        assert page.locator("tr[data-entry] th a").all_text_contents() == ["debian"]
        page.get_by_role("link", name="Show all", exact=True).click()
        assert page.locator("tr[data-entry]").count() == len(EVERYDAY)
        page.get_by_role("link", name="Fresh").click()
        assert page.locator("[aria-current]").text_content() == f"Fresh{len(EVERYDAY)}"


def test_what_is_copied_and_what_fails_is_seen_as_it_happens(browser: Browser, stage: Stage, tmp_path: Path) -> None:
    with Trickle(stage.source.port, rate=SLOW) as slow:
        ports = {"slow.example": slow.port}
        steps = (*EVERYDAY, *TROUBLED)
        with (
            stage.daemon("troubled", *steps, past=TROUBLED_PAST, ports=ports) as daemon,
            looked_at(browser, daemon.url) as page,
        ):
            sub = page.locator(".transfers li", has_text=LARGE).locator(".sub")
            expect(sub).to_contain_text("left")
            expect(page.locator("tr[data-entry=vault] .mark.failed")).to_be_visible()
            expect(page.locator(".transfers progress").first).to_have_attribute("value", re.compile("^[1-9][0-9]?$"))
            assert_open_to_all(page)
            picture(page, tmp_path, "copying")
            page.locator("#failures").scroll_into_view_if_needed()
            page.evaluate("document.querySelector('#failures').parentElement.scrollIntoView()")
            expect(page.locator("#failed")).to_contain_text("What to do:")
            picture(page, tmp_path, "failures")
            page.locator("#failed a", has_text="run").first.click()
            expect(page.locator("main h1")).to_contain_text("Run of")
            assert_open_to_all(page)
            picture(page, tmp_path, "run")
            daemon.take("sync: [{")
            expect(page.locator("#banner h2")).to_contain_text("was refused")
            page.goto(daemon.url)
            assert_open_to_all(page)
            picture(page, tmp_path, "refused")


def test_whoever_has_the_token_runs_and_pauses_entries(browser: Browser, stage: Stage, tmp_path: Path) -> None:
    with (
        stage.daemon("told", *EVERYDAY, UNNAMED, past=PAST, head=f", token: {TOKEN}") as daemon,
        looked_at(browser, daemon.url, but="401") as page,
    ):
        expect(settled(page).locator(".acts")).to_have_count(0)
        unlock(page, "another-one")
        page.get_by_role("button", name="Pause: alpine").click()
        expect(page.locator("dialog p")).to_contain_text("The token is another one")
        page.get_by_label("Token").fill(TOKEN)
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Pause: alpine").click()
        expect(page.locator("tr[data-entry=alpine] .mark.paused")).to_be_visible()
        expect(page.locator("tr[data-entry] th .named .acts")).to_have_count(len(EVERYDAY) + 1)
        page.get_by_role("button", name="Run now: grafana").click()
        expect(page.locator(".toast")).to_have_text("Run now, grafana: queued")
        expect(page.locator("tr[data-entry=grafana] .mark.unchanged")).to_be_visible()
        assert_open_to_all(page)
        picture(page, tmp_path, "buttons")
        page.locator("tr[data-entry=alpine] a").first.click()
        page.get_by_role("button", name="Resume: alpine").click()
        expect(page.locator(".mark.paused")).to_have_count(0)
        page.get_by_role("button", name="Lock", exact=True).click()
        expect(page.locator(".acts")).to_have_count(0)
        assert TOKEN not in page.content()


def unlock(page: Page, token: str) -> None:
    """Enter a token."""
    page.get_by_role("button", name="Unlock").click()
    page.get_by_label("Token").fill(token)
    page.get_by_role("dialog").get_by_role("button", name="Unlock").click()


def test_an_entry_has_a_page_that_is_open_to_all(browser: Browser, idle: Daemon, tmp_path: Path) -> None:
    with looked_at(browser, f"{idle.url}/entries/alpine") as page:
        expect(page.locator("#runs tbody tr")).not_to_have_count(0)
        assert_open_to_all(page)
        assert_fits(page)
        picture(page, tmp_path, "entry")


def test_ten_thousand_entries_are_shown_by_pages(browser: Browser, stage: Stage, tmp_path: Path) -> None:
    leader = step("aaa", f"slow.example/{LARGE}:12.4", "mirror.example/many:1")
    followers = [
        step(f"team-{number % 40:02}-service-{number:05}", "mirror.example/many:1", f"mirror.example/x/{number}:1")
        for number in range(MANY - 1)
    ]  # which wait for the first one to end
    past = [
        Lived(
            f"team-00-service-{number:05}",
            f"mirror.example/x/{number}",
            last=600.0 + 40 * number,
            failing=not number % 280,
        )
        for number in range(0, 4000, 40)
    ]
    with Trickle(stage.source.port, rate=SLOW // 10) as slow:
        ports = {"slow.example": slow.port}
        with (
            stage.daemon("many", leader, *followers, past=past, ports=ports) as daemon,
            looked_at(browser, f"{daemon.url}/?q=team-00") as page,
        ):
            expect(page.locator("#shown")).to_have_text("1 to 50 of 250")
            page.get_by_role("link", name="Next").click()
            expect(page.locator("#shown")).to_have_text("51 to 100 of 250")
            page.goto(f"{daemon.url}/?q=team")
            expect(page.locator("#shown")).to_have_text("1 to 50 of 9,999")
            assert_open_to_all(page)
            picture(page, tmp_path, "many")
