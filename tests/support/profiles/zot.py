"""zot: OCI media types alone, the referrers API as it is written, and a Range that counts the last chunk alone."""

from __future__ import annotations

from dataclasses import replace

from tests.support.built import INDEX, MANIFEST
from tests.support.fake_registry import MODERN
from tests.support.odd.profile import Login, Profile, Refusal, Side
from tests.support.odd.pushes import TakesOnly
from tests.support.odd.uploads import RangeSays

PROFILE = Profile(
    name="zot",
    title="zot",
    sources=(
        "project-zot/zot#622",
        "project-zot/zot#724",
        "project-zot/zot#2234",
        "project-zot/zot#3104",
        "project-zot/zot#3983",
        "regclient/regclient#961",
        "opencontainers/distribution-spec#580",
    ),
    features=replace(MODERN, page_size=0, relative_locations=True),
    login=Login("basic"),
    source=Side("team", grown=0, forced_by="nothing"),
    target=Side("team", (RangeSays(last=True),), grown=0, forced_by="nothing"),
    settings={"blobMax": 1000, "blobChunk": 1000},
    refusals=(
        Refusal(
            "manifests of docker's types",
            "to",
            ("415 MANIFEST_INVALID",),
            (TakesOnly((MANIFEST, INDEX)),),
            path="app:docker",
        ),
    ),
)
