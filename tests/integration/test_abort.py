"""How far a run has looked ahead when its first failure stops it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.e2e.keys.lab import Lab
from tests.support.built import image_bytes
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Fault, Status

TAGS = {f"v{number:02}": image_bytes(bytes([number])) for number in range(24)}


@pytest.mark.parametrize(("parallel", "most"), [("parallel: 1", 2), ("parallel: 3", 6), ("", 16)])
async def test_a_run_that_stops_at_its_first_failure_has_looked_at_no_more_images_than_it_may_copy_at_once(
    parallel: str, most: int, tmp_path: Path
) -> None:
    """Each image costs two looks. The Go regsync makes 4 for the first of these."""
    async with AsyncExitStack() as stack:
        lab = Lab(tmp_path, stack, {"PATH": "", "HOME": str(tmp_path)})
        source, target = await lab.registry(), await lab.registry(FakeRegistry())
        source.seed("many", TAGS)
        target.fail(Fault(Status(403), kind="upload", times=99))
        creds = "".join(f"- {{registry: '{one.host}', tls: disabled}}\n" for one in (source, target))
        entry = f"{{source: '{source.host}/many', target: '{target.host}/many', type: repository}}"
        app = lab.app(f"creds:\n{creds}defaults: {{{parallel}}}\nsync:\n- {entry}\n")
        tally = await app.once("changed", abort_on_error=True)
        assert tally.failures
        looks = source.count(kind="manifest", method="HEAD") + target.count(kind="manifest", method="HEAD")
        assert looks <= most
