"""Entries that are paused: their due times pass without a job, until somebody has them go on."""

from __future__ import annotations

from collections.abc import Container

from regsync.daemon.jobs import Job
from regsync.events import PassedOver, Tell


class Pauses:
    """The names of these entries; that one was due is told once in each pause."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._told: dict[str, bool] = {}

    @property
    def entries(self) -> frozenset[str]:
        """Return who is paused."""
        return frozenset(self._told)

    def begin(self, entry: str) -> None:
        """Pause this one; if it is paused already it stays so."""
        self._told.setdefault(entry, False)

    def end(self, entry: str) -> None:
        """Have this one go on when it is next due."""
        self._told.pop(entry, None)

    def keep_only(self, entries: Container[str]) -> None:
        """Forget the pauses of all others."""
        self._told = {entry: told for entry, told in self._told.items() if entry in entries}

    def passes_over(self, job: Job) -> bool:
        """Say whether a job that is due is not to be begun."""
        told = self._told.get(job.entry)
        if told is False:
            self._told[job.entry] = True
            self._tell(PassedOver(job.entry, job.due))
        return told is not None
