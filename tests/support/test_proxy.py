"""The proxy passes bytes on as they are, and breaks a line at the byte it was told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.clock import settle
from tests.support.images import some_bytes
from tests.support.proxy import Proxy

DATA = some_bytes(300_000)


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    """A port that sends back what it gets, and closes when nothing more comes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65536):
                writer.write(chunk)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def _sent_and_back(proxy: Proxy, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    back = bytearray()

    async def send() -> None:
        writer.write(data)
        await writer.drain()
        writer.write_eof()

    sending = asyncio.create_task(send())
    try:
        while chunk := await reader.read(65536):
            back += chunk
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
    return bytes(back)


@pytest.mark.parametrize("latency", [0.0, 0.002])
async def test_bytes_pass_as_they_are_and_in_order(echo: int, latency: float) -> None:
    async with Proxy(echo, latency=latency) as proxy:
        assert await asyncio.gather(*(_sent_and_back(proxy, DATA) for _ in range(3))) == [DATA] * 3
        assert proxy.connections == 3


async def test_latency_is_waited_for_each_way(echo: int, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    call_later, delays = loop.call_later, list[float]()

    def noted(delay: float, callback: Any, *arguments: Any, **more: Any) -> asyncio.TimerHandle:
        delays.append(delay)
        return call_later(delay, callback, *arguments, **more)

    monkeypatch.setattr(loop, "call_later", noted)
    async with Proxy(echo, latency=0.02) as proxy:
        assert await _sent_and_back(proxy, b"ping") == b"ping"
    assert delays.count(0.02) == 4  # the ping and the end, each up and down


@pytest.mark.parametrize("after", [0, 1, 1000, len(DATA) - 1])
async def test_the_nth_connection_is_closed_after_so_many_bytes(echo: int, after: int) -> None:
    async with Proxy(echo) as proxy:
        proxy.cut(2, after=after)
        assert await _sent_and_back(proxy, DATA) == DATA
        assert await _sent_and_back(proxy, DATA) == DATA[:after]
        assert await _sent_and_back(proxy, DATA) == DATA


async def test_a_connection_is_cut_on_its_way_up_too(echo: int) -> None:
    async with Proxy(echo) as proxy:
        proxy.cut(1, after=1000, direction="up")
        assert len(await _sent_and_back(proxy, DATA[:2000])) <= 1000


async def test_a_reset_is_a_reset(echo: int) -> None:
    async with Proxy(echo) as proxy:
        proxy.cut(1, after=1000, trouble="reset")
        with pytest.raises(ConnectionResetError):
            await _sent_and_back(proxy, DATA)


async def test_every_connection_is_reset_once_so_many_bytes_have_arrived(echo: int) -> None:
    async with Proxy(echo) as proxy:
        proxy.reset_every(100_000)
        for number in (1, 2, 3):
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.write(DATA)
            assert await reader.readexactly(100_000) == DATA[:100_000]
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()
            assert proxy.passed["down"] == number * 100_000
        assert await _sent_and_back(proxy, DATA[:100_000]) == DATA[:100_000]
        assert proxy.connections == 4


async def test_one_bit_flips_at_its_byte(echo: int) -> None:
    async with Proxy(echo) as proxy:
        proxy.cut(1, after=1000, trouble="flip")
        back = await _sent_and_back(proxy, DATA)
        assert [place for place in range(len(DATA)) if back[place] != DATA[place]] == [1000]


async def test_a_refused_connection_ends_without_a_word(echo: int) -> None:
    async with Proxy(echo) as proxy:
        proxy.refuse(1)
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await reader.read() == b""
        writer.close()
        assert await _sent_and_back(proxy, DATA) == DATA


async def test_nothing_passes_a_partition_until_it_heals(echo: int) -> None:
    async with Proxy(echo) as proxy:
        proxy.partition()
        going = asyncio.create_task(_sent_and_back(proxy, DATA))
        await settle()
        assert not going.done()
        proxy.heal()
        assert await going == DATA


async def test_a_stalled_line_ends_with_the_proxy(echo: int) -> None:
    async with Proxy(echo) as proxy:
        proxy.cut(1, after=1000, trouble="stall")
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(DATA[:2000])
        assert await reader.readexactly(1000) == DATA[:1000]
    assert await reader.read() == b""
    writer.close()
