"""Templates in a configuration: expanded when it is read, each in its place and before anything else is checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.config.loading import config_of, loaded, problems_of, warnings_of

_ENTRY = "sync:\n  - source: {}\n    target: {}\n    type: {}\n"


def places(source: str, target: str, kind: str = "repository", **environ: str) -> tuple[str, str]:
    """The places of the only entry of a file."""
    step = loaded(_ENTRY.format(source, target, kind), environ=environ).config.sync[0]
    return step.source, step.target


@pytest.mark.parametrize(
    ("source", "target", "made"),
    [
        ("gcr.io/a/b", """'r.example/{{ index (split .Sync.Source "gcr.io/") 1 }}'""", "r.example/a/b"),
        ("alpine", "'registry:5000/hub/{{ .Sync.Source }}'", "registry:5000/hub/alpine"),
        ("a.example/x", """'{{ env "A" | default "b.example" }}/x'""", "b.example/x"),
        ("a.example/x", """'{{ env "REGISTRY" }}/x'""", "ci.example/x"),
        ("a.example/x", "'b.example/{{ .Sync.Type }}'", "b.example/repository"),
        ("a.example/x", "'b.example/{{ .Step.Type }}'", "b.example/repository"),
        ("a.example/x", """'b.example/{{ time.Now.Format "2006-01" }}'""", "b.example/2024-03"),
        (
            "a.example/x",
            "|-\n      b.example/{{ range split .Sync.Source `/` -}}\n      {{ . }}\n      {{- end }}",
            "b.example/a.examplex",
        ),
    ],
)
def test_a_target_is_made_of_its_entry_and_the_surroundings(source: str, target: str, made: str) -> None:
    assert places(source, target, REGISTRY="ci.example") == (source, made)


def test_a_source_sees_the_target_as_it_is_written_and_a_target_the_source_as_it_came_out() -> None:
    source, target = places("'a.example/{{ len .Sync.Target }}'", "'b.example/{{ .Sync.Source }}'")
    assert (source, target) == ("a.example/28", "b.example/a.example/28")


def test_what_comes_out_is_not_expanded_again() -> None:
    (told,) = problems_of(_ENTRY.format("'a.example/{{ `{{ 1 }}` }}'", "b.example/x", "repository"))
    assert told.startswith("2:13: sync[0].source: invalid reference 'a.example/{{ 1 }}'")


def test_an_entry_has_what_it_inherits() -> None:
    text = "defaults: {interval: 90m}\n" + _ENTRY.format(
        "a.example/x", "'b.example/{{ .Sync.Interval }}'", "repository"
    )
    assert config_of(text).sync[0].target == "b.example/1h30m0s"


def test_what_comes_out_is_what_is_checked() -> None:
    same = _ENTRY.format("a.example/x", "'{{ .Sync.Source }}'", "repository")
    assert problems_of(same) == ["3:13: sync[0].target: the target is the source; expected another place"]
    unset, told = problems_of(_ENTRY.format("a.example/x", "'{{ env `A` }}'", "repository"))
    assert unset.startswith("3:13: sync[0].target: A is not set")
    assert told.startswith("3:13: sync[0].target: missing; expected a repository")


def test_all_texts_of_a_login_are_expanded_and_see_no_entry(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("  hunter2\n")
    text = (
        "creds:\n  - registry: '{{ env `R` }}'\n    hostname: '{{ env `R` }}:5000'\n    user: '{{ lower `ANN` }}'\n"
        f"    pass: '{{{{ file `{tmp_path}/pw` }}}}'\n    token: '{{{{ env `T` | default `t` }}}}'\n"
        "    credHost: '{{ env `R` }}'\n    pathPrefix: '{{ env `R` }}'\n"
        "    credHelper: 'docker-credential-{{ `x` }}'\n"
    )
    (cred,) = loaded(text, environ={"R": "r.example"}).config.creds
    assert (cred.registry, cred.hostname, cred.cred_host, cred.path_prefix) == (
        "r.example", "r.example:5000", "r.example", "r.example",
    )  # fmt: skip
    assert (cred.user, cred.password, cred.token, cred.cred_helper) == ("ann", "hunter2", "t", "docker-credential-x")
    (told,) = problems_of("creds: [{registry: a.example, user: '{{ .Sync.Source }}'}]\n")
    assert told.startswith("1:37: creds[0].user: template, line 1, column 4: no such field in creds")


def test_a_login_whose_registry_comes_to_nothing_is_ignored_as_one_without() -> None:
    assert warnings_of("creds: [{registry: '{{ env `R` }}', user: ann}]\n") == [
        "1:9: creds[0]: Ignoring registry config without a name",
        "1:20: creds[0].registry: R is not set in the environment and has no default, so it is empty",
    ]


@pytest.mark.parametrize("key", ["user", "pass", "token"])
def test_a_login_that_comes_to_nothing_is_refused(key: str) -> None:
    text = f"creds:\n  - registry: a.example\n    {key}: '{{{{ env `HUNTER` }}}}'\n"
    place = f"3:{7 + len(key)}: creds[0].{key}: the template comes to nothing"
    assert problems_of(text) == [f"{place} (HUNTER is not set); expected a text"]
    assert warnings_of(text.replace("HUNTER`", "HUNTER` | default `x`")) == []
    assert problems_of(text.replace("env `HUNTER`", "trimSpace ` `")) == [f"{place}; expected a text"]


def test_a_variable_that_is_not_set_is_named_unless_something_stands_in() -> None:
    text = _ENTRY.format("'a.example/x{{ env `NOWHERE` }}'", "'b.example/x{{ env `B` | default `` }}'", "repository")
    assert warnings_of(text) == [
        "2:13: sync[0].source: NOWHERE is not set in the environment and has no default, so it is empty"
    ]
    text = "creds:\n  - registry: a.example\n    user: 'ann{{ env `NOWHERE` }}'\n"
    assert warnings_of(text) == [
        "3:11: creds[0].user: NOWHERE is not set in the environment and has no default, so it is empty"
    ]


def test_a_variable_that_is_not_set_is_named_beside_what_is_refused_for_it() -> None:
    text = _ENTRY.format("""'a.example/x:{{ env "NOPE" }}'""", "b.example/x:1", "image")
    unset, refused = problems_of(text)
    assert unset.startswith("2:13: sync[0].source: NOPE is not set")
    assert refused.startswith("2:13: sync[0].source: invalid reference")


def test_a_file_that_cannot_be_read_is_named() -> None:
    entry = _ENTRY.format("a.example/x", "'{{ file `/no/where` }}/x'", "repository")
    reason = "template, line 1, column 4: the file cannot be read (no such file or directory): /no/where"
    assert problems_of(entry) == [f"3:13: sync[0].target: {reason}"]
    cred = "creds:\n  - registry: a.example\n    pass: '{{ file `/no/where` }}'\n"
    assert problems_of(cred) == [f"3:11: creds[0].pass: {reason}"]


@pytest.mark.parametrize("name", [".", "/dev/zero", "a\\x00b", "", "/dev/full"])
def test_a_file_that_is_none_is_an_error(name: str) -> None:
    (told,) = problems_of(f"creds: [{{registry: a.example, pass: '{{{{ file \"{name}\" }}}}'}}]\n")
    assert "the file cannot be read" in told


def test_every_template_that_fails_is_told_and_nothing_is_told_twice() -> None:
    text = (
        "creds:\n  - registry: a.example\n    user: '{{ nope }}'\n    pass: '{{ env }}'\n"
        "sync:\n  - {source: '{{ a }}', target: '{{ b }}', type: image}\n"
        "  - {source: '{{ c }}', target: b/c, type: image}\n"
    )
    assert [told.split(": ")[1] for told in problems_of(text)] == [
        "creds[0].user", "creds[0].pass", "sync[0].source", "sync[0].target", "sync[1].source",
    ]  # fmt: skip


def test_an_entry_whose_template_fails_can_be_left_out() -> None:
    text = (
        _ENTRY.format("'{{ nope }}'", "b.example/x", "repository")
        + "  - {source: a/x, target: b/x, type: repository}\n"
    )
    found = loaded(text, skip_invalid_entries=True)
    assert [step.source for step in found.config.sync] == ["a/x"]
    assert found.left_out == 1


def test_the_same_text_of_many_entries_is_expanded_for_each() -> None:
    text = "sync:\n" + "".join(
        f"  - {{source: a.example/x{number}, target: 'b.example/{{{{ .Sync.Source }}}}', type: repository}}\n"
        for number in range(3)
    )
    assert [step.target for step in config_of(text).sync] == [f"b.example/a.example/x{number}" for number in range(3)]


def test_an_anchor_that_several_entries_share_is_expanded_for_each() -> None:
    text = (
        "x-target: &to 'b.example/{{ .Sync.Source }}'\n"
        "sync:\n  - {source: a/x, target: *to, type: repository}\n  - {source: a/y, target: *to, type: repository}\n"
    )
    assert [step.target for step in config_of(text).sync] == ["b.example/a/x", "b.example/a/y"]


def test_a_place_of_referrers_is_made_for_each_entry_that_inherits_it() -> None:
    text = (
        "defaults:\n  referrers: true\n  referrerSource: '{{ .Sync.Source }}/signed'\n"
        "  referrerTarget: 'r/{{ .Sync.Type }}'\n"
        "sync:\n  - {source: a/x, target: b/x, type: repository}\n  - {source: 'a/y:1', target: 'b/y:1', type: image}\n"
    )
    config = config_of(text.replace("{{ .Sync.Source }}/", "{{ index (split .Sync.Source `:`) 0 }}/"))
    assert [(step.referrer_source, step.referrer_target) for step in config.sync] == [
        ("a/x/signed", "r/repository"),
        ("a/y/signed", "r/image"),
    ]
    (told,) = problems_of(text)
    assert told.startswith("7:5: sync[1].referrerSource: ")


def test_a_backup_is_refused_at_its_place_once_however_many_entries_inherit_it() -> None:
    entries = "sync:\n" + "".join(f"  - {{source: a/x{one}, target: b/x{one}, type: repository}}\n" for one in "abc")
    (told,) = problems_of("defaults: {backup: 'old-{{ .Ref.Nope }}'}\n" + entries)
    assert told.startswith('1:20: defaults.backup: template, line 1, column 8: no such field in ref.Ref: "Nope"')
    assert problems_of("defaults: {backup: '{{ if }}'}\n") == [
        "1:20: defaults.backup: template, line 1, column 7: a value is missing"
    ]
    assert problems_of("sync:\n  - {source: a/x, target: b/x, type: repository, backup: '{{ }}'}\n") == [
        "2:58: sync[0].backup: template, line 1, column 4: a value is missing"
    ]
