"""The fake registry's faults do to an exchange what their names say, to that exchange and to no other."""

from __future__ import annotations

import asyncio
import gzip
import socket
from http.client import HTTPConnection, HTTPException, IncompleteRead, RemoteDisconnected

import pytest

from tests.support import faults
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Action, Fault
from tests.support.images import digest_of, image_bytes

LAYER = b"0123456789" * 1000
IMAGE = image_bytes(LAYER)
BLOB = f"/v2/a/b/blobs/{digest_of(LAYER)}"


async def _get(fake: FakeRegistry, path: str = BLOB, *, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    def get() -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection(fake.host, timeout=10)
        try:
            connection.request(method, path, headers={"Accept": "*/*"})
            with connection.getresponse() as response:
                return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        finally:
            connection.close()

    return await asyncio.to_thread(get)


async def _seeded(fake: FakeRegistry, action: Action, *, nth: int = 1, times: int = 1) -> FakeRegistry:
    fake.seed("a/b", {"v1": IMAGE})
    fake.fail(Fault(action, kind="blob", method="GET", nth=nth, times=times))
    return fake


@pytest.mark.parametrize(
    ("action", "status"),
    [
        (faults.Status(503, {"Retry-After": "2"}, b"busy"), 503),
        (faults.Redirect("http://127.0.0.1:1/elsewhere"), 307),
        (faults.Html200(), 200),
        (faults.Change(status=206), 206),
    ],
)
async def test_a_status_is_answered_once_and_then_all_is_well(
    fake_registry: FakeRegistry, action: Action, status: int
) -> None:
    fake = await _seeded(fake_registry, action)
    answered, _, body = await _get(fake)
    assert answered == status
    assert isinstance(action, faults.Change) or body != LAYER
    assert (await _get(fake))[::2] == (200, LAYER)
    assert not fake.faults.waiting


async def test_a_flipped_bit_changes_one_bit_of_the_body(fake_registry: FakeRegistry) -> None:
    fake = await _seeded(fake_registry, faults.BitFlip())
    _, _, body = await _get(fake)
    assert len(body) == len(LAYER)
    assert [one ^ other for one, other in zip(body, LAYER, strict=True) if one != other] == [1]


async def test_an_encoded_body_and_a_longer_one_say_what_they_are(fake_registry: FakeRegistry) -> None:
    fake = await _seeded(fake_registry, faults.ContentEncoding())
    fake.fail(Fault(faults.ExtraBytes(3), kind="blob"))
    _, headers, body = await _get(fake)
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == LAYER
    assert (await _get(fake))[2] == LAYER + b"\0\0\0"


@pytest.mark.parametrize("action", [faults.ResetBefore(), faults.ResetAfter()])
async def test_a_reset_leaves_no_answer(fake_registry: FakeRegistry, action: Action) -> None:
    fake = await _seeded(fake_registry, action)
    with pytest.raises(ConnectionResetError):
        await _get(fake)
    assert fake.asked(kind="blob")[0].status == 0
    assert (await _get(fake))[0] == 200


async def test_a_reset_before_is_not_processed_and_a_reset_after_is(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(Fault(faults.ResetBefore(), kind="upload"))
    fake_registry.fail(Fault(faults.ResetAfter(), kind="upload"))
    for sessions in (0, 1):
        with pytest.raises(ConnectionResetError):
            await _get(fake_registry, "/v2/a/b/blobs/uploads/", method="POST")
        found = fake_registry.repositories.get("a/b")
        assert (len(found.uploads) if found else 0) == sessions


@pytest.mark.parametrize("after", [0, 1, 5000, len(LAYER) - 1])
async def test_a_reset_inside_lets_so_many_bytes_pass(fake_registry: FakeRegistry, after: int) -> None:
    fake = await _seeded(fake_registry, faults.ResetInside(after))

    def received() -> bytes:
        with socket.create_connection(("127.0.0.1", fake.port), timeout=10) as connection:
            connection.sendall(f"GET {BLOB} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            found = b""
            try:
                while chunk := connection.recv(65536):
                    found += chunk
            except ConnectionResetError:
                return found.partition(b"\r\n\r\n")[2]
            return b"the connection was closed and not reset"

    assert await asyncio.to_thread(received) == LAYER[:after]


async def test_half_a_body_announces_the_whole_one(fake_registry: FakeRegistry) -> None:
    fake = await _seeded(fake_registry, faults.HalfBody())
    with pytest.raises(IncompleteRead) as caught:
        await _get(fake)
    assert caught.value.partial == LAYER[: len(LAYER) // 2]


async def test_what_is_not_http_is_not_http(fake_registry: FakeRegistry) -> None:
    fake = await _seeded(fake_registry, faults.NotHttp())
    with pytest.raises(HTTPException) as caught:
        await _get(fake)
    assert not isinstance(caught.value, RemoteDisconnected)


async def test_slow_headers_arrive_in_the_end(fake_registry: FakeRegistry) -> None:
    fake = await _seeded(fake_registry, faults.SlowHeaders(0.0))
    assert (await _get(fake))[::2] == (200, LAYER)


@pytest.mark.parametrize("action", [faults.Stall(), faults.Stall(after_bytes=100)])
async def test_a_stalled_exchange_ends_with_the_registry(action: Action) -> None:
    async with FakeRegistry() as fake:
        await _seeded(fake, action)
        reader, writer = await asyncio.open_connection("127.0.0.1", fake.port)
        writer.write(f"GET {BLOB} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        if action == faults.Stall(after_bytes=100):
            assert len((await reader.readuntil(LAYER[:100])).partition(b"\r\n\r\n")[2]) == 100
        await fake.stalled.wait()
        rest = asyncio.create_task(reader.read())
    with pytest.raises(ConnectionResetError):
        await rest
    writer.close()


async def test_a_fault_waits_for_its_turn_and_lasts_as_often_as_it_was_told(fake_registry: FakeRegistry) -> None:
    fake = await _seeded(fake_registry, faults.Status(500), nth=2, times=2)
    assert [(await _get(fake))[0] for _ in range(4)] == [200, 500, 500, 200]
    assert fake.count(kind="blob", status=500) == 2


async def test_a_fault_of_another_kind_is_not_met(fake_registry: FakeRegistry) -> None:
    fake = await _seeded(fake_registry, faults.Status(500))
    assert (await _get(fake, "/v2/a/b/manifests/v1"))[0] == 200
    assert (await _get(fake, BLOB, method="HEAD"))[0] == 200
    assert len(fake.faults.waiting) == 1


@pytest.mark.parametrize("keep", [True, False])
async def test_a_request_reset_half_way_is_kept_or_not(fake_registry: FakeRegistry, *, keep: bool) -> None:
    session = fake_registry.store.upload_in("a/b")
    fake_registry.fail(Fault(faults.ResetRequest(4, keep=keep), kind="patch"))

    def patch() -> None:
        connection = HTTPConnection(fake_registry.host, timeout=10)
        try:
            connection.request("PATCH", f"/v2/a/b/blobs/uploads/{session}", body=b"12345678")
            connection.getresponse()
        finally:
            connection.close()

    with pytest.raises(ConnectionResetError):
        await asyncio.to_thread(patch)
    assert fake_registry.repositories["a/b"].uploads[session] == bytearray(b"1234" if keep else b"")
