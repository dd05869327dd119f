"""Runs of the program in this process over entries that a test writes as flow mappings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from regsync.app import App
from regsync.events import Event
from regsync.facts import Telling
from regsync.loading import load
from regsync.record.tally import Tally
from regsync.secrets import Secrets
from regsync.sync.entry import Scope
from tests.support.clock import FakeClock


async def ran(
    folder: Path,
    *entries: str,
    hosts: Sequence[str] = (),
    scope: Scope = "changed",
    creds: str = "",
    environ: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Tally, list[Event]]:
    """Run these once; the hosts speak plain HTTP, `creds` has others. Return what it came to and what was told."""
    creds += "".join(f"- {{registry: '{host}', tls: disabled}}\n" for host in hosts)
    steps = "".join(f"- {{{entry}}}\n" for entry in entries)
    config = folder / "regsync.yml"
    config.write_text(f"defaults: {{skipDockerConfig: true}}\ncreds:\n{creds}sync:\n{steps}")
    seen: list[Event] = []
    clock = FakeClock(instant=True)
    tell = Telling([lambda fact: seen.append(fact.event)], clock)
    app = App(load(str(config), allow_unknown_keys=False), clock=clock, tell=tell, environ=environ, secrets=Secrets())
    return await app.once(scope, abort_on_error=False), seen
