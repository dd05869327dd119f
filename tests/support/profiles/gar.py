"""Google Artifact Registry: blobs go up whole and nothing else, at a path outside of /v2/; lists of tags carry more.

All tags come at once. A project that is not there, or not ours, is denied.
"""

from __future__ import annotations

from dataclasses import replace

from tests.support.fake_registry import MODERN
from tests.support.odd.lists import ListsCarry, Unlisted
from tests.support.odd.looking import BlobsFromStorage, MissingIs
from tests.support.odd.profile import Login, Profile, Refusal, Side
from tests.support.odd.uploads import ChunksAre, UploadsElsewhere, WholeBlobsAre

_MORE = {"child": [], "manifest": {"sha256:" + 64 * "0": {"imageSizeBytes": "7", "tag": []}}, "timeCreatedMs": "0"}

PROFILE = Profile(
    name="gar",
    title="Google Artifact Registry",
    sources=(
        "kitops-ml/kitops#777",
        "kitops-ml/kitops#780",
        "dotnet/sdk-container-builds#287",
        "google/go-containerregistry#897",
        "google/go-containerregistry#1643",
        "kubernetes-sigs/promo-tools#1945",
        "https://cloud.google.com/artifact-registry/docs/reference/docker-api",
    ),
    features=replace(MODERN, page_size=0, anonymous_mount=False, single_post=False),
    login=Login(path="/v2/token", service="pkg.dev.example", user="oauth2accesstoken", lifetime=3600),
    source=Side(
        "project/images",
        (ListsCarry(_MORE), BlobsFromStorage(302, heads=False)),
        grown=2,
        forced_by="two tokens",
    ),
    target=Side(
        "project/images",
        (UploadsElsewhere("/artifacts-uploads/namespaces/project/repositories"), ChunksAre(404)),
        grown=2,
        forced_by="two tokens",
    ),
    settings={"blobMax": 1000, "blobChunk": 1000},
    refusals=(
        Refusal("a list of all repositories", "from", ("403 DENIED",), (Unlisted("catalog", 403, "DENIED"),), path=""),
        Refusal("an image of somebody else's", "from", ("403",), (MissingIs(403),), path="app:absent"),
        Refusal("blobs by neither way", "to", ("404",), (WholeBlobsAre(404),)),
    ),
)
