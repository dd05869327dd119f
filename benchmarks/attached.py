"""What it costs to look after what is attached to images that have not changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.lab import registry, write_config
from benchmarks.proxy import Proxy
from benchmarks.result import ROUND_TRIP, Result, syncers, watched
from benchmarks.store import Store

_IMAGES, _EACH = 1000, 12
_BESIDES = 10  # requests: the list of tags, whether each side has the referrers API, and some to spare


def referrers(work: Path) -> Iterator[Result]:
    """1,000 images with 12 referrers each, all at the target already: one more request for each image and side."""
    with registry(work / "source") as source, registry(work / "target") as target:
        for one in (source, target):
            fill(one.store)
        with Proxy([source.port, target.port], round_trip=ROUND_TRIP) as proxy:
            for program in syncers():
                log = work / f"{program.name}.log"
                limits = {"requests": 4 * _IMAGES + _BESIDES}
                arguments = configured(work / "regsync.yml", proxy.ports)
                yield watched("1,000 images, 12 referrers", program, arguments, proxy, log=log, limits=limits)


def fill(store: Store) -> None:
    """Store the images, and what is attached to each under its tag: docker-registry has no API for that."""
    layer = store.blob([b"layer"])
    for number in range(_IMAGES):
        image = store.image([layer], name=f"app {number}")
        store.tag("library/app", f"v{number}", image)
        attached = [store.attached(image, name=f"{number} {each}") for each in range(_EACH)]
        store.tag("library/app", image.digest.replace(":", "-"), store.listing(attached))


def configured(path: Path, ports: list[int]) -> list[str]:
    """Write a configuration that keeps images and referrers; return the arguments that run it once."""
    source, target = (f"127.0.0.1:{port}/library/app" for port in ports)
    entry = {"source": source, "target": target, "type": "repository", "tags": {"allow": ["v[0-9]+"]}}
    hosts = [f"127.0.0.1:{port}" for port in ports]
    write_config(path, hosts=hosts, entries=[{**entry, "referrers": True}])
    return ["once", "-c", str(path)]
