"""Keeping the tag that lists referrers: what we add stays, and so does what others have added."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext

import pytest

from regsync.errors import Forbidden, Incomplete, Malformed, NotFound, Unavailable
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.oci.referrers import fallback_tag, with_referrers
from regsync.registry.content.referrer_lists import ReferrerLists, Ways
from tests.support.built import INDEX, artifact_bytes, image_bytes
from tests.support.clock import FakeClock, settle
from tests.support.fake_registry import MODERN, FakeRegistry
from tests.support.faults import Change, Fault, Status
from tests.support.images import Built, manifest_of, put_blobs, put_built
from tests.unit.registry.content.lab import lab

IMAGE = image_bytes(b"a layer")
ABOUT = Digest.parse(IMAGE.digest)
TAG = fallback_tag(ABOUT)


def referrer(name: str) -> Built:
    return artifact_bytes(name.encode(), subject=IMAGE)


OURS, THEIRS = manifest_of(referrer("ours")), manifest_of(referrer("theirs"))


class World:
    """One tag, and somebody else who does `meanwhile` whatever he wants behind each of our puts."""

    def __init__(
        self,
        index: Manifest | None = None,
        *,
        meanwhile: Callable[[World], None] = lambda world: None,
        instant: bool = True,
    ) -> None:
        self.index = index
        self.before: Manifest | None = index  # what stood there when somebody else has read it
        self.puts = 0
        self.gone: set[Digest] = set()
        self.clock = FakeClock(instant=instant)
        self._meanwhile = meanwhile
        ways = Ways(read=self._read, head=self._head, push=self._push, place=self._place)
        self.lists = ReferrerLists("registry/app", ways, clock=self.clock)

    @property
    def listed(self) -> set[Digest]:
        return {each.digest for each in self.index.children} if self.index else set()

    def overwrite(self, manifest: Manifest = THEIRS) -> None:
        """Put back what somebody made of the list as it was before ours."""
        self.index = with_referrers(self.before, [manifest])
        self.before = self.index

    def _place(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    async def _read(self, tag: str) -> Manifest:
        assert tag == TAG
        await asyncio.sleep(0)
        if self.index is None:
            raise NotFound(tag)
        return self.index

    async def _head(self, digest: Digest) -> Descriptor | None:
        found = [each for each in (self.index.children if self.index else ()) if each.digest == digest]
        return None if digest in self.gone else found[0]

    async def _push(self, index: Manifest, tag: str) -> None:
        self.puts += 1
        if self.gone & {each.digest for each in index.children}:
            raise Incomplete("a child is gone")
        self.before, self.index = self.index, index
        self._meanwhile(self)


async def test_what_nobody_disputes_is_put_once_and_looked_at_again() -> None:
    world = World()
    await world.lists.add(OURS, ABOUT)
    assert (world.listed, world.puts) == ({OURS.digest}, 1)
    assert world.clock.slept == [0.25]
    await world.lists.add(OURS, ABOUT)
    assert world.puts == 1


@pytest.mark.parametrize("times", [1, 2, 5, 9])
async def test_what_somebody_takes_out_is_added_again_and_his_is_kept(times: int) -> None:
    def meanwhile(world: World) -> None:
        if world.puts <= times:
            world.overwrite(manifest_of(referrer(f"theirs {world.puts}")))

    world = World(meanwhile=meanwhile)
    await world.lists.add(OURS, ABOUT)
    theirs = {Digest.parse(referrer(f"theirs {number}").digest) for number in range(1, times + 1)}
    assert world.listed == {OURS.digest, *theirs}


async def test_a_writer_who_is_slow_to_put_back_is_waited_for() -> None:
    world = World(instant=False)
    adding = asyncio.create_task(world.lists.add(OURS, ABOUT))
    await world.clock.advance(0.2)
    world.overwrite()
    await world.clock.advance(10)
    await adding
    assert world.listed == {OURS.digest, THEIRS.digest}


async def test_a_tag_that_never_keeps_it_is_one_clear_error() -> None:
    world = World(meanwhile=World.overwrite)
    with pytest.raises(Unavailable, match=f"registry/app:{TAG}, a list of referrers, does not keep"):
        await world.lists.add(OURS, ABOUT)
    assert world.puts == 10


async def test_those_who_wait_are_added_in_one_go() -> None:
    world = World()
    many = [manifest_of(referrer(str(number))) for number in range(12)]
    await asyncio.gather(*(world.lists.add(each, ABOUT) for each in many))
    assert world.listed == {each.digest for each in many}
    assert world.puts <= 2


async def test_who_is_cancelled_takes_nobody_along() -> None:
    world = World()
    tasks = [asyncio.create_task(world.lists.add(each, ABOUT)) for each in (OURS, THEIRS)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    await tasks[1]
    await settle()
    assert tasks[0].cancelled()
    assert THEIRS.digest in world.listed


async def test_who_fails_is_not_taken_for_done_by_those_who_waited() -> None:
    def meanwhile(world: World) -> None:
        if world.puts == 1:
            raise Forbidden("not today")

    world = World(meanwhile=meanwhile)
    one, other = await asyncio.gather(
        *(world.lists.add(each, ABOUT) for each in (OURS, THEIRS)), return_exceptions=True
    )
    assert isinstance(one, Forbidden)
    assert other is None
    assert THEIRS.digest in world.listed


async def test_what_is_gone_is_taken_out_when_the_list_cannot_be_put_back_with_it() -> None:
    world = World(with_referrers(None, [THEIRS]))
    world.gone.add(THEIRS.digest)
    await world.lists.add(OURS, ABOUT)
    assert world.listed == {OURS.digest}


async def test_something_else_under_the_tag_is_not_touched() -> None:
    world = World(manifest_of(image_bytes(b"squats here")))
    with pytest.raises(Malformed, match="instead of an index"):
        await world.lists.add(OURS, ABOUT)
    assert world.puts == 0


async def test_unknown_fields_and_the_entries_of_others_are_kept(fake_registry: FakeRegistry) -> None:
    foreign = referrer("foreign")
    node = {**foreign.descriptor, "artifactType": "x/y", "annotations": {"a": "b"}, "vendor": [1]}
    async with lab(fake_registry.host) as at:
        await put_built(at.repository(), foreign)
        raw = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "vendor": {"k": 1}, "manifests": [node]})
        manifest = Manifest.read(raw.encode())
        await at.repository().put_manifest(manifest, at=TAG)
        await put_built(at.repository(), referrer("ours"))
        kept = json.loads((await at.repository().get_manifest(TAG)).raw)
    assert (kept["vendor"], kept["manifests"][0]) == ({"k": 1}, node)
    assert kept["manifests"][1]["digest"] == referrer("ours").digest


async def test_a_registry_that_lists_by_itself_gets_no_tag() -> None:
    async with FakeRegistry(features=MODERN) as fake, lab(fake.host) as at:
        await put_built(at.repository(), referrer("ours"))
        assert fake.repositories["app"].tags == {}
        assert [str(each.digest) for each in await at.repository().referrers(ABOUT)] == [referrer("ours").digest]


@pytest.mark.parametrize("claimed", [str(Digest.of(b"another")), "", "sha256:", "yes", f" {ABOUT}x", str(OURS.digest)])
async def test_a_registry_that_claims_to_have_listed_something_else_is_not_believed(claimed: str) -> None:
    async with FakeRegistry(features=MODERN) as fake, lab(fake.host) as at:
        fake.fail(Fault(Change({"OCI-Subject": claimed}), kind="manifest", method="PUT"))
        await put_built(at.repository(), referrer("ours"))
        assert list(fake.repositories["app"].tags) == [TAG]


async def test_a_registry_that_had_no_api_and_says_that_it_lists_is_asked_once_more_and_told_of(
    fake_registry: FakeRegistry,
) -> None:
    fake_registry.fail(Fault(Change({"OCI-Subject": str(ABOUT)}), kind="manifest", method="PUT", times=99))
    async with lab(fake_registry.host) as at:
        assert await at.repository().referrers(ABOUT) == ()
        for name in ("one", "two"):
            await put_built(at.repository(), referrer(name))
        assert len(await at.repository().referrers(ABOUT)) == 2
        assert fake_registry.count(kind="referrers") == 2
        (told,) = at.warned
    assert "it says that it lists referrers and has no API for that; listing them under tags" in str(told)


async def test_a_registry_whose_repository_was_not_there_yet_is_believed_to_list() -> None:
    async with FakeRegistry(features=MODERN) as fake, lab(fake.host) as at:
        fake.fail(Fault(Status(404), kind="referrers"))
        assert await at.repository().referrers(ABOUT) == ()
        await put_built(at.repository(), referrer("ours"))
        assert (fake.repositories["app"].tags, at.warned) == ({}, [])


@pytest.mark.parametrize("status", [409, 412])
async def test_a_list_that_somebody_else_writes_at_that_moment_is_read_and_put_again(
    fake_registry: FakeRegistry, status: int
) -> None:
    fake_registry.fail(Fault(Status(status), kind="manifest", method="PUT", path=TAG, times=2))
    async with lab(fake_registry.host) as at:
        await put_built(at.repository(), referrer("ours"))
        assert [str(each.digest) for each in await at.repository().referrers(ABOUT)] == [referrer("ours").digest]


async def test_a_list_that_is_refused_every_time_says_how(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(Fault(Status(409), kind="manifest", method="PUT", path=TAG, times=99))
    async with lab(fake_registry.host) as at:
        with pytest.raises(Unavailable, match=rf"run again later \(PUT manifest app:{TAG} at .*: 409 Conflict\)"):
            await put_built(at.repository(), referrer("ours"))
    assert fake_registry.count(kind="manifest", method="PUT") <= 11


@pytest.mark.parametrize("status", [403, 503])
async def test_a_registry_whose_lists_cannot_be_seen_is_believed_to_list(status: int) -> None:
    async with FakeRegistry(features=MODERN) as fake, lab(fake.host) as at:
        fake.fail(Fault(Status(404), kind="referrers"))
        assert await at.repository().referrers(ABOUT) == ()
        for kind in ("referrers", "manifest"):
            fake.fail(Fault(Status(status), kind=kind, method="GET", times=99))
        for name in ("one", "two"):
            await put_built(at.repository(), referrer(name))
        assert fake.repositories["app"].tags == {}
        assert not [each for each in at.warned if "no API" in str(each)]


async def test_a_list_that_lost_an_entry_at_the_registry_takes_new_ones(fake_registry: FakeRegistry) -> None:
    lost = referrer("lost")
    async with lab(fake_registry.host) as at:
        await put_built(at.repository(), lost)
        del fake_registry.repositories["app"].manifests[lost.digest]
        await put_built(at.repository(), referrer("ours"))
        assert [str(each.digest) for each in await at.repository().referrers(ABOUT)] == [referrer("ours").digest]


async def test_twelve_referrers_at_once_cost_two_lists(fake_registry: FakeRegistry) -> None:
    built = [referrer(str(number)) for number in range(12)]
    async with lab(fake_registry.host) as at:
        for each in built:
            await put_blobs(at.repository(), each)
        fake_registry.journal.clear()
        await asyncio.gather(*(at.repository().put_manifest(manifest_of(each)) for each in built))
    assert fake_registry.count(kind="manifest", method="PUT") <= 12 + 3
