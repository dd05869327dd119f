"""Azure Container Registry: an identity token instead of a password, blobs from a data endpoint, relative next pages.

The storage refuses whoever shows it the registry's token. Busy registries turn requests away for a moment.
"""

from __future__ import annotations

from tests.support.fake_registry import MODERN
from tests.support.odd.looking import BlobsFromStorage, Throttles
from tests.support.odd.profile import Login, Profile, Refusal, Side

PROFILE = Profile(
    name="acr",
    title="Azure Container Registry",
    sources=(
        "Azure/acr#207",
        "Azure/acr#217",
        "Azure/acr#47",
        "Azure/azure-sdk-for-java#33183",
        "Azure/azure-sdk-for-net#34642",
        "Azure/azure-cli#24886",
        "https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md",
    ),
    features=MODERN,
    login=Login(
        path="/oauth2/token",
        service="registry.azurecr.example",
        user="00000000-0000-0000-0000-000000000000",
        identity="refresh-token-of-azure",
        answer_field="access_token",
        lifetime=4500,
    ),
    oddities=(Throttles(every=200, pause="2"), BlobsFromStorage()),
    source=Side("team", grown=5, forced_by="two tokens, two more pages, one request turned away"),
    target=Side("team", grown=4, forced_by="two tokens, two requests turned away"),
    refusals=(
        Refusal("a blob that is not what was asked for", "from", ("sha256:",), spoiled=True),
        Refusal(
            "a data endpoint at the address of a metadata service",
            "from",
            ("169.254.169.254",),
            (BlobsFromStorage(to="http://169.254.169.254"),),
        ),
    ),
)
