"""The image that `.ci/image` built, as a container of it starts: until its first request gets to a registry.

Its first process is entered as `tests/image` does it: namespaces, a root that cannot be written to, user 65532.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

from benchmarks.lab import Program, registry
from benchmarks.proxy import Proxy
from benchmarks.result import Result, config, watched
from tests.support.container import IMAGE, Image, entered

_TIMES = 5  # of which the quickest counts
_LIMIT = 1.0  # seconds to the first request


def image(work: Path) -> Iterator[Result]:
    """`once` on one unchanged image between two registries, from the start of the container."""
    folder = os.environ.get(IMAGE)
    if not folder or os.geteuid():
        print(f"image: left out; it runs as root, and {IMAGE} names what .ci/image has built")
        return
    settings = work / "settings"
    settings.mkdir(mode=0o755)
    with registry(work / "source") as source, registry(work / "target") as target:
        for one in (source, target):
            one.store.tag("app", "v1", one.store.image([one.store.blob([b"layer"])], name="app"))
        with Proxy([source.port, target.port], round_trip=0.0) as proxy:
            config(settings, [[f"127.0.0.1:{port}/app:v1" for port in proxy.ports]], kind="image")
            started = ["regsync", "once", "-c", "/etc/regsync/regsync.yml"]
            command = entered(
                Image.of(Path(folder), "regsync"), started, volumes={"/etc/regsync": settings}, environ={}
            )
            program, log, limits = Program("ours", tuple(command)), work / "image.log", {"first": _LIMIT}
            runs = [
                watched("container, first request", program, [], proxy, log=log, limits=limits) for _ in range(_TIMES)
            ]
            yield min(runs, key=lambda result: result.first or math.inf)
