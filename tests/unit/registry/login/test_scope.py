from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsync.registry.login.scope import CATALOGUE, Scope, in_words, names_in


def test_a_scope_reads_as_token_servers_want_it() -> None:
    assert str(Scope.of_repository("a/b", push=False)) == "repository:a/b:pull"
    assert str(Scope.of_repository("a/b", push=True)) == "repository:a/b:pull,push"
    assert str(CATALOGUE) == "registry:catalog:*"
    assert in_words((Scope.of_repository("a", push=True), CATALOGUE)) == "repository:a:pull,push registry:catalog:*"
    assert in_words(()) == "this request"


def test_only_a_scope_to_pull_is_served_by_a_wider_one() -> None:
    assert Scope.of_repository("a", push=False).wider() == Scope.of_repository("a", push=True)
    assert Scope.of_repository("a", push=True).wider() is None
    assert CATALOGUE.wider() is None


@pytest.mark.parametrize(
    ("challenge", "known", "names"),
    [
        ("", {"a": "a"}, {"a": "a"}),
        ("repository:a:pull", {"a": "a"}, {"a": "a"}),
        ("repository:hub/a:pull", {"a": "a"}, {"a": "hub/a"}),
        ("repository:r.example:5000/a:pull", {"a": "a"}, {"a": "r.example:5000/a"}),
        ("repository:hub/a:pull", {"a": "other/a"}, {"a": "hub/a"}),
        ("repository:a:pull", {"hub/a": "hub/a"}, {"hub/a": "a"}),
        ("repository:a:pull,push repository:a:delete", {"a": "a"}, {"a": "a"}),
        ("repository:x:pull repository:a:pull", {"a": "a"}, {"a": "a"}),
        ("repository:x:pull repository:y:pull", {"a": "a"}, {"a": "a"}),
        ("repository:x:pull repository:hub/a:pull", {"a": "a"}, {"a": "hub/a"}),
        ("repository:hub/a:push repository:hub/b:pull", {"a": "a", "b": "b"}, {"a": "hub/a", "b": "hub/b"}),
        ("repository:hub/b:pull repository:a:pull", {"a": "a", "b": "b"}, {"a": "a", "b": "hub/b"}),
        ("repository:hub/a:pull,push", {"a": "a", "b": "b"}, {"a": "hub/a", "b": "b"}),
        ("repository:x:pull", {"a": "a", "b": "b"}, {"a": "a", "b": "b"}),
        ("registry:catalog:*", {"a": "a"}, {"a": "a"}),
        ("registry:x:pull repository(plugin):y:pull aws * repository:z", {"a": "a"}, {"a": "a"}),
        ("repository::pull", {"a": "a"}, {"a": "a"}),
        (f"repository:{'x' * 513}:pull", {"a": "a"}, {"a": "a"}),
        ("repository:x&scope=y:pull repository:é:pull", {"a": "a"}, {"a": "a"}),
        ("* " * 8 + "repository:hub/a:pull", {"a": "a"}, {"a": "a"}),
        (" " * 4096 + "repository:hub/a:pull", {"a": "a"}, {"a": "a"}),
        ("repository:hub/a:pull", {}, {}),
    ],
)
def test_a_challenge_tells_names_of_repositories_and_nothing_else(
    challenge: str, known: dict[str, str], names: dict[str, str]
) -> None:
    assert names_in(challenge, known) == names


@given(st.text('repositoryabh/:, pullpush*é"\x00'), st.dictionaries(st.sampled_from("abc"), st.sampled_from("abc")))
def test_no_challenge_adds_a_repository_to_those_that_were_asked_for(challenge: str, known: dict[str, str]) -> None:
    assert names_in(challenge, known).keys() == known.keys()
