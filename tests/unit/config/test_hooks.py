"""What `hooks` may say, what is refused of it, and what is shown of it."""

from __future__ import annotations

import pytest
import yaml

from regsync.config.dump import dump_config
from regsync.config.hooks import secrets_in, webhooks_of
from tests.unit.config.loading import STEP, config_of, problems_of, step_of

SLACK = "https://hooks.slack.com/services/T0000/B0000/abcdefghijklmnopqrstuvwx"
_TYPE = "expected exec or webhook"
_URL = "expected a list of one URL: http:// or https://, a host, and no spaces"
_PROGRAM = "missing; expected a list: the program, then each of its arguments"


@pytest.mark.parametrize(
    ("hook", "problem"),
    [
        ("{}", f"5:18: sync[0].hooks.pre.type: missing; {_TYPE}"),
        ("{params: [a]}", f"5:18: sync[0].hooks.pre.type: missing; {_TYPE}"),
        ("{type: exce, params: [a]}", '5:25: sync[0].hooks.pre.type: not a type of hook; did you mean "exec"?'),
        ("{type: script}", "5:25: sync[0].hooks.pre.type: not a type of hook; expected one of exec, webhook"),
        ("{type: EXEC, params: [a]}", '5:25: sync[0].hooks.pre.type: not a type of hook; did you mean "exec"?'),
        ("{type: exec}", f"5:18: sync[0].hooks.pre.params: {_PROGRAM}"),
        ("{type: exec, params: []}", f"5:39: sync[0].hooks.pre.params: {_PROGRAM}"),
        ("{type: exec, params: ['', a]}", f"5:39: sync[0].hooks.pre.params: {_PROGRAM}"),
        ('{type: exec, params: [a, "b\\0"]}', "5:39: sync[0].hooks.pre.params: expected texts without NUL"),
        ("{type: exec, params: notify}", "5:39: sync[0].hooks.pre.params: expected a list, found text"),
        ("{type: exec, params: [[a]]}", "5:40: sync[0].hooks.pre.params[0]: expected text, found a list"),
        ("{type: exec, params: [a], timeout: 5}", "5:53: sync[0].hooks.pre.timeout: 5 is not a duration"),
        ("{type: exec, params: [a], timeout: -5s}", "5:53: sync[0].hooks.pre.timeout: -5s is negative"),
        ("{type: exec, params: [a], tmeout: 5s}", '5:44: sync[0].hooks.pre.tmeout: unknown key; did you mean "time'),
        ("{type: webhook}", f"5:18: sync[0].hooks.pre.params: {_URL}"),
        ("{type: webhook, params: [a.example]}", f"5:42: sync[0].hooks.pre.params: {_URL}"),
        ("{type: webhook, params: ['ftp://a.example']}", f"5:42: sync[0].hooks.pre.params: {_URL}"),
        ("{type: webhook, params: ['https://']}", f"5:42: sync[0].hooks.pre.params: {_URL}"),
        ("{type: webhook, params: ['https:///path']}", f"5:42: sync[0].hooks.pre.params: {_URL}"),
        ("{type: webhook, params: ['https://a b']}", f"5:42: sync[0].hooks.pre.params: {_URL}"),
        ("{type: webhook, params: ['https://[::1']}", f"5:42: sync[0].hooks.pre.params: {_URL}"),
        ("{type: webhook, params: ['https://a.example:99999']}", f"5:42: sync[0].hooks.pre.params: {_URL}"),
        ("{type: webhook, params: ['https://a/', 'https://b/']}", f"5:42: sync[0].hooks.pre.params: {_URL}"),
        ("exec", "5:18: sync[0].hooks.pre: expected a mapping of type, params, timeout, found text"),
    ],
)
def test_a_hook_that_cannot_work_is_refused_with_its_place(hook: str, problem: str) -> None:
    (told,) = problems_of(f"{STEP}    hooks: {{pre: {hook}}}\n")
    assert told.startswith(problem)


@pytest.mark.parametrize("stage", ["pre", "post", "unchanged", "entryPre", "entryPost", "entryUnchanged"])
def test_each_hook_is_checked_in_defaults_too(stage: str) -> None:
    (told,) = problems_of(f"defaults: {{hooks: {{{stage}: {{type: no}}}}}}\n")
    assert told.partition(": ")[2].startswith(f"defaults.hooks.{stage}.type: not a type of hook")


@pytest.mark.parametrize("hook", ["{type: hunter2}", "{type: webhook, params: [hunter2]}", "{type: exec, hunter: x}"])
def test_no_value_of_a_hook_is_quoted(hook: str) -> None:
    assert "hunter2" not in "\n".join(problems_of(f"{STEP}    hooks: {{pre: {hook}}}\n"))


def test_a_hook_has_a_minute_unless_it_is_given_another_time() -> None:
    assert step_of("hooks: {pre: {type: exec, params: [a]}}").hooks.model_dump(mode="json")["pre"]["timeout"] == "1m0s"
    for said, seconds in (("90s", 90.0), ("0s", 60.0)):
        pre = step_of(f"hooks: {{pre: {{type: exec, params: [a], timeout: {said}}}}}").hooks.pre
        assert pre is not None
        assert pre.timeout == seconds


def test_hooks_are_inherited_one_by_one() -> None:
    both = "{hooks: {pre: {type: exec, params: [a]}, entryPost: {type: exec, params: [b]}}}"
    hooks = step_of("hooks: {pre: {type: exec, params: [own]}}", defaults=both).hooks
    assert hooks.pre is not None
    assert hooks.entry_post is not None
    assert (hooks.pre.params, hooks.entry_post.params) == (("own",), ("b",))
    assert hooks.post is hooks.unchanged is hooks.entry_pre is hooks.entry_unchanged is None


_SECRET = "https://ann:hunter22@a.example/in?token=canary-canary&to=ops"
_HOOKS = f"""
defaults:
  hooks:
    post: {{type: webhook, params: ['{_SECRET}']}}
    unchanged: {{type: exec, params: [notify, --quiet]}}
    entryPost: {{type: webhook, params: ['{SLACK}'], timeout: 5s}}
{STEP}"""


def test_of_a_url_only_its_host_is_printed_unless_secrets_are_asked_for() -> None:
    hidden = dump_config(config_of(_HOOKS), show_secrets=False)
    assert [text for text in ("ann", "hunter22", "canary", "T0000", "abcdef") if text in hidden] == []
    for section in (yaml.safe_load(hidden)["defaults"], yaml.safe_load(hidden)["sync"][0]):
        assert section["hooks"] == {
            "post": {"type": "webhook", "params": ["https://a.example/***"], "timeout": "1m0s"},
            "unchanged": {"type": "exec", "params": ["notify", "--quiet"], "timeout": "1m0s"},
            "entryPost": {"type": "webhook", "params": ["https://hooks.slack.com/***"], "timeout": "5s"},
        }


def test_hooks_load_back_as_they_were_printed() -> None:
    printed = dump_config(config_of(_HOOKS), show_secrets=True)
    assert config_of(printed).sync[0].hooks == config_of(_HOOKS).sync[0].hooks


def test_what_lets_one_in_is_known_for_a_secret() -> None:
    assert webhooks_of(config_of(_HOOKS)) == {_SECRET, SLACK}
    assert list(secrets_in(_SECRET)) == [("hunter22", "ann"), ("canary-canary", "")]
    assert [secret for secret, _ in secrets_in(SLACK) if secret] == ["abcdefghijklmnopqrstuvwx"]
