"""Pulp: blobs from S3 whose URLs are signed for GET, or from httpd that labels them as packed; tasks behind pushes.

Chunks are answered with 204 and a Range that is one byte too long; a blob in one request was not understood for long.
While a task runs, a manifest is turned away for a while.
"""

from __future__ import annotations

from tests.support.odd.fronts import LabelsAsPacked
from tests.support.odd.looking import BlobsFromStorage, Throttles
from tests.support.odd.profile import Login, Profile, Refusal, Side
from tests.support.odd.uploads import RangeSays, Succeeds, WholeBlobsAre

PROFILE = Profile(
    name="pulp",
    title="Pulp",
    sources=(
        "pulp/pulp_container#579",
        "pulp/pulp_container#2199",
        "pulp/pulp_container#284",
        "pulp/pulp_container#1219",
        "pulp/pulp_container#853",
        "moby/moby#17595",
    ),
    login=Login(path="/token/", service="pulp.example", answers_post=False),
    source=Side("team", (LabelsAsPacked(),), grown=0, forced_by="two tokens; lists of referrers under tags spare two"),
    target=Side(
        "team",
        (
            BlobsFromStorage(302),
            WholeBlobsAre(405),
            Throttles(every=20, methods=("PUT",), pause="5", message="Throttled"),
            Succeeds({"patch": 204}),
            RangeSays(more=1),
        ),
        grown=3,
        forced_by="two tokens, one look for the referrers API",
    ),
    settings={"blobChunk": 1000},
    refusals=(
        Refusal(
            "bytes that are neither packed nor what was asked for",
            "from",
            ("sha256:",),
            (BlobsFromStorage(302),),
            spoiled=True,
        ),
    ),
)
