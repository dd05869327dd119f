"""Which referrers are taken, and which lists of them are believed."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from regsync.errors import Malformed, Unsupported
from regsync.oci import mediatype
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.oci.referrers import REFERRERS_MAX, ReferrerFilter, Referrers, wanted
from tests.unit.oci.documents import descriptor, encode, image, index

SBOM, SIGNATURE = "application/vnd.example.sbom", "application/vnd.example.signature"


def referrer(name: str, kind: str = SBOM, media_type: str = mediatype.OCI_MANIFEST, **notes: str) -> Descriptor:
    return Descriptor(media_type, Digest.of(name.encode()), 7, artifact_type=kind, annotations=notes)


A = referrer("a", by="ann", empty="")
B = referrer("b", SIGNATURE, by="bob")
C = referrer("c", "")
ALL = (A, B, C)
ENTRY = descriptor("x", mediatype.OCI_MANIFEST)


@pytest.mark.parametrize(
    ("kind", "notes", "taken"),
    [
        ("", {}, ALL),
        (SBOM, {}, (A,)),
        (SBOM.upper(), {}, ()),
        ("application/vnd.example", {}, ()),
        ("", {"by": "ann"}, (A,)),
        ("", {"by": ""}, (A, B)),
        ("", {"empty": ""}, (A,)),
        ("", {"empty": "x"}, ()),
        ("", {"BY": ""}, ()),
        ("", {"by": "ann", "other": ""}, ()),
        (SIGNATURE, {"by": "bob"}, (B,)),
        (SIGNATURE, {"by": "ann"}, ()),
    ],
)
def test_a_filter_takes_what_has_its_type_and_all_its_annotations(
    kind: str, notes: Mapping[str, str], taken: tuple[Descriptor, ...]
) -> None:
    assert wanted(ALL, [ReferrerFilter(kind, notes)]) == taken


def test_without_filters_all_are_wanted() -> None:
    assert wanted(ALL, []) == ALL


def test_each_filter_brings_its_own_and_none_comes_twice() -> None:
    filters = [ReferrerFilter(SIGNATURE), ReferrerFilter(annotations={"by": ""}), ReferrerFilter("nobody's")]
    assert wanted(ALL, filters) == (B, A)


def test_a_list_names_each_once_over_all_its_pages() -> None:
    found = Referrers("referrers")
    assert (found.take([A, B]), found.take([B, C]), found.take([])) == (2, 1, 0)
    assert found.all == ALL


@pytest.mark.parametrize("media_type", [mediatype.OCI_LAYER, mediatype.OCI_CONFIG, mediatype.OCI_EMPTY])
def test_a_list_that_names_a_blob_is_refused(media_type: str) -> None:
    with pytest.raises(Malformed, match="is no manifest"):
        Referrers("referrers").take([A, referrer("x", media_type=media_type)])


def test_a_list_that_gives_one_digest_two_sizes_is_refused() -> None:
    found = Referrers("referrers")
    found.take([A])
    with pytest.raises(Malformed, match="two sizes"):
        found.take([Descriptor(A.media_type, A.digest, 8)])


@pytest.mark.parametrize("document", [image(), index(mediaType=mediatype.DOCKER_LIST)])
def test_what_is_no_index_is_no_list(document: dict[str, object]) -> None:
    with pytest.raises(Malformed, match="instead of an index"):
        Referrers("referrers").add(Manifest.read(encode(document)))


def test_there_is_an_end_to_how_many_a_subject_may_have() -> None:
    found = Referrers("referrers of x")
    most = [referrer(str(number)) for number in range(REFERRERS_MAX)]
    assert found.take(most) == REFERRERS_MAX
    with pytest.raises(Unsupported, match="referrers of x: more than 10,000"):
        found.take([A])


@pytest.mark.parametrize(
    "entry",
    [
        {**ENTRY, "digest": "sha256:abc"},
        {**ENTRY, "digest": "md5:" + "a" * 32},
        {**ENTRY, "size": -1},
        {**ENTRY, "size": "7"},
        "sha256:" + "a" * 64,
    ],
)
def test_an_entry_nobody_can_use_refuses_the_list_it_stands_in(entry: object) -> None:
    with pytest.raises(Malformed):
        Referrers("referrers").add(Manifest.read(encode(index(manifests=[ENTRY, entry]))))


@pytest.mark.parametrize("more", [{}, {"annotations": {"a": 1}}])
def test_an_entry_that_can_be_used_is_taken(more: dict[str, object]) -> None:
    assert Referrers("referrers").add(Manifest.read(encode(index(manifests=[{**ENTRY, **more}])))) == 1
