"""The order in which an entry's templates are expanded, and what is found wrong with one for backups."""

from __future__ import annotations

from typing import Any

import pytest

from regsync.config.expansion import Expanded, expand
from regsync.config.model import Config
from regsync.config.problems import Findings, Report
from regsync.config.templated import NOWHERE

_STEP = {"source": "a.example/x", "target": "b.example/x", "type": "repository"}


def expanded(defaults: dict[str, Any] | None = None, **step: Any) -> tuple[Expanded, list[str], list[str]]:
    """What comes of one entry, with errors and warnings."""
    config = Config.model_validate({"defaults": defaults or {}, "sync": [{**_STEP, **step}]})
    findings = Findings()
    result = expand(config, Report(findings, lambda _: (0, 0)), NOWHERE)
    errors, warnings = ([finding.told("f") for finding in found] for found in (findings.errors, findings.warnings))
    return result, errors, warnings


def texts(defaults: dict[str, Any] | None = None, **step: Any) -> dict[str, str]:
    result, errors, _ = expanded(defaults, **step)
    assert errors == []
    return result.steps.get(0, {})


def test_each_place_sees_those_before_it_as_they_came_out() -> None:
    assert texts(
        source="{{ `s` }}/{{ len .Sync.ReferrerSrc }}",
        referrerSource="r/{{ .Sync.Source }}/{{ len .Sync.Target }}",
        target="t/{{ .Sync.Source }}/{{ .Sync.ReferrerSrc }}",
        referrerTarget="{{ .Sync.Source }} {{ .Sync.ReferrerSrc }} {{ .Sync.Target }}",
    ) == {
        "source": "s/43",
        "referrer_source": "r/s/43/44",
        "target": "t/s/43/r/s/43/44",
        "referrer_target": "s/43 r/s/43/44 t/{{ .Sync.Source }}/{{ .Sync.ReferrerSrc }}",
    }


def test_a_template_in_the_defaults_is_expanded_for_each_entry() -> None:
    assert texts({"referrerSource": "{{ .Sync.Source }}/r"}) == {"referrer_source": "a.example/x/r"}
    assert texts({"referrerSource": "{{ .Sync.Source }}/r"}, referrerSource="own") == {}
    _, errors, _ = expanded({"referrerTarget": "{{ xyz }}"})
    assert errors == ['f: defaults.referrerTarget: template, line 1, column 4: no such function: "xyz"']


def test_a_backup_stays_a_template() -> None:
    result, errors, warnings = expanded(backup="old-{{ .Ref.Tag }}", source="{{ `a` }}/x")
    assert (errors, warnings) == ([], [])
    assert result.config.sync[0].backup == "old-{{ .Ref.Tag }}"
    assert result.steps == {0: {"source": "a/x"}}


@pytest.mark.parametrize(
    ("backup", "said"),
    [
        ("{{ .Ref.Nope }}", 'line 1, column 4: no such field in ref.Ref: "Nope"'),
        ("{{ .Sync.Nope }}", 'line 1, column 4: no such field in main.ConfigSync: "Nope"'),
        ("{{ if }}", "line 1, column 7: a value is missing"),
        ("{{ file `/no/where` }}", "line 1, column 4: the file cannot be read (no such file or directory): /no/where"),
        ("{{ range 100000000 }}{{ end }}", "line 1, column 1: not at its end after 100000 steps"),
        ("{{ upper 1 }}", "line 1, column 10: string is wanted here, not a number"),
    ],
)
@pytest.mark.parametrize("kind", ["image", "repository", "registry"])
def test_a_backup_that_can_never_be_named_is_refused(backup: str, said: str, kind: str) -> None:
    target = {"image": "b.example/x:1", "repository": "b.example/x", "registry": "b.example"}[kind]
    _, errors, _ = expanded(backup=backup, type=kind, target=target)
    assert errors == [f"f: sync[0].backup: template, {said}"]
    _, errors, _ = expanded({"backup": backup}, type=kind, target=target)
    assert errors == [f"f: defaults.backup: template, {said}"]


@pytest.mark.parametrize(
    "backup",
    ["{{ index (split .Ref.Tag `-`) 1 }}", "{{ slice .Ref.Tag 20 }}", "{{ time.Parse `2006` .Ref.Tag }}",
     "{{ if eq .Ref.Tag `x` }}{{ .Ref.Nope }}{{ end }}", "{{ .Sync.Hooks.Pre.Type }}"],
)  # fmt: skip
def test_a_backup_that_depends_on_the_image_is_left_to_the_run(backup: str) -> None:
    assert expanded(backup=backup)[1:] == ([], [])


def test_a_backup_tells_of_a_variable_that_is_not_set() -> None:
    _, _, warnings = expanded(backup="{{ env `A` }}{{ .Ref.Tag }}")
    assert warnings == ["f: sync[0].backup: A is not set in the environment and has no default, so it is empty"]
