"""Digests that are named beside a tag and are not its manifest's: what came by tag is reckoned, and told of once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from regsync.errors import IntegrityError, Misnamed, NotFound
from regsync.oci.digest import Digest
from tests.support.built import compact, image_bytes
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import BitFlip, Change, Fault
from tests.support.odd.looking import HeadSays, NamesWrongly
from tests.support.odd.pushes import ByTagOnly
from tests.support.odd.registry import Oddity, OddRegistry
from tests.unit.registry.content.lab import Lab, lab

IMAGE, OTHER = image_bytes(b"layer"), image_bytes(b"other")
WRONG = Digest.parse(NamesWrongly().digest)
ODD = "Registry is odd: tags are answered for with digests their manifests do not have; reckoning them for an hour"
HOUR = 3600.0


@asynccontextmanager
async def odd(*oddities: Oddity) -> AsyncIterator[tuple[OddRegistry, Lab]]:
    async with OddRegistry(oddities) as registry, lab(registry.host) as at:
        registry.seed("app", {"v1": IMAGE, "v2": OTHER})
        yield registry, at


def asked(registry: FakeRegistry) -> list[str]:
    return [f"{each.method} {each.path.rpartition('/')[2]}" for each in registry.journal if "manifests" in each.path]


def said(at: Lab) -> list[str]:
    return [each.message for each in at.warned]


@pytest.mark.parametrize("oddities", [(), (ByTagOnly(),), (ByTagOnly(500),), (HeadSays("manifest"),)], ids=str)
async def test_a_manifest_whose_answer_names_another_digest_is_reckoned(oddities: Sequence[Oddity]) -> None:
    async with odd(NamesWrongly(), *oddities) as (_, at):
        source = at.repository()
        for tag, image in (("v1", IMAGE), ("v2", OTHER)):
            assert (await source.get_manifest(tag)).raw == image.raw
        assert said(at).count(ODD) == 1


@pytest.mark.parametrize("methods", [("HEAD",), ("GET", "HEAD")])
@pytest.mark.parametrize("oddities", [(), (ByTagOnly(),), (ByTagOnly(500),)], ids=str)
async def test_a_digest_that_head_names_and_nothing_has_is_known_to_be_wrong_once_it_was_asked_for(
    methods: Sequence[str], oddities: Sequence[Oddity]
) -> None:
    async with odd(NamesWrongly(methods=methods), *oddities) as (_, at):
        source = at.repository()
        found = await source.head_manifest("v1")
        assert found is not None
        with pytest.raises(Misnamed, match="v1"):
            await source.get_manifest(found.digest)
        found = await source.head_manifest("v1")
        assert found is not None
        assert str(found.digest) == IMAGE.digest
        assert said(at) == [ODD]


async def test_a_host_that_names_wrong_digests_is_asked_by_get_at_once_for_an_hour() -> None:
    async with odd(NamesWrongly()) as (registry, at):
        await at.repository().get_manifest("v1")
        registry.journal.clear()
        for tag in ("v1", "v2"):
            found = await at.repository().head_manifest(tag)
            assert found is not None
            await at.repository().get_manifest(tag)
        assert asked(registry) == ["GET v1", "GET v1", "GET v2", "GET v2"]
        await at.clock.sleep(HOUR)
        registry.journal.clear()
        await at.repository().head_manifest("v1")
        assert asked(registry) == ["HEAD v1"]


async def test_a_healthy_host_is_asked_once_for_a_tag() -> None:
    async with odd() as (registry, at):
        await at.repository().head_manifest("v1")
        await at.repository().get_manifest("v1")
        assert asked(registry) == ["HEAD v1", "GET v1"]


async def test_bytes_that_are_damaged_by_tag_alone_are_not_taken_for_the_image() -> None:
    async with odd() as (registry, at):
        damaged = IMAGE.raw + b" "
        registry.fail(Fault(Change(body=damaged), kind="manifest", times=2))
        assert (await at.repository().get_manifest("v1")).raw == IMAGE.raw
        assert said(at) == []


async def test_damage_that_does_not_come_twice_is_asked_for_again() -> None:
    async with odd() as (registry, at):
        registry.fail(Fault(BitFlip(), kind="manifest"))
        assert (await at.repository().get_manifest("v1")).raw == IMAGE.raw
        assert asked(registry) == ["GET v1", "GET v1"]


@pytest.mark.parametrize("body", [b"<html>", b"{}", compact({"errors": []})])
async def test_what_is_no_manifest_is_not_believed_whatever_digest_is_named(body: bytes) -> None:
    async with odd(NamesWrongly()) as (registry, at):
        registry.fail(Fault(Change(body=body), kind="manifest", times=99))
        with pytest.raises(IntegrityError):
            await at.repository().get_manifest("v1")


async def test_by_digest_the_bytes_have_it_or_are_refused_also_where_wrong_digests_are_known() -> None:
    async with odd(NamesWrongly()) as (registry, at):
        await at.repository().get_manifest("v1")
        registry.repositories["app"].lies[IMAGE.digest] = OTHER.raw
        with pytest.raises(IntegrityError):
            await at.repository().get_manifest(Digest.parse(IMAGE.digest))
        with pytest.raises(NotFound):
            await at.repository().get_manifest(WRONG)


async def test_a_tag_that_has_moved_is_no_lie() -> None:
    async with odd() as (registry, at):
        source = at.repository()
        found = await source.head_manifest("v1")
        assert found is not None
        app = registry.repositories["app"]
        app.tags["v1"] = OTHER.digest
        del app.manifests[IMAGE.digest]
        with pytest.raises(NotFound) as caught:
            await source.get_manifest(found.digest)
        assert not isinstance(caught.value, Misnamed)
        assert said(at) == []
