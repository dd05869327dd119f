"""A daemon that is told to stop at whatever moment ends in time and leaves nothing at its targets that is not whole."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.program import Started, creds
from tests.support.built import assert_whole, image_bytes, platforms_index, read_layout, some_bytes, write_layout
from tests.support.fake_registry import FakeRegistry

TERMS = int(os.environ.get("REGSYNC_TEST_SIGTERMS", "8"))
SEED = 20261126
GRACE = 1.0  # seconds
BEYOND = 2.0  # seconds it may take to end what was cut off
LATEST = 2.5  # seconds after the start at which it is told
SLOW = 4.0  # seconds a machine with something else to do may take longer
IMAGES = {
    **{f"v{number}": image_bytes(b"of all", some_bytes(1 << 20, str(number))) for number in range(8)},
    "platforms": platforms_index("linux/amd64", "linux/arm64"),
}


def config(source: Path, registry: FakeRegistry, layout: Path) -> str:
    """Have all images copied from a layout to a registry, in small chunks, and from there to another layout."""
    steps = [
        f"- {{source: 'ocidir://{source}', target: '{registry.host}/app', type: repository}}\n",
        f"- {{source: '{registry.host}/app', target: 'ocidir://{layout}', type: repository}}\n",
    ]
    chunks = ["blobChunk: 65536", "blobMax: 131072"]
    return creds(registry.host, extra=chunks) + f"defaults: {{interval: 1s}}\nsync:\n{''.join(steps)}"


def assert_registry_whole(registry: FakeRegistry) -> None:
    """Fail if a manifest at the registry names what is not there."""
    repository = registry.repositories.get("app")
    if repository is not None:
        manifests = {digest: stored.raw for digest, stored in repository.manifests.items()}
        for digest in manifests:
            assert_whole(digest, {**repository.blobs, **manifests})


@pytest.mark.parametrize("number", range(TERMS))
async def test_a_daemon_told_to_stop_at_any_moment_ends_in_time_and_leaves_nothing_dangling(
    number: int, fake_registry: FakeRegistry, tmp_path: Path
) -> None:
    moment = LATEST * (number + random.Random(SEED + number).random()) / TERMS  # noqa: S311  # no secret
    write_layout(tmp_path / "source", IMAGES)
    (tmp_path / "regsync.yml").write_text(config(tmp_path / "source", fake_registry, tmp_path / "layout"))
    with Started("server", "-c", "regsync.yml", "--grace", f"{GRACE:g}s", cwd=tmp_path) as process:
        with suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(process.process.wait, moment)
        process.signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.process.wait, GRACE + BEYOND + SLOW)
        log = process.log()
    assert "Traceback" not in log
    unbegun = set() if log else {-signal.SIGTERM}  # no line of ours had run yet
    assert code in {0, 1, 130, *unbegun}, log  # 130: there was no daemon yet
    assert_registry_whole(fake_registry)
    if (tmp_path / "layout" / "index.json").exists():
        tags, contents = read_layout(tmp_path / "layout")
        for digest in tags.values():
            assert_whole(digest, contents)
