"""Lists of referrers where a registry forbids looking at what is not there (Artifactory, GHCR: 403).

A list that is there and may not be read is not put anew: what others have added to it would be gone. So a 403 means
"missing" only where the repository's tags can be listed and this one is not among them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from math import inf

from regsync.clock import Clock
from regsync.errors import Forbidden, NotFound, RegsyncError
from regsync.oci.manifest import Manifest
from regsync.oci.referrers import is_fallback_tag

_BRIEFLY = 300.0  # seconds a list of tags is good for; a list that somebody has put since can be read


class HiddenLists:
    """Reads the lists of one repository."""

    def __init__(
        self, read: Callable[[str], Awaitable[Manifest]], tags: Callable[[], AsyncIterator[str]], *, clock: Clock
    ) -> None:
        self._read = read
        self._tags = tags
        self._clock = clock
        self._lock = asyncio.Lock()
        self._there: frozenset[str] = frozenset()
        self._listed = -inf  # when, on the monotonic clock

    async def read(self, tag: str) -> Manifest:
        """Return the list under this tag; `NotFound` where there is none."""
        try:
            return await self._read(tag)
        except Forbidden as error:
            try:
                there = tag in await self._lists()
            except RegsyncError:  # nobody can tell
                raise error from None
            if there:
                raise
            raise NotFound(str(error)) from error

    async def _lists(self) -> frozenset[str]:
        """Return the tags of all lists; a repository that nobody knows has none."""
        async with self._lock:  # or all who meet a 403 at the same time list the tags
            if self._clock.monotonic() - self._listed >= _BRIEFLY:
                try:
                    self._there = frozenset([tag async for tag in self._tags() if is_fallback_tag(tag)])
                except NotFound:
                    self._there = frozenset()
                self._listed = self._clock.monotonic()
            return self._there
