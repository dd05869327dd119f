"""Receivers that apprise speaks to: a local one, ones that fail, and none."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import pytest

from regsync.errors import Malformed, NotNotified
from regsync.notify import others
from regsync.notify.others import Others, check_service
from tests.support.listener import listening

CANARY = "canary-7f3a91"


async def test_a_message_gets_to_a_receiver_with_title_and_text() -> None:
    with listening(200) as heard:
        await Others(f"json://ann:{CANARY}@{heard.host}/in").send("a title", "some <b>text</b>\nof two lines")
    (body,) = heard.bodies
    assert (body["title"], body["message"]) == ("a title", "some <b>text</b>\nof two lines")


async def test_one_that_fails_is_told_of_without_anything_of_its_url(capfd: pytest.CaptureFixture[str]) -> None:
    with listening(500) as heard, pytest.raises(NotNotified) as failed:
        await Others(f"json://ann:{CANARY}@{heard.host}/{CANARY}").send("a", "b")
    assert "500" in str(failed.value)
    assert CANARY not in str(failed.value)
    assert capfd.readouterr() == ("", "")


async def test_what_stands_in_the_url_is_taken_out_of_what_the_library_says(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def saying() -> Iterator[list[str]]:
        yield [f"POST /{CANARY}/one%20two for ann: one two {CANARY}x"]

    with listening(500) as heard:
        monkeypatch.setattr(others, "_listening", saying)
        with pytest.raises(NotNotified, match=r"^POST /\*\*\*/\*\*\* for \*\*\*: \*\*\* \*\*\* \*\*\*x$"):
            await Others(f"json://ann:{CANARY}@{heard.host}/one%20two").send("a", "b")


async def test_one_that_hangs_is_given_up_and_not_tried_again_before_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    done, times = Event(), []

    def hang(*_: str) -> str:
        times.append(1)
        done.wait()
        return ""

    monkeypatch.setattr(others, "_send", hang)
    monkeypatch.setattr(others, "_PATIENCE", 0.0)
    way = Others("json://a.example")
    with pytest.raises(NotNotified, match="did not take it"):
        await way.send("a", "b")
    with pytest.raises(NotNotified, match="hangs at a message before"):
        await way.send("a", "b")
    done.set()
    assert len(times) == 1


@pytest.mark.parametrize("url", ["tgram://123/4", "nosuch://x", "slack://canary", "mailto://"])
def test_a_url_it_cannot_send_to_is_refused_and_not_quoted(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Malformed, match=r"^not a URL that apprise can send to; ") as refused:
        check_service(url)
    assert "canary" not in str(refused.value)
    assert capfd.readouterr() == ("", "")


def test_without_the_library_one_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(Malformed, match=r"pip install regsync\[notify\], or for an image --build-arg EXTRAS=notify$"):
        check_service("mailto://ann:hunter2@a.example")


def test_what_the_library_says_beside_our_work_gets_to_nobody() -> None:
    heard: list[logging.LogRecord] = []

    class Everybody(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record)

    root, everybody = logging.getLogger(), Everybody()
    check_service("json://localhost")
    root.addHandler(everybody)
    try:
        logging.getLogger("apprise").warning("something")
    finally:
        root.removeHandler(everybody)
    assert heard == []
