"""How a layout keeps what was staged for the next writer of the blob. What every writer promises: `tests/contract`."""

from __future__ import annotations

import errno
import os
from itertools import count
from pathlib import Path

import pytest

from regsync.errors import RegsyncError, StorageError, Unavailable
from regsync.layout.files import Files
from regsync.layout.layouts import Layouts
from regsync.layout.repository import LayoutRepository
from regsync.oci.descriptor import Descriptor
from regsync.repository import BlobWriter
from tests.support.images import bytes_of, described, image_bytes, some_bytes, write_layout
from tests.unit.layout.conftest import Opener
from tests.unit.layout.looking import blob_files, names, open_files, staged

LARGE = some_bytes((3 << 20) + 17, "staged")
BLOB = described(LARGE)


async def feed(writer: BlobWriter, data: bytes) -> None:
    for start in range(writer.offset, len(data), 300_000):
        await writer.write(data[start : start + 300_000])


async def break_off(layout: LayoutRepository, data: bytes, blob: Descriptor = BLOB) -> None:
    """Write this much and leave by an error that may pass."""
    with pytest.raises(Unavailable):
        await left_by(layout, data, blob)


async def left_by(layout: LayoutRepository, data: bytes, blob: Descriptor) -> None:
    async with layout.write_blob(blob) as writer:
        await feed(writer, data)
        raise Unavailable("the source went away")


@pytest.mark.parametrize("size", [1, 1000, 1 << 20, (2 << 20) + 5, len(LARGE)])
async def test_every_byte_that_was_handed_in_is_kept_for_the_next_writer(
    layouts: Layouts, folder: Path, size: int
) -> None:
    async with layouts.writing(str(folder)) as layout:
        await break_off(layout, LARGE[:size])
        assert len(staged(folder)) == 1
        async with layout.write_blob(BLOB) as writer:
            assert writer.offset == size
            await feed(writer, LARGE)
            await writer.commit()
        assert await bytes_of(layout, BLOB) == LARGE
        assert staged(folder) == []


async def test_a_suspended_file_that_somebody_changed_is_not_gone_on_with(layouts: Layouts, folder: Path) -> None:
    async with layouts.writing(str(folder)) as layout:
        await break_off(layout, LARGE[: 2 << 20])
        [name] = staged(folder)
        with (folder / ".regsync" / "stage" / name).open("ab") as file:
            file.write(b"!")
        async with layout.write_blob(BLOB) as writer:
            assert writer.offset == 0
            assert staged(folder) == []


async def test_a_blob_of_one_digest_and_two_sizes_is_two_blobs(layouts: Layouts, folder: Path) -> None:
    async with layouts.writing(str(folder)) as layout:
        await break_off(layout, LARGE[: 2 << 20])
        async with layout.write_blob(Descriptor(BLOB.media_type, BLOB.digest, BLOB.size - 1)) as writer:
            assert writer.offset == 0
        async with layout.write_blob(Descriptor("another/type", BLOB.digest, BLOB.size)) as writer:
            assert writer.offset == 2 << 20


async def test_thirty_two_files_are_suspended_at_most_and_the_oldest_go(layouts: Layouts, folder: Path) -> None:
    blobs = [described(bytes([number]) * 2000) for number in range(40)]
    async with layouts.writing(str(folder)) as layout:
        async with layout.write_blob(BLOB):
            before = open_files()
        for number, blob in enumerate(blobs):
            await break_off(layout, bytes([number]) * 1000, blob)
        assert len(staged(folder)) == 32
        offsets = []
        for blob in blobs:
            async with layout.write_blob(blob) as writer:
                offsets.append(writer.offset)
        assert offsets == [0] * 8 + [1000] * 32
        assert open_files() == before


async def test_nothing_is_suspended_when_the_last_writer_leaves(layouts: Layouts, folder: Path) -> None:
    before = open_files()
    async with layouts.writing(str(folder)) as layout:
        async with layouts.writing(str(folder)) as inner:
            await break_off(inner, LARGE[: 2 << 20])
        async with layout.write_blob(BLOB) as writer:
            assert writer.offset == 2 << 20
        await break_off(layout, LARGE[: 2 << 20])
    assert not (folder / ".regsync").exists()
    assert open_files() <= before + 8  # the threads' own
    async with layouts.writing(str(folder)) as layout, layout.write_blob(BLOB) as writer:
        assert writer.offset == 0


class Failing:
    """Fails the k-th file operation."""

    def __init__(self, at: int, code: int) -> None:
        self.failed = False
        self._left = at
        self._code = code

    def __call__(self, operation: str, path: Path) -> None:
        self._left -= 1
        if self._left == 0:
            self.failed = True
            raise OSError(self._code, os.strerror(self._code))


async def written(layout: LayoutRepository) -> None:
    async with layout.write_blob(BLOB) as writer:
        await feed(writer, LARGE)
        await writer.commit()


async def interrupted(layout: LayoutRepository) -> None:
    """Write the blob in two goes."""
    await break_off(layout, LARGE[: 2 << 20])
    await written(layout)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO], ids=["full", "broken"])
async def test_whatever_operation_fails_no_half_blob_is_seen_and_none_is_left(
    opener: Opener, tmp_path: Path, code: int
) -> None:
    for at in count(1):
        folder = tmp_path / f"{at}"
        write_layout(folder, {"v1": image_bytes(b"a")})
        failing = Failing(at, code)
        before = len(blob_files(folder))
        error = None
        try:
            async with opener(files=Files(failing)).writing(str(folder)) as layout:
                await interrupted(layout)
        except (RegsyncError, AssertionError) as raised:
            error = raised
        except pytest.fail.Exception as raised:
            error = AssertionError(str(raised))
        if not failing.failed:
            assert error is None
            assert at > 25
            break
        assert staged(folder) == []
        assert [
            path for path in blob_files(folder) if path.name == BLOB.digest.hex and path.read_bytes() != LARGE
        ] == []
        assert len(blob_files(folder)) <= before + 1
        async with opener().writing(str(folder)) as layout:
            await interrupted(layout)
            assert await bytes_of(layout, BLOB) == LARGE


async def test_a_disk_that_fills_up_is_no_reason_to_try_again(opener: Opener, folder: Path) -> None:
    def full(operation: str, path: Path) -> None:
        if operation == "write" and path.parent.name == "stage" and path.stat().st_size >= 1 << 20:
            raise OSError(errno.ENOSPC, "full")

    async with opener(files=Files(full)).writing(str(folder)) as layout:
        with pytest.raises(StorageError, match="disk full") as caught:
            await written(layout)
        assert staged(folder) == []
    assert not caught.value.retryable
    assert "blobs" in names(folder)
    assert blob_files(folder) == []
