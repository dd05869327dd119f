from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsync.registry.login.scope import CATALOGUE, Scope, Scopes, in_words, itself, names_in


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


def texts(names: dict[str, Scopes]) -> dict[str, str]:
    return {ours: " ".join(map(str, theirs)) for ours, theirs in names.items()}


@pytest.mark.parametrize(
    ("challenge", "known", "names"),
    [
        ("", "a", "a"),
        ("repository:a:pull", "a", "a"),
        ("repository:hub/a:pull", "a", "hub/a"),
        ("repository:r.example:5000/a:pull", "a", "r.example:5000/a"),
        ("repository:hub/a:pull", "other/a", "hub/a"),
        ("repository:a:pull", "hub/a", "a"),
        ("repository:a:pull,push repository:a:delete", "a", "a"),
        ("repository:x:pull repository:a:pull", "a", "a x"),
        ("repository:x:pull repository:y:pull", "a", "x y"),
        ("registry:catalog:*", "a", "a"),
        ("registry:x:pull * repository:z aws:x", "a", "a"),
        ("repository::pull", "a", "a"),
        (f"repository:{'x' * 513}:pull", "a", "a"),
        ("repository:x&scope=y:pull repository:é:pull a&b", "a", "a"),
        ("repository(a b):x:pull Repository:x:pull repository(:x:pull", "a", "a"),
        ("* " * 8 + "repository:hub/a:pull", "a", "a"),
        (" " * 4096 + "repository:hub/a:pull", "a", "a"),
    ],
)
def test_a_challenge_tells_the_names_of_a_repository(challenge: str, known: str, names: str) -> None:
    first, *others = names.split()
    expected = " ".join([f"repository:{first}:", *(f"repository:{name}:pull" for name in others)])
    assert texts(names_in(challenge, {"a": itself(known)})) == {"a": expected}


@pytest.mark.parametrize(
    ("challenge", "names"),
    [
        ("repository:hub/a:push repository:hub/b:pull", ("hub/a", "hub/b")),
        ("repository:hub/b:pull repository:a:pull", ("a", "hub/b")),
        ("repository:hub/a:pull,push", ("hub/a", "b")),
        ("repository:x:pull", ("a", "b")),
        ("repository:x:pull repository:a:pull", ("a", "x")),
        ("repository:x:pull repository:y:pull", ("a", "b")),
        ("repository:a:pull repository:b:pull repository:secret:push", ("a", "b")),
    ],
)
def test_of_two_repositories_each_has_what_is_told_of_it(challenge: str, names: tuple[str, str]) -> None:
    found = names_in(challenge, {"a": itself("a"), "b": itself("b")})
    assert tuple(scope.name for theirs in found.values() for scope in theirs) == names


@pytest.mark.parametrize(
    ("challenge", "wanted"),
    [
        ("repository:a:pull,metadata_read", "repository:a:pull,metadata_read"),
        ("repository:a:content/read,metadata/read,*,delete,push", "repository:a:pull,content/read,metadata/read"),
        ("repository(plugin):a:pull", "repository(plugin):a:pull"),
        ("aws", "repository:a:pull aws"),
        ("aws repository:hub/a:pull", "repository:hub/a:pull aws"),
        ("repository:a:metadata_read repository:a:pull", "repository:a:pull,metadata_read"),
    ],
)
def test_what_a_challenge_wants_besides_is_asked_for_as_far_as_it_reads(challenge: str, wanted: str) -> None:
    pull = Scope.of_repository("a", push=False)
    (theirs,) = names_in(challenge, {"a": itself("a")}).values()
    assert " ".join(str(pull.called(each)) for each in theirs) == wanted
    again = names_in("repository:a:pull", {"a": theirs})["a"]
    assert {word for word in ("aws", "metadata_read") if word in wanted} <= set(
        " ".join(map(str, again)).replace(":", " ").replace(",", " ").split()
    )


@given(st.text('repositoryabh/:, pullpushdelete*é"\x00()'), st.sets(st.sampled_from("abc")))
def test_no_challenge_adds_a_key_or_an_action_that_writes(challenge: str, known: set[str]) -> None:
    found = names_in(challenge, {name: itself(name) for name in known})
    assert found.keys() == known
    for name, theirs in found.items():
        pull = Scope.of_repository(name, push=False)
        assert not {"push", "delete", "*"} & {action for one in theirs for action in pull.called(one).actions}
