"""The page at `/`: how fresh everything is, what is under way, what failed, what changed, how hosts are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from regsync.aside import aside
from regsync.metrics.board import HostStats
from regsync.metrics.hosts import HostNow, hosts_now
from regsync.pages.scene import Scene
from regsync.pages.survey import STATES, Survey
from regsync.pages.views import fit, item, troubles
from regsync.pages.wanted import Wanted, pages_for
from regsync.record.queries import LATELY, changes, failures

_ENTRIES: Final = 50  # on a page
_NOTED: Final = 100  # failures, and changes
_HOSTS: Final = 50
_IDLE: Final = HostNow()
_ABOUT: Final = {"transfers": "blobs under way, at all hosts together", "ocidir": "layouts on this machine's disks"}


@dataclass(frozen=True, slots=True)
class Tile:
    """A number of entries, and where they are."""

    key: str
    word: str
    count: int
    path: str


@dataclass(frozen=True, slots=True)
class Host:
    """A host as it is now, and the bytes that were read from and written to it; `about` says what is no registry."""

    name: str
    about: str
    now: HostNow
    why: str
    read: int
    written: int


async def front(scene: Scene, wanted: Wanted) -> dict[str, Any]:
    """Return what the page shows."""
    now, directory = scene.now(), await scene.directory()
    wanted = replace(wanted, text=scene.clean(wanted.text))  # it is shown, and must not find what is not
    found = await scene.survey(directory.matching(wanted.text))
    names = found.states[wanted.state]
    pages = pages_for(len(names), _ENTRIES)
    first = (min(wanted.page, pages) - 1) * _ENTRIES
    rows = await scene.rows([directory.entries[name] for name in names[first : first + _ENTRIES]], found.how)
    transfers, more = await scene.transfers()
    hosts = _hosts(scene)
    return {
        "wanted": replace(wanted, page=min(wanted.page, pages)),
        "tiles": _tiles(found, wanted),
        "counts": found.counts,
        "total": len(directory.entries),
        "rows": rows,
        "first": first + 1,
        "last": first + len(rows),
        "matched": len(names),
        "pages": pages,
        "next": min((row.due for row in rows if row.due), default=None) if pages == 1 else None,
        "transfers": transfers,
        "more_transfers": more,
        "hosts": hosts[:_HOSTS],
        "more_hosts": max(len(hosts) - _HOSTS, 0),
        **await _noted(scene, now),
    }


def _tiles(found: Survey, wanted: Wanted) -> list[Tile]:
    counts = found.counts
    shown = {
        state: word for state, word in STATES.items() if state != "paused" or counts[state] or wanted.state == state
    }
    return [Tile(state, word, counts[state], wanted.in_state(state)) for state, word in shown.items()]


async def _noted(scene: Scene, now: datetime) -> dict[str, Any]:
    """Return what failed and what changed in the last day."""
    ask = scene.keeping.history.ask
    failed = await ask(partial(failures, since=now - LATELY, most=_NOTED + 1))
    changed = await ask(partial(changes, since=now - LATELY, most=_NOTED + 1))
    items = await scene.each(lambda one: item(one.run, one.image, scene.clean), [*failed[:_NOTED], *changed[:_NOTED]])
    shown = min(len(failed), _NOTED)
    return {
        "troubles": await aside(partial(troubles, items[:shown])),
        "failures": shown,
        "failures_cut": len(failed) > _NOTED,
        "changes": items[shown:],
        "changes_cut": len(changed) > _NOTED,
    }


def _hosts(scene: Scene) -> list[Host]:
    """Return the hosts, the busy ones first; one without slots, where others send us on to, if bytes went there."""
    now, traffic = hosts_now(scene.service), scene.board.hosts
    moved = {name for name, stats in traffic.items() if stats.read or stats.written}
    names = sorted(now.keys() | moved, key=lambda name: (-_busy(now, name), name))
    return [_host(scene, name, now.get(name, _IDLE), traffic.get(name, HostStats())) for name in names]


def _busy(now: Mapping[str, HostNow], name: str) -> int:
    found = now.get(name, _IDLE)
    return found.used + found.waiting


def _host(scene: Scene, name: str, now: HostNow, stats: HostStats) -> Host:
    return Host(fit(name, scene.clean), _ABOUT.get(name, ""), now, fit(now.why, scene.clean), stats.read, stats.written)
