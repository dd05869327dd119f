"""GitHub's registry: a token for anybody, storage that forbids HEAD, no referrers API, denial of what is not there.

Chunks above 4 MiB are refused as a range that cannot be satisfied; whole blobs may be larger.
"""

from __future__ import annotations

from tests.support.fake_registry import Features
from tests.support.odd.lists import NoReferrersApi, Unlisted
from tests.support.odd.looking import BlobsFromStorage, MissingIs
from tests.support.odd.profile import Login, Profile, Refusal, Side
from tests.support.odd.pushes import ReadOnly
from tests.support.odd.uploads import ChunksUpTo

PROFILE = Profile(
    name="ghcr",
    title="GitHub Container Registry",
    sources=(
        "containerd/stargz-snapshotter#167",
        "rtvkiz/minimal#7",
        "NVIDIA/aicr#1957",
        "oras-project/rust-oci-client#35",
        "ocx-sh/ocx#237",
        "getwud/wud#478",
        "fluxcd/image-reflector-controller#142",
        "google/go-containerregistry#1102",
    ),
    features=Features(page_size=100),
    login=Login(path="/token", service="ghcr.example", answers_post=False),
    oddities=(BlobsFromStorage(), NoReferrersApi(404)),
    source=Side(
        "owner",
        login=Login(path="/token", service="ghcr.example", answers_post=False, anybody=True),
        grown=2,
        forced_by="two tokens, two more pages; lists of referrers under tags spare two",
    ),
    target=Side(
        "owner", (MissingIs(403), ChunksUpTo(2000)), grown=3, forced_by="two tokens, one look for the referrers API"
    ),
    settings={"blobMax": 1000, "blobChunk": 2500},
    refusals=(
        Refusal(
            "a list of all repositories",
            "from",
            ("refused a fresh token for registry:catalog",),
            (Unlisted("catalog", 405, "UNSUPPORTED"),),
            path="",
        ),
        Refusal("a package that is not public", "from", ("403",), (MissingIs(403),), path="app:absent"),
        Refusal(
            "a push without write:packages",
            "to",
            ("403 DENIED", "permission_denied: write_package"),
            (ReadOnly("owner", 403, "DENIED", "permission_denied: write_package"),),
        ),
    ),
)
