"""Good and bad files in turn, hundreds of them, while entries are visited: one checked configuration is in force."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from random import Random

from regsync.events import JobFinished, JobStarted, Reloaded, ReloadRefused
from tests.integration.test_reload import Life

FILES = 500
BAD = ("sync: [{", "sync: []\n", "defaults: {interval: soon}\n", "sync:\n- {source: a, target: b, type: nothing}\n")


async def test_good_and_bad_files_in_turn_leave_one_checked_configuration_in_force_at_each_moment(
    tmp_path: Path,
) -> None:
    life, draw = Life(tmp_path), Random(9)  # noqa: S311  # a game to be played again
    names = [f"e{number}" for number in range(8)]
    life.write(*map(life.entry, names))
    good = hashlib.sha256(life.path.read_bytes()).hexdigest()
    in_force, known = {*names}, Counter[str]()
    async with life.serving() as service:
        for number in range(FILES):
            if number % 2:
                chosen = draw.sample(names, draw.randint(1, len(names)))
                life.write(*(life.entry(name, more=draw.choice(["", ", interval: 1s"])) for name in chosen))
                good, in_force = hashlib.sha256(life.path.read_bytes()).hexdigest(), {*chosen}
            else:
                life.path.write_text(draw.choice(BAD))
            standing = await service.reload()
            assert bool(standing.problems) is (number % 2 == 0)
            assert (standing.digest, service.setup.loaded.digest) == (good, good)
            assert service.setup.entries.keys() == in_force
            await life.clock.advance(draw.choice([0.0, 0.5, 3.0]))
        assert len(life.events(Reloaded)) == len(life.events(ReloadRefused)) == FILES / 2
    for event in life.told:
        if isinstance(event, JobStarted):
            known[event.entry] += 1
            assert known[event.entry] == 1, f"{event.entry} runs twice"
        elif isinstance(event, JobFinished):
            known[event.entry] -= 1
            assert (event.failed, event.crash) == (0, None)
