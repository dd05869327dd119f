"""The tags that list referrers where a registry has no API for them (distribution-spec: Referrers Tag Schema).

Such a tag is read, extended and put back, and no registry says whether somebody else did the same meanwhile: who puts
last wins, and what others have added in between is gone. So whoever adds looks again after a while, long enough for
those who had read before to have put back what they made of it, and adds once more what is missing then.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final

from regsync.clock import Clock
from regsync.errors import Incomplete, NotFound, Unavailable
from regsync.limits import KeyedLock
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.oci.referrers import fallback_tag, with_referrers

_ROUNDS: Final = 10
_LEAST, _MOST = 0.25, 5.0  # seconds until the list is looked at again
_TIMES: Final = 4  # as long as reading and putting back took us, others may take
_PATIENCE: Final = 2  # refusals in a row that may come of a manifest that is being put again at the same moment


@dataclass(frozen=True, slots=True)
class Ways:
    """How a repository is read and written; `place` holds a slot, so that nothing of ours comes in between."""

    read: Callable[[str], Awaitable[Manifest]]
    head: Callable[[Digest], Awaitable[Descriptor | None]]
    push: Callable[[Manifest, str], Awaitable[object]]
    place: Callable[[], AbstractAsyncContextManager[None]]


class ReferrerLists:
    """The lists of one repository, which people call `name`: each written by one of us at a time, for all who wait."""

    def __init__(self, name: str, ways: Ways, *, clock: Clock) -> None:
        self._name = name
        self._ways = ways
        self._clock = clock
        self._waiting: dict[str, dict[object, Manifest]] = {}  # by tag, and by who waits
        self.one_writer = KeyedLock()

    async def add(self, referrer: Manifest, subject: Digest) -> None:
        """Return when the list of this subject names the referrer; `Unavailable` if others take it out every time."""
        tag, caller = fallback_tag(subject), object()
        waiting = self._waiting.setdefault(tag, {})
        waiting[caller] = referrer
        try:
            async with self.one_writer(tag):
                if caller in waiting:  # else whoever wrote before has added it, too
                    together = dict(waiting)
                    await self._extend(tag, together.values())
                    for each in together:
                        waiting.pop(each, None)
        finally:
            waiting.pop(caller, None)
            if not waiting and self._waiting.get(tag) is waiting:
                del self._waiting[tag]

    async def _extend(self, tag: str, referrers: Collection[Manifest]) -> None:
        refused, gone, why = 0, frozenset[Digest](), ""
        for attempt in range(_ROUNDS + 1):
            async with self._ways.place():
                began = self._clock.monotonic()
                index = await self._read(tag)
                extended = with_referrers(index, referrers, without=gone)
                if extended is None:
                    return
                if attempt == _ROUNDS:
                    break
                said = await self._push(extended, tag)
                refused, why = (refused + 1, f" ({said})") if said else (0, "")
                took = self._clock.monotonic() - began
            if index is not None and refused > _PATIENCE:
                gone = await self._gone(index)
            pause = min(max(_LEAST, _TIMES * took), _MOST)
            await self._clock.sleep(pause * (1 + random.random() if attempt else 1))  # noqa: S311 - not a secret
        raise Unavailable(
            f"{self._name}:{tag}, a list of referrers, does not keep what is added to it: "
            f"others write it at the same time, or the registry refuses it; run again later{why}"
        )

    async def _read(self, tag: str) -> Manifest | None:
        try:
            return await self._ways.read(tag)
        except NotFound:
            return None

    async def _push(self, index: Manifest, tag: str) -> str:
        """Put a list back; return what the registry says where it lacks what is listed, or somebody else puts there."""
        try:
            await self._ways.push(index, tag)
        except Incomplete as error:
            return str(error)
        return ""

    async def _gone(self, index: Manifest) -> frozenset[Digest]:
        """Return what a list names and the repository has no more: no list with that can ever be put back."""
        return frozenset([each.digest for each in index.children if await self._ways.head(each.digest) is None])
