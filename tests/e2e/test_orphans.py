"""The first process of a container is the parent of whatever its hooks and credential helpers leave behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.e2e.program import wait_for
from tests.support.built import image_bytes, write_layout

ADOPTING = """
import ctypes, sys
from regsync import cli
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0  # PR_SET_CHILD_SUBREAPER: what is orphaned below is ours
sys.argv = ["regsync", *sys.argv[1:]]
cli.main()
"""
PROGRAM = """
import asyncio, ctypes, os, sys
from regsync.program import reap_orphans, run_program
from regsync.signals import reap_by_signal
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0

async def ran(code):
    command = ["sh", "-c", f"(exec sleep 0.0{code % 10} >/dev/null) & exit {code}"]
    return await run_program(
        command, b"", environ=os.environ, patience=60, listen="output", hear=lambda reader: reader.read()
    )

async def main():
    reap_by_signal(reap_orphans)
    for start in range(0, 200, 20):
        codes = await asyncio.gather(*(ran(code) for code in range(start, start + 20)))
        assert [code for code, _ in codes] == list(range(start, start + 20)), codes
    async with asyncio.timeout(60):
        while True:
            try:
                os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            await asyncio.sleep(0.01)

asyncio.run(main())
"""


def ended_children(parent: int) -> list[str]:
    """Return the names of those whose end nobody has taken note of."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().partition(" (")[2].rpartition(") ")
        except OSError:
            continue
        state, above, *_ = rest.split()
        if state == "Z" and above == str(parent):
            found.append(name)
    return found


def test_no_exit_code_is_taken_from_whoever_waits_for_it_and_nothing_is_left() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_hooks_leave_behind_does_not_pile_up(tmp_path: Path) -> None:
    write_layout(tmp_path / "in", {"v1": image_bytes(b"layer")})
    ran = tmp_path / "ran"
    command = f"echo >> {ran}; sleep 0.1 > /dev/null 2>&1 &"
    hook = f"{{type: exec, params: [sh, -c, '{command}']}}"
    ends = f"source: 'ocidir://{tmp_path}/in:v1', target: 'ocidir://{tmp_path}/out:v1'"
    (tmp_path / "regsync.yml").write_text(
        f"defaults: {{interval: 1s, skipDockerConfig: true}}\n"
        f"sync: [{{{ends}, type: image, hooks: {{unchanged: {hook}}}}}]\n"
    )
    arguments = ["server", "-c", str(tmp_path / "regsync.yml")]
    process = subprocess.Popen([sys.executable, "-c", ADOPTING, *arguments], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: ran.exists() and len(ran.read_text()) >= 3, within=60)
        wait_for(lambda: not ended_children(process.pid), within=20)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()
