"""Whether an image's source lets enough of them be fetched (`ratelimit`; BEHAVIOUR 3.6, step 9).

Asked when an image is decided, by the very answer it was decided by, and once more when it has its turn: hundreds are
decided ahead, and all would pass by what was said before the first was copied. What was said a moment ago, about any
image of the repository, need not be asked for.
"""

from __future__ import annotations

from typing import Final

from regsync.clock import Clock
from regsync.errors import RegsyncError, Unsupported
from regsync.repository import Endpoints
from regsync.sync.decide import Delayed, Failed, Postponed
from regsync.sync.entry import ImagePair, PullLimit
from regsync.sync.lookups import Lookups

_FRESH: Final = 1.0  # seconds


class QuotaGate:
    """Holds images back while their source has too few left."""

    def __init__(self, endpoints: Endpoints, lookups: Lookups, clock: Clock) -> None:
        self._endpoints = endpoints
        self._lookups = lookups
        self._clock = clock

    async def held_back(
        self, limit: PullLimit | None, pair: ImagePair, *, since: float | None = None
    ) -> Delayed | Postponed | Failed | None:
        """Return what is to become of an image instead of being copied; None if it may be, as where nobody counts.

        What was said at this moment (monotonic, seconds) or later is good enough, else what was said just now.
        """
        if limit is None:
            return None
        try:
            source = self._endpoints.open(pair.source)
            fresh = self._clock.monotonic() - _FRESH if since is None else since
            quota = await self._lookups.quota(source, pair.source.ref, since=fresh)
            if quota.remaining is None or quota.remaining >= limit.least:
                return None
            if quota.limit is not None and quota.limit < limit.least:
                raise Unsupported(
                    f"{source.name} allows {quota.limit} in all, and ratelimit.min wants {limit.least} to be left; "
                    "expected a smaller number, or a login that is allowed more"
                )
        except RegsyncError as error:
            return Failed("rate limit check failed", str(pair.source), str(pair.target), error).decision()
        return Delayed(quota, limit.least, limit.retry)
