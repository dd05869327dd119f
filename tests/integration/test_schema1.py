"""Images of schema 1, copied where `mediaTypes` lists them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from regsync.events import ImageSkipped
from tests.integration.runs import ran
from tests.support.built import Built, digest_of, image_bytes, read_layout
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Change, Fault
from tests.support.real import DockerRegistry
from tests.support.schema1 import SIGNED, UNSIGNED, signed_bytes, unsigned_bytes

LAYERS = (b"lowest layer", b"a layer above", b"lowest layer")
PLAIN = unsigned_bytes(*LAYERS)
JWS = signed_bytes(*LAYERS)
LISTED = f"mediaTypes: [{UNSIGNED}, {SIGNED}]"


class OldRegistry(DockerRegistry):
    """docker-registry as it has to be told to be for these: it checks signatures, and signs anew whatever it gives."""

    def environment(self) -> Mapping[str, str]:
        return {"REGISTRY_COMPATIBILITY_SCHEMA1_ENABLED": "true"}


def served(registry: DockerRegistry, repository: str) -> tuple[bytes, str]:
    """What the registry gives to whoever asks for `v1`: its bytes, and the digest it says they have."""
    request = Request(f"{registry.url}/v2/{repository}/manifests/v1", headers={"Accept": SIGNED})  # noqa: S310
    with urlopen(request) as answer:  # noqa: S310
        return answer.read(), answer.headers["Docker-Content-Digest"]


def without_signatures(raw: bytes) -> object:
    return {key: value for key, value in json.loads(raw).items() if key != "signatures"}


async def test_signed_ones_go_from_registry_to_registry_and_keep_their_digest(tmp_path: Path) -> None:
    async with FakeRegistry() as source:
        source.seed("app", {"v1": JWS})
        with OldRegistry(tmp_path / "old") as old:
            hosts = [source.host, old.host]
            first = f"source: '{source.host}/app:v1', target: '{old.host}/app:v1', type: image, {LISTED}"
            second = f"source: '{old.host}/app:v1', target: '{old.host}/other:v1', type: image, {LISTED}"
            for entry in (first, second):
                tally, _ = await ran(tmp_path, entry, hosts=hosts)
                assert (tally.copied, tally.failures) == (1, [])
                again, _ = await ran(tmp_path, entry, hosts=hosts)
                assert (again.copied, again.unchanged, again.failures) == (0, 1, [])
            for repository in ("app", "other"):
                raw, digest = served(old, repository)
                assert digest == JWS.digest
                assert without_signatures(raw) == json.loads(PLAIN.raw)


async def test_unsigned_ones_go_into_a_layout_byte_for_byte(tmp_path: Path) -> None:
    async with FakeRegistry() as source:
        source.seed("app", {"v1": PLAIN})
        entry = f"source: '{source.host}/app:v1', target: 'ocidir://{tmp_path}/target:v1', type: image, {LISTED}"
        first, _ = await ran(tmp_path, entry, hosts=[source.host])
        second, _ = await ran(tmp_path, entry, hosts=[source.host])
    assert [(one.copied, one.unchanged, one.failures) for one in (first, second)] == [(1, 0, []), (0, 1, [])]
    tags, contents = read_layout(tmp_path / "target")
    assert tags == {"v1": PLAIN.digest}
    assert contents[PLAIN.digest] == PLAIN.raw
    assert {digest_of(layer) for layer in LAYERS} <= set(contents)


async def test_a_layout_takes_no_signed_ones_and_says_why(tmp_path: Path) -> None:
    async with FakeRegistry() as source:
        source.seed("app", {"v1": JWS})
        entry = f"source: '{source.host}/app:v1', target: 'ocidir://{tmp_path}/target:v1', type: image, {LISTED}"
        tally, _ = await ran(tmp_path, entry, hosts=[source.host])
    [failure] = tally.failures
    assert "no signed schema 1 manifests" in failure.error


async def test_a_registry_that_takes_none_says_so_in_the_error(docker_registry: DockerRegistry, tmp_path: Path) -> None:
    async with FakeRegistry() as source:
        source.seed("app", {"v1": JWS})
        target = f"{docker_registry.host}/app:v1"
        entry = f"source: '{source.host}/app:v1', target: '{target}', type: image, {LISTED}"
        tally, _ = await ran(tmp_path, entry, hosts=[source.host, docker_registry.host])
    [failure] = tally.failures
    assert f"{docker_registry.host} may take no manifests of schema 1" in failure.error


@pytest.mark.parametrize("built", [PLAIN, JWS], ids=["unsigned", "signed"])
async def test_they_are_skipped_unless_they_are_listed(tmp_path: Path, built: Built) -> None:
    async with FakeRegistry() as source:
        source.seed("app", {"v1": built})
        entry = f"source: '{source.host}/app:v1', target: 'ocidir://{tmp_path}/target:v1', type: image"
        tally, seen = await ran(tmp_path, entry, hosts=[source.host])
    assert (tally.skipped, tally.failures) == (1, [])
    assert [event for event in seen if isinstance(event, ImageSkipped)]


async def test_a_layer_that_is_gone_fails_the_image_and_names_it(tmp_path: Path) -> None:
    async with FakeRegistry() as source:
        source.seed("app", {"v1": PLAIN}).blobs.pop(digest_of(LAYERS[1]))
        entry = f"source: '{source.host}/app:v1', target: 'ocidir://{tmp_path}/target:v1', type: image, {LISTED}"
        tally, _ = await ran(tmp_path, entry, hosts=[source.host])
    [failure] = tally.failures
    assert f"blob {digest_of(LAYERS[1])} is not there, or nobody says how long it is" in failure.error


TOLD = {
    "digest": Change(),
    "no digest": Change(without=("Docker-Content-Digest",)),
    "no length": Change(without=("Content-Length",)),
    "a type with a parameter": Change({"Content-Type": f"{SIGNED}; charset=utf-8"}, without=("Docker-Content-Digest",)),
    "a type in capitals": Change({"Content-Type": SIGNED.upper()}, without=("Docker-Content-Digest",)),
    "no type of its own": Change({"Content-Type": "application/json"}, without=("Docker-Content-Digest",)),
}


@pytest.mark.parametrize("told", TOLD)
async def test_one_among_the_tags_is_skipped_whatever_the_registry_tells_of_it(tmp_path: Path, told: str) -> None:
    async with FakeRegistry() as source:
        source.seed("app", {"old": JWS, "new": image_bytes(b"new")})
        source.fail(Fault(TOLD[told], kind="manifest", method="HEAD", path="/old", times=9))
        source.fail(Fault(TOLD[told], kind="manifest", method="GET", path="/old", times=9))
        entry = f"source: '{source.host}/app', target: 'ocidir://{tmp_path}/out', type: repository"
        tally, seen = await ran(tmp_path, entry, hosts=[source.host])
    assert (tally.copied, tally.skipped, tally.failures) == (1, 1, [])
    assert [event.media_type for event in seen if isinstance(event, ImageSkipped)] == [SIGNED]
