"""Configurations nobody wrote: every key there is, in any combination, with values that are fine."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from regsync.oci.mediatype import SYNCED_BY_DEFAULT

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12).filter(
    lambda text: "{{" not in text
)
WORD = st.sampled_from(["3.10", "010", "0x10", "yes", "true", "~", "null", "1e3", "12:30", "a", "v1", "-", "<<", "*"])
PATTERN = st.sampled_from(["3.10", "v.*", "true", "~", "010", "1e3", "a|b", "", " a", "é", "0", "-"])
HOST = st.sampled_from(["a.example", "b.example:5000", "docker.io", "localhost", "http://c.example", "d.example"])
DURATION = st.sampled_from(["0s", "1h", "90s", "1500ms", "15m", "5ns"])
CRON = st.sampled_from(["", "@daily", "TZ=UTC 1 2 * * *", "*/5 * * * *"])
MEDIA = st.lists(st.sampled_from(SYNCED_BY_DEFAULT), max_size=2)
PEM = st.sampled_from(["", "-----BEGIN X-----\nQUFB\n-----END X-----\n", "-----BEGIN X-----\nQUFB\n-----END X-----"])
NUMBER = st.integers(0, 1 << 40)
MAYBE = st.sampled_from([True, False, None])


def some(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of these keys."""
    return st.fixed_dictionaries({}, optional=keys)


PATTERNS = st.lists(PATTERN, max_size=2)
NAMES = some(allow=PATTERNS, deny=PATTERNS)
CHOICE = some(allow=PATTERNS, deny=PATTERNS, semverRange=st.lists(st.sampled_from([">=1 <2", "", "^3"]), max_size=2))
HOOK = st.sampled_from(
    [
        None,
        {"type": "exec", "params": ["tell", "010"], "timeout": "5s"},
        {"type": "webhook", "params": ["https://hooks.example/a?b=c"]},
    ]
)
FILTER = some(
    artifactType=st.sampled_from(["", "application/x"]),
    annotations=st.dictionaries(WORD, WORD | st.just(""), max_size=2),
)
SHARED = {
    "interval": DURATION, "schedule": CRON, "fastCheck": MAYBE, "mediaTypes": MEDIA,
    "ratelimit": some(min=NUMBER, retry=DURATION), "hooks": some(pre=HOOK, post=HOOK, entryPost=HOOK),
    "referrers": MAYBE, "referrerSlow": MAYBE, "digestTags": MAYBE, "forceRecursive": MAYBE,
    "referrerFilters": st.none() | st.lists(FILTER, max_size=2), "referrerSource": st.sampled_from(["", "c.example/y"]),
    "referrerTarget": st.sampled_from(["", "d.example/y"]), "backup": st.sampled_from(["", "old", "{{.Ref.Tag}}-old"]),
}  # fmt: skip
CRED = st.builds(
    lambda registry, rest: {"registry": registry, **rest},
    HOST,
    some(
        **{"pass": TEXT | WORD},
        hostname=st.just("e.example:1"), tls=st.sampled_from(["", "enabled", "Disabled", "insecure"]), regcert=PEM,
        user=TEXT | WORD, token=TEXT, credHelper=st.just("docker-credential-x"), credExpire=DURATION | NUMBER,
        credHost=WORD, pathPrefix=st.sampled_from(["", "/p/", "a/b"]), repoAuth=MAYBE, scheme=st.just("http"), api=WORD,
        apiOpts=some(disableHead=st.sampled_from([True, False, "1", "f"])), blobChunk=NUMBER,
        mirrors=st.lists(st.just("m.example"), max_size=1), priority=st.integers(0, 9),
        blobMax=NUMBER | st.just(-1), reqPerSec=st.floats(0, 1e6) | NUMBER, reqConcurrent=NUMBER,
    ),
)  # fmt: skip
DEFAULTS = some(
    **SHARED, parallel=NUMBER | st.just(-1), blobLimit=NUMBER, cacheCount=NUMBER, skipDockerConfig=MAYBE,
    skipInvalidEntries=MAYBE, state=TEXT.filter(str.isprintable) | WORD, userAgent=TEXT.filter(str.isprintable) | WORD,
)  # fmt: skip
STEP = st.builds(
    lambda place, rest: {**place, **rest},
    st.sampled_from(
        [
            {"source": "a.example/x", "target": "b.example/x", "type": "repository"},
            {"source": "a.example/x:1", "target": "b.example/x:1", "type": "image"},
            {"source": "a.example", "target": "ocidir://m", "type": "registry"},
        ]
    ),
    some(
        **SHARED,
        tags=CHOICE,
        tagSets=st.lists(CHOICE, max_size=2),
        repos=NAMES,
        fastCopy=MAYBE,
        platforms=st.lists(st.sampled_from(["linux/amd64", ""]), max_size=2),
    ),
)
CONFIG = some(
    version=st.sampled_from([1, "1", None]),
    creds=st.lists(CRED, max_size=3),
    defaults=DEFAULTS,
    sync=st.lists(STEP, max_size=3),
)
