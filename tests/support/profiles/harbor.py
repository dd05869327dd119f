"""Harbor with a proxy project: HEAD of a blob that is not cached yet finds nothing, and upstream's limits come through.

Nobody pushes to a proxy project, the catalogue is for administrators, and images may be kept back by a policy.
"""

from __future__ import annotations

from dataclasses import replace

from tests.support.fake_registry import MODERN
from tests.support.odd.lists import Unlisted
from tests.support.odd.looking import BlobsFromStorage, HeadSays, KeptBack, Throttles
from tests.support.odd.profile import Login, Profile, Refusal, Side
from tests.support.odd.pushes import ReadOnly

PROFILE = Profile(
    name="harbor",
    title="Harbor",
    sources=(
        "goharbor/harbor#22609",
        "goharbor/harbor#12731",
        "goharbor/harbor#12792",
        "goharbor/harbor#18728",
        "goharbor/harbor#15885",
        "goharbor/harbor#20808",
        "goharbor/harbor#22989",
        "spring-attic/spring-cloud-dataflow#4065",
    ),
    features=replace(MODERN, anonymous_mount=False, single_post=False),
    login=Login(path="/service/token", service="harbor-registry", lifetime=1800),
    source=Side(
        "hub/library",
        (
            Throttles(every=100, methods=("GET", "HEAD"), pause="1", message="too many requests to upstream registry"),
            BlobsFromStorage(heads=False),
        ),
        avoided=(HeadSays("blob"),),
        grown=6,
        forced_by="two tokens, two more pages, two requests turned away",
    ),
    target=Side("mirror", (BlobsFromStorage(),), grown=2, forced_by="two tokens"),
    refusals=(
        Refusal(
            "a list of all repositories",
            "from",
            ("refused a fresh token for registry:catalog",),
            (Unlisted("catalog", 401),),
            path="",
        ),
        Refusal(
            "a push to a proxy project",
            "to",
            ("403 DENIED", "can not push artifact to a proxy project"),
            (ReadOnly("mirror", 403, "DENIED", "can not push artifact to a proxy project: mirror"),),
        ),
        Refusal(
            "an image a policy keeps back",
            "from",
            ("412",),
            (KeptBack(412, "PROJECTPOLICYVIOLATION", "current image is vulnerable and cannot be pulled"),),
        ),
    ),
)
