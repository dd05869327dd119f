"""Quay: pages of 50 tags that go on after a token, 401 for what is missing, no referrers API in older ones.

Manifests of media types it does not know are refused.
"""

from __future__ import annotations

from tests.support.built import DOCKER_LIST, DOCKER_MANIFEST
from tests.support.fake_registry import Features
from tests.support.odd.lists import CursorAs, NoReferrersApi, Unlisted
from tests.support.odd.looking import MissingIs
from tests.support.odd.profile import Login, Profile, Refusal, Side
from tests.support.odd.pushes import TakesOnly

PROFILE = Profile(
    name="quay",
    title="Quay",
    sources=(
        "google/go-containerregistry#794",
        "google/go-containerregistry#985",
        "deitch/docker_registry2#56",
        "regclient/regclient#272",
        "quay/quay#3071",
        "oras-project/oras#738",
        "werf/werf#3182",
        "podman-container-tools/skopeo#1180",
    ),
    features=Features(page_size=50),
    login=Login(path="/v2/auth", service="quay.example", answers_post=False),
    oddities=(NoReferrersApi(405, "UNSUPPORTED"),),
    source=Side(
        "org",
        (CursorAs("next_page"),),
        grown=4,
        forced_by="two tokens, four more pages; lists of referrers under tags spare two",
    ),
    target=Side("org", grown=3, forced_by="two tokens, one look for the referrers API"),
    refusals=(
        Refusal(
            "a list of all repositories",
            "from",
            ("refused a fresh token for registry:catalog",),
            (Unlisted("catalog", 401),),
            path="",
        ),
        Refusal(
            "an image that is not there",
            "from",
            ("refused a fresh token for",),
            (MissingIs(401, "UNAUTHORIZED"),),
            path="app:absent",
        ),
        Refusal(
            "manifests of a type it does not know",
            "to",
            ("415 MANIFEST_INVALID",),
            (TakesOnly((DOCKER_MANIFEST, DOCKER_LIST)),),
        ),
    ),
)
