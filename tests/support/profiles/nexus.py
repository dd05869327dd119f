"""Nexus: a port for each repository, an inner path in the next page's URL, HEAD that finds nothing, no digests told.

It offers Basic beside Bearer, and behind something that ends TLS it names uploads in plain http.
"""

from __future__ import annotations

from tests.support.fake_registry import Features
from tests.support.odd.lists import LinksAs
from tests.support.odd.looking import HeadSays
from tests.support.odd.profile import Login, Profile, Refusal, Side
from tests.support.odd.pushes import ByTagOnly
from tests.support.odd.uploads import PlacesAs

PROFILE = Profile(
    name="nexus",
    title="Nexus",
    sources=(
        "sonatype/nexus-public#1011",
        "sonatype/nexus-public#117",
        "sonatype/nexus-public#209",
        "sonatype/nexus-public#651",
        "andrey-pohilko/registry-cli#43",
        "merll/docker-registry-util#3",
        "distribution/distribution#3849",
        "ollama/ollama#5298",
        "regclient/regclient#699",
    ),
    features=Features(page_size=100, names_digests=False),
    login=Login(
        path="/v2/token",
        service="nexus.example",
        basic_too=True,
        challenge='Basic realm="Sonatype Nexus Repository Manager", Bearer realm="{realm}",service="nexus.example"',
    ),
    tls=True,
    source=Side(
        "team",
        (
            HeadSays("manifest"),
            LinksAs('<https://127.0.0.1:{port}/repository/docker-proxy{path}?{query}>; rel="next"'),
        ),
        grown=5,
        forced_by="two more pages, three HEADs until GET is taken, two tokens; lists under tags spare two",
    ),
    target=Side(
        "team",
        (PlacesAs("http://127.0.0.1:{port}{path}?{query}"),),
        grown=258,
        forced_by="two tokens; HEAD tells no digest, so what each tag stands for is fetched",
    ),
    refusals=(
        Refusal(
            "a token server with two ports",
            "from",
            ("sends logins to the token server", "it is no URL"),
            login=Login(challenge='Bearer realm="https://127.0.0.1:5002:5002/v2/token",service="nexus.example"'),
        ),
        Refusal(
            "an index whose images are had by tag only",
            "from",
            ("404 MANIFEST_UNKNOWN",),
            (ByTagOnly(),),
            path="app:v1",
        ),
        Refusal(
            "an upload at another host in plain http",
            "to",
            ("sends us from https to plain http at 127.0.0.2",),
            (PlacesAs("http://127.0.0.2:{port}{path}?{query}"),),
        ),
    ),
)
