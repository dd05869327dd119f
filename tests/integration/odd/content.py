"""What is copied from and to every profile: images, an index, what refers to them, tags of digests, 250 tags."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.e2e.attached import AS_TAGS, ATTACHED, TAGGED
from tests.support.built import INDEX, Built, image_bytes, some_bytes
from tests.support.fake_registry import FakeRegistry
from tests.support.fake_store import FakeRepository, Stored

LARGE = image_bytes(some_bytes(3000, "goes up in several chunks"), b"a small layer")
APP: Mapping[str, Built] = {**TAGGED, "large": LARGE}
MANY: Mapping[str, Built] = {
    f"v{number:03}": image_bytes(b"one layer for all", annotations={"number": str(number % 5)}) for number in range(250)
}
LISTS: Mapping[str, Built] = {tag: built for tag, built in AS_TAGS.items() if tag not in TAGGED}


def seed(registry: FakeRegistry, below: str) -> None:
    """Put it all into the two repositories below this path, what refers to images as the registry lists it."""
    lists = {} if registry.features.referrers else LISTS
    registry.seed(f"{below}/app", {**APP, **lists}, untagged=ATTACHED)
    registry.seed(f"{below}/many", MANY)


def seed_partly(registry: FakeRegistry, below: str) -> None:
    """Put one blob there that somebody has pushed before, so that looking at blobs finds something."""
    layer = next(digest for digest, data in LARGE.blobs.items() if data == b"a small layer")
    registry.store.make(f"{below}/app").blobs[layer] = LARGE.blobs[layer]


def assert_arrived(registry: FakeRegistry, below: str) -> None:
    """Fail unless all of it is there byte for byte, and nothing besides."""
    lists = {} if registry.features.referrers else LISTS
    assert set(registry.repositories) == {f"{below}/app", f"{below}/many"}
    _assert_holds(registry.repositories[f"{below}/many"], MANY)
    app = registry.repositories[f"{below}/app"]
    for tag, built in lists.items():
        assert _listed(app, app.tags.pop(tag)) == {child.digest for child in built.children}, tag
    _assert_holds(_without_former_lists(app, lists), APP, ATTACHED)


def _assert_holds(repository: FakeRepository, images: Mapping[str, Built], attached: tuple[Built, ...] = ()) -> None:
    parts = [each for image in (*images.values(), *attached) for each in image.walk()]
    assert repository.tags == {tag: image.digest for tag, image in images.items()}
    assert repository.manifests == {each.digest: Stored(each.media_type, each.raw) for each in parts}
    assert repository.blobs == {digest: data for each in parts for digest, data in each.blobs.items()}
    assert not any(repository.uploads.values())  # empty ones are of requests that were refused


def _listed(repository: FakeRepository, digest: str) -> set[str]:
    """Return the digests an index lists, whose descriptors are those of manifests that are there."""
    stored = repository.manifests[digest]
    assert stored.media_type == INDEX
    for entry in stored.document["manifests"]:
        there = repository.manifests[entry["digest"]]
        said = there.document.get("artifactType") or there.document["config"]["mediaType"]
        assert (entry["mediaType"], entry["size"], entry["artifactType"]) == (there.media_type, len(there.raw), said)
        assert entry.get("annotations") == there.document.get("annotations")
    return {entry["digest"] for entry in stored.document["manifests"]}


def _without_former_lists(repository: FakeRepository, lists: Mapping[str, Built]) -> FakeRepository:
    """Leave out what a list of referrers was before it was whole: indexes of nothing but some of what it lists."""
    whole = [{child.digest for child in built.children} for built in lists.values()]
    former = [
        digest
        for digest, stored in repository.manifests.items()
        if stored.media_type == INDEX
        and any({entry["digest"] for entry in json.loads(stored.raw)["manifests"]} <= each for each in whole)
    ]
    for digest in former:
        del repository.manifests[digest]
    return repository
