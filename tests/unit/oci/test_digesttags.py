"""Tags that name a digest in their own name."""

from __future__ import annotations

import pytest

from regsync.oci.digest import Digest, digest_tags
from regsync.oci.referrers import fallback_tag, is_fallback_tag

ONE, OTHER = Digest.of(b"one"), Digest.of(b"other")


@pytest.mark.parametrize("ending", ["", ".sig", ".att", ".sbom", "-anything", "0", "abc"])
@pytest.mark.parametrize("algorithm", ["sha256", "sha384"])
def test_a_tag_belongs_to_the_digest_it_begins_with(algorithm: str, ending: str) -> None:
    digest = Digest.of(b"one", algorithm)
    assert digest_tags([f"{algorithm}-{digest.hex}{ending}"]) == {digest: (f"{algorithm}-{digest.hex}{ending}",)}


@pytest.mark.parametrize(
    "tag",
    [
        *[
            "latest",
            "",
            f"sha256-{ONE.hex[:63]}",
            f"sha256-{ONE.hex[:63]}.sig",
            f"sha256:{ONE.hex}",
            f"v1-sha256-{ONE.hex}",
        ],
        *[
            f"sha256-{ONE.hex.upper()}x",
            f"sha384-{ONE.hex}.sig",
            f"md5-{ONE.hex}",
            f"sha256_{ONE.hex}",
            f" sha256-{ONE.hex}",
        ],
    ],
)
def test_other_tags_belong_to_none(tag: str) -> None:
    assert digest_tags([tag]) == {}


def test_tags_of_one_digest_keep_their_order() -> None:
    tags = [f"sha256-{ONE.hex}.sig", "latest", f"sha256-{OTHER.hex}.sig", f"sha256-{ONE.hex}.att", f"sha256-{ONE.hex}"]
    assert digest_tags(tags) == {ONE: (tags[0], tags[3], tags[4]), OTHER: (tags[2],)}


def test_the_list_of_referrers_is_among_them_and_can_be_told() -> None:
    (tags,) = digest_tags([fallback_tag(ONE), f"sha256-{ONE.hex}.sig"]).values()
    assert [tag for tag in tags if not is_fallback_tag(tag)] == [f"sha256-{ONE.hex}.sig"]
