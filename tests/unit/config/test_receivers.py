"""What `defaults.notify` may say, what is refused of it, and what is shown of it."""

from __future__ import annotations

import sys

import pytest
import yaml

from regsync.config.dump import dump_config
from regsync.config.receivers import Notify, secrets_of
from tests.unit.config.loading import STEP, config_of, loaded, problems_of

_URL = "expected a URL: https://… for a webhook, or one of apprise's such as mailto://…"
SLACK = "https://hooks.slack.com/services/T0000AAAA/B0000BBBB/abcdefghijklmnopqrstuvwx"


def notifying(item: str) -> str:
    return f"defaults:\n  notify:\n  - {item}\n{STEP}"


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        ("{on: [failure]}", f"3:5: defaults.notify[0].url: missing; {_URL}"),
        ("{url: ''}", f"3:11: defaults.notify[0].url: missing; {_URL}"),
        ("{url: hooks.example.org/hunter2}", f"3:11: defaults.notify[0].url: no scheme; {_URL}"),
        ("{url: 'https:/hunter2'}", f"3:11: defaults.notify[0].url: no scheme; {_URL}"),
        ("{url: 'https://'}", f"3:11: defaults.notify[0].url: no host; {_URL}"),
        ("{url: 'https:///hunter2'}", f"3:11: defaults.notify[0].url: no host; {_URL}"),
        ("{url: 'https://[::1'}", f"3:11: defaults.notify[0].url: not a URL; {_URL}"),
        ("{url: 'https://a.example:99999/'}", f"3:11: defaults.notify[0].url: no host; {_URL}"),
        (
            "{url: 'https://a.example/hunter2 x'}",
            f"3:11: defaults.notify[0].url: a space or another character that is no part of a URL; {_URL}",
        ),
        (
            "{url: 'tgram://hunter2'}",
            "3:11: defaults.notify[0].url: not a URL that apprise can send to; its documentat",
        ),
        ("{url: [hunter2]}", "3:11: defaults.notify[0].url: expected text, found a list"),
        (
            "{on: [failure, recoverd], url: 'https://a.example'}",
            '3:20: defaults.notify[0].on[1]: not an event; did you mean "recovered"?',
        ),
        (
            "{on: [everything], url: 'https://a.example'}",
            "3:11: defaults.notify[0].on[0]: not an event; expected one of changed, failure, recovered, stale",
        ),
        (
            "{on: [1], url: 'https://a.example'}",
            "3:11: defaults.notify[0].on[0]: expected one of failure, recovered, c",
        ),
        (
            "{on: failure, url: 'https://a.example'}",
            "3:10: defaults.notify[0].on: expected a list, found text; write it",
        ),
        (
            "{on: [], url: 'https://a.example'}",
            "3:10: defaults.notify[0].on: empty; expected some of failure, recovered",
        ),
        ("{to: x, url: 'https://a.example'}", "3:6: defaults.notify[0].to: unknown key; expected one of on, url"),
        ("https://hunter2.example", "3:5: defaults.notify[0]: expected a mapping of on, url, found text"),
    ],
)
def test_what_cannot_work_is_refused_with_its_place_and_nothing_of_the_url(item: str, problem: str) -> None:
    told = problems_of(notifying(item))
    assert told[0].startswith(problem)
    assert "hunter2" not in "\n".join(told)


def test_one_fault_is_one_line() -> None:
    for item in ("{url: ''}", "{on: [recoverd], url: 'https://a.example'}", "{on: [], url: 'https://a.example'}"):
        assert len(problems_of(notifying(item))) == 1


def test_what_takes_a_library_that_is_not_there_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    (problem,) = problems_of(notifying("{url: 'mailto://ann:hunter2@a.example'}"))
    assert problem.startswith("3:11: defaults.notify[0].url: a URL of this kind takes the library apprise: pip install")
    assert problem.endswith("regsync[notify], or for an image --build-arg EXTRAS=notify")
    assert config_of(notifying(f"{{url: '{SLACK}'}}")).defaults.notify[0].url == SLACK


def test_what_is_told_is_what_matters_unless_it_is_said() -> None:
    first, second = config_of(
        notifying(f"{{url: '{SLACK}'}}\n  - {{on: [changed], url: 'json://localhost'}}")
    ).defaults.notify
    assert (first.on, second.on) == (("failure", "recovered", "stale"), ("changed",))
    assert config_of(notifying(f"{{on: null, url: '{SLACK}'}}")).defaults.notify[0].on == first.on


def test_a_url_is_printed_with_its_host_alone_unless_secrets_are_asked_for() -> None:
    config = config_of(notifying(f"{{url: '{SLACK}'}}\n  - {{url: 'json://hunter2:x@localhost/hunter2'}}"))
    shown = dump_config(config, show_secrets=False)
    assert "hunter2" not in shown
    assert "abcdefgh" not in shown
    assert [one["url"] for one in yaml.safe_load(shown)["defaults"]["notify"]] == [
        "https://hooks.slack.com/***",
        "json://***",
    ]
    again = config_of(dump_config(config, show_secrets=True))
    assert again.defaults.notify == config.defaults.notify


def test_a_template_fetches_a_url_which_is_a_secret() -> None:
    kept: list[str] = []
    found = loaded(notifying("{url: '{{ env \"HOOK\" }}'}"), environ={"HOOK": SLACK}, kept=kept)
    assert found.config.defaults.notify[0].url == SLACK
    assert SLACK in kept


def test_a_template_that_comes_to_nothing_or_to_no_url_is_refused() -> None:
    (nothing,) = problems_of(notifying("{url: '{{ env \"HOOK\" }}'}"))
    assert nothing.startswith("3:11: defaults.notify[0].url: the template comes to nothing (HOOK is not set)")
    (no_url,) = problems_of(notifying("{url: '{{ print \"hunter2\" }}'}"))
    assert no_url == f"3:11: defaults.notify[0].url: no scheme; {_URL}"


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        (SLACK, {"T0000AAAA", "B0000BBBB", "abcdefghijklmnopqrstuvwx"}),
        ("https://ann:p%40ss@a.example/hooks/short?key=canary-1", {"p@ss", "canary-1"}),
        ("tgram://123456789:abcdef_ghi/4711", {"123456789:abcdef_ghi"}),
        ("https://token@a.example/", {"token"}),
        ("ntfys://topic", set()),
    ],
)
def test_the_url_and_what_looks_like_a_token_in_it_are_secrets(url: str, secrets: set[str]) -> None:
    assert {*secrets_of(Notify(url=url))} == {url, *secrets}
