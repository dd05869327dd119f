"""GitLab: tokens from another host that last a minute, repositories below projects, blobs in object storage.

No list of repositories for anybody; what lies below no project is denied rather than missing.
"""

from __future__ import annotations

from tests.support.fake_registry import Features
from tests.support.odd.lists import Unlisted
from tests.support.odd.looking import BlobsFromStorage, MissingIs
from tests.support.odd.profile import Login, Profile, Refusal, Side
from tests.support.odd.pushes import ReadOnly

_LOGIN = Login(path="/jwt/auth", service="container_registry", lifetime=60, answers_post=False)

PROFILE = Profile(
    name="gitlab",
    title="GitLab",
    sources=(
        "containers/image#1265",
        "target/portauthority#12",
        "portainer/portainer#2956",
        "podman-container-tools/skopeo#2484",
        "google/go-containerregistry#1393",
        "moby/moby#50065",
        "https://docs.gitlab.com/user/packages/container_registry/",
    ),
    features=Features(page_size=100),
    login=_LOGIN,
    oddities=(BlobsFromStorage(),),
    source=Side(
        "group/project", grown=2, forced_by="two tokens, two more pages; lists of referrers under tags spare two"
    ),
    target=Side(
        "group/project/mirror", (MissingIs(403),), grown=3, forced_by="two tokens, one look for the referrers API"
    ),
    refusals=(
        Refusal(
            "a list of all repositories",
            "from",
            ("refused a fresh token for registry:catalog",),
            (Unlisted("catalog", 401),),
            path="",
        ),
        Refusal(
            "a repository below no project",
            "to",
            ("403 DENIED", "requested access to the resource is denied"),
            (ReadOnly("group", 403, "DENIED", "requested access to the resource is denied"),),
        ),
        Refusal(
            "a token server at the address of a metadata service",
            "from",
            ("sends logins to the token server", "169.254.169.254", "refused"),
            login=Login(path="/jwt/auth", challenge='Bearer realm="http://169.254.169.254/jwt/auth",service="gitlab"'),
        ),
    ),
)
