"""Registries that say 401 to a good user and password for a moment, as where LDAP is slow to answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

import pytest

from regsync.errors import AccessDenied, Unavailable
from regsync.registry.http.transport import Request
from regsync.registry.login.scope import Scope
from tests.unit.registry.raw import Answering, Asked, RawServer, Step, says
from tests.unit.registry.speaking import Speaking, speaking, with_login

LOOK = Request("GET", "/v2/a/manifests/v", scopes=(Scope.of_repository("a", push=False),))
WANTED = says(401, b"", ("WWW-Authenticate", 'Basic realm="x"'))


def refusing(*numbers: int | Iterable[int]) -> Answering:
    """Refuse these of the requests that show a login, and all that show none."""
    refused = {one for each in numbers for one in ([each] if isinstance(each, int) else each)}
    shown = iter(range(1, 1000))

    def answer(asked: Asked) -> Step:
        return WANTED if "authorization" not in asked.headers or next(shown) in refused else says(200)

    return answer


async def ask(to: Speaking) -> int:
    return (await to.transport.send(LOOK)).status


async def test_a_login_that_was_taken_before_is_shown_once_more_and_that_is_told() -> None:
    async with RawServer(refusing(2, 4)) as server, speaking(with_login(server.host)) as to:
        assert [await ask(to) for _ in range(3)] == [200, 200, 200]
        assert len(server.asked) == 1 + 5
    assert [event.why for event in to.retried] == ["401 to a user and password that were taken before"] * 2


@pytest.mark.parametrize("attempts", [1, 6])
async def test_a_login_that_is_refused_in_mid_upload_is_shown_again_by_whoever_uploads(attempts: int) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"x"

    scopes = (Scope.of_repository("a", push=True),)
    put = Request("PUT", "/v2/a/blobs/uploads/1", scopes=scopes, attempts=attempts)
    async with RawServer(refusing(2)) as server, speaking(with_login(server.host)) as to:
        look = replace(LOOK, scopes=scopes)
        assert (await to.transport.send(look)).status == 200
        with pytest.raises(Unavailable, match="401 to a user and password that were taken before"):
            await to.transport.pour(put, body(), length=1)
        assert (await to.transport.send(look)).status == 200
        assert len(server.asked) == 1 + 3


async def test_a_look_that_is_worth_one_try_alone_is_not_repeated() -> None:
    async with RawServer(refusing(2)) as server, speaking(with_login(server.host)) as to:
        assert await ask(to) == 200
        with pytest.raises(AccessDenied):
            await to.transport.send(replace(LOOK, attempts=1))
        assert len(server.asked) == 1 + 2


async def test_a_login_that_is_refused_twice_in_a_row_is_refused() -> None:
    async with RawServer(refusing(range(2, 99))) as server, speaking(with_login(server.host)) as to:
        assert await ask(to) == 200
        for _ in range(3):
            with pytest.raises(AccessDenied, match="refused the user name and password for repository:a:pull"):
                await ask(to)
        assert len(server.asked) == 1 + 3


async def test_a_login_that_was_never_taken_is_shown_once() -> None:
    async with RawServer(refusing(range(1, 99))) as server, speaking(with_login(server.host)) as to:
        for _ in range(3):
            with pytest.raises(AccessDenied, match="refused the user name and password"):
                await ask(to)
        assert len(server.asked) == 2
