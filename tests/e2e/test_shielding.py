"""What the process holds in memory, passwords among it, is nobody else's to read."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.e2e.program import Started, wait_for
from tests.support.built import image_bytes, write_layout

SHIELDED = """
import ctypes
from regsync.shielding import shield
before = ctypes.CDLL(None).prctl(3)  # PR_GET_DUMPABLE
shield()
print(before, ctypes.CDLL(None).prctl(3))
"""


def server(folder: Path, hook: str = "") -> Started:
    """Start a daemon that copies one image, with a hook around that if there is one."""
    write_layout(folder / "in", {"v1": image_bytes(b"layer")})
    hooks = f"\n  hooks: {{pre: {{type: exec, params: [sh, -c, '{hook}']}}}}" if hook else ""
    (folder / "regsync.yml").write_text(
        "defaults: {interval: 1h, skipDockerConfig: true}\nsync:\n"
        f"- source: ocidir://{folder}/in:v1\n  target: ocidir://{folder}/out:v1\n  type: image{hooks}\n"
    )
    return Started("server", "-c", str(folder / "regsync.yml"), cwd=folder)


def core_limit(limits: str) -> list[str]:
    """Return how large a core dump may be, softly and hard."""
    (line,) = [line for line in limits.splitlines() if line.startswith("Max core file size")]
    return line.split()[4:6]


def test_nobody_but_root_can_look_into_a_process_that_is_shielded() -> None:
    done = subprocess.run([sys.executable, "-c", SHIELDED], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "1 0\n"


def test_a_running_program_leaves_no_core_dump(tmp_path: Path) -> None:
    with server(tmp_path) as running:
        wait_for((tmp_path / "out" / "index.json").exists, within=60)
        assert core_limit(Path(f"/proc/{running.process.pid}/limits").read_text()) == ["0", "0"]
        running.signal(signal.SIGTERM)
        assert running.ended().code == 0


def test_what_it_starts_leaves_no_core_dump_either(tmp_path: Path) -> None:
    with server(tmp_path, hook=f"cat /proc/self/limits > {tmp_path}/limits") as running:
        wait_for((tmp_path / "out" / "index.json").exists, within=60)
        assert core_limit((tmp_path / "limits").read_text()) == ["0", "0"]
        running.signal(signal.SIGTERM)
        assert running.ended().code == 0
