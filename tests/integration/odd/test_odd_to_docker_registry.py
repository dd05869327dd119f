"""From every profile into a real docker-registry: what it keeps in its files afterwards is what the profile has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.odd.content import APP, LISTS, seed
from tests.integration.odd.world import meeting
from tests.support.built import Built
from tests.support.odd.profile import Profile
from tests.support.profiles import PROFILES
from tests.support.real import DockerRegistry

EACH = pytest.mark.parametrize("profile", [pytest.param(each, id=each.name) for each in PROFILES])


def tags_in(registry: DockerRegistry, repository: str) -> dict[str, str]:
    """Return the tags of a repository with their digests, as docker-registry's files have them."""
    folder = registry.data / "docker/registry/v2/repositories" / repository / "_manifests/tags"
    return {each.name: (each / "current/link").read_text() for each in folder.iterdir()}


def kept(registry: DockerRegistry, digest: str) -> bytes:
    return registry.file_of(digest).read_bytes()


def assert_kept(registry: DockerRegistry, image: Built) -> None:
    assert {digest: kept(registry, digest) for digest in image.contents()} == image.contents()


@EACH
async def test_what_docker_registry_keeps_is_what_the_profile_has(
    profile: Profile, shared_registry: DockerRegistry, repository_name: str, tmp_path: Path
) -> None:
    async with meeting(profile, "from", tmp_path) as met:
        seed(met.odd, met.below)
        source, target = f"{met.odd.host}/{met.place}/app", f"{shared_registry.host}/{repository_name}"
        keys = {"referrers": True, "digestTags": True, "tags": {"deny": ["sha256-.*"]}}
        met.creds.append({"registry": shared_registry.host, "tls": "disabled"})
        met.sync.append({"source": source, "target": target, "type": "repository", **keys})
        assert (await met.run()).failed == []
        assert ((again := await met.run()).failed, again.tally.copied) == ([], 0)
    there = tags_in(shared_registry, repository_name)
    listed = {tag: {entry["digest"] for entry in _entries(shared_registry, there.pop(tag))} for tag in LISTS}
    assert there == {tag: image.digest for tag, image in APP.items()}
    assert listed == {tag: {each.digest for each in index.children} for tag, index in LISTS.items()}
    for image in (*APP.values(), *(each for index in LISTS.values() for each in index.children)):
        assert_kept(shared_registry, image)


def _entries(registry: DockerRegistry, digest: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(kept(registry, digest))["manifests"]
    return found
