"""`includeExternal`: layers that lie at URLs, copied to a registry and into a layout."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.runs import ran
from tests.support.built import Built, compact, digest_of, image_bytes, read_layout, some_bytes
from tests.support.fake_registry import FakeRegistry

FOREIGN = some_bytes(200_000, "foreign")
OWN = b"a layer of its own"


def windows_image(*urls: str) -> Built:
    """An image of which the first layer may lie in no registry."""
    built = image_bytes(FOREIGN, OWN, platform="windows/amd64")
    document = json.loads(built.raw)
    document["layers"][0] |= {
        "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "urls": list(urls),
    }
    raw = compact(document)
    blobs = {digest: data for digest, data in built.blobs.items() if data != FOREIGN}
    return replace(built, raw=raw, digest=digest_of(raw), blobs=blobs)


@pytest.mark.parametrize("end", ["registry", "layout"])
async def test_a_layer_elsewhere_stays_there_or_comes_along_as_the_entry_says(
    fake_registry: FakeRegistry, tmp_path: Path, end: str
) -> None:
    async with FakeRegistry() as source, FakeRegistry() as files:
        files.seed("files", {"v1": image_bytes(FOREIGN)})
        built = windows_image(f"{files.url}/v2/files/blobs/{digest_of(FOREIGN)}")
        source.seed("app", {"v1": built})
        hosts = [source.host, fake_registry.host]
        target = f"{fake_registry.host}/app" if end == "registry" else f"ocidir://{tmp_path}/target"
        entry = f"source: '{source.host}/app:v1', target: '{target}:{{}}', type: image"
        bare, _ = await ran(tmp_path, entry.format("bare"), hosts=hosts)
        assert (bare.copied, bare.failures, files.journal) == (1, [], [])
        full, _ = await ran(tmp_path, f"{entry.format('full')}, includeExternal: true", hosts=hosts)
        assert (full.copied, full.failures) == (1, [])
        assert [asked.method for asked in files.journal] == ["GET"]
        again, _ = await ran(tmp_path, f"{entry.format('full')}, includeExternal: true", hosts=hosts)
        assert (again.copied, again.unchanged) == (0, 1)
    if end == "layout":
        tags, contents = read_layout(tmp_path / "target")
        assert tags == {"bare": built.digest, "full": built.digest}
        assert contents[digest_of(FOREIGN)] == FOREIGN
        assert contents[built.digest] == built.raw


async def test_a_layer_that_cannot_be_had_fails_its_image_alone(tmp_path: Path) -> None:
    async with FakeRegistry() as source:
        source.seed("app", {"v1": windows_image("http://169.254.169.254/layer"), "v2": image_bytes(b"beside")})
        target = f"ocidir://{tmp_path}/target"
        entry = f"source: '{source.host}/app', target: '{target}', type: repository, includeExternal: true"
        tally, _ = await ran(tmp_path, entry, hosts=[source.host])
    [failure] = tally.failures
    assert failure.target.endswith(":v1")
    assert "169.254.169.254" in failure.error
    assert set(read_layout(tmp_path / "target")[0]) == {"v2"}
