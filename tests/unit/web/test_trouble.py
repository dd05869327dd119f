from __future__ import annotations

import aiohttp
import pytest
from aiohttp import web

from regsync.events import Event, Warned
from regsync.listen import Address
from regsync.web.route import Route
from regsync.web.site import site
from tests.support.clock import FakeClock
from tests.support.real import free_port


async def broken(_: web.Request) -> web.Response:
    raise KeyError("canary-canary")


async def asked(path: str, told: list[Event], method: str = "GET") -> tuple[int, str, str]:
    port, routes = free_port(), [Route("/api/v1/broken", broken), Route("/broken", broken)]
    async with (
        site(Address("127.0.0.1", port), [], routes, tell=told.append, clock=FakeClock()),
        aiohttp.ClientSession() as session,
        session.request(method, f"http://127.0.0.1:{port}{path}") as answer,
    ):
        return answer.status, answer.content_type, await answer.text()


@pytest.mark.parametrize(
    ("path", "kind", "said"),
    [
        ("/api/v1/broken", "application/json", '{"error": "a bug in regsync; its log has a line about it"}\n'),
        ("/broken", "text/plain", "a bug in regsync; its log has a line about it\n"),
    ],
)
async def test_a_bug_is_told_in_the_log_and_whoever_asked_sees_nothing_of_it(path: str, kind: str, said: str) -> None:
    told: list[Event] = []
    assert await asked(path, told) == (500, kind, said)
    (warning,) = told
    assert isinstance(warning, Warned)
    assert warning.fields == {"error": "KeyError"}


@pytest.mark.parametrize(
    ("path", "method", "expected"),
    [
        ("/api/v1/none", "GET", (404, "application/json", '{"error": "Not Found"}\n')),
        ("/none", "GET", (404, "text/plain", "Not Found\n")),
        ("/api/v1/broken", "POST", (405, "application/json", '{"error": "Method Not Allowed"}\n')),
    ],
)
async def test_what_is_refused_is_said_in_the_form_of_its_place(
    path: str, method: str, expected: tuple[int, str, str]
) -> None:
    assert await asked(path, [], method) == expected
