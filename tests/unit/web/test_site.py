from __future__ import annotations

import asyncio
import socket
import stat
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from regsync.errors import ConfigError
from regsync.events import Event, ignore
from regsync.listen import Address
from regsync.web.route import Route
from regsync.web.site import site
from tests.support.clock import FakeClock


async def said(_: web.Request) -> web.Response:
    return web.Response(text="hello\n")


ROUTES = [Route("/said", said)]


def a_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def asked(port: int, path: str = "/said", *, host: str = "", method: str = "GET") -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"http://127.0.0.1:{port}{path}", headers={"Host": host} if host else {}) as answer,
    ):
        return answer.status, await answer.text()


async def test_what_is_served_is_answered_and_nothing_else_while_the_block_lasts() -> None:
    port = a_port()
    async with site(Address("127.0.0.1", port), [], ROUTES, tell=ignore, clock=FakeClock()):
        assert await asked(port) == (200, "hello\n")
        assert (await asked(port, "/other"))[0] == 404
        assert (await asked(port, method="POST"))[0] == 405
    with pytest.raises(aiohttp.ClientConnectorError):
        await asked(port)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:80", "10.1.2.3", "localhost", "LOCALHOST:8080", "[::1]:80", "Mirror.example"]
)
async def test_it_answers_when_asked_by_address_by_localhost_or_by_a_name_it_was_given(host: str) -> None:
    port = a_port()
    async with site(Address("127.0.0.1", port), ["mirror.example"], ROUTES, tell=ignore, clock=FakeClock()):
        assert (await asked(port, host=host))[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example"]
)
async def test_a_page_under_another_name_learns_nothing(host: str) -> None:
    port = a_port()
    async with site(Address("127.0.0.1", port), ["mirror.example"], ROUTES, tell=ignore, clock=FakeClock()):
        status, text = await asked(port, host=host)
    assert (status, "server.hosts" in text, "hello" in text) == (421, True, False)


@pytest.mark.parametrize(
    "head", ["GARBAGE", "GET / HTTP/1.1", "GET / HTTP/1.1\r\nHost: a\r\nHost: b", f"GET / {'x' * 9000}"]
)
async def test_what_is_no_request_is_refused_and_leaves_no_line_in_any_log(
    head: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    port, told = a_port(), list[Event]()
    async with site(Address("127.0.0.1", port), [], ROUTES, tell=told.append, clock=FakeClock()):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{head}\r\n\r\n".encode())
        assert (await reader.readline()).split()[1] == b"400"
        writer.close()
    assert (told, caplog.records, capfd.readouterr()) == ([], [], ("", ""))


async def test_who_hangs_up_in_the_middle_of_an_answer_leaves_no_line_in_any_log(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    port, told, over = a_port(), list[Event](), asyncio.Event()

    async def left(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        assert request.transport is not None
        request.transport.close()  # as when the other side is found to be gone
        over.set()
        await answer.write(b"more")
        return answer

    async with site(Address("127.0.0.1", port), [], [Route("/left", left)], tell=told.append, clock=FakeClock()):
        with pytest.raises(aiohttp.ClientError):
            await asked(port, "/left")
        await over.wait()
    assert (told, caplog.records, capfd.readouterr()) == ([], [], ("", ""))


async def test_a_port_in_use_is_one_clear_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError) as refused:
            async with site(Address("127.0.0.1", port), [], ROUTES, tell=ignore, clock=FakeClock()):
                pytest.fail("it listens")
    assert [*refused.value.problems] == [f"server.listen: cannot listen on 127.0.0.1:{port}: Address already in use"]


async def test_a_socket_is_for_its_owner_and_group_and_gone_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with site(Address(path=str(path)), [], ROUTES, tell=ignore, clock=FakeClock()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as session,
            session.get("http://whatever/said") as answer,
        ):
            assert await answer.text() == "hello\n"
    assert not path.exists()


async def test_a_socket_that_a_killed_process_left_is_taken_over_and_one_in_use_is_not(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    address = Address(path=str(path))
    async with site(address, [], ROUTES, tell=ignore, clock=FakeClock()):
        with pytest.raises(ConfigError, match="another process listens there"):
            async with site(address, [], ROUTES, tell=ignore, clock=FakeClock()):
                pytest.fail("it listens")


async def test_what_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("data")
    with pytest.raises(ConfigError, match="something is there that is no socket"):
        async with site(Address(path=str(path)), [], ROUTES, tell=ignore, clock=FakeClock()):
            pytest.fail("it listens")
    assert path.read_text() == "data"
