"""What a hostile registry may cost: the peak of a whole process stays within 128 MiB, whatever it is sent."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks.measure import Cost, run
from tests.support.built import INDEX, MANIFEST, digest_of
from tests.unit.registry.raw import Asked, RawServer, Step, says

MOST = 128  # MiB
MIB = 1 << 20
CONFIG = b"{}"
_JSON = ("Content-Type", "application/json")


def padded(number: int, size: int) -> bytes:
    """An image of a configuration and nothing else, filled up with blanks."""
    raw = json.dumps(image(number, layers=0)).encode()
    return raw[:-1] + b" " * (size - len(raw)) + b"}"


def image(number: int, *, layers: int) -> dict[str, object]:
    kind = "application/vnd.oci.image"
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": f"{kind}.config.v1+json", "digest": digest_of(CONFIG), "size": len(CONFIG)},
        "layers": [
            {"mediaType": f"{kind}.layer.v1.tar", "digest": digest_of(f"{number} {layer}".encode()), "size": 9}
            for layer in range(layers)
        ],
        "annotations": {"number": str(number)},
    }


@dataclass(slots=True)
class Registry:
    """Manifests by tag and by digest, made anew for each request, and one configuration."""

    tags: dict[str, tuple[str, str]] = field(default_factory=dict)
    made: dict[str, tuple[str, Callable[[], bytes]]] = field(default_factory=dict)

    def add(self, kind: str, make: Callable[[], bytes], *tags: str) -> dict[str, object]:
        raw = make()
        digest = digest_of(raw)
        self.made[digest] = kind, make
        self.tags.update(dict.fromkeys(tags, (kind, digest)))
        return {"mediaType": kind, "digest": digest, "size": len(raw)}

    def __call__(self, asked: Asked) -> Step:
        path, _, reference = asked.target.partition("?")[0].rpartition("/")
        if path.endswith("/tags"):
            return says(200, json.dumps({"name": "app", "tags": list(self.tags)}).encode(), _JSON)
        if path.endswith("/blobs"):
            return says(200, CONFIG) if reference == digest_of(CONFIG) else says(404)
        digest = reference if ":" in reference else self.tags[reference][1]
        kind, make = self.made[digest]
        step = says(200, make(), ("Content-Type", kind), ("Docker-Content-Digest", digest))
        return Step(step.data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n") if asked.method == "HEAD" else step


def large_children(count: int, size: int) -> Registry:
    registry = Registry()
    children = [registry.add(MANIFEST, lambda number=number: padded(number, size)) for number in range(count)]  # type: ignore[misc]
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": children}).encode()
    registry.add(INDEX, lambda: index, "v1")
    return registry


def tiny_objects() -> Registry:
    registry = Registry()
    raw = b'{"schemaVersion":2,"mediaType":"%s","x":[{}%s]}' % (INDEX.encode(), b",{}" * 2_700_000)
    registry.add(INDEX, lambda: raw, "v1")
    return registry


def many_layers() -> Registry:
    registry = Registry()
    for number in range(8):
        raw = json.dumps(image(number, layers=9_999)).encode()
        registry.add(MANIFEST, lambda raw=raw: raw, f"v{number}")  # type: ignore[misc]
    return registry


def useless_tags() -> Callable[[Asked], Step]:
    pages: Iterator[int] = iter(range(20))

    def answer(_: Asked) -> Step:
        number = next(pages, None)
        if number is None:
            return says(200, b'{"name":"app","tags":[]}', _JSON)
        link = f'</v2/app/tags/list?last={number}>; rel="next"'
        tags = [f"{number:06}" * MIB]
        return says(200, json.dumps({"name": "app", "tags": tags}).encode(), _JSON, ("Link", link))

    return answer


def many_tags() -> Callable[[Asked], Step]:
    page = json.dumps({"name": "app", "tags": [f"v{number}" * 4 for number in range(300_000)]}).encode()
    return lambda asked: says(200, page, _JSON) if asked.target.endswith("/tags/list") else says(404)


def endless_error() -> Callable[[Asked], Step]:
    body = bytes(100 * MIB)
    return lambda _: says(403, body)


def endless_interim() -> Callable[[Asked], Step]:
    flood = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 500_000
    return lambda _: Step(flood + b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "close")


def long_headers() -> Callable[[Asked], Step]:
    headers = tuple((f"X-{number}", "a" * 60_000) for number in range(500))
    return lambda _: says(403, b"", *headers)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: large_children(24, 7 * MIB), 0),
        (lambda: large_children(64, 8 * MIB), 0),
        (tiny_objects, 1),
        (many_layers, 1),
        (useless_tags, 0),
        (many_tags, 0),
        (endless_error, 1),
        (endless_interim, 1),
        (long_headers, 1),
    ],
    ids=[
        "24 children of 7 MiB", "64 children of 8 MiB", "tiny objects", "10,000 layers", "useless tags", "many tags",
        "errors of 100 MiB", "interim answers", "long headers",
    ],
)  # fmt: skip
async def test_the_peak_of_a_process_is_bounded_whatever_a_registry_sends(
    make: Callable[[], Callable[[Asked], Step]], code: int, tmp_path: Path
) -> None:
    async with RawServer(make()) as server:
        cost = await asyncio.to_thread(mirrored, server.host, tmp_path)
    assert cost.code == code
    assert cost.peak < MOST


def mirrored(host: str, folder: Path) -> Cost:
    """Mirror a repository of this host into a layout, as a process without anything that costs memory itself."""
    config = folder / "regsync.yml"
    config.write_text(
        f"version: 1\ncreds:\n- registry: {host}\n  tls: disabled\ndefaults:\n  skipDockerConfig: true\n"
        f"sync:\n- source: {host}/app\n  target: ocidir://{folder}/layout\n  type: repository\n"
        "  tags: {allow: ['v.']}\n"
    )
    return run([sys.executable, "-m", "regsync", "once", "-c", str(config)], log=folder / "log")
