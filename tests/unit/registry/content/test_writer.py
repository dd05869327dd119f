"""Blobs pushed into a registry: what goes over the line, and what is left behind when it breaks."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from regsync.errors import Forbidden, IntegrityError, RegsyncError, Unavailable
from regsync.limits import Limits
from regsync.oci.descriptor import Descriptor
from regsync.registry.repository import RegistryRepository
from tests.support.clock import settle
from tests.support.fake_registry import FakeRegistry, Features
from tests.support.faults import Change, Fault, ResetRequest, Status
from tests.support.images import bytes_of, described, put_bytes, some_bytes
from tests.unit.registry.content.lab import lab, push
from tests.unit.registry.raw import Asked, RawServer, Step, in_turn, says

KEEPING = Features(keeps_partial=True)
DATA = some_bytes(4 << 20, "pushed")
BLOB = described(DATA)
HALF = 2 << 20


async def broken_off(
    repository: RegistryRepository, error: RegsyncError, *, after: int = HALF, blob: Descriptor = BLOB
) -> None:
    async def write() -> None:
        async with repository.write_blob(blob) as writer:
            await push(writer, DATA[:after])
            raise error

    with pytest.raises(type(error)):
        await write()


async def completed(repository: RegistryRepository) -> int:
    async with repository.write_blob(BLOB) as writer:
        began = writer.offset
        await push(writer, DATA)
        await writer.commit()
    assert await bytes_of(repository, BLOB) == DATA
    return began


def asked(fake: FakeRegistry) -> list[str]:
    """The requests of uploads, in order, and forget them."""
    kinds = [each.kind for each in fake.journal if each.kind != "blob"]
    fake.journal.clear()
    return kinds


async def test_a_blob_goes_up_in_two_requests(fake_registry: FakeRegistry) -> None:
    async with lab(fake_registry.host) as at:
        assert await completed(at.repository()) == 0
    assert asked(fake_registry) == ["upload", "commit"]


async def test_a_blob_whose_source_broke_goes_on_where_the_registry_stands() -> None:
    async with FakeRegistry(features=KEEPING) as fake, lab(fake.host) as at:
        await broken_off(at.repository(), Unavailable("the source went away"))
        await fake.broken.wait()
        assert HALF - (1 << 20) < await completed(at.repository()) < HALF
        assert sorted(asked(fake)) == ["commit", "commit", "patch", "status", "upload"]


async def test_an_upload_begun_for_another_size_of_the_same_digest_is_not_gone_on_with() -> None:
    async with FakeRegistry(features=KEEPING) as fake, lab(fake.host) as at:
        await broken_off(at.repository(), Unavailable("the source went away"), blob=replace(BLOB, size=HALF + 1))
        await fake.broken.wait()
        assert await completed(at.repository()) == 0


@pytest.mark.parametrize("kind", ["commit", "patch"])
async def test_a_blob_whose_target_broke_is_sent_once_in_all(kind: str) -> None:
    async with FakeRegistry(features=KEEPING) as fake, lab(fake.host) as at:
        fake.fail(Fault(ResetRequest(1 << 20), kind="commit"))
        with pytest.raises(Unavailable):
            await put_bytes(at.repository(), DATA)
        if kind == "patch":
            fake.fail(Fault(ResetRequest(1 << 20), kind="patch"))
            with pytest.raises(Unavailable):
                await put_bytes(at.repository(), DATA)
        assert await completed(at.repository()) == (1 if kind == "commit" else 2) << 20
        assert sum(each.bytes_in for each in fake.journal) == len(DATA)


async def test_an_upload_outlives_the_object_that_began_it() -> None:
    async with FakeRegistry(features=KEEPING) as fake, lab(fake.host) as at:
        await broken_off(at.repository(), Unavailable("the source went away"))
        await fake.broken.wait()
        at.registries._opened.clear()
        assert await completed(at.repository()) > 0


async def test_a_blob_that_was_all_there_but_for_its_end_is_only_closed() -> None:
    async with FakeRegistry(features=KEEPING) as fake, lab(fake.host, blob_max=0) as at:
        fake.fail(Fault(Status(503), kind="commit", times=6))
        with pytest.raises(Unavailable):
            await put_bytes(at.repository(), DATA)
        asked(fake)
        assert await completed(at.repository()) == len(DATA)
        assert asked(fake) == ["status", "commit"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Status(404), id="lost"),
        pytest.param(Status(400), id="refused"),
        pytest.param(Status(416), id="unsatisfiable"),
        pytest.param(Change(without=("Range",)), id="no Range"),
        pytest.param(Change({"Range": "0-99999999999"}), id="more than there can be"),
        pytest.param(Change({"Range": "nonsense"}), id="nonsense"),
        pytest.param(Change({"Location": "//[/"}), id="a Location that is no URL"),
    ],
)
async def test_a_session_that_makes_no_sense_is_begun_anew(answer: Status | Change) -> None:
    async with FakeRegistry(features=KEEPING) as fake, lab(fake.host) as at:
        await broken_off(at.repository(), Unavailable("the source went away"))
        await fake.broken.wait()
        fake.fail(Fault(answer, kind="status", times=9))
        assert await completed(at.repository()) == 0
        assert fake.count(kind="status") == 1


@pytest.mark.parametrize("times", [1, 2])
async def test_a_rest_that_is_refused_is_asked_about_once_and_then_begun_anew(times: int) -> None:
    async with FakeRegistry(features=KEEPING) as fake, lab(fake.host) as at:
        await broken_off(at.repository(), Unavailable("the source went away"))
        await fake.broken.wait()
        fake.fail(Fault(Status(416), kind="patch", times=times))
        for _ in range(times):
            with pytest.raises(Unavailable):
                await put_bytes(at.repository(), DATA)
        assert (await completed(at.repository()) > 0) == (times == 1)


async def test_a_registry_that_is_away_when_asked_keeps_its_upload_once() -> None:
    async with FakeRegistry(features=KEEPING) as fake, lab(fake.host) as at:
        await broken_off(at.repository(), Unavailable("the source went away"))
        await fake.broken.wait()
        fake.fail(Fault(Status(503), kind="status", times=6))
        with pytest.raises(Unavailable):
            await put_bytes(at.repository(), DATA)
        assert await completed(at.repository()) > 0
        await broken_off(at.repository(), Unavailable("the source went away"))
        await fake.broken.wait()
        fake.fail(Fault(Status(500), kind="status", times=99))
        with pytest.raises(Unavailable):
            await put_bytes(at.repository(), DATA)
        assert await completed(at.repository()) == 0


async def test_a_stream_that_breaks_twice_and_leaves_nothing_gives_way_to_pieces(fake_registry: FakeRegistry) -> None:
    async with lab(fake_registry.host) as at:
        for _ in range(2):
            fake_registry.fail(Fault(ResetRequest(3 << 20), kind="commit"))
            with pytest.raises(Unavailable):
                await put_bytes(at.repository(), DATA)
        fake_registry.fail(Fault(ResetRequest(1 << 19), kind="patch", nth=3))
        asked(fake_registry)
        assert await completed(at.repository()) == 0
        assert asked(fake_registry).count("patch") == 5
        await put_bytes(at.repository(), DATA[1:])
        assert asked(fake_registry) == ["upload", "commit"]


async def test_an_upload_nobody_goes_on_with_is_given_up_after_ten_minutes() -> None:
    async with FakeRegistry(features=KEEPING) as fake, lab(fake.host) as at:
        await broken_off(at.repository(), Unavailable("the source went away"))
        await at.clock.advance(601)
        assert await completed(at.repository()) == 0
        assert fake.count(kind="cancel") == 1
        assert not fake.repositories["app"].uploads


async def test_no_more_than_64_uploads_are_waited_with(fake_registry: FakeRegistry) -> None:
    async with lab(fake_registry.host) as at:
        repository, neighbour = at.repository(), at.repository("other")
        for number in range(66):
            assert not await repository.adopt_blob(described(b"%d" % number), neighbour)
        assert len(fake_registry.repositories["app"].uploads) == 64
    assert not fake_registry.repositories["app"].uploads


@pytest.mark.parametrize("error", [IntegrityError("other bytes"), Forbidden("not for you")])
async def test_an_upload_that_cannot_be_gone_on_with_is_closed(
    fake_registry: FakeRegistry, error: RegsyncError
) -> None:
    async with lab(fake_registry.host) as at:
        await broken_off(at.repository(), error)
        assert not fake_registry.repositories["app"].uploads


async def test_uploads_that_are_still_waited_with_at_the_end_are_closed() -> None:
    async with FakeRegistry(features=KEEPING) as fake:
        async with lab(fake.host) as at:
            await broken_off(at.repository(), Unavailable("the source went away"))
            assert fake.repositories["app"].uploads
        assert not fake.repositories["app"].uploads


@pytest.mark.parametrize(("status", "kind"), [(403, Forbidden), (413, Unavailable), (401, RegsyncError)])
async def test_an_answer_before_the_end_is_told_to_whoever_writes(status: int, kind: type[Exception]) -> None:
    opened = says(202, b"", ("Location", "/v2/app/blobs/uploads/1"))
    early = Step(says(status, b"", then="close").data, "stall", read_body=False)
    async with RawServer(in_turn(opened, early, says(204))) as server, lab(server.host) as at:

        async def write() -> None:
            async with at.repository().write_blob(described(b"x" * (1 << 20))) as writer:
                await writer.write(bytes(1000))
                while writer.offset < 1 << 20:
                    await writer.write(b"x")
                    await settle()

        with pytest.raises(kind):
            await write()


async def test_an_upload_rides_on_the_slot_of_its_transfer(fake_registry: FakeRegistry) -> None:
    limits = Limits(lambda _: 1)
    async with lab(fake_registry.host, limits=limits) as at, limits.hold(fake_registry.host):
        assert await completed(at.repository()) == 0


@pytest.mark.parametrize("size", [1000, 64 << 20])
async def test_nothing_of_a_cancelled_upload_runs_on(size: int) -> None:
    opened = says(202, b"", ("Location", "/v2/app/blobs/uploads/1"))
    reached = asyncio.Event()

    def answer(asked: Asked) -> Step:
        if asked.method != "PUT":
            return opened if asked.method == "POST" else says(204)
        reached.set()
        return Step(then="stall", read_body=False)

    async with RawServer(answer) as server, lab(server.host) as at:

        async def write() -> None:
            async with at.repository().write_blob(described(bytes(size))) as writer:
                await push(writer, bytes(size))
                await writer.commit()

        task = asyncio.create_task(write())
        await reached.wait()
        await settle()
        running = {each for each in asyncio.all_tasks() if "Upload.stream" in repr(each)}
        assert running
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert all(each.done() for each in running)
