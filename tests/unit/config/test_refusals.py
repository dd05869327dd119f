"""Bad files, each with the exact place that must be named."""

from __future__ import annotations

import pytest

from regsync.errors import ConfigError
from tests.unit.config.loading import STEP, loaded, problems_of, warnings_of

_IMAGE = "sync:\n  - source: a.example/x:1\n    target: b.example/x:1\n    type: image\n"
_CRED = "creds:\n  - registry: a.example\n"
_PEM = '"-----BEGIN X-----\\nQUFB\\n-----END X-----"'

# (the file, where and what); each of these files has exactly one thing wrong with it.
BAD = [
    # keys
    ("vresion: 1\n", '1:1: vresion: unknown key; did you mean "version"?'),
    ("wrong: 1\n", "1:1: wrong: unknown key; expected one of creds, defaults, server, sync, version"),
    (f"{STEP}    tagss: {{}}\n", '5:5: sync[0].tagss: unknown key; did you mean "tags"?'),
    (f"{STEP}    Tags: {{}}\n", '5:5: sync[0].Tags: unknown key; did you mean "tags"?'),
    (f"{STEP}    tags:\n      alow: [a]\n", '6:7: sync[0].tags.alow: unknown key; did you mean "allow"?'),
    (f"{STEP}    tagSets:\n      - deni: [a]\n", '6:9: sync[0].tagSets[0].deni: unknown key; did you mean "deny"?'),
    (f"{STEP}    repos: {{semverRange: []}}\n", "5:13: sync[0].repos.semverRange: unknown key; expected one of"),
    ("defaults:\n  fastcheck: true\n", '2:3: defaults.fastcheck: unknown key; did you mean "fastCheck"?'),
    ("defaults: {platform: a}\n", "1:12: defaults.platform: unknown key; expected one of backup, "),
    ("defaults:\n  ratelimit: {mni: 1}\n", '2:15: defaults.ratelimit.mni: unknown key; did you mean "min"?'),
    (f"{_CRED}    password: x\n", '3:5: creds[0].password: unknown key; did you mean "pass'),
    (f"{_CRED}    apiOpts: {{disablehead: 1}}\n", '3:15: creds[0].apiOpts.disablehead: unknown key; did you mean "dis'),
    (f"{STEP}    type: image\n", "5:5: sync[0].type: duplicate key, first given at line 4, column 5"),
    *((f"{STEP}    {key}: [a]\n", f"5:5: sync[0].{key}: unknown key; it is one of a fork of regsync")
      for key in ("cleanupTags", "cleanupTagsExclude")),
    # kinds of values
    ("version: 2\n", "1:10: version: unsupported config version 2; expected 1"),
    ("version: one\n", '1:10: version: "one" is not a number'),
    ("sync: {}\n", "1:7: sync: expected a list, found a mapping"),
    ("sync: text\n", "1:7: sync: expected a list, found text"),
    ("sync:\n  - text\n", "2:5: sync[0]: expected a mapping, found text"),
    ("sync:\n  -\n", "2:4: sync[0]: expected a mapping, found nothing"),
    ("creds: {registry: a}\n", "1:8: creds: expected a list, found a mapping"),
    ("creds:\n  - [a]\n", "2:5: creds[0]: expected a mapping, found a list"),
    ("defaults: [a]\n", "1:11: defaults: expected a mapping, found a list"),
    (
        f"{STEP}    tags: [a]\n",
        "5:11: sync[0].tags: expected a mapping of allow, deny, semverRange, found a list; write it as {allow: [...]}",
    ),
    (
        f"{STEP}    tags: latest\n",
        "5:11: sync[0].tags: expected a mapping of allow, deny, semverRange, found text; write it as {allow: [...]}",
    ),
    (f"{STEP}    tags:\n      allow: a\n", "6:14: sync[0].tags.allow: expected a list, found text; write it as ["),
    (f"{STEP}    tags: {{allow: [[a]]}}\n", "5:20: sync[0].tags.allow[0]: expected text, found a list"),
    (f"{STEP}    repos: true\n", "5:12: sync[0].repos: expected a mapping of allow, deny, found a boolean"),
    (f"{STEP}    fastCheck: yes\n", '5:16: sync[0].fastCheck: expected true or false, found "yes"'),
    (f"{STEP}    fastCheck: 'true'\n", '5:16: sync[0].fastCheck: expected true or false, found "true"'),
    (f"{STEP}    interval: -5m\n", "5:15: sync[0].interval: -5m0s is negative"),
    ("defaults:\n  parallel: ten\n", '2:13: defaults.parallel: "ten" is not a number'),
    ("defaults:\n  userAgent: {a: b}\n", "2:14: defaults.userAgent: expected text, found a mapping"),
    ('defaults:\n  userAgent: "a\\r\\nb"\n', "2:14: defaults.userAgent: expected text without control characters"),
    (f"{_CRED}    reqPerSec: many\n", "3:16: creds[0].reqPerSec: expected a number from 0 up, found text"),
    (f"{_CRED}    credExpire: tomorrow\n", "3:17: creds[0].credExpire: "),
    (f"{_CRED}    apiOpts: {{disableHead: perhaps}}\n", "3:28: creds[0].apiOpts.disableHead: expected true or false, "),
    # entries
    (f'{STEP}    name: "a\\tb"\n', "5:11: sync[0].name: expected text without control characters"),
    (f"{STEP}    name: [a]\n", "5:11: sync[0].name: expected text, found a list"),
    (
        f"{STEP}    name: a\n  - name: a\n    source: c/x\n    target: d/x\n    type: image\n",
        "6:11: sync[1].name: also the name of sync[0]; expected one of its own",
    ),
    ("sync:\n  - source: a/x\n    target: b/x\n    type: imgae\n",
     '4:11: sync[0].type: "imgae" is not a type; expected image, repository or registry'),
    ("sync:\n  - source: a/x\n    target: b/x\n    type: [image]\n", "4:11: sync[0].type: a list is not a type; expec"),
    ("sync:\n  - source: a/x\n    target: b/x\n", "2:5: sync[0].type: missing; expected image, repository or registry"),
    ("sync:\n  - target: b/x\n    type: image\n", "2:5: sync[0].source: missing; expected an image such as"),
    ("sync:\n  - source: a/x\n    target: ''\n    type: repository\n", "3:13: sync[0].target: missing; expected a rep"),
    ("sync:\n  - source: A\n    target: b/x\n    type: image\n", "2:13: sync[0].source: invalid reference 'A': "),
    ("sync:\n  - {source: 'http://a/x', target: b/x, type: image}\n", "2:14: sync[0].source: invalid reference 'http"),
    ("sync:\n  - {source: 'ocifile://a', target: b/x, type: image}\n", "2:14: sync[0].source: nothing can open"),
    (f"sync:\n  - {{source: 'a@sha256:{'0' * 32}', target: b/x, type: image}}\n", "2:14: sync[0].source: unsupported "),
    ("sync:\n  - {source: a:1, target: 'docker.io/library/a:1', type: image}\n", "2:27: sync[0].target: the target is"),
    ("sync:\n  - {source: 'a:1', target: b, type: repository}\n", '2:14: sync[0].source: "a:1" names a tag or digest'),
    ("sync:\n  - {source: a, target: 'ocidir://b:1', type: repository}\n", '2:25: sync[0].target: "ocidir://b:1" na'),
    ("sync:\n  - {source: 'ocidir://a/b', target: 'ocidir://a/./b', type: repository}\n", "2:38: sync[0].target: the "),
    ("sync:\n  - {source: a/b, target: b/c, type: registry}\n", "2:14: sync[0].source: invalid registry 'a/b'"),
    ("sync:\n  - {source: 'ocidir://a', target: b/c, type: registry}\n", "2:14: sync[0].source: a layout has no list"),
    ("sync:\n  - {source: a.example, target: 'b.example/', type: registry}\n", '2:33: sync[0].target: "b.example/" is'),
    ("sync:\n  - {source: a.example, target: a.example, type: registry}\n", "2:33: sync[0].target: the target is the"),
    ("sync:\n  - {source: a.example, target: a.example/m, type: registry}\n", "2:33: sync[0].target: inside the sourc"),
    (f"{STEP}    tags: {{allow: [a, '(']}}\n", '5:23: sync[0].tags.allow[1]: "(": the pattern is not RE2 syntax'),
    (f"{STEP}    tagSets: [{{}}, {{deny: ['(?=a)']}}]\n", '5:27: sync[0].tagSets[1].deny[0]: "(?=a)": the pattern'),
    (f"{STEP}    schedule: '61 * * * *'\n", '5:15: sync[0].schedule: "61 * * * *": '),
    ("defaults:\n  schedule: nightly\n", '2:13: defaults.schedule: "nightly": '),
    (f"{STEP}    mediaTypes: [oci]\n", '5:18: sync[0].mediaTypes[0]: "oci" is not a media type; expected type/subtype'),
    (f"{STEP}    platform: linux/*\n", "5:15: sync[0].platform: \"linux/*\": invalid platform 'linux/*': expected os"),
    (f"{STEP}    platform: linux/amd64,os=1\n", '5:15: sync[0].platform: "linux/amd64,os=1": invalid platform'),
    (f"{STEP}    platform: plan9\n", '5:15: sync[0].platform: "plan9": it names no architecture; expected os/arch'),
    (f"{STEP}    platforms: ['', linux/amd64, 'a b']\n", '5:34: sync[0].platforms[2]: "a b": invalid platform'),
    (f"{STEP}    platforms: [linux/amd64, plan9]\n", '5:30: sync[0].platforms[1]: "plan9": it names no architecture'),
    (f"{STEP}    platforms: linux/amd64\n", "5:16: sync[0].platforms: expected a list, found text"),
    (f"{STEP}    platform: [linux/amd64]\n", "5:15: sync[0].platform: expected text, found a list"),
    *((f"{STEP}    backup: '{text}'\n", "5:13: sync[0].backup: no name to keep an image under; expected a tag, or a")
      for text in ("bad tag!", " ", "-old", "x" * 129, "b.example/NO:old", "b.example/app:", "ocidir://", "a:b:c")),
    (f"{STEP}    backup: '{{{{ .Ref.Tag }}'\n", "5:13: sync[0].backup: template, line 1, column "),
    (f"{STEP}    backup: '{{{{ replace .Ref.Tag }}}}'\n", "5:13: sync[0].backup: template, line 1, column "),
    ("defaults: {backup: '{{ end }}'}\n", "1:20: defaults.backup: template, line 1, column "),
    # logins
    ("creds:\n  - registry: a.example:99999\n", "2:15: creds[0].registry: not a registry; expected host"),
    ("creds:\n  - registry: u:p@a.example\n", "2:15: creds[0].registry: not a registry; expected host[:port]"),
    ("creds:\n  - registry: https://http://a\n", "2:15: creds[0].registry: not a registry; expected host[:port], with"),
    ("creds:\n  - registry: a.example..\n", "2:15: creds[0].registry: not a registry; expected host[:port]"),
    ("creds:\n  - registry: ftp://a.example\n", "2:15: creds[0].registry: not a registry; expected host[:port]"),
    ("creds:\n  - registry: u:p@a.example/x\n", "2:15: creds[0].registry: not a registry; expected host[:port]"),
    (f"{_CRED}    mirrors: [b, 'u:p@c']\n", "3:18: creds[0].mirrors[1]: not a registry; expected host[:port], with"),
    (f"{_CRED}    mirrors: b\n", "3:14: creds[0].mirrors: expected a list, found text"),
    (f"{_CRED}    hostname: http://b\n", "3:15: creds[0].hostname: not a host; expected host[:port]"),
    (f"{_CRED}    tls: off\n", "3:10: creds[0].tls: expected enabled, insecure or disabled, found text"),
    (f"{_CRED}    tls: [enabled]\n", "3:10: creds[0].tls: expected enabled, insecure or disabled, found a list"),
    (f"{_CRED}    clientCert: {_PEM}\n", "3:17: creds[0].clientCert: clientCert is of no use without clientKey"),
    (f"{_CRED}    clientKey: {_PEM}\n", "3:16: creds[0].clientKey: clientKey is of no use without clientCert"),
    (f"{_CRED}    credHelper: pass\n", "3:17: creds[0].credHelper: not a helper's name; expected docker-"),
    (f"{_CRED}    credHelper: docker-credential-/../sh\n", "3:17: creds[0].credHelper: "),
    (f'{_CRED}    credHost: "a\\nb"\n', "3:15: creds[0].credHost: expected a host or URL without control characters"),
    (f"{_CRED}    pathPrefix: a/../b\n", "3:17: creds[0].pathPrefix: not a path"),
    (f"{_CRED}    pathPrefix: a?b\n", "3:17: creds[0].pathPrefix: not a path"),
    # templates
    ("sync: [{source: '{{ nope }}/x', target: b/x, type: image}]\n",
     '1:17: sync[0].source: template, line 1, column 4: no such function: "nope"'),
    ("sync: [{source: a/x, target: 'b/{{ .Sync.Sorce }}', type: repository}]\n",
     '1:30: sync[0].target: template, line 1, column 6: no such field in main.ConfigSync: "Sorce"; did you mean "So'),
    ("sync: [{source: a/x, target: '{{ `a` }}/x:1:2', type: image}]\n", "1:30: sync[0].target: "),
    (f"{_CRED}    hostname: '{{{{ `a b` }}}}'\n", "3:15: creds[0].hostname: not a host; expected host[:port]"),
    (f"{_CRED}    pass: '{{{{ env }}}}'\n", "3:11: creds[0].pass: template, line 1, column 4: env wants 1 argument"),
    ("creds: [{registry: '{{ .A }}'}]\n", "1:20: creds[0].registry: template, line 1, column 4: no such field in cre"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "problem"), BAD)
def test_a_bad_file_is_refused_with_its_place(text: str, problem: str) -> None:
    (told,) = problems_of(text)
    assert told.startswith(problem)
    assert "pydantic" not in told
    assert "\n" not in told


@pytest.mark.parametrize(
    "lines",
    [
        "referrers: false", "digestTags: false", "ratelimit: {min: 0, retry: 1m}", "platforms: []", "platform: ''",
        "referrerFilters: []", "hooks: {pre: null}", "hooks: {}", "backup: ''",
    ],
)  # fmt: skip
def test_a_key_of_later_versions_may_say_that_nothing_is_wanted(lines: str) -> None:
    assert warnings_of(f"{STEP}    {lines}\n") == []


def test_several_wrong_values_of_one_list_are_all_told() -> None:
    problems = problems_of(f"{STEP}    tags: {{allow: [[a], b, {{}}]}}\n    tagSets: [a, {{allow: [[b]]}}]\n")
    places = [problem.split(": ")[1] for problem in problems]
    assert places == [
        "sync[0].tags.allow[0]",
        "sync[0].tags.allow[2]",
        "sync[0].tagSets[0]",
        "sync[0].tagSets[1].allow[0]",
    ]


def test_a_message_is_one_line_that_cannot_move_the_cursor() -> None:
    problems = problems_of(f'{STEP}    "a\\e[2Jb\\nc": 1\n    tags: {{allow: ["(\\n\\u202e"]}}\n')
    assert len(problems) == 2
    assert all(problem.isprintable() for problem in problems)


def test_a_cache_needs_both_its_keys() -> None:
    assert warnings_of("defaults: {cacheCount: 5, cacheTime: 1m}\n") == []
    for said, missing in (("cacheCount: 5", "cacheTime"), ("cacheTime: 1m", "cacheCount")):
        key = said.partition(":")[0]
        (warning,) = warnings_of(f"defaults: {{{said}}}\n")
        assert warning.endswith(f": defaults.{key}: {key} has no effect without {missing}")


def test_everything_wrong_is_told_at_once_in_the_order_of_the_file() -> None:
    text = (
        "version: 3\ncreds:\n  - registry: a b\n    tls: no\n    priority: 2\n  - nothing\n"
        "defaults:\n  interval: 5\n  interval: 6\n"
        "sync:\n  - source: A\n    target: b/x\n    type: image\n    tagss: {}\n    fastCheck: on\n"
        "  - source: a\n    type: registries\n    tags: {allow: ['[', 1], deny: {}}\n    schedule: x\n"
    )
    assert [problem.split(": ")[0:2] for problem in problems_of(text)] == [
        ["1:10", "version"],
        ["3:15", "creds[0].registry"],
        ["4:10", "creds[0].tls"],
        ["6:5", "creds[1]"],
        ["9:3", "defaults.interval"],
        ["9:13", "defaults.interval"],
        ["11:13", "sync[0].source"],
        ["14:5", "sync[0].tagss"],
        ["15:16", "sync[0].fastCheck"],
        ["16:5", "sync[1].target"],
        ["17:11", "sync[1].type"],
        ["18:20", "sync[1].tags.allow[0]"],
        ["18:35", "sync[1].tags.deny"],
        ["19:15", "sync[1].schedule"],
    ]


def test_unknown_keys_are_warnings_when_allowed_and_the_rest_is_still_checked() -> None:
    text = f"{STEP}    tagss: {{}}\n    tags: {{alow: []}}\n"
    told = [
        '5:5: sync[0].tagss: unknown key; did you mean "tags"?',
        '6:12: sync[0].tags.alow: unknown key; did you mean "allow"?',
    ]
    assert warnings_of(text, allow_unknown_keys=True) == told
    (problem,) = problems_of(f"{text}    fastCheck: 1\n", allow_unknown_keys=True)
    assert problem == "7:16: sync[0].fastCheck: expected true or false, found 1"


@pytest.mark.parametrize(
    "secret",
    ["[hunter2]", "{hunter2: hunter2}", "{a: hunter2, a: hunter2}", "{hunter2: {hunter2: 1}, hunter2: 2}", "*hunter2",
     "!hunter2 hunter2", "'{{ hunter2 }}'", "{{ hunter2 }}", "&hunter2 [hunter2]", "[*hunter2", "'hunter2",
     '"hunter2\\q"', "%hunter2", "@hunter2", "`hunter2", "{<<: hunter2}", "{<<: {hunter2: 1}}", "hunter2: hunter2"],
)  # fmt: skip
@pytest.mark.parametrize("key", ["user", "pass", "token", "clientKey"])
def test_nothing_under_a_secret_key_is_ever_quoted(key: str, secret: str) -> None:
    try:
        told = loaded(f"{_CRED}    {key}: {secret}\n").warnings
    except ConfigError as error:
        told = error.problems
    assert "hunter2" not in " ".join(told)


def test_a_reference_with_a_login_in_it_is_not_quoted() -> None:
    for kind in ("image", "repository", "registry"):
        text = f"sync: [{{source: 'u:hunter2@a.example/x', target: 'https://u:hunter2@b.example/x', type: {kind}}}]\n"
        problems = problems_of(text)
        assert len(problems) == 2
        assert "hunter2" not in " ".join(problems)


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("creds:\n  - user: a\n", "2:5: creds[0]: Ignoring registry config without a name"),
        ("creds:\n  - ~\n", "2:5: creds[0]: Ignoring registry config without a name"),
        ("creds:\n  - registry: a.example/team\n", "2:15: creds[0].registry: what stands behind the host is cut "),
        ("creds:\n  - registry: https://a.example/v2\n", "2:15: creds[0].registry: what stands behind the host is cut"),
        ("creds:\n  - registry: index.docker.io\n", "2:15: creds[0].registry: read as docker.io, which the Go regsync"),
        (f"{_CRED}    mirrors: [b.example, c.example/hub]\n", "3:26: creds[0].mirrors[1]: what stands behind the host"),
        (f"{_CRED}    mirrors: [b.example, 'https://a.example']\n", "3:26: creds[0].mirrors[1]: a mirror of itself"),
        (f"{_CRED}    scheme: http\n", "3:13: creds[0].scheme: Scheme is deprecated, for http set TLS to disabled"),
        (f"{_CRED}    regcert: /etc/ca.pem\n", "3:14: creds[0].regcert: no PEM text, perhaps the path of a file; what"),
        (f"{_CRED}    regcert: '{{{{ `/ca.pem` }}}}'\n", "3:14: creds[0].regcert: no PEM text, perhaps the path"),
        (f"{_CRED}    regcert: {_PEM.replace('QUFB', 'QUF')}\n", "3:14: creds[0].regcert: damaged PEM text; what"),
        (f"{_CRED}    regcert: {_PEM.replace('QUFB', '')}\n", "3:14: creds[0].regcert: damaged PEM text"),
        (f"{_CRED}    regcert: {_PEM.replace('END X', 'END Y')}\n", "3:14: creds[0].regcert: damaged PEM text"),
        (f"{_CRED}    api: v2\n", "3:10: creds[0].api: api is deprecated and has no effect; remove it"),
        (f"{STEP}    fastCopy: true\n", "5:15: sync[0].fastCopy: fastCopy is read as fastCheck, its name in regsync; "),
        (f"{STEP}    repos: {{allow: [a]}}\n", "5:12: sync[0].repos: repos has no effect on an entry of type reposito"),
        (f"{_IMAGE}    tags: {{allow: [a]}}\n", "5:11: sync[0].tags: tags has no effect on an entry of type image"),
        (f"{_IMAGE}    tagSets: [{{}}]\n", "5:14: sync[0].tagSets: tagSets has no effect on an entry of type image"),
        (f"{STEP}    mediaTypes: [application/vnd.oci.image.index.v2+json]\n",
         '5:18: sync[0].mediaTypes[0]: "application/vnd.oci.image.index.v2+json" is not the type of any image; did yo'),
        (f"{_IMAGE}  - source: a.example/y:1\n    target: b.example/x:1\n    type: image\n",
         "6:13: sync[1].target: b.example/x:1 is also the target of sync[0], from another source"),
    ],
)  # fmt: skip
def test_what_is_probably_not_meant_is_a_warning(text: str, warning: str) -> None:
    (told,) = warnings_of(text)
    assert told.startswith(warning)


def test_one_image_may_be_copied_to_one_target_twice() -> None:
    assert warnings_of(f"{_IMAGE}  - source: a.example/x:1\n    target: b.example/x:1\n    type: image\n") == []


def test_a_registry_may_be_mirrored_into_itself_where_its_copies_are_not_chosen() -> None:
    text = "sync: [{source: a.example, target: a.example/m, type: registry, repos: {deny: ['m/.*']}}]\n"
    assert warnings_of(text) == []


@pytest.mark.parametrize(
    "registry",
    ["a.example", "a.example:5000", "localhost", "[::1]:5000", "docker.io", "https://index.docker.io/v1/",
     "http://a.example:5000", "https://a.example/", "a.example/", "registry", "my_registry:5000", "EXAMPLE"],
)  # fmt: skip
def test_a_login_may_name_its_registry_in_every_known_way(registry: str) -> None:
    assert warnings_of(f"creds: [{{registry: '{registry}', hostname: 'b.example:5000'}}]\n") == []
