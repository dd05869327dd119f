"""Registries to measure against, and the programs that are measured."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Cost, run
from benchmarks.store import Store

_CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {root}, maxthreads: 1000}}, maintenance: {{uploadpurging: {{enabled: false}}}}}}
http: {{addr: "127.0.0.1:{port}", secret: benchmark}}
"""


@dataclass(frozen=True, slots=True)
class Registry:
    """A docker-registry that runs: its port, and its directory for filling it."""

    port: int
    store: Store


@contextmanager
def registry(root: Path) -> Iterator[Registry]:
    """Run a docker-registry over a directory."""
    program = shutil.which("docker-registry") or shutil.which("registry")
    if program is None:
        sys.exit("The benchmarks need docker-registry (Debian: apt-get install docker-registry).")
    store = Store(root)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    config = root / "config.yml"
    config.write_text(_CONFIG.format(root=root, port=port))
    with (root / "registry.log").open("wb") as log:
        process = subprocess.Popen([program, "serve", str(config)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _until_ready(port, process)
        yield Registry(port, store)
    finally:
        process.kill()
        process.wait()


def _until_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if process.poll() is not None:
                sys.exit("docker-registry does not start")
            time.sleep(0.02)
        else:
            return
    sys.exit("docker-registry does not listen")


@dataclass(frozen=True, slots=True)
class Program:
    """Something to measure; `command` is how it starts."""

    name: str
    command: tuple[str, ...]

    def run(self, *arguments: str, log: Path, until: Callable[[str], bool] | None = None) -> Cost:
        """Run it to its end, or until its log says so: then it is asked to stop."""
        cost = run([*self.command, *arguments], log=log, until=until)
        if cost.code:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
            print(f"{self.name} {' '.join(arguments)} exited {cost.code}:\n{tail}", file=sys.stderr)
        return cost


def ours() -> Program:
    """Return the regsync that is installed beside this Python."""
    script = Path(sys.executable).with_name("regsync")
    return Program("ours", (str(script),) if script.exists() else (sys.executable, "-m", "regsync"))


def peer(name: str) -> Program | None:
    """Return another program from the directory $PEERS, if it is there."""
    place = Path(os.environ.get("PEERS", "/nonexistent")) / name
    return Program(f"peer {name}", (str(place),)) if place.exists() else None


def write_config(path: Path, *, hosts: Sequence[str], entries: Sequence[dict[str, object]], parallel: int = 0) -> None:
    """Write a configuration for plain HTTP registries. JSON is YAML; blocks of it are what people write."""
    creds = "".join(f"  - registry: {host}\n    tls: disabled\n" for host in hosts)
    lines = [f"version: 1\ncreds:\n{creds}defaults:\n  skipDockerConfig: true\n"]
    if parallel:
        lines.append(f"  parallel: {parallel}\n")
    lines.append("sync:\n")
    for entry in entries:
        rows = [f"{key}: {value if isinstance(value, str) else json.dumps(value)}\n" for key, value in entry.items()]
        lines.append("  - " + "    ".join(rows))
    path.write_text("".join(lines))
