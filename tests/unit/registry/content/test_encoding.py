"""Bodies labelled as gzip: a lie that does no harm, the truth, and a bomb."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest

from regsync.errors import IntegrityError, RegsyncError
from regsync.events import Warned
from regsync.registry.http.encoding import coding_of, unpacked
from regsync.registry.http.message import Headers
from regsync.registry.repository import RegistryRepository
from tests.support.built import image_bytes
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Change, ContentEncoding, Fault
from tests.support.images import bytes_of, described, put_built, put_bytes, some_bytes
from tests.unit.registry.content.lab import lab

LAYER = gzip.compress(some_bytes(200_000, "layer"), mtime=0)
GZIP = Headers([("Content-Encoding", "gzip")])
PLAIN = some_bytes(300_000, "plain")


async def had(repository: RegistryRepository, data: bytes) -> bytes:
    """Fetch a blob, once more if the first bytes were not it."""
    try:
        return await bytes_of(repository, described(data))
    except IntegrityError:
        return await bytes_of(repository, described(data))


@pytest.mark.parametrize(
    "label", ["gzip", "x-gzip", "GZIP", "br", "deflate", "aws-chunked", "identity", "gzip, identity", "zstd"]
)
@pytest.mark.parametrize("data", [LAYER, PLAIN])
async def test_a_blob_is_its_bytes_whatever_they_are_labelled(
    fake_registry: FakeRegistry, label: str, data: bytes
) -> None:
    async with lab(fake_registry.host) as at:
        await put_bytes(at.repository(), data)
        fake_registry.fail(Fault(Change({"Content-Encoding": label}), method="GET", kind="blob"))
        assert await bytes_of(at.repository(), described(data)) == data
    assert fake_registry.count(method="GET", kind="blob") == 1


@pytest.mark.parametrize("data", [LAYER, PLAIN, b"tiny"])
async def test_a_blob_that_did_come_packed_is_unpacked(fake_registry: FakeRegistry, data: bytes) -> None:
    async with lab(fake_registry.host) as at:
        repository = at.repository()
        await put_bytes(repository, data)
        fake_registry.fail(Fault(ContentEncoding(), method="GET", kind="blob", times=9))
        assert await had(repository, data) == data
    assert fake_registry.count(method="GET", kind="blob") == 2


async def test_a_blob_is_never_unpacked_beyond_its_length(fake_registry: FakeRegistry) -> None:
    bomb = gzip.compress(bytes(50 << 20))
    async with lab(fake_registry.host) as at:
        repository = at.repository()
        await put_bytes(repository, PLAIN)
        odd = Change({"Content-Encoding": "gzip"}, without=("Content-Length",), body=bomb)
        fake_registry.fail(Fault(odd, method="GET", kind="blob", times=9))
        for _ in range(3):
            with pytest.raises(IntegrityError):
                await bytes_of(repository, described(PLAIN))


@pytest.mark.parametrize("ref", ["v1", "digest"])
async def test_a_manifest_that_came_packed_is_unpacked_and_proved(fake_registry: FakeRegistry, ref: str) -> None:
    image = image_bytes(b"layer")
    fake_registry.seed("app", {"v1": image})
    fake_registry.fail(Fault(ContentEncoding(), method="GET", kind="manifest"))
    async with lab(fake_registry.host) as at:
        digest = described(image.raw).digest
        assert (await at.repository().get_manifest("v1" if ref == "v1" else digest)).raw == image.raw


async def test_a_list_of_tags_that_came_packed_is_unpacked(fake_registry: FakeRegistry) -> None:
    fake_registry.seed("app", {"v1": image_bytes(b"layer")})
    fake_registry.fail(Fault(ContentEncoding(), kind="tags"))
    async with lab(fake_registry.host) as at:
        assert [tag async for tag in at.repository().tags()] == ["v1"]


@pytest.mark.parametrize(
    "body",
    [b"", b"no gzip", gzip.compress(b"cut")[:-1], gzip.compress(bytes(1001)), gzip.compress(bytes(10 << 20))],
    ids=["nothing", "no gzip", "cut off", "a byte too much", "a bomb"],
)
def test_what_is_no_gzip_or_too_much_is_not_unpacked(body: bytes) -> None:
    assert unpacked(body, GZIP, cap=1000) is None


def test_what_just_fits_is_unpacked() -> None:
    assert unpacked(gzip.compress(bytes(1000)), GZIP, cap=1000) == bytes(1000)


@pytest.mark.parametrize("label", ["br", "zstd", "compress", "gzip, gzip", "br, gzip"])
async def test_a_coding_we_cannot_undo_is_named_where_the_bytes_are_not_the_ones(
    fake_registry: FakeRegistry, label: str
) -> None:
    fake_registry.seed("app", {"v1": image_bytes(b"layer")})
    async with lab(fake_registry.host) as at:
        await put_bytes(at.repository(), PLAIN)
        odd = Change({"Content-Encoding": label}, without=("Content-Length",), body=b"packed somehow")
        fake_registry.fail(Fault(odd, method="GET", kind="blob", times=9))
        with pytest.raises(IntegrityError, match=f"came as {label} of another length, which nobody asked for"):
            await bytes_of(at.repository(), described(PLAIN))
        fake_registry.fail(Fault(odd, kind="tags", times=9))
        with pytest.raises(RegsyncError, match=rf"labelled as {label}, unasked"):
            assert [tag async for tag in at.repository().tags()]
        fake_registry.fail(Fault(odd, kind="manifest", times=9))
        with pytest.raises(RegsyncError, match=rf"labelled as {label}, unasked"):
            await at.repository().get_manifest("v1")


@pytest.mark.parametrize(("label", "pack"), [("deflate", zlib.compress), ("gzip, identity", gzip.compress)])
async def test_no_other_coding_holds_more_than_was_asked_for_either(
    fake_registry: FakeRegistry, label: str, pack: Callable[[bytes], bytes]
) -> None:
    async with lab(fake_registry.host) as at:
        await put_bytes(at.repository(), PLAIN)
        odd = Change({"Content-Encoding": label}, without=("Content-Length",), body=pack(bytes(50 << 20)))
        fake_registry.fail(Fault(odd, method="GET", kind="blob", times=9))
        for _ in range(3):
            with pytest.raises(IntegrityError):
                await bytes_of(at.repository(), described(PLAIN))


async def test_what_a_registry_says_against_us_is_read_though_it_is_packed(fake_registry: FakeRegistry) -> None:
    said = gzip.compress(b'{"errors": [{"code": "DENIED", "message": "not on Sundays"}]}')
    async with lab(fake_registry.host) as at:
        fake_registry.fail(Fault(Change({"Content-Encoding": "gzip"}, body=said, status=403), kind="tags"))
        with pytest.raises(RegsyncError, match="not on Sundays"):
            assert [tag async for tag in at.repository().tags()]


async def test_every_request_asks_for_bytes_as_they_are(fake_registry: FakeRegistry) -> None:
    image = image_bytes(b"layer")
    async with lab(fake_registry.host) as at:
        repository = at.repository()
        await put_built(repository, image, tag="v1")
        await repository.get_manifest("v1")
        assert [tag async for tag in repository.tags()] == ["v1"]
        await bytes_of(repository, described(b"layer"))
    assert {asked.method for asked in fake_registry.journal} >= {"GET", "PUT", "POST"}
    assert {asked.headers.get("Accept-Encoding") for asked in fake_registry.journal} == {"identity"}


async def test_that_bodies_are_packed_is_told_once_and_that_a_label_is_a_lie_never(fake_registry: FakeRegistry) -> None:
    fake_registry.seed("app", {"v1": image_bytes(b"layer")})
    async with lab(fake_registry.host) as at:
        repository = at.repository()
        await put_bytes(repository, PLAIN)
        fake_registry.fail(Fault(Change({"Content-Encoding": "gzip"}), times=2))
        await bytes_of(repository, described(PLAIN))
        await repository.get_manifest("v1")
        assert not [event for event in at.told if isinstance(event, Warned)]
        fake_registry.fail(Fault(ContentEncoding(), method="GET", times=9))
        for _ in range(2):
            assert [tag async for tag in repository.tags()] == ["v1"]
            assert await had(repository, PLAIN) == PLAIN
    told = [event.message for event in at.told if isinstance(event, Warned)]
    assert told == ["Registry is odd: bodies come packed (gzip), which nobody asked for; unpacking them"]


def test_a_label_is_a_stranger_s_text() -> None:
    assert coding_of(Headers([("Content-Encoding", f"x\x1b[2J{'y' * 9000}")])) == f"x\\x1b[2j{'y' * 75}"
