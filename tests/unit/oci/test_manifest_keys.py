"""Keys whose case differs from a known one: refused where a client that ignores case would take them for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsync.errors import Malformed
from regsync.layout.index import Index
from regsync.oci import mediatype
from regsync.oci.manifest import Manifest
from tests.unit.oci.documents import artifact, descriptor, encode, image, index

# What Go's clients of this field read: an object's keys, and what they expect below them.
PLATFORM: dict[str, Any] = dict.fromkeys(("os", "architecture", "variant", "os.version", "os.features"))
DESCRIPTOR: dict[str, Any] = {
    **dict.fromkeys(("mediaType", "digest", "size", "urls", "data", "artifactType", "annotations")),
    "platform": PLATFORM,
}
MANIFEST: dict[str, Any] = {
    **dict.fromkeys(("schemaVersion", "mediaType", "artifactType", "fsLayers", "annotations")),
    **dict.fromkeys(("config", "layers", "manifests", "blobs", "subject"), DESCRIPTOR),
}
WORDS = sorted({*MANIFEST, *DESCRIPTOR, *PLATFORM})


def view(node: Any, shape: dict[str, Any] | None, alike: Callable[[str, str], bool]) -> Any:
    """What a client sees that looks for these keys; the last of several counts."""
    if isinstance(node, list):
        return [view(item, shape, alike) for item in node]
    if shape is None or not isinstance(node, dict):
        return node
    seen = [
        (name, view(value, shape[name], alike)) for key, value in node.items() for name in shape if alike(name, key)
    ]
    return dict(seen)


def same(name: str, key: str) -> bool:
    return name == key


def folded(name: str, key: str) -> bool:
    """Whether Go's encoding/json takes one for the other."""
    return name.casefold() == key.casefold()


def full(document: dict[str, Any]) -> dict[str, Any]:
    """The same document with an object at every place where one can be."""
    described = descriptor("it", platform={"os": "linux", "x": {}}, annotations={"a": "b"}, x=[{"y": {}}])
    lists = {key: [described] for key in ("layers", "manifests", "blobs") if key in document}
    one = {"config": described} if "config" in document else {}
    return document | lists | one | {"subject": described, "annotations": {"a": "b"}, "x-vendor": {"list": [{}]}}


def objects(node: Any) -> list[dict[str, Any]]:
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [*([node] if isinstance(node, dict) else []), *(found for item in inner for found in objects(item))]


VARIANTS = st.sampled_from(WORDS).flatmap(
    lambda word: st.sampled_from(
        [word.upper(), word.title(), word.swapcase(), word.replace("s", "\u017f"), word.replace("k", "\u212a"), word]
    )
)


@given(st.sampled_from([image, index, artifact]), VARIANTS, st.data())
def test_a_key_is_refused_exactly_where_a_client_that_ignores_case_would_read_it(
    make: Callable[[], dict[str, Any]], key: str, data: st.DataObject
) -> None:
    document = full(make())
    place = data.draw(st.sampled_from([node for node in objects(document) if key not in node]))
    place[key] = "?"
    if view(document, MANIFEST, same) == view(document, MANIFEST, folded):
        try:
            Manifest.read(encode(document))
        except Malformed as error:  # a known key where it may not be, or may not be a text
            assert key in WORDS, error  # noqa: PT017
    else:
        with pytest.raises(Malformed, match="would be another one to clients that ignore case"):
            Manifest.read(encode(document))


@pytest.mark.parametrize(
    "extra",
    [
        {"x-vendor": {"Size": 3}},
        {"x-vendor": {"OS": "linux"}},
        {"x-vendor": [{"Digest": "q"}]},
        {"X-Vendor": {"Layers": [], "layers": [{"SIZE": 1, "size": 1}]}},
        {"Size": 3, "Digest": "of nothing", "Platform": {}},
        {"annotations": {"Config": "kept", "config": "too"}},
    ],
)
def test_what_a_vendor_adds_in_objects_of_its_own_is_nobody_elses_business(extra: dict[str, Any]) -> None:
    assert Manifest.read(encode(image(**extra))).config is not None
    assert Manifest.read(encode(index(manifests=[descriptor("a", mediatype.OCI_MANIFEST, x=extra)]))).children


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (image(Layers=[]), "the key 'Layers'"),
        (image(MEDIATYPE=""), "the key 'MEDIATYPE'"),
        (image() | {"fsLayer\u017f": []}, "the key 'fsLayer\u017f'"),
        (image(layers=[descriptor("a", Digest="")]), "layers[0]: the key 'Digest'"),
        (image(config=descriptor("a", SIZE=0)), "config: the key 'SIZE'"),
        (image(subject=descriptor("a", mediatype="")), "subject: the key 'mediatype'"),
        (artifact(blobs=[descriptor("a", Urls=[])]), "blobs[0]: the key 'Urls'"),
        (index(manifests=[descriptor("a", platform={"os": "linux", "OS": "plan9"})]), "manifests[0].platform: the key"),
        (index(manifests=[descriptor("a", platform={"Os.Features": []})]), "manifests[0].platform: the key 'Os.Feat"),
    ],
)
def test_the_place_of_a_key_that_would_be_another_one_is_named(document: dict[str, Any], why: str) -> None:
    with pytest.raises(Malformed) as caught:
        Manifest.read(encode(document))
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (index(Manifests=[]), "index.json: the key 'Manifests'"),
        (index(manifests=[descriptor("a", Digest="")]), r"index.json: manifests\[0\]: the key 'Digest'"),
    ],
)
def test_the_index_of_a_layout_is_as_guarded(document: dict[str, Any], why: str) -> None:
    with pytest.raises(Malformed, match=why):
        Index.read(encode(document))


def test_a_layout_may_list_more_than_a_manifest_may() -> None:
    children = [descriptor("a", mediatype.OCI_MANIFEST, annotations={"a": "b"}) for _ in range(40_000)]
    assert len(Index.read(encode(index(manifests=children))).entries) == 40_000
