"""What a daemon is to do, as one frozen value: made while another one is in force, it then takes its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from types import MappingProxyType

from regsync.daemon.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Plan:
    """When each entry is due, leaders before their followers, and whom it follows (without circles).

    `delays` are the seconds by which the visits of an entry are put off each time it is due. `others` are entries that
    are never due and run when somebody asks for it.
    """

    schedules: Mapping[str, Schedule]
    before: Mapping[str, Iterable[str]]
    delays: Mapping[str, float] = field(default_factory=dict)
    others: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        schedules: Mapping[str, Schedule],
        before: Mapping[str, Iterable[str]],
        delays: Mapping[str, float] = MappingProxyType({}),
        others: Iterable[str] = (),
    ) -> Plan:
        """Return the plan for these entries, put in order."""
        order = TopologicalSorter({entry: before.get(entry, ()) for entry in schedules}).static_order()
        return cls({entry: schedules[entry] for entry in order}, before, delays, frozenset(others))

    @property
    def entries(self) -> frozenset[str]:
        """Return all entries that may run."""
        return self.others.union(self.schedules)
