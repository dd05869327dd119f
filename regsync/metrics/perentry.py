"""What `/metrics` says of each entry, as text in small pieces.

Of ten thousand entries that is 30 MB in 170,000 lines, for which prometheus-client takes five seconds and 100 MiB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from functools import lru_cache
from itertools import accumulate
from typing import Final

from regsync.metrics.board import BUCKETS, EntryStats

_AT_ONCE: Final = 100  # entries in a piece, which is two milliseconds of work at most
_FEWER: Final = 10  # where cron lines may have to be asked, a millisecond each
_REMEMBERED: Final = 1 << 14  # names of entries
_OVERDUE: Final = "regsync_entry_overdue_timestamp_seconds"
_BOUNDS: Final = (*(str(bound) for bound in BUCKETS), "+Inf")

_Lines = Callable[[str, EntryStats], Iterable[str]]  # without the metric's name, and without their ends
OverdueAt = Callable[[str, datetime], datetime | None]  # when an entry is, from when it was last seen equal


def entry_lines(
    entries: Mapping[str, EntryStats],
    running: AbstractSet[str],
    overdue_at: OverdueAt,
    known_since: Callable[[str], datetime],
    *,
    now: datetime,
) -> Iterator[str]:
    """Make pieces of text; `running` are entries under way, `known_since` says when one was last equal or came.

    Values are read as they stand when their piece is made.
    """
    told = [*entries.items()]
    for name, (kind, meaning, lines) in _metrics(running, overdue_at, known_since, now).items():
        yield f"# HELP {name} {meaning}\n# TYPE {name} {kind}\n"
        at_once = _FEWER if name == _OVERDUE else _AT_ONCE
        for first in range(0, len(told), at_once):
            some = told[first : first + at_once]
            yield "".join([f"{name}{line}\n" for entry, stats in some for line in lines(entry, stats)])


def _metrics(
    running: AbstractSet[str], overdue_at: OverdueAt, known_since: Callable[[str], datetime], now: datetime
) -> Mapping[str, tuple[str, str, _Lines]]:
    """Return the kind of each metric, what it means, and how its lines are made."""
    return {
        "regsync_entry_freshness_seconds": (
            "gauge",
            "Since when source and target are not known to be equal; from when the entry came if they never were.",
            _single(lambda entry, _: (now - known_since(entry)).total_seconds()),
        ),
        _OVERDUE: (
            "gauge",
            "When three due times will have passed since source and target were last equal, or it was first visited.",
            _single(lambda entry, _: _timestamp(overdue_at(entry, known_since(entry)))),
        ),
        "regsync_entry_last_success_timestamp_seconds": (
            "gauge",
            "When a run last ended without failure.",
            _single(lambda _, stats: _timestamp(stats.succeeded)),
        ),
        "regsync_entry_failing": ("gauge", "1 if the last run failed.", _single(lambda _, stats: int(stats.failing))),
        "regsync_entry_running": ("gauge", "1 while it runs.", _single(lambda entry, _: int(entry in running))),
        "regsync_entry_runs_total": ("counter", "Runs that ended.", _by_outcome(lambda stats: stats.runs)),
        "regsync_entry_images_total": (
            "counter",
            "Images of those runs, and listings that failed.",
            _by_outcome(lambda stats: stats.images),
        ),
        "regsync_entry_skipped_total": (
            "counter",
            "Due times met while the entry still waited or ran.",
            _single(lambda _, stats: stats.skipped),
        ),
        "regsync_entry_run_seconds": ("histogram", "How long runs took.", _durations),
    }


def _timestamp(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


@lru_cache(maxsize=_REMEMBERED)
def _label(entry: str) -> str:
    escaped = entry.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
    return f'entry="{escaped}"'


def _single(value: Callable[[str, EntryStats], float | None]) -> _Lines:
    """Return lines of a value for each entry that has one."""
    return lambda entry, stats: () if (one := value(entry, stats)) is None else (f"{{{_label(entry)}}} {one}",)


def _by_outcome(counts: Callable[[EntryStats], Mapping[str, int]]) -> _Lines:
    return lambda entry, stats: [
        f'{{{_label(entry)},outcome="{outcome}"}} {count}' for outcome, count in counts(stats).items()
    ]


def _durations(entry: str, stats: EntryStats) -> Iterator[str]:
    label, counts = _label(entry), [*accumulate(stats.buckets)]
    for bound, count in zip(_BOUNDS, counts, strict=True):
        yield f'_bucket{{{label},le="{bound}"}} {count}'
    yield f"_count{{{label}}} {counts[-1]}"
    yield f"_sum{{{label}}} {stats.seconds}"
