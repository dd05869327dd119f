"""distribution behind a reverse proxy: uploads in plain http at another port, bodies up to a size, answers packed."""

from __future__ import annotations

from tests.support.odd.fronts import Packs
from tests.support.odd.looking import BlobsFromStorage
from tests.support.odd.profile import Login, Profile, Refusal, Side
from tests.support.odd.uploads import BodiesUpTo, PlacesAs

PROFILE = Profile(
    name="distribution",
    title="distribution behind a reverse proxy",
    sources=(
        "distribution/distribution#479",
        "distribution/distribution#970",
        "distribution/distribution#2572",
        "distribution/distribution#2225",
        "regclient/regclient#699",
        "containers/buildah#4788",
        "quay/quay#1310",
        "https://distribution.github.io/distribution/recipes/nginx/",
    ),
    login=Login("basic"),
    tls=True,
    source=Side(
        "team",
        (Packs(("manifest", "tags"), unasked=True), BlobsFromStorage()),
        grown=-2,
        forced_by="lists of referrers under tags spare two",
    ),
    target=Side(
        "team",
        (PlacesAs("http://127.0.0.1{path}?{query}"), BodiesUpTo(2000)),
        grown=1,
        forced_by="one look for the referrers API",
    ),
    settings={"blobChunk": 1000},
    refusals=(
        Refusal(
            "an upload in plain http at another host",
            "to",
            ("from https to plain http at 127.0.0.2",),
            (PlacesAs("http://127.0.0.2{path}?{query}"),),
        ),
        Refusal("bodies that not even a chunk stays below", "to", ("413",), (BodiesUpTo(900),)),
        Refusal(
            "storage in plain http",
            "from",
            ("from https to plain http",),
            (BlobsFromStorage(to="http://127.0.0.1:1"),),
        ),
    ),
)
