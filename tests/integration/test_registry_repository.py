"""What registries do that the contract does not know of: phantom mounts, chunks, sessions, HEAD switched off."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from regsync.errors import IntegrityError, NotFound, Refused, Unavailable, Unsupported
from regsync.events import ignore
from regsync.limits import Limits
from regsync.oci.digest import Digest
from regsync.oci.reference import RegistryReference
from regsync.registry.host import HostSettings
from regsync.registry.registries import Registries
from regsync.registry.repository import RegistryRepository
from tests.support.built import image_bytes, some_bytes
from tests.support.clock import FakeClock
from tests.support.fake_registry import MANNER, MODERN, FakeRegistry
from tests.support.faults import Change, Fault, KeepPart, ResetRequest, Status
from tests.support.images import bytes_of, described, put_blob, put_built, verified_once


@asynccontextmanager
async def repository(fake: FakeRegistry, path: str = "app", **settings: object) -> AsyncIterator[RegistryRepository]:
    host = replace(HostSettings(name=fake.host, hostname=fake.host, tls="disabled"), **settings)  # type: ignore[arg-type]  # a test's own words
    clock = FakeClock(instant=True)
    async with Registries(
        {fake.host: host}, MANNER, limits=Limits(lambda name: None), clock=clock, tell=ignore
    ) as registries:
        yield registries.repository(RegistryReference(fake.host, path), push=True)


async def test_a_blob_goes_up_in_chunks_of_the_configured_size(fake_registry: FakeRegistry) -> None:
    data = some_bytes(250_000)
    async with repository(fake_registry, blob_max=0, blob_chunk=100_000) as target:
        await put_blob(target, verified_once(data))
        assert await bytes_of(target, described(data)) == data
    assert [one.bytes_in for one in fake_registry.asked(method="PATCH")] == [100_000, 100_000, 50_000]


@pytest.mark.parametrize("kept", [0, 1, 30_000, 99_999])
async def test_a_chunk_the_registry_kept_partly_is_continued_where_it_stands(
    fake_registry: FakeRegistry, kept: int
) -> None:
    data = some_bytes(250_000)
    fake_registry.fail(Fault(KeepPart(kept), kind="patch", nth=2))
    async with repository(fake_registry, blob_max=0, blob_chunk=100_000) as target:
        try:
            await put_blob(target, verified_once(data))
        except Unavailable:  # an odd count was not believed, and the copier comes back
            await put_blob(target, verified_once(data))
        assert await bytes_of(target, described(data)) == data
    assert fake_registry.count(kind="upload") == (1 if kept == 30_000 else 2)
    assert fake_registry.count(method="PATCH") <= (5 if kept == 30_000 else 6)


@pytest.mark.parametrize("keep", [True, False])
async def test_a_chunk_cut_on_its_way_is_continued(fake_registry: FakeRegistry, *, keep: bool) -> None:
    data = some_bytes(250_000)
    fake_registry.fail(Fault(ResetRequest(40_000, keep=keep), kind="patch", nth=2))
    async with repository(fake_registry, blob_max=0, blob_chunk=100_000) as target:
        await put_blob(target, verified_once(data))
        assert await bytes_of(target, described(data)) == data


async def test_a_registry_that_refuses_large_bodies_gets_chunks_from_then_on(fake_registry: FakeRegistry) -> None:
    data = some_bytes(250_000)
    fake_registry.fail(Fault(Status(413), kind="commit"))
    async with repository(fake_registry, blob_chunk=100_000) as target:
        with pytest.raises(Exception, match="chunks from now on"):
            await put_blob(target, verified_once(data))
        await put_blob(target, verified_once(data))
        assert await bytes_of(target, described(data)) == data
    assert fake_registry.count(method="PATCH") == 3


async def test_a_minimum_chunk_length_is_obeyed(fake_registry: FakeRegistry) -> None:
    data = some_bytes(250_000)
    fake_registry.fail(Fault(Change({"OCI-Chunk-Min-Length": "200000"}), kind="upload"))
    async with repository(fake_registry, blob_max=0, blob_chunk=50_000) as target:
        await put_blob(target, verified_once(data))
    assert [one.bytes_in for one in fake_registry.asked(method="PATCH")] == [200_000, 50_000]


async def test_a_failed_upload_closes_its_session(fake_registry: FakeRegistry) -> None:
    blob = described(b"promised")
    async with repository(fake_registry) as target:
        with pytest.raises(IntegrityError):
            await put_blob(target, verified_once(b"betrayed", blob=blob))
    assert fake_registry.count(kind="cancel") == 1
    assert not fake_registry.repositories["app"].uploads


async def test_a_blob_a_registry_only_claims_to_have_is_sent_all_the_same() -> None:
    data = some_bytes(1000)
    async with FakeRegistry(features=MODERN) as fake, repository(fake) as target:
        fake.fail(Fault(Status(201, {"Location": "/v2/app/blobs/elsewhere"}), kind="upload"))
        await put_blob(target, verified_once(data))
        assert await bytes_of(target, described(data)) == data


async def test_a_mount_that_was_not_granted_leaves_a_session_that_is_used(fake_registry: FakeRegistry) -> None:
    data = some_bytes(1000)
    async with repository(fake_registry) as target, repository(fake_registry, "other") as neighbour:
        assert not await target.adopt_blob(described(data), neighbour)
        await put_blob(target, verified_once(data))
    assert fake_registry.count(kind="upload") == 1


async def test_disable_head_never_asks_by_head(fake_registry: FakeRegistry) -> None:
    async with repository(fake_registry, disable_head=True) as target:
        await put_built(target, image_bytes(b"layer"), tag="v1")
        assert await target.head_manifest("v1") is not None
    assert fake_registry.count(method="HEAD") == 0


@pytest.mark.parametrize("without", ["Docker-Content-Digest", "Content-Type"])
async def test_a_head_that_tells_too_little_is_followed_by_a_get(fake_registry: FakeRegistry, without: str) -> None:
    async with repository(fake_registry) as target:
        manifest = await put_built(target, image_bytes(b"layer"), tag="v1")
        fake_registry.fail(Fault(Change(without=(without,)), method="HEAD", kind="manifest"))
        assert await target.head_manifest("v1") == manifest.descriptor


async def test_a_manifest_that_is_another_than_its_digest_is_refused(fake_registry: FakeRegistry) -> None:
    one, other = image_bytes(b"one"), image_bytes(b"other")
    fake_registry.seed("app", {"v1": one, "v2": other})
    fake_registry.repositories["app"].lies[one.digest] = other.raw
    async with repository(fake_registry) as source:
        with pytest.raises(IntegrityError):
            await source.get_manifest(Digest.parse(one.digest))


async def test_a_registry_that_stores_something_else_is_found_out(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(
        Fault(Change({"Docker-Content-Digest": str(Digest.of(b"else"))}), kind="manifest", method="PUT", times=9)
    )
    fake_registry.fail(Fault(Change(body=b"else"), kind="manifest", method="GET", times=9))
    async with repository(fake_registry) as target:
        with pytest.raises(IntegrityError, match="stored"):
            await put_built(target, image_bytes(b"layer"), tag="v1")


async def test_a_next_page_of_another_list_elsewhere_is_not_followed(fake_registry: FakeRegistry) -> None:
    fake_registry.seed("app", {"v1": image_bytes(b"layer")})
    link = '<http://127.0.0.2:1/v2/other/tags/list?last=v1>; rel="next"'
    fake_registry.fail(Fault(Change({"Link": link}), kind="tags"))
    async with repository(fake_registry) as source:
        with pytest.raises(Refused, match="not its own"):
            [tag async for tag in source.tags()]


async def test_pages_that_do_not_end_are_an_error(fake_registry: FakeRegistry) -> None:
    fake_registry.seed("app", {"v1": image_bytes(b"layer")})
    link = '</v2/app/tags/list?last=v1>; rel="next"'
    fake_registry.fail(Fault(Change({"Link": link}), kind="tags", times=99))
    async with repository(fake_registry) as source:
        with pytest.raises(Unsupported, match="do not end"):
            [tag async for tag in source.tags()]


@pytest.mark.parametrize("body", [b'{"tags": {}}', b"[]", b'{"name": "app", "tagt": ["v1"]}', b"{", b"\xff"])
async def test_a_list_that_is_none_is_asked_for_again_and_then_an_error(
    fake_registry: FakeRegistry, body: bytes
) -> None:
    fake_registry.seed("app", {"v1": image_bytes(b"layer")})
    fake_registry.fail(Fault(Change(body=body), kind="tags", times=9))
    async with repository(fake_registry) as source:
        with pytest.raises(IntegrityError):
            [tag async for tag in source.tags()]
    assert fake_registry.count(kind="tags") == 3


async def test_null_tags_are_no_tags_and_bad_names_are_dropped(fake_registry: FakeRegistry) -> None:
    fake_registry.seed("app", {"v1": image_bytes(b"layer")})
    fake_registry.fail(Fault(Change(body=b'{"tags": null}'), kind="tags"))
    fake_registry.fail(Fault(Change(body=b'{"tags": ["v1", "v1", "../x", "", "-y", "ok"]}'), kind="tags"))
    async with repository(fake_registry) as source:
        assert [tag async for tag in source.tags()] == []
        assert [tag async for tag in source.tags()] == ["v1", "ok"]


async def test_a_repository_that_is_not_there_has_no_tags_to_give(fake_registry: FakeRegistry) -> None:
    async with repository(fake_registry, "ghost") as source:
        with pytest.raises(NotFound):
            [tag async for tag in source.tags()]


async def test_a_path_prefix_stands_before_every_repository(fake_registry: FakeRegistry) -> None:
    fake_registry.seed("proxied/app", {"v1": image_bytes(b"layer")})
    async with repository(fake_registry, path_prefix="proxied") as source:
        assert await source.head_manifest("v1") is not None
