from __future__ import annotations

import pytest

from regsync.config.model import Defaults, Hook, SyncStep
from regsync.config.scalars import Plain
from regsync.oci.mediatype import DOCKER_LIST, OCI_INDEX, SYNCED_BY_DEFAULT
from tests.unit.config.loading import config_of, step_of, warnings_of


def test_a_step_that_says_nothing_has_the_usual_settings() -> None:
    step = step_of()
    assert step.media_types == SYNCED_BY_DEFAULT
    assert (step.schedule, step.interval, step.fast_check, step.referrers) == ("", 0.0, False, False)
    assert (step.ratelimit.min, step.ratelimit.retry) == (0, 300.0)
    assert (step.tags.allow, step.tag_sets, step.repos.deny, step.referrer_filters) == ((), (), (), ())


def test_a_login_that_says_nothing_has_the_usual_settings() -> None:
    (cred,) = config_of("creds: [{registry: a.example}]\n").creds
    assert (cred.hostname, cred.tls, cred.user, cred.password, cred.cred_helper) == ("", "", "", "", "")
    assert (cred.cred_expire, cred.blob_chunk, cred.blob_max) == (3600.0, 1 << 20, -1)
    assert (cred.req_per_sec, cred.req_concurrent, cred.repo_auth) == (0.0, None, False)
    assert cred.api_opts.disable_head is False


def test_a_login_says_everything() -> None:
    text = (
        "creds:\n  - {registry: a.example, hostname: 'b.example:5000', tls: Disabled, user: u, pass: p, token: t,\n"
        "     credHelper: docker-credential-x, credExpire: 5m, credHost: c, pathPrefix: /p/, repoAuth: true,\n"
        "     apiOpts: {disableHead: 'T'}, blobChunk: 5, blobMax: 6, reqPerSec: 0.5, reqConcurrent: 7}\n"
    )
    (cred,) = config_of(text).creds
    assert (cred.hostname, cred.tls, cred.user, cred.password, cred.token) == (
        "b.example:5000",
        "disabled",
        "u",
        "p",
        "t",
    )
    assert (cred.cred_helper, cred.cred_expire, cred.cred_host) == ("docker-credential-x", 300.0, "c")
    assert (cred.path_prefix, cred.repo_auth, cred.api_opts.disable_head) == ("/p/", True, True)
    assert (cred.blob_chunk, cred.blob_max, cred.req_per_sec, cred.req_concurrent) == (5, 6, 0.5, 7)


def test_zero_leaves_the_usual_settings() -> None:
    text = "creds: [{registry: a.example, blobChunk: 0, blobMax: 0, reqConcurrent: 0, reqPerSec: 0, credExpire: 0s}]\n"
    (cred,) = config_of(text).creds
    assert (cred.blob_chunk, cred.blob_max, cred.cred_expire) == (1 << 20, -1, 3600.0)
    assert (cred.req_per_sec, cred.req_concurrent) == (0.0, None)
    defaults = config_of("defaults: {parallel: 0, blobLimit: 0, cacheCount: 0, ratelimit: {min: 0}}\n").defaults
    assert (defaults.parallel, defaults.blob_limit, defaults.cache_count) == (8, 1 << 30, 0)


@pytest.mark.parametrize("said", ["0", "-1", "-100"])
def test_fewer_than_one_image_at_a_time_is_the_usual_number_of_them(said: str) -> None:
    assert config_of(f"defaults: {{parallel: {said}}}\n").defaults.parallel == config_of("").defaults.parallel == 8


def test_secrets_are_not_in_the_repr_of_a_login() -> None:
    config = config_of("creds: [{registry: a.example, pass: hunter2, token: hunter2}]\n")
    assert "hunter2" not in repr(config)


def test_a_login_without_a_registry_is_left_out_and_not_checked() -> None:
    text = "creds: [{user: a, credHelper: nonsense}, {registry: a.example}]\n"
    assert [cred.registry for cred in config_of(text).creds] == ["a.example"]
    assert len(warnings_of(text)) == 1


@pytest.mark.parametrize(
    ("defaults", "own", "schedule", "interval"),
    [
        ("{schedule: '1 * * * *', interval: 1h}", [], "1 * * * *", 0.0),
        ("{interval: 1h}", [], "", 3600.0),
        ("{schedule: '1 * * * *'}", ["interval: 2h"], "", 7200.0),
        ("{schedule: '1 * * * *', interval: 1h}", ["interval: 2h"], "", 7200.0),
        ("{interval: 1h}", ["schedule: '2 * * * *'"], "2 * * * *", 0.0),
        ("{interval: 1h}", ["interval: 0s"], "", 3600.0),
        ("", ["schedule: '2 * * * *'", "interval: 2h"], "2 * * * *", 7200.0),
    ],
)
def test_a_step_with_a_time_of_its_own_takes_none_of_the_defaults(
    defaults: str, own: list[str], schedule: str, interval: float
) -> None:
    step = step_of(*own, defaults=defaults)
    assert (step.schedule, step.interval) == (schedule, interval)


@pytest.mark.parametrize(
    ("defaults", "own", "result"),
    [
        ("{fastCheck: true}", [], True),
        ("{fastCheck: true}", ["fastCheck: false"], False),
        ("{fastCheck: true}", ["fastCheck: ~"], True),
        ("{fastCheck: false}", ["fastCheck: true"], True),
        ("{fastCopy: true}", [], True),
        ("{fastCopy: true, fastCheck: false}", [], False),
        ("{fastCheck: true}", ["fastCopy: false"], False),
        ("", ["fastCopy: true"], True),
        ("", ["fastCopy: true", "fastCheck: false"], False),
        ("", [], False),
    ],
)
def test_a_step_takes_a_boolean_it_does_not_say_and_fast_copy_is_fast_check(
    defaults: str, own: list[str], result: bool
) -> None:
    assert step_of(*own, defaults=defaults).fast_check is result


def test_a_list_of_media_types_replaces_the_default_completely_unless_it_is_empty() -> None:
    defaults = f"{{mediaTypes: [{OCI_INDEX}]}}"
    assert step_of(defaults=defaults).media_types == (OCI_INDEX,)
    assert step_of("mediaTypes: []", defaults=defaults).media_types == (OCI_INDEX,)
    assert step_of(f"mediaTypes: [{DOCKER_LIST}]", defaults=defaults).media_types == (DOCKER_LIST,)


@pytest.mark.parametrize(
    ("defaults", "own", "seconds"),
    [("", [], 300), ("{ratelimit: {retry: 1m}}", [], 300), ("{ratelimit: {retry: 1h}}", [], 3600),
     ("{ratelimit: {retry: 1h}}", ["ratelimit: {retry: 10s}"], 300),
     ("{ratelimit: {retry: 1h}}", ["ratelimit: {retry: 30m}"], 1800)],
)  # fmt: skip
def test_waits_for_a_rate_limit_are_inherited_and_never_shorter_than_five_minutes(
    defaults: str, own: list[str], seconds: float
) -> None:
    assert step_of(*own, defaults=defaults).ratelimit.retry == seconds


_DEFAULTS = Defaults.model_validate(
    {
        "backup": "old",
        "referrers": Plain(value=True, text="true"),
        "referrerFilters": [{"artifactType": "a", "annotations": {"k": None}}],
        "referrerSource": "a/b",
        "ratelimit": {"min": "5"},
        "hooks": {"pre": {"type": "exec"}, "post": {"type": "exec"}},
    }
).settled()


def _filled(**own: object) -> SyncStep:
    return SyncStep.model_validate(own).filled_from(_DEFAULTS, place="regsync.yml:1")


def test_the_keys_of_later_versions_are_inherited_like_the_others() -> None:
    step = _filled()
    assert (step.backup, step.referrers, step.referrer_source, step.ratelimit.min) == ("old", True, "a/b", 5)
    assert step.referrer_filters == _DEFAULTS.referrer_filters
    assert step.hooks == _DEFAULTS.hooks
    own = _filled(backup="new", referrers=Plain(value=False, text="false"), referrerSource="c", ratelimit={"min": "6"})
    assert (own.backup, own.referrers, own.referrer_source, own.ratelimit.min) == ("new", False, "c", 6)


def test_an_empty_list_of_filters_is_said_and_an_absent_one_is_not() -> None:
    assert _filled(referrerFilters=[]).referrer_filters == ()
    assert _filled(referrerFilters=None).referrer_filters == _DEFAULTS.referrer_filters


def test_hooks_are_inherited_one_by_one() -> None:
    hooks = _filled(hooks={"pre": {"type": "webhook"}}).hooks
    assert hooks.pre == Hook.model_validate({"type": "webhook"})
    assert (hooks.post, hooks.unchanged) == (_DEFAULTS.hooks.post, None)


def test_the_settings_of_the_whole_run_are_read() -> None:
    text = "defaults: {parallel: 5, blobLimit: '2e9', skipDockerConfig: true, userAgent: me/1}\n"
    defaults = config_of(text).defaults
    assert (defaults.parallel, defaults.blob_limit) == (5, 2_000_000_000)
    assert (defaults.skip_docker_config, defaults.user_agent) == (True, "me/1")
    usual = config_of("").defaults
    assert (usual.parallel, usual.blob_limit, usual.skip_docker_config, usual.user_agent) == (8, 1 << 30, False, "")


def test_thousands_of_entries_are_read_and_named_by_their_lines() -> None:
    text = "sync:\n" + "".join(
        f"  - source: a.example/team/app:{number}\n    target: b.example/team/app:{number}\n    type: image\n"
        for number in range(7_500)
    )
    steps = config_of(text).sync
    assert len(steps) == 7_500
    assert steps[-1].place == f"<stdin>:{2 + 3 * 7_499}"
