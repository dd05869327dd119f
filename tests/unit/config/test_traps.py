"""What regclient's regsync ignores, or reads otherwise than it looks: each such key and value is listed."""

from __future__ import annotations

from contextlib import suppress

import pytest

from regsync.errors import ConfigError
from tests.unit.config.loading import STEP, loaded

_CRED = "creds:\n  - registry: a.example\n"
_IMAGE = "sync:\n  - source: a.example/x:1\n    target: b.example/x:1\n    type: image\n"
_PEM = '"-----BEGIN X-----\\nQUFB\\n-----END X-----"'
_PLAIN = "defaults: {parallel: 3, skipDockerConfig: false}\n"

# (the file, the place, what regclient's regsync does, what becomes of it here)
TRAPS = [
    # keys and YAML
    (f"{STEP}    tagss: {{}}\n", "5:5: sync[0].tagss", "ignores this key", "an error"),
    ("defaults:\n  fastcheck: true\n", "2:3: defaults.fastcheck", "ignores this key", "an error"),
    (f"{_CRED}    apiOpts: {{enableHead: 1}}\n", "3:15: creds[0].apiOpts.enableHead", "ignores this key", "an error"),
    (f"{STEP}    cleanupTags: true\n", "5:5: sync[0].cleanupTags", "ignores this key", "an error"),
    (f"{STEP}    type: image\n", "5:5: sync[0].type", "takes the last of several equal keys", "an error"),
    (f"x-a: &a {{type: image}}\n{STEP}    <<: *a\n", "6:5: sync[0].type", "lets a merge (<<) replace", "the same"),
    (f"x-a: &a {{interval: 1h}}\n{STEP}    <<: [*a]\n", "6:5: sync[0]", "loads no list of mappings to merge", "it is"),
    ("sync: []\n---\nsync: []\n", "3:1", "reads only the first document", "the same"),
    (f"{STEP}    tags: {{allow: [3.10]}}\n", "5:20", 'reads 3.10 as "3.1"', "the same, with a warning"),
    (f"{STEP}    tags: {{allow: [010]}}\n", "5:20", 'reads 010 as "8"', "the same, with a warning"),
    (f"{_CRED}    pass: 1_000\n", "3:11", "reads the number as another text", "the same, with a warning"),
    (f"{STEP}    fastCheck: yes\n", "5:16: sync[0].fastCheck", "takes no word but true and false", "the same"),
    (f"{_CRED}    repoAuth: On\n", "3:15: creds[0].repoAuth", "takes no word but true and false", "the same"),
    # logins
    ("creds: [{user: a}]\n", "1:9: creds[0]", "ignores an item without a registry", "the same"),
    ("creds: [{registry: a.example/b}]\n", "1:20: creds[0].registry", "cuts the path off", "the same, with a warning"),
    ("creds: [{registry: index.docker.io}]\n", "1:20: creds[0].registry", "takes this for another", "it is Docker Hub"),
    (f"{_CRED}    token: '{{{{env \"A\"}}}}'\n", "3:12: creds[0].token", "takes a template here", "it is expanded"),
    (f"{_CRED}    credExpire: 1h\n", "3:17: creds[0].credExpire", "does not load a file with", "a duration is"),
    (f"{_CRED}    credExpire: 90000000000\n", "3:17: creds[0].credExpire", "reads nanoseconds", "the same"),
    (f"{_CRED}    reqConcurrent: 0\n", "3:20: creds[0].reqConcurrent", "keeps its 3 requests", "the number is found"),
    (f"{_CRED}    reqPerSec: -3\n", "3:16: creds[0].reqPerSec", "takes a number below 0 for none", "an error"),
    (f"{_CRED}    priority: 1\n", "3:15: creds[0].priority", "tries the lowest first", "the lowest"),
    (f"{_CRED}    api: v2\n", "3:10: creds[0].api", "ignores this key", "the same, with a warning"),
    (f"{_CRED}    scheme: http\n", "3:13: creds[0].scheme", "ignores this key, with a warning", "the same"),
    (f"{_CRED}    clientCert: {_PEM}\n", "3:17: creds[0].clientCert", "ignores clientCert and clientKey", "an error"),
    (f"{_CRED}    apiOpts: {{disableHead: true}}\n", "3:28: creds[0].apiOpts.disableHead", "never updates", "GET is"),
    (f"{_PLAIN}creds: [{{registry: b.example, mirrors: [m.example]}}]\n{STEP}", "2:40: creds[0].mirrors",
     "asks mirrors whether a target has an image", "a target is asked itself"),
    # defaults
    (f"defaults: {{skipDockerConfig: true}}\n{STEP}", "1:11: defaults.parallel", "runs one entry after", "8 images"),
    (f"defaults: {{skipDockerConfig: true, parallel: 0}}\n{STEP}", "1:46: defaults.parallel", "runs one", "8 images"),
    (f"defaults: {{parallel: 1}}\n{STEP}", "1:11: defaults.skipDockerConfig", "uses docker's logins", "the same"),
    ("defaults: {fastCopy: true}\n", "1:22: defaults.fastCopy", "ignores this key", "it is another name of fastCheck"),
    ("defaults: {ratelimit: {retry: 10s}}\n", "1:31: defaults.ratelimit.retry", "raises this to 5m0s", "the same"),
    ("defaults: {cacheCount: 5}\n", "1:24: defaults.cacheCount", "keeps nothing unless both", "the same"),
    ("defaults: {cacheTime: 5m}\n", "1:23: defaults.cacheTime", "keeps nothing unless both", "the same"),
    ("defaults: {cacheTime: 5m, cacheCount: 5}\n", "1:23: defaults.cacheTime", "keeps what is asked for", "nothing is"),
    ("defaults: {blobLimit: -1}\n", "1:23: defaults.blobLimit", "takes a number below 0 for none", "an error"),
    ("defaults: {skipInvalidEntries: true}\n", "1:32: defaults.skipInvalidEntries", "ignores this key", "entries that"),
    ("defaults: {state: a.db}\n", "1:19: defaults.state", "ignores this key", "the last runs of `server` are kept"),
    ("defaults: {hooks: {post: {type: exec, params: [a]}}}\n", "1:26: defaults.hooks.post", "never runs", "it runs"),
    # entries
    (f"{STEP}    fastCopy: true\n", "5:15: sync[0].fastCopy", "ignores this key", "it is another name of fastCheck"),
    (f"{STEP}    fastCopy: true\n    fastCheck: false\n", "5:15: sync[0].fastCopy", "ignores this key", "fastCheck co"),
    (f"{STEP}    ratelimit: {{min: 1, retry: 4m59s}}\n", "5:32: sync[0].ratelimit.retry", "raises this", "the same"),
    (f"{STEP}    interval: 1h\n    schedule: '@daily'\n", "5:15: sync[0].interval", "ignores this beside", "the same"),
    (f"{STEP}    name: a\n", "5:11: sync[0].name", "ignores this key", "it is what log lines call the entry"),
    (f"{STEP}    repos: {{allow: [a]}}\n", "5:12: sync[0].repos", "ignores repos for type repository", "the same, wit"),
    (f"{_IMAGE}    tagSets: []\n", "5:14: sync[0].tagSets", "ignores tagSets for type image", "the same, with a warn"),
    (f"{STEP}    platform: arm64\n", "5:15: sync[0].platform", "takes what this leaves open from the machine", "the s"),
    (f"{STEP}    platform: linux/arm64\n    digestTags: true\n", "5:15: sync[0].platform", "never looks at", "they ar"),
    (f"{STEP}    referrerSlow: true\n    referrers: true\n", "5:19: sync[0].referrerSlow", "does nothing", "every man"),
    (f"{STEP}    referrerTarget: c.example/x\n", "5:21: sync[0].referrerTarget", "ignores this without", "the same"),
    # choices
    (f"{STEP}    tags: {{allow: ['a|b']}}\n", "5:20: sync[0].tags.allow[0]", 'puts ^ before "a|b"', "the pattern take"),
    (f"{STEP}    tagSets: [{{deny: ['*-x']}}]\n", "5:23: sync[0].tagSets[0].deny[0]", 'puts ^ before "*-x"', "the pat"),
    (f"{STEP}    tags: {{semverRange: ['>1-rc.1']}}\n", "5:26: sync[0].tags.semverRange[0]", "takes prereleases", "th"),
    (f"{STEP}    tags: {{semverRange: ['>=1-alpha <2']}}\n", "5:26: sync[0].tags.semverRange[0]", "takes prer", "they"),
    (f"{STEP}    tags: {{semverRange: ['']}}\n", "5:26: sync[0].tags.semverRange[0]", "ignores an empty range", "the"),
    (f"{STEP}    tags: {{semverRange: ['>=1', '<2']}}\n", "5:25: sync[0].tags.semverRange", "takes what any", "the sa"),
]  # fmt: skip


def traps_of(text: str, *, allow_unknown_keys: bool = False) -> list[str]:
    """What is listed of a file, whether it can be used or not, but for what its defaults alone lead to."""
    traps: list[str] = []
    with suppress(ConfigError):
        loaded(text, allow_unknown_keys=allow_unknown_keys, traps=traps)
    return [line.removeprefix("<stdin>:") for line in traps]


def said(text: str) -> str:
    """The file with what its entries need to have no trap in what it leaves unsaid."""
    return text if text.startswith("defaults:") or "sync" not in text else f"{text}{_PLAIN}"


@pytest.mark.parametrize(("text", "place", "theirs", "here"), TRAPS)
def test_a_trap_is_listed_with_its_place_and_what_both_make_of_it(
    text: str, place: str, theirs: str, here: str
) -> None:
    (line,) = traps_of(text if _PLAIN in text or "---" in text else said(text))
    assert line.startswith(f"{place}: regclient's regsync {theirs}")
    assert f"; here {here}" in line


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{_PLAIN}{STEP}",
        f"{_PLAIN}{STEP}    tags: {{allow: ['v.*', '3.10', '(a|b)'], semverRange: ['>=1.2.3 <2', '>1-rc1', '^3']}}\n",
        f"{_PLAIN}{STEP}    ratelimit: {{min: 5, retry: 5m}}\n    platform: linux/arm64\n    schedule: '@daily'\n",
        f"{_PLAIN}{STEP}    x-mine: 1\n",
        f"x-a: &a {{interval: 1h, type: image}}\n{_PLAIN}sync:\n  - <<: *a\n    source: a/x\n    target: b/x\n",
        "creds: [{registry: docker.io, reqConcurrent: 5}, {registry: 'https://index.docker.io/v1/'}]\n",
        "defaults: {parallel: 8, cacheCount: 0, interval: 1h}\n",
    ],
)
def test_what_both_read_alike_is_not_listed(text: str) -> None:
    assert traps_of(text) == []


def test_unknown_and_duplicate_keys_that_are_allowed_are_listed_as_warnings() -> None:
    lines = traps_of(f"{_PLAIN}{STEP}    tagss: {{}}\n    type: repository\n", allow_unknown_keys=True)
    assert [line.rpartition("; here ")[2] for line in lines] == ["a warning", "a warning"]


def test_nothing_of_a_login_is_quoted() -> None:
    text = "creds: [{registry: 'hunter2/x', api: hunter2, scheme: hunter2, priority: 1, pass: hunter2, hunter2: 1}]\n"
    lines = traps_of(text)
    assert len(lines) == 5
    assert [line for line in lines if "hunter2" in line.partition(": regclient")[2]] == []
