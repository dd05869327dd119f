"""How each host is at this moment: how busy, how much may still be fetched there, and whether it is left alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from regsync.metrics.board import HostStats
from regsync.record.objects import Object, stamp
from regsync.service import Service


@dataclass(frozen=True, slots=True)
class HostNow:
    """A host at this moment.

    `used` requests and transfers are under way of at most `limit`, and `waiting` more have no slot yet. As many
    manifests as `remaining` of `allowed` ones may still be fetched (None: it does not say). It is left alone until
    `until`, due to `why`.
    """

    used: int = 0
    limit: int | None = None
    waiting: int = 0
    remaining: int | None = None
    allowed: int | None = None
    until: datetime | None = None
    why: str = ""


def hosts_now(service: Service) -> dict[str, HostNow]:
    """Return how each host is that was ever asked for anything; those of layouts and of transfers in all are hosts."""
    conditions = service.conditions()
    found = {}
    for name, slots in service.slots().items():
        condition = conditions.get(name)
        now = HostNow(slots.used, slots.limit, slots.waiting)
        if condition is not None:
            quota, rest = condition.quota, condition.rest
            until, why = (None, "") if rest is None else (rest.until, rest.why)
            now = HostNow(now.used, now.limit, now.waiting, quota.remaining, quota.limit, until, why)
        found[name] = now
    return found


def host_object(name: str, now: HostNow, stats: HostStats) -> Object:
    """Return how a host is, and what went over the wire to it."""
    answers: dict[str, int] = {}
    for (_, status), count in stats.requests.items():
        answers[status] = answers.get(status, 0) + count
    return {
        "name": name,
        "used": now.used,
        "limit": now.limit,
        "waiting": now.waiting,
        "remaining": now.remaining,
        "allowed": now.allowed,
        "until": stamp(now.until),
        "why": now.why,
        "requests": sum(answers.values()),
        "answers": dict(sorted(answers.items())),
        "retries": stats.retries,
        "read": stats.read,
        "written": stats.written,
        "spared": stats.spared,
        "mounts": stats.adopted,
    }
