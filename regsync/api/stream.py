"""What happens, told to everybody who follows it, and kept for a while for who comes back.

Those who follow never hold those who copy: each has a queue of its own, and who does not keep up is let go, to come
back with the last event it got.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from regsync.api.clean import without_secrets
from regsync.api.vocabulary import Saying, Vocabulary, ended
from regsync.clock import Clock
from regsync.facts import Fact
from regsync.record.objects import live_object
from regsync.record.recorder import Recorder
from regsync.record.values import LiveImage, RunRecord
from regsync.secrets import Secrets

_KEPT: Final = 1000  # events that who comes back is told
_WAITING: Final = _KEPT + 200  # that may wait for one who follows
_READERS: Final = 16
_BEAT: Final = 1.0  # seconds between looks at how far images are
_HEARTBEAT: Final = 15  # beats
_FIRST: Final = b"retry: 3000\n"  # milliseconds until a browser comes back
_DIGITS: Final = 19


class _Told:
    """An event as it goes over the wire, which is made when somebody listens."""

    def __init__(self, number: int, entry: str, frame: Callable[[], bytes]) -> None:
        self.number = number
        self.entry = entry
        self._make: Callable[[], bytes] | None = frame
        self._frame = b""

    @property
    def frame(self) -> bytes:
        """Return what is sent."""
        if self._make is not None:
            self._frame, self._make = self._make(), None
        return self._frame


class Reader:
    """One who follows: everything, or one entry and the server; `drop` leaves it, whatever it waits for."""

    def __init__(self, entry: str, drop: Callable[[], None]) -> None:
        self._entry = entry
        self._drop = drop
        self._frames: deque[bytes] = deque()
        self._stirred = asyncio.Event()
        self._waits = False
        self._ended = False

    def offer(self, told: _Told) -> None:
        """Have this told unless it is of another entry; who has too much before it is let go."""
        if self._ended or (self._entry and told.entry not in {"", self._entry}):
            return
        if len(self._frames) >= _WAITING:
            self._leave()
        else:
            self.add(told.frame)

    @property
    def idle(self) -> bool:
        """Whether all was told."""
        return not self._frames

    def add(self, frame: bytes) -> None:
        """Have this told."""
        self._frames.append(frame)
        self._stirred.set()

    def end(self) -> None:
        """Let it go in peace if it has been told all there is, else at once."""
        if not (self._waits or self._ended):
            self._leave()
        self._ended = True
        self._stirred.set()

    async def frames(self) -> AsyncIterator[bytes]:
        """Return what is told, until there will be no more."""
        while not self._ended:
            while self._frames and not self._ended:
                yield self._frames.popleft()
            self._stirred.clear()
            self._waits = True
            await self._stirred.wait()
            self._waits = False

    def _leave(self) -> None:
        self._ended = True
        self._frames.clear()
        self._drop()


class Stream:
    """An observer; `ended` gets the runs. What events are named by tells them from those of a process before."""

    def __init__(self, recorder: Recorder, secrets: Secrets, clock: Clock) -> None:
        self._recorder = recorder
        self._secrets = secrets
        self._clock = clock
        self._began = f"{clock.now():%Y%m%dT%H%M%S}"
        self._vocabulary = Vocabulary()
        self._kept: deque[_Told] = deque(maxlen=_KEPT)
        self._last = 0
        self._readers: set[Reader] = set()
        self._shown: dict[tuple[str, str], int] = {}  # bytes of an image that were told last
        self._closed = False

    def __call__(self, fact: Fact, /) -> None:
        """Take note of one fact."""
        if (saying := self._vocabulary.say(fact)) is not None:
            self._tell(saying)

    def ended(self, run: RunRecord) -> None:
        """Take note of a run that has ended."""
        self._tell(ended(run))

    @property
    def crowded(self) -> bool:
        """Whether as many follow as may."""
        return self._closed or len(self._readers) >= _READERS

    @contextmanager
    def followed(self, *, since: str, entry: str, drop: Callable[[], None]) -> Iterator[Reader]:
        """Have one more follow within the block, from the event after `since` on (empty: from now on)."""
        reader = Reader(entry, drop)
        self._begin(reader, since)
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)

    def close(self) -> None:
        """Let everybody go."""
        self._closed = True
        for reader in self._readers:
            reader.end()

    async def beat(self) -> None:
        """Tell how far images are, and that somebody is still there, for ever."""
        beats = 0
        while True:
            await self._clock.sleep(_BEAT)
            beats += 1
            if self._readers:
                self._tell_progress()
            if not beats % _HEARTBEAT:
                for reader in self._idle():
                    reader.add(b":\n\n")

    def _tell(self, saying: Saying) -> None:
        self._last += 1
        told = _Told(self._last, saying.entry, partial(self._frame, saying, self._last))
        if not isinstance(saying.of, RunRecord):
            _ = told.frame  # what others said is cleaned now: what is secret today may not be known for ever
        self._kept.append(told)
        for reader in [*self._readers]:
            reader.offer(told)

    def _tell_progress(self) -> None:
        """Tell of images that have moved since the last time; that is never told later."""
        shown, readers = {}, self._idle()
        for image in self._recorder.moving():
            key = image.run, image.target
            shown[key] = image.done
            if self._shown.get(key) != image.done:
                told = _Told(0, image.entry, partial(self._frame, _progress(image)))
                for reader in readers:
                    reader.offer(told)
        self._shown = shown

    def _idle(self) -> list[Reader]:
        return [reader for reader in self._readers if reader.idle]

    def _begin(self, reader: Reader, since: str) -> None:
        """Tell where this begins, and what has happened since that event, or that nobody knows any more."""
        began, _, number = since.rpartition("-")
        known = began == self._began and number.isascii() and number.isdecimal() and len(number) < _DIGITS
        first = self._kept[0].number if self._kept else 1
        if known and first - 1 <= int(number) <= self._last:
            reader.add(_FIRST + b"\n")
            for told in [one for one in self._kept if one.number > int(number)]:
                reader.offer(told)
            return
        reader.add(_FIRST + f"id: {self._name(self._last)}\n\n".encode())
        if since:
            reader.add(b"event: reset\ndata: {}\n\n")

    def _frame(self, saying: Saying, number: int = 0) -> bytes:
        data = json.dumps(without_secrets(saying.data, self._secrets.clean))
        head = f"id: {self._name(number)}\n" if number else ""
        return f"{head}event: {saying.name}\ndata: {data}\n\n".encode()

    def _name(self, number: int) -> str:
        return f"{self._began}-{number}"


def _progress(image: LiveImage) -> Saying:
    return Saying("image-progress", image.entry, live_object(image))
