from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from regsync.errors import IntegrityError, NotFound, StorageError, Unavailable, Unsupported
from regsync.layout.files import Files
from regsync.layout.layouts import Layouts
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.repository import Repository
from tests.support.images import (
    Verified,
    an_image,
    bytes_of,
    described,
    put_blob,
    some_bytes,
    verified_once,
)
from tests.unit.layout.conftest import Opener
from tests.unit.layout.looking import blob_files, modes, names, open_files, place_of, staged

BIG = some_bytes((5 << 20) + 17)


@pytest.mark.parametrize("data", [b"", b"small", BIG], ids=["empty", "small", "big"])
@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
async def test_what_was_put_is_there_and_comes_back(
    layouts: Layouts, folder: Path, data: bytes, algorithm: str
) -> None:
    blob = described(data, algorithm=algorithm)
    async with layouts.writing(str(folder)) as layout:
        assert not await layout.has_blob(blob)
        await put_blob(layout, verified_once(data, blob=blob))
        assert await layout.has_blob(blob)
    assert await bytes_of(layouts.open(str(folder)), blob) == data
    assert place_of(folder, blob).read_bytes() == data
    assert staged(folder) == []


async def test_modes_are_left_to_the_umask(layouts: Layouts, folder: Path) -> None:
    before = os.umask(0o027)
    try:
        async with layouts.writing(str(folder)) as layout:
            await an_image(layout, b"layer", BIG, tag="v1")
    finally:
        os.umask(before)
    assert modes(folder, directories=False) == {"0o640"}
    assert modes(folder, directories=True) == {"0o750"}


@pytest.mark.parametrize("data", [b"small", BIG], ids=["small", "big"])
async def test_content_that_is_not_the_blob_leaves_nothing_behind(layouts: Layouts, folder: Path, data: bytes) -> None:
    blob = described(data)
    wrong = bytes([data[0] ^ 1]) + data[1:]
    async with layouts.writing(str(folder)) as layout:
        for content in (wrong, data[:-1], data + b"x"):
            with pytest.raises(IntegrityError):
                await put_blob(layout, verified_once(content, blob=blob))
        assert not await layout.has_blob(blob)
    assert blob_files(folder) == []
    assert staged(folder) == []


async def test_a_blob_that_fails_half_way_leaves_nothing_behind(layouts: Layouts, folder: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield BIG[: 3 << 20]
        raise Unavailable("the source went away")

    async with layouts.writing(str(folder)) as layout:
        with pytest.raises(Unavailable):
            await put_blob(layout, Verified(described(BIG), broken()))
    assert blob_files(folder) == []
    assert staged(folder) == []


def replace_by_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").touch()


def replace_by_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def replace_by_link(path: Path) -> None:
    path.rename(path.with_name("other"))
    path.symlink_to(path.with_name("other"))


def replace_by_link_to_device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "flipped": lambda path: path.write_bytes(b"SMALL"),
    "cut": lambda path: path.write_bytes(b"smal"),
    "empty": lambda path: path.write_bytes(b""),
    "longer": lambda path: path.write_bytes(b"small and longer"),
    "directory": replace_by_directory,
    "fifo": replace_by_fifo,
    "link": replace_by_link,
    "link-to-device": replace_by_link_to_device,
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_blob_is_not_there_and_is_healed(opener: Opener, folder: Path, damage: str) -> None:
    blob = described(b"small")
    async with opener().writing(str(folder)) as layout:
        await put_blob(layout, verified_once(b"small"))
    DAMAGES[damage](place_of(folder, blob))
    layouts = opener()
    to_a_reader = await layouts.open(str(folder)).has_blob(blob)
    assert to_a_reader is (damage == "link")  # which is followed where nobody writes
    async with layouts.writing(str(folder)) as layout:
        assert not await layout.has_blob(blob)
        assert len(names(folder / ".regsync" / "quarantine")) == 1
        await put_blob(layout, verified_once(b"small"))
        assert await layout.has_blob(blob)
    assert place_of(folder, blob).read_bytes() == b"small"
    assert not place_of(folder, blob).is_symlink()


@pytest.mark.parametrize("moment", ["read", "look at"])
@pytest.mark.parametrize("healed", [False, True], ids=["removed", "healed"])
async def test_what_another_process_does_about_a_damaged_blob_at_the_same_time_is_left_alone(
    opener: Opener, folder: Path, moment: str, *, healed: bool
) -> None:
    blob, done = described(b"small"), list[str]()

    def meanwhile(operation: str, path: Path) -> None:
        """Be that process: between the first look at the file and its reading, or before it would be moved away."""
        if path != place_of(folder, blob):
            return
        done.append(operation)
        if operation == moment and done.count(operation) == (1 if moment == "read" else 2):
            path.unlink()
            if healed:
                path.write_bytes(b"small")

    async with opener().writing(str(folder)) as layout:
        await put_blob(layout, verified_once(b"small"))
    place_of(folder, blob).write_bytes(b"sma")
    async with opener(files=Files(meanwhile)).writing(str(folder)) as layout:
        assert not await layout.has_blob(blob)  # found it damaged, and sends it again
        assert done.count(moment) >= (1 if moment == "read" else 2)
        assert place_of(folder, blob).exists() == healed
        await put_blob(layout, verified_once(b"small"))
        assert await layout.has_blob(blob)


async def test_a_blob_is_put_over_whatever_stands_in_its_place_of(layouts: Layouts, folder: Path) -> None:
    blob = described(b"small")
    async with layouts.writing(str(folder)) as layout:
        await put_blob(layout, verified_once(b"other"))
        place_of(folder, blob).mkdir()
        await put_blob(layout, verified_once(b"small"))
        assert await bytes_of(layout, blob) == b"small"


async def test_damage_after_the_first_proof_is_seen_too(layouts: Layouts, folder: Path) -> None:
    blob = described(b"small")
    async with layouts.writing(str(folder)) as layout:
        await put_blob(layout, verified_once(b"small"))
        assert await layout.has_blob(blob)
        before = place_of(folder, blob).stat()
        place_of(folder, blob).write_bytes(b"SMALL")
        os.utime(place_of(folder, blob), ns=(before.st_atime_ns, before.st_mtime_ns))  # ctime cannot be set back
        assert not await layout.has_blob(blob)


async def test_a_source_that_lies_about_the_size_cannot_have_a_good_blob_removed(
    layouts: Layouts, folder: Path
) -> None:
    blob = described(b"small")
    async with layouts.writing(str(folder)) as layout:
        await put_blob(layout, verified_once(b"small"))
        assert not await layout.has_blob(Descriptor(blob.media_type, blob.digest, 4))
    assert place_of(folder, blob).read_bytes() == b"small"


async def test_a_good_blob_is_hashed_once(opener: Opener, folder: Path) -> None:
    read: list[Path] = []
    files = Files(lambda operation, path: read.append(path) if operation == "read" else None)
    async with opener().writing(str(folder)) as layout:
        await put_blob(layout, verified_once(b"small"))
    blob = described(b"small")
    async with opener(files=files).writing(str(folder)) as layout:
        assert await layout.has_blob(blob)
        again = read.count(place_of(folder, blob))
        assert again > 0
        assert await layout.has_blob(blob)
        assert read.count(place_of(folder, blob)) == again


async def test_opening_what_is_missing_is_not_found_on_entering(layouts: Layouts, folder: Path) -> None:
    with pytest.raises(NotFound):
        async with layouts.open(str(folder)).open_blob(described(b"none")):
            pytest.fail("it is not there")


async def test_a_file_of_the_wrong_size_is_damage_that_no_waiting_mends(layouts: Layouts, folder: Path) -> None:
    async with layouts.writing(str(folder)) as layout:
        await put_blob(layout, verified_once(b"small"))
        with pytest.raises(StorageError, match="damaged: it has 5 of 6 bytes") as caught:
            async with layout.open_blob(Descriptor("a/b", Digest.of(b"small"), 6)):
                pytest.fail("it is not that blob")
    assert not caught.value.retryable


async def test_a_file_of_other_bytes_is_damage_that_no_waiting_mends(opener: Opener, folder: Path) -> None:
    async with opener().writing(str(folder)) as layout:
        await put_blob(layout, verified_once(BIG))
    blob = described(BIG)
    place_of(folder, blob).write_bytes(b"!" + BIG[1:])
    with pytest.raises(StorageError, match="not what its name says") as caught:
        async with opener().open(str(folder)).open_blob(blob) as chunks:
            [chunk async for chunk in Verified(blob, chunks)]
    assert isinstance(caught.value.__context__, IntegrityError)


async def refused(layout: Repository, blob: Descriptor) -> None:
    async with layout.open_blob(blob) as chunks:
        assert [chunk async for chunk in chunks] == [b"small"]
        raise IntegrityError("the target's")


async def test_a_good_file_is_hashed_for_nobody_and_not_blamed_for_what_a_target_says(
    opener: Opener, folder: Path
) -> None:
    read: list[Path] = []
    files = Files(lambda operation, path: read.append(path) if operation == "read" else None)
    async with opener().writing(str(folder)) as layout:
        await put_blob(layout, verified_once(b"small"))
    blob = described(b"small")
    layout = opener(files=files).open(str(folder))
    assert await bytes_of(layout, blob) == b"small"
    once = read.count(place_of(folder, blob))
    del read[:]
    with pytest.raises(IntegrityError, match="the target's"):
        await refused(layout, blob)
    assert read.count(place_of(folder, blob)) > once


@pytest.mark.parametrize("start", [0, 1, 1 << 20, (1 << 20) + 1, len(BIG) - 1, len(BIG)])
async def test_a_blob_is_read_from_any_byte_on(layouts: Layouts, folder: Path, start: int) -> None:
    async with layouts.writing(str(folder)) as layout:
        await put_blob(layout, verified_once(BIG))
        async with layout.open_blob(described(BIG), start=start) as chunks:
            assert b"".join([chunk async for chunk in chunks]) == BIG[start:]


async def test_a_fifo_in_place_of_a_blob_is_refused_and_not_waited_for(layouts: Layouts, folder: Path) -> None:
    blob = described(b"small")
    async with layouts.writing(str(folder)) as layout:
        await put_blob(layout, verified_once(b"small"))
    place_of(folder, blob).unlink()
    os.mkfifo(place_of(folder, blob))
    with pytest.raises(StorageError, match="no plain file"):
        async with layouts.open(str(folder)).open_blob(blob):
            pytest.fail("it is no file")


async def test_a_reader_that_leaves_early_leaves_no_file_open(layouts: Layouts, folder: Path) -> None:
    async with layouts.writing(str(folder)) as layout:
        await put_blob(layout, verified_once(BIG))
    before = open_files()
    for _ in range(5):
        async with layouts.open(str(folder)).open_blob(described(BIG)) as chunks:
            async for chunk in chunks:
                assert len(chunk) <= 1 << 20
                break
    assert open_files() == before


async def test_a_layout_opened_to_read_is_not_written_into(layouts: Layouts, folder: Path) -> None:
    with pytest.raises(Unsupported, match="opened to read"):
        await put_blob(layouts.open(str(folder)), verified_once(b"x"))
    assert blob_files(folder) == []
    assert "layout" not in names(folder.parent)
