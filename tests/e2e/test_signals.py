"""Asked to stop in mid-copy, a run ends at once, moves no tag, and the next one does the work."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.e2e.program import Ended, Started, creds, once, wait_for
from tests.support.built import assert_whole, image_bytes, read_layout, some_bytes, write_layout
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Fault, Stall

AT_ONCE = 10.0  # seconds: what a busy machine needs to end a process, and far less than any time-out of a request
OLD = image_bytes(b"what the tag stood for")
LARGE = some_bytes(2 << 20)
IMAGE = image_bytes(b"small", LARGE)

pytestmark = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


def entry(source: str, target: str) -> str:
    return f"sync:\n- source: {source}:v1\n  target: {target}:v1\n  type: image\n"


def stopped(config: str, registry: FakeRegistry, number: signal.Signals, *, cwd: Path, verbosity: str) -> Ended:
    """Run until the registry has met its fault, send the signal, and return how that ended."""
    cwd.mkdir(exist_ok=True)
    (cwd / "regsync.yml").write_text(config)
    with Started("once", "-c", "regsync.yml", "-v", verbosity, "--logopt", "json", cwd=cwd) as process:
        wait_for(lambda: not registry.faults.waiting, within=60)
        process.signal(number)
        process.process.wait(timeout=AT_ONCE)
        return process.ended()


def assert_interrupted(ended: Ended) -> None:
    assert ended.code == 130, ended.err
    assert ended.plain == ["interrupted; what was copied is complete, the rest is as it was"]
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("where", ["before the answer", "in the body"])
async def test_a_download_is_given_up(
    number: signal.Signals, where: str, fake_registry: FakeRegistry, tmp_path: Path
) -> None:
    fake_registry.seed("a", {"v1": IMAGE})
    write_layout(tmp_path / "layout", {"v1": OLD})
    stall = Stall() if where == "before the answer" else Stall(len(LARGE) // 2)
    fake_registry.fail(Fault(stall, kind="blob", method="GET", path=[*IMAGE.blobs][-1]))
    config = creds(fake_registry.host) + entry(f"{fake_registry.host}/a", f"ocidir://{tmp_path}/layout")
    ended = await asyncio.to_thread(stopped, config, fake_registry, number, cwd=tmp_path / "run", verbosity="trace")
    assert_interrupted(ended)
    tags, contents = read_layout(tmp_path / "layout")
    assert tags == {"v1": OLD.digest}
    assert_whole(OLD.digest, contents)
    again = await asyncio.to_thread(once, config, cwd=tmp_path)
    assert again.code == 0, again.err
    assert read_layout(tmp_path / "layout")[0] == {"v1": IMAGE.digest}


@pytest.mark.parametrize(
    ("kind", "method"), [("upload", "POST"), ("patch", ""), ("commit", ""), ("manifest", "PUT"), ("manifest", "HEAD")]
)
async def test_an_upload_is_given_up(
    number: signal.Signals, kind: str, method: str, fake_registry: FakeRegistry, tmp_path: Path
) -> None:
    fake_registry.seed("b", {"v1": OLD})
    write_layout(tmp_path / "layout", {"v1": IMAGE})
    fake_registry.fail(Fault(Stall(), kind=kind, method=method))
    config = creds(fake_registry.host, extra=["blobChunk: 262144", "blobMax: 1048576"])
    config += entry(f"ocidir://{tmp_path}/layout", f"{fake_registry.host}/b")
    ended = await asyncio.to_thread(stopped, config, fake_registry, number, cwd=tmp_path / "run", verbosity="warn")
    assert_interrupted(ended)
    assert fake_registry.repositories["b"].tags == {"v1": OLD.digest}
    left = fake_registry.repositories["b"].uploads  # one whose opening was not answered yet nobody can cancel
    assert not any(left.values()), "uploads under way are cancelled at the registry"
    again = await asyncio.to_thread(once, config, cwd=tmp_path)
    assert again.code == 0, again.err
    assert fake_registry.repositories["b"].tags == {"v1": IMAGE.digest}
