"""The entries of the configuration in force, as the page looks for them: by name, and by what people type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from regsync.daemon.schedule import Schedule
from regsync.record.words import human_span
from regsync.setup import Setup
from regsync.translate import schedules_of


@dataclass(frozen=True, slots=True)
class Known:
    """An entry. `schedule` is None where it is never due, `rhythm` the same in words; `text` is what is searched."""

    name: str
    source: str
    target: str
    kind: str
    schedule: Schedule | None
    rhythm: str
    text: str


@dataclass(frozen=True, slots=True)
class Directory:
    """All entries of one configuration, in the order of their names."""

    setup: Setup
    entries: Mapping[str, Known]

    @classmethod
    def of(cls, setup: Setup) -> Directory:
        """Return that of a configuration; of ten thousand entries that takes a while, so it is made aside."""
        schedules = schedules_of(setup.config)
        found = {}
        for name, step in sorted(setup.steps.items()):
            schedule = schedules.get(name)
            rhythm = step.schedule or (f"every {human_span(step.interval)}" if step.interval else "no schedule")
            text = f"{name}\n{step.source}\n{step.target}".lower()
            found[name] = Known(name, step.source, step.target, step.type, schedule, rhythm, text)
        return cls(setup, found)

    def matching(self, wanted: str) -> list[Known]:
        """Return the entries in whose name, source or target each of the words stands."""
        found = [*self.entries.values()]
        for word in wanted.lower().split():
            found = [known for known in found if word in known.text]
        return found
