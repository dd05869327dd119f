"""What a registry has taught us, and when that is forgotten."""

from __future__ import annotations

import pytest

from regsync.errors import Unavailable
from tests.support.built import image_bytes
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Change, Fault, Status
from tests.support.images import described, put_built, put_bytes, some_bytes
from tests.unit.registry.content.lab import Lab, lab

HOUR = 3600.0
DATA = some_bytes(300_000, "learnt")


async def look(at: Lab, *, kind: str) -> None:
    """Ask for something that is there by HEAD, and get the right answer whatever HEAD says."""
    if kind == "manifest":
        assert await at.repository().head_manifest("v1") is not None
    else:
        assert await at.repository().has_blob(described(b"layer"))


def methods(fake: FakeRegistry) -> list[str]:
    found = [each.method for each in fake.journal]
    fake.journal.clear()
    return found


@pytest.fixture
def filled(fake_registry: FakeRegistry) -> FakeRegistry:
    fake_registry.seed("app", {"v1": image_bytes(b"layer")})
    return fake_registry


@pytest.mark.parametrize("kind", ["manifest", "blob"])
@pytest.mark.parametrize("status", [405, 501])
async def test_one_refused_head_is_answered_by_a_get_and_decides_nothing_else(
    filled: FakeRegistry, kind: str, status: int
) -> None:
    filled.fail(Fault(Status(status), method="HEAD", kind=kind))
    async with lab(filled.host) as at:
        for _ in range(10):
            await look(at, kind=kind)
    assert methods(filled) == ["HEAD", "GET", *["HEAD"] * 9]


@pytest.mark.parametrize("kind", ["manifest", "blob"])
async def test_three_refused_heads_in_a_row_decide_for_an_hour(filled: FakeRegistry, kind: str) -> None:
    filled.fail(Fault(Status(405), method="HEAD", times=3))
    async with lab(filled.host) as at:
        for _ in range(5):
            await look(at, kind=kind)
        assert methods(filled) == [*["HEAD", "GET"] * 3, "GET", "GET"]
        await at.clock.advance(HOUR - 1)
        await look(at, kind=kind)
        assert methods(filled) == ["GET"]
        await at.clock.advance(1)
        await look(at, kind=kind)
    assert methods(filled) == ["HEAD"]


@pytest.mark.parametrize("kind", ["manifest", "blob"])
async def test_refused_heads_with_answers_between_them_decide_nothing(filled: FakeRegistry, kind: str) -> None:
    async with lab(filled.host) as at:
        for _ in range(4):
            filled.fail(Fault(Status(405), method="HEAD", kind=kind))
            await look(at, kind=kind)
            await look(at, kind=kind)
    assert methods(filled) == ["HEAD", "GET", "HEAD"] * 4


async def test_heads_of_blobs_and_of_manifests_are_different_things(filled: FakeRegistry) -> None:
    filled.fail(Fault(Status(405), method="HEAD", kind="blob", times=99))
    async with lab(filled.host) as at:
        for _ in range(4):
            await look(at, kind="manifest")
            await look(at, kind="blob")
    assert methods(filled).count("HEAD") == 4 + 3


async def test_what_is_missing_is_missing_by_get_too(filled: FakeRegistry) -> None:
    filled.fail(Fault(Status(405), method="HEAD", times=2))
    async with lab(filled.host) as at:
        assert await at.repository().head_manifest("v2") is None
        assert not await at.repository().has_blob(described(b"nothing"))


async def test_that_large_bodies_are_refused_is_forgotten_after_an_hour(fake_registry: FakeRegistry) -> None:
    async with lab(fake_registry.host, blob_chunk=100_000) as at:
        fake_registry.fail(Fault(Status(413), kind="commit"))
        with pytest.raises(Unavailable, match="chunks from now on"):
            await put_bytes(at.repository(), DATA)
        await put_bytes(at.repository(), DATA)
        assert fake_registry.count(method="PATCH") == 3
        await at.clock.advance(HOUR)
        await put_bytes(at.repository(), DATA[1:])
    assert fake_registry.count(method="PATCH") == 3


async def test_a_demanded_chunk_length_is_forgotten_after_an_hour(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(Fault(Change({"OCI-Chunk-Min-Length": "200000"}), kind="upload"))
    async with lab(fake_registry.host, blob_max=0, blob_chunk=50_000) as at:
        await put_bytes(at.repository(), DATA)
        await put_bytes(at.repository(), DATA[1:])
        await at.clock.advance(HOUR)
        await put_bytes(at.repository(), DATA[2:])
    assert [one.bytes_in for one in fake_registry.asked(method="PATCH")] == [
        *(200_000, 100_000),
        *(200_000, 99_999),
        *(*[50_000] * 5, 49_998),
    ]


async def test_a_demanded_chunk_length_is_obeyed_within_what_we_hold_in_memory(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(Fault(Change({"OCI-Chunk-Min-Length": "9" * 19}), kind="upload"))
    async with lab(fake_registry.host, blob_max=0, blob_chunk=50_000) as at:
        await put_built(at.repository(), image_bytes(DATA))
    assert fake_registry.count(method="PATCH") == 2
