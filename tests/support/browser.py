"""A browser without a window: pages as people see them, pictures of them, and what is in the way of some people."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.support.real import require

PICTURES: Final = "REGSYNC_TEST_PICTURES"  # a folder where pictures are put, too
_BAD: Final = {"serious", "critical"}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Debian's Chromium within the block; no test of this process may be asynchronous meanwhile."""
    program = require("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def looked_at(
    browser: Browser, url: str, *, width: int = 1200, height: int = 760, but: str = "\n", **context: Any
) -> Iterator[Page]:
    """Open a page; whatever the browser complains of fails the test, but for lines in which `but` stands."""
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and but not in message.text:
            complaints.append(message.text)

    opened = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce", **context)
    try:
        page = opened.new_page()
        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(f"{error}"))
        page.goto(url)
        yield page
        assert complaints == []
    finally:
        opened.close()


def assert_open_to_all(page: Page) -> None:
    """Fail if axe-core finds something that is in the way of people with a screen reader, a keyboard or weak eyes."""
    found = Axe().run(page).response["violations"]
    bad = [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in _BAD]
    assert not bad, bad


def assert_fits(page: Page) -> None:
    """Fail if something of the page lies beside the window."""
    wide, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= window


def picture(page: Page, folder: Path, name: str, *, whole: bool = False) -> None:
    """Take a picture of the window, or of the whole page, and put it where it is asked for, too."""
    path = folder / f"{name}.png"
    page.screenshot(path=path, full_page=whole, animations="disabled")
    assert path.stat().st_size > 1000
    if wanted := os.environ.get(PICTURES):
        Path(wanted).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, wanted)
