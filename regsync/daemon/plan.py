"""What a daemon is to do, as one frozen value: made while another one is in force, it then takes its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter

from regsync.daemon.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Plan:
    """When each entry is due, leaders before their followers, and whom it follows (without circles)."""

    schedules: Mapping[str, Schedule]
    before: Mapping[str, Iterable[str]]

    @classmethod
    def of(cls, schedules: Mapping[str, Schedule], before: Mapping[str, Iterable[str]]) -> Plan:
        """Return the plan for these entries, put in order."""
        order = TopologicalSorter({entry: before.get(entry, ()) for entry in schedules}).static_order()
        return cls({entry: schedules[entry] for entry in order}, before)
