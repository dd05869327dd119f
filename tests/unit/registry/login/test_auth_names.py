"""A registry may know a repository by another path than the one it is asked under; its challenge says by which."""

from __future__ import annotations

from dataclasses import replace

import pytest

from regsync.errors import AccessDenied
from regsync.registry.login.auth import TokenAnswer
from regsync.registry.login.scope import CATALOGUE
from tests.unit.registry.login.auth_lab import BASIC, BEARER, LOGIN, PULL, PUSH, Lab, granted, pull, push, texts


def naming(*scopes: object, error: str = "") -> str:
    """A challenge that names these scopes."""
    more = f',error="{error}"' if error else ""
    return f'{BEARER},scope="{" ".join(map(str, scopes))}"{more}'


async def test_a_token_is_bought_for_the_repository_the_challenge_names() -> None:
    lab = Lab(LOGIN)
    assert await lab.refused(PULL, naming(pull("hub/a/b"))) == "Bearer T1"
    assert lab.scopes() == [["repository:hub/a/b:pull"]]


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ("repository(plugin):a/b:pull", ["repository(plugin):a/b:pull"]),
        ("repository:a/b:metadata_read", ["repository:a/b:pull,metadata_read"]),
        ("aws", ["repository:a/b:pull", "aws"]),
        ("repository:front:pull repository:back:pull", ["repository:front:pull", "repository:back:pull"]),
        ("repository:base:pull,push repository:a/b:pull", ["repository:a/b:pull", "repository:base:pull"]),
    ],
)
async def test_what_a_challenge_wants_is_asked_for(told: str, wanted: list[str]) -> None:
    lab = Lab(LOGIN)
    assert await lab.refused(PULL, naming(told)) == "Bearer T1"
    assert lab.scopes() == [wanted]


async def test_an_action_to_read_that_is_asked_for_later_is_asked_for_from_then_on() -> None:
    lab = Lab(LOGIN)
    await lab.refused(PULL, naming(*PULL))
    lab.auth.accepted(PULL, sent="Bearer T1")
    assert await lab.refused(PULL, naming("repository:a/b:metadata_read"), sent="Bearer T1") == "Bearer T2"
    assert await lab.refused(PULL, naming(*PULL), sent=None) == "Bearer T2"
    assert lab.scopes()[1] == ["repository:a/b:pull,metadata_read"]


async def test_to_push_is_asked_for_at_one_repository_whatever_a_challenge_names() -> None:
    lab = Lab(LOGIN)
    await lab.refused(PUSH, naming("repository:victim:pull,push", "repository:hub/a/b:pull,push", "repository:c:*"))
    assert lab.scopes() == [["repository:hub/a/b:pull,push", "repository:victim:pull", "repository:c:pull"]]


async def test_a_repository_called_as_the_catalogue_is_takes_nothing_from_it() -> None:
    lab = Lab(LOGIN)
    await lab.refused((pull("catalog"),), naming(pull("hub/catalog")))
    await lab.auth.header((CATALOGUE,))
    assert lab.scopes() == [["repository:hub/catalog:pull"], ["registry:catalog:*"]]


async def test_the_name_is_learnt_so_that_to_push_is_asked_for_at_once() -> None:
    lab = Lab(LOGIN)
    await lab.refused(PULL, naming(pull("hub/a/b")))
    assert await lab.auth.header(PUSH) == "Bearer T2"
    assert lab.scopes()[1] == ["repository:hub/a/b:pull,push"]


@pytest.mark.parametrize("offered", ["pull", "push", "pull,push,delete", "*", "", "pull push"])
async def test_a_challenge_neither_widens_nor_narrows_what_is_asked_for(offered: str) -> None:
    for ours in (PULL, PUSH):
        for path in ("a/b", "hub/a/b"):
            lab = Lab(LOGIN)
            await lab.refused(ours, naming(f"repository:{path}:{offered}"))
            assert lab.scopes() == [[str(replace(ours[0], name=path))]]


async def test_a_mount_is_asked_for_with_both_repositories_as_the_registry_calls_them() -> None:
    both = (push("a"), pull("b"))
    lab = Lab(LOGIN)
    await lab.refused(both, naming(push("hub/a"), pull("hub/b"), "repository:c:push"))
    assert lab.scopes() == [texts(push("hub/a"), pull("hub/b"))]
    await lab.auth.header((pull("b"),))
    assert lab.scopes()[1] == texts(pull("hub/b"))


async def test_where_repositories_go_by_other_names_each_one_is_heard_of_once_before_a_token_is_bought() -> None:
    lab = Lab(LOGIN)
    await lab.refused(PULL, naming(pull("hub/a/b")))
    other = (pull("c"),)
    assert await lab.auth.header(other) is None
    assert await lab.refused(other, naming(pull("other/c"))) == "Bearer T2"
    assert await lab.auth.header(other) == "Bearer T2"
    silent = (pull("d"),)
    assert await lab.auth.header(silent) is None
    assert await lab.refused(silent, BEARER) == "Bearer T3"
    assert lab.scopes() == [["repository:hub/a/b:pull"], ["repository:other/c:pull"], ["repository:d:pull"]]


async def test_where_repositories_keep_their_names_no_other_one_needs_a_challenge() -> None:
    lab = Lab(LOGIN)
    await lab.refused(PULL, naming(*PULL))
    assert await lab.auth.header((pull("c"),)) == "Bearer T2"


async def test_a_catalogue_is_asked_for_whatever_the_names_are() -> None:
    lab = Lab(LOGIN)
    await lab.refused(PULL, naming(pull("hub/a/b")))
    assert await lab.auth.header((CATALOGUE,)) == "Bearer T2"
    assert lab.scopes()[1] == ["registry:catalog:*"]


async def test_a_name_told_with_the_refusal_of_a_token_is_taken_and_the_new_token_proves_good() -> None:
    lab = Lab(LOGIN)
    await lab.refused(PULL)
    assert await lab.refused(PULL, naming(pull("hub/a/b"), error="insufficient_scope"), sent="Bearer T1") == "Bearer T2"
    lab.auth.accepted(PULL, sent="Bearer T2")
    assert await lab.refused(PULL, naming(pull("hub/a/b")), sent="Bearer T2") == "Bearer T3"
    assert lab.scopes() == [texts(*PULL), ["repository:hub/a/b:pull"], ["repository:hub/a/b:pull"]]


async def test_a_registry_whose_challenge_is_a_mere_example_gets_the_name_it_was_asked_under() -> None:
    lab = Lab(LOGIN)
    example = naming("repository:user/image:pull")
    await lab.refused(PULL, example)
    assert await lab.refused(PULL, example, sent="Bearer T1") == "Bearer T2"
    lab.auth.accepted(PULL, sent="Bearer T2")
    assert lab.scopes() == [["repository:user/image:pull"], texts(*PULL)]
    assert await lab.refused(PULL, BEARER, sent="Bearer T2") == "Bearer T3"
    assert lab.scopes()[2] == texts(*PULL)


async def test_a_registry_that_names_another_repository_every_time_is_refused_like_any_other() -> None:
    lab = Lab(LOGIN)
    for number in range(2):
        assert await lab.refused(PULL, naming(pull(f"x{number}")), sent=f"Bearer T{number}") == f"Bearer T{number + 1}"
    with pytest.raises(AccessDenied, match="refused a fresh token for repository:a/b:pull"):
        await lab.refused(PULL, naming(pull("x2")), sent="Bearer T2")
    with pytest.raises(AccessDenied):
        await lab.auth.header(PULL)
    assert len(lab.asked) == 2


async def test_a_refusal_of_the_token_server_speaks_of_the_repository_by_our_name() -> None:
    lab = Lab(LOGIN)
    lab.script = lambda _, number: granted(number) if number == 1 else TokenAnswer(403, b"")
    await lab.refused((pull("c"),))
    with pytest.raises(AccessDenied, match="for repository:a/b:pull"):
        await lab.refused(PULL, naming(pull("hub/a/b")))


async def test_names_do_not_pile_up() -> None:
    lab = Lab(LOGIN)
    for number in range(3000):
        await lab.auth.challenged((pull(f"a{number}"),), [naming(pull(f"hub/a{number}"))], sent=None)
    (area,) = lab.auth._areas
    assert len(area._names) <= 1024
    assert await lab.auth.header((pull("a0"),)) is None
    assert await lab.auth.header((pull("a2999"),)) == "Bearer T1"


async def test_a_registry_that_wants_a_password_is_not_asked_for_names() -> None:
    lab = Lab(LOGIN)
    await lab.refused(PULL, BASIC)
    assert str(await lab.auth.header((pull("c"),))).startswith("Basic ")
