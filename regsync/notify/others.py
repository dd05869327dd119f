"""Receivers that the library apprise speaks to: chats, telephones, mail. It is installed by `regsync[notify]` only.

It blocks, and not all it does has a time limit, so it works in a thread that nobody has to wait for. What it says goes
to a log of its own, from where one line is told; whatever stands in the URL is taken out, for any part may be a secret.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from regsync.aside import aside
from regsync.errors import Malformed, NotNotified
from regsync.notify.receiver import scheme_of
from regsync.text import plain

if TYPE_CHECKING:
    from apprise import Apprise

INSTALL: Final = (
    "a URL of this kind takes the library apprise: pip install regsync[notify], or for an image "
    "--build-arg EXTRAS=notify"
)
_PATIENCE: Final = 60.0  # seconds
_SAID_MOST: Final = 300  # characters of its own words
_PART: Final = re.compile(r"[^/@:?&=#,;\s]{3,}")
_said: ContextVar[list[str] | None] = ContextVar("said", default=None)


class Others:
    """The way to one such receiver."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._busy: asyncio.Future[str] | None = None

    async def send(self, title: str, text: str) -> None:
        """Send a message; `NotNotified` if it does not get there in time. A thread that hangs is not given company."""
        if self._busy is not None and not self._busy.done():
            raise NotNotified("hangs at a message before")
        self._busy = asyncio.ensure_future(aside(partial(_send, self._url, title, text)))
        self._busy.add_done_callback(_heed)
        try:
            why = await asyncio.wait_for(asyncio.shield(self._busy), _PATIENCE)
        except TimeoutError:
            raise NotNotified(f"did not take it within {_PATIENCE:.0f} s") from None
        if why:
            raise NotNotified(why)


def _heed(done: asyncio.Future[str]) -> None:
    """Look at how it ended, which nobody does of one that was given up."""
    if not done.cancelled():
        done.exception()


def check_service(url: str) -> None:
    """Raise `Malformed` for a URL that apprise is not there for, or does not take; nothing of it is quoted."""
    with _listening():
        _service(url)


def _send(url: str, title: str, text: str) -> str:
    """Send it and return why that failed, nothing if it did not."""
    with _listening() as said:
        try:
            sent = bool(_service(url).notify(title=title, body=text, body_format="text"))
        except Malformed as error:
            return str(error)
    return "" if sent else _without(url, said[-1] if said else "apprise does not say why it failed")


def _service(url: str) -> Apprise:
    try:
        import apprise  # noqa: PLC0415  # a fifth of a second, and not everybody has it
    except ImportError:
        raise Malformed(INSTALL) from None
    asset = apprise.AppriseAsset(
        storage_mode=apprise.PersistentStoreMode.MEMORY, service_timeout=0
    )  # no thread of its own
    service = apprise.Apprise.instantiate(url, asset=asset)
    if service is None:
        raise Malformed(
            f"not a URL that apprise can send to; its documentation says how those of {scheme_of(url)} look"
        )
    whole = apprise.Apprise(asset=asset)
    whole.add(service)
    return whole


class _Words(logging.Handler):
    """Hands what apprise says to whoever has it work."""

    def emit(self, record: logging.LogRecord) -> None:
        if (said := _said.get()) is not None:
            said.append(record.getMessage())


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Give what apprise complains of within the block, and have nothing of it printed, whatever it is about."""
    log = logging.getLogger("apprise")
    if not any(isinstance(one, _Words) for one in log.handlers):
        log.addHandler(_Words(logging.WARNING))
        log.propagate = False
    said: list[str] = []
    before = _said.set(said)
    try:
        yield said
    finally:
        _said.reset(before)


def _without(url: str, said: str) -> str:
    """Return what was said on one line, without anything that stands in the URL behind its scheme."""
    rest = url.partition("://")[2]
    parts = {part for text in (rest, unquote(rest)) for part in _PART.findall(text)}
    for part in sorted(parts, key=len, reverse=True):
        said = said.replace(part, "***")
    return plain(said)[:_SAID_MOST]
