"""What hangs outside the program, a log nobody reads or a disk that does not answer, hold its work nor its end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import F_SETPIPE_SZ, fcntl
from pathlib import Path

from tests.e2e.program import Started, command, creds, wait_for
from tests.support.built import image_bytes, read_layout, write_layout
from tests.support.fake_registry import FakeRegistry

ROOT = Path(__file__).parents[2]
AT_ONCE = 10.0  # seconds: a second, and what a busy machine needs besides
HANGS = 3600  # seconds
IMAGE = image_bytes(b"small")


def config(source: str, target: str) -> str:
    return f"sync:\n- source: {source}:v1\n  target: {target}:v1\n  type: image\n  interval: 1s\n"


@contextmanager
def unread(*arguments: str, cwd: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start the program in front of a pipe that nobody reads; give the process and the end to read from."""
    reading, writing = os.pipe()
    fcntl(writing, F_SETPIPE_SZ, 4096)
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command(*arguments), cwd=cwd, env=environ, stdin=subprocess.DEVNULL, stderr=writing)
    os.close(writing)
    try:
        yield process, reading
    finally:
        process.kill()
        process.wait()
        os.close(reading)


async def test_a_server_whose_log_nobody_reads_goes_on_mirroring_and_ends_as_told(
    fake_registry: FakeRegistry, tmp_path: Path
) -> None:
    layout = tmp_path / "layout"
    source = f"{fake_registry.host}/a"
    (tmp_path / "regsync.yml").write_text(creds(fake_registry.host) + config(source, f"ocidir://{layout}"))

    def mirrored(digest: str) -> bool:
        return (layout / "index.json").exists() and read_layout(layout)[0] == {"v1": digest}

    with unread("server", "-c", "regsync.yml", "-v", "trace", cwd=tmp_path) as (process, reading):
        for number in range(12):  # each of them says more than the pipe holds
            image = image_bytes(str(number).encode())
            fake_registry.seed("a", {"v1": image})
            await asyncio.to_thread(wait_for, lambda image=image: mirrored(image.digest), within=60)
        process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.wait, AT_ONCE)
        assert code == 0
        assert os.read(reading, 4096).startswith(b"time="), "and the pipe was in use"


@contextmanager
def hanging(run: str, *arguments: str, cwd: Path) -> Iterator[Started]:
    """Start a copy into a layout on a disk whose every fsync hangs, and wait until one does."""
    (cwd / "site").mkdir()
    (cwd / "site" / "sitecustomize.py").write_text(
        "import os, pathlib, time\n"
        f"os.fsync = lambda _: (pathlib.Path({str(cwd / 'hangs')!r}).touch(), time.sleep({HANGS}))\n"
    )
    write_layout(cwd / "source", {"v1": IMAGE})
    (cwd / "regsync.yml").write_text(config(f"ocidir://{cwd}/source", f"ocidir://{cwd}/target"))
    environ = {"PYTHONPATH": f"{cwd / 'site'}{os.pathsep}{ROOT}"}
    with Started(run, "-c", "regsync.yml", *arguments, cwd=cwd, environ=environ, anew=True) as process:
        wait_for((cwd / "hangs").exists, within=60)
        yield process


def test_a_second_signal_ends_a_run_whose_disk_does_not_answer(tmp_path: Path) -> None:
    with hanging("once", cwd=tmp_path) as started:

        def ended() -> bool:  # two signals in a row count as one, so they go on until they are two
            started.signal(signal.SIGTERM)
            return started.process.poll() is not None

        wait_for(ended, within=AT_ONCE)
        assert started.ended().code == 130
        assert "Traceback" not in started.log()


def test_a_second_signal_ends_a_server_whose_disk_does_not_answer_and_that_is_no_clean_end(tmp_path: Path) -> None:
    with hanging("server", cwd=tmp_path) as started:
        started.signal(signal.SIGTERM)
        wait_for(lambda: "Stopping server" in started.log(), within=AT_ONCE)
        started.signal(signal.SIGINT)
        assert started.process.wait(timeout=AT_ONCE) == 1
        assert "Traceback" not in started.log()


def test_a_server_whose_disk_does_not_answer_ends_soon_after_its_grace(tmp_path: Path) -> None:
    with hanging("server", "--grace", "0s", cwd=tmp_path) as started:
        started.signal(signal.SIGTERM)
        assert started.process.wait(timeout=5 + AT_ONCE) == 1


def test_a_second_signal_ends_a_process_that_waits_for_its_threads_at_the_very_end() -> None:
    code = (
        "import threading, time\n"
        "from regsync import signals\n"
        "from regsync.around import Around\n"
        "from regsync.options import Options\n"
        "around = Around(Options())\n"
        "signals._at_signals(lambda: print('first', flush=True), lambda: around.leave(130))\n"
        f"threading.Thread(target=time.sleep, args=({HANGS},)).start()\n"
        "print('last line', flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"last line\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == b"first\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=AT_ONCE) == 130
    finally:
        process.kill()
        process.communicate()
