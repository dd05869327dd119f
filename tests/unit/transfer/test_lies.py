"""Ends that lie about a blob, and what was believed of them before that showed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from regsync.errors import AccessDenied, IntegrityError, Unavailable
from regsync.layout.layouts import Layouts
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.repository import Chunks, Repository
from regsync.transfer.mover import Mover, Shared
from tests.support.clock import FakeClock
from tests.support.images import an_image, some_bytes
from tests.support.memory import MemoryRepository
from tests.unit.transfer.lab import copied, shared

DATA = some_bytes(4 << 20)
BLOB = Descriptor("application/octet-stream", Digest.of(DATA), len(DATA))
LATER = Unavailable("gone", retry_after=600)


def a_source() -> MemoryRepository:
    source = MemoryRepository("a.x/app", host="a.x")
    source.blobs[BLOB.digest] = DATA
    return source


def a_target(name: str) -> MemoryRepository:
    return MemoryRepository(name, host=name.partition("/")[0])


async def moved(
    state: Shared,
    source: Repository,
    targets: Sequence[Repository],
    blob: Descriptor = BLOB,
    *,
    trusting: bool = True,
) -> dict[str, BaseException | None]:
    """Move a blob and return, for each target, why it is not there."""
    ends: dict[str, BaseException | None] = {}
    mover = Mover(state, since=float("-inf"), trusting=trusting, tell=lambda _: None)
    await mover.settle(
        blob, source, targets, config=False, ended=lambda target, error: ends.update({target.name: error})
    )
    return ends


async def test_what_a_layout_holds_of_a_lie_is_not_taken_for_proved_when_others_have_got_the_truth(
    tmp_path: Path,
) -> None:
    state, source, other, layouts = shared(), a_source(), a_target("b.x/app"), Layouts(FakeClock())
    path = str(tmp_path / "layout")
    async with layouts.writing(path) as layout:
        source.lies[BLOB.digest] = b"x" * len(DATA)
        source.breaks[BLOB.digest] = (2 << 20, LATER)
        assert (await moved(state, source, [layout]))[layout.name] is LATER
        source.lies.clear()
        source.breaks[BLOB.digest] = (3 << 20, LATER)
        assert (await moved(state, source, [other]))[other.name] is LATER
        source.breaks.clear()
        assert await moved(state, source, [layout]) == {layout.name: None}
        (file,) = (tmp_path / "layout" / "blobs" / "sha256").iterdir()
        assert file.read_bytes() == DATA
    layouts.close()


async def test_a_size_that_somebody_lied_about_does_not_stick_to_the_digest() -> None:
    state, source, target = shared(), a_source(), a_target("b.x/app")
    lie = replace(BLOB, size=1 << 20)
    assert isinstance((await moved(state, source, [target], lie))[target.name], IntegrityError)
    assert await moved(state, source, [target]) == {target.name: None}
    assert target.blobs == source.blobs


class Forgetful(MemoryRepository):
    """Every first time takes two pieces of a blob and breaks, every second time breaks at once and loses them."""

    async def called(self, method: str, what: str) -> None:
        await super().called(method, what)
        odd, opened = self.calls["write_blob"] % 2, self.calls["write_blob"]
        if opened > 40:
            raise AccessDenied("it would have gone on for ever")
        if method == "write_blob":
            self.calls["write"] = 0
            if odd:
                self.suspended.clear()
        elif method == "write" and self.calls["write"] > 2 * odd:
            raise Unavailable("reset")


async def test_an_upload_that_gets_as_far_as_before_again_and_again_is_given_up() -> None:
    source, target = a_source(), Forgetful("b.x/app", host="b.x")
    error = (await moved(shared(), source, [target]))[target.name]
    assert isinstance(error, Unavailable)


async def test_a_target_that_is_not_trusted_is_not_believed_after_a_break_either() -> None:
    source, target = a_source(), a_target("b.x/app")
    target.phantoms.add(BLOB.digest)
    target.fail("commit", Unavailable("reset"))
    assert await moved(shared(), source, [target], trusting=False) == {target.name: None}
    assert target.blobs == source.blobs


@pytest.mark.parametrize("trusting", [True, False])
async def test_who_was_never_offered_a_neighbour_s_blob_is_not_taken_for_one_that_refuses_them(
    *, trusting: bool
) -> None:
    state, source, one, two = shared(), a_source(), a_target("b.x/one"), a_target("b.x/two")
    if trusting:
        one.fail("write_blob", AccessDenied("no"))
    await moved(state, source, [one, two], trusting=trusting)
    assert two.blobs == source.blobs
    await an_image(source, b"layer", tag="v1")
    source.calls.clear()
    assert await copied(state, source, one, two) == [None, None]
    assert two.calls["write_blob"] == 1


class Hesitant(MemoryRepository):
    """A source that hands out nothing before each chunk and behind the last one, and breaks there."""

    def _chunks(self, digest: Digest, data: bytes, begin: int) -> Chunks:
        parent = super()._chunks

        async def chunks() -> Chunks:
            async for chunk in parent(digest, data, begin):
                yield b""
                yield chunk
            yield b""
            if self.calls["open_blob"] == 1:
                raise Unavailable("reset")

        return chunks()


async def test_nothing_is_whole_anywhere_before_it_is_proved_whatever_pieces_it_comes_in(tmp_path: Path) -> None:
    source, layouts = Hesitant("a.x/app", host="a.x"), Layouts(FakeClock())
    source.blobs[BLOB.digest] = DATA
    source.lies[BLOB.digest] = b"x" + DATA[1:]
    async with layouts.writing(str(tmp_path / "layout")) as layout:
        assert isinstance((await moved(shared(), source, [layout]))[layout.name], IntegrityError)
        assert not [*(tmp_path / "layout" / "blobs").glob("*/*")]
    layouts.close()
