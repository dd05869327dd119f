"""Keys of `hooks`, in entries and in the defaults they are taken over from."""

from __future__ import annotations

import json
from functools import partial

from tests.e2e.keys.lab import IMAGE, Lab, row
from tests.support.built import write_layout

WHEN = {  # what has to happen for a hook to run: the image is copied, or it is there already
    "pre": "copied",
    "post": "copied",
    "unchanged": "unchanged",
    "entryPre": "copied",
    "entryPost": "copied",
    "entryUnchanged": "unchanged",
}
PLACES = ("defaults", "sync")


async def run(lab: Lab, name: str, hook: str, *, place: str) -> int:
    """Have an entry with this hook do what it waits for, and return how much failed."""
    write_layout(lab.folder / "in", {"v1": IMAGE})
    entry = f"source: 'ocidir://{lab.folder}/in:v1', target: 'ocidir://{lab.out}-{place}:v1', type: image"
    bare, said = f"sync: [{{{entry}}}]\n", f"hooks: {{{name}: {{{hook}}}}}"
    if WHEN[name] == "unchanged":
        assert (await lab.once(bare)).failures == []
    text = f"defaults: {{{said}}}\n{bare}" if place == "defaults" else f"sync: [{{{entry}, {said}}}]\n"
    return len((await lab.once(text)).failures)


async def is_run(lab: Lab, *, name: str) -> None:
    """It runs with its arguments and is told what happens; one that fails is a failure."""
    program = lab.folder / "hook"
    program.write_text(f'#!/bin/sh\necho "$@" >> {lab.folder}/arguments\ncat >> {lab.folder}/events\n')
    program.chmod(0o755)
    for place in PLACES:
        assert await run(lab, name, f"type: exec, params: ['{program}', one, two words]", place=place) == 0
    assert (lab.folder / "arguments").read_text() == "one two words\n" * 2
    events = [json.loads(line) for line in (lab.folder / "events").read_text().splitlines()]
    assert [event["hook"] for event in events] == [name] * 2


async def is_ended(lab: Lab, *, name: str) -> None:
    """One that takes longer than its time is a failure."""
    for place in PLACES:
        hook = "type: exec, params: [sleep, '3600'], timeout: 50ms"
        assert await run(lab, name, hook, place=place) == 1


for _name in WHEN:
    row(*(f"{place}.hooks.{_name}.{key}" for place in PLACES for key in ("type", "params")))(
        partial(is_run, name=_name)
    )
    row(*(f"{place}.hooks.{_name}.timeout" for place in PLACES))(partial(is_ended, name=_name))
