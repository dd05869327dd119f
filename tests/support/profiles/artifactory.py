"""Artifactory: repositories by path, blobs in S3 or behind CloudFront, 403 for what a virtual repository lacks.

Its token service lies at the repository's own path, knows repositories without the first part of their path and
takes no POST. The next page is named without that part, too. A blob in one request is lost; chunks are taken. Older
ones have no referrers API.
"""

from __future__ import annotations

from tests.support.fake_registry import Features
from tests.support.odd.fronts import Below
from tests.support.odd.lists import CursorAs, LinksAs
from tests.support.odd.looking import BlobsFromStorage, MissingIs
from tests.support.odd.profile import Login, Profile, Refusal, Side
from tests.support.odd.pushes import ReadOnly
from tests.support.odd.uploads import WholeBlobsAre

PROFILE = Profile(
    name="artifactory",
    title="Artifactory",
    sources=(
        "renovatebot/renovate#15080",
        "renovatebot/renovate#15030",
        "google/go-containerregistry#1691",
        "containerd/containerd#3533",
        "containerd/containerd#6339",
        "containerd/containerd#2169",
        "docker/buildx#196",
        "earthly/earthly#1017",
    ),
    features=Features(page_size=100),
    login=Login(
        path="/artifactory/api/docker/docker-local/v2/token", service="artifactory", answers_post=False, lifetime=3600
    ),
    oddities=(Below("docker-local"), BlobsFromStorage(302)),
    source=Side(
        "team",
        (CursorAs("last"),),
        grown=2,
        forced_by="two tokens, two more pages; lists of referrers under tags spare two",
    ),
    target=Side(
        "team", (MissingIs(403), WholeBlobsAre(404)), grown=3, forced_by="two tokens, one look for the referrers API"
    ),
    settings={"pathPrefix": "docker-local"},
    refusals=(
        Refusal(
            "another list at another host",
            "from",
            ("names a next page that is not its own", "elsewhere.example"),
            (LinksAs('<https://elsewhere.example/v2/other/tags/list?{query}>; rel="next"'),),
            path="many",
        ),
        Refusal(
            "a push without the right to it",
            "to",
            ("403 DENIED", "not permitted to deploy"),
            (ReadOnly("team", 403, "DENIED", "not permitted to deploy"),),
        ),
    ),
)
