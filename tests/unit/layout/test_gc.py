from __future__ import annotations

import contextlib
import errno
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from regsync.errors import StorageError
from regsync.layout.files import Files
from regsync.layout.layouts import Layouts
from regsync.layout.opened import Stat
from regsync.oci.mediatype import DOCKER_SCHEMA1
from regsync.repository import Repository
from tests.support.clock import FakeClock
from tests.support.images import (
    Built,
    an_image,
    artifact_bytes,
    assert_whole,
    described,
    image_bytes,
    index_bytes,
    platforms_index,
    put_blob,
    put_built,
    read_layout,
    verified_once,
    write_layout,
)
from tests.unit.layout.conftest import Opener

AT_ONCE = -1.0  # a grace that spares nothing


def add(folder: Path, data: bytes) -> Path:
    """Put a blob there as another program does, unlisted."""
    place = folder / "blobs" / "sha256" / described(data).digest.hex
    place.write_bytes(data)
    return place


def digests(folder: Path) -> set[str]:
    return set(read_layout(folder)[1])


async def tidied(layouts: Layouts, folder: Path) -> int | None:
    return await layouts.open(str(folder)).tidy()


async def test_what_a_moved_tag_left_behind_goes_when_the_last_writer_leaves(opener: Opener, folder: Path) -> None:
    layouts = opener(grace=AT_ONCE)
    old, new = image_bytes(b"shared", b"old"), image_bytes(b"shared", b"new")
    async with layouts.writing(str(folder)) as layout:
        async with layouts.writing(str(folder)):
            await put_built(layout, old, tag="v1")
            await put_built(layout, new, tag="v1")
        assert digests(folder) == {*old.contents(), *new.contents()}  # the outer one still writes
    assert digests(folder) == set(new.contents())


async def test_everything_reachable_stays(opener: Opener, folder: Path) -> None:
    subject = image_bytes(b"subject")
    built: dict[str, Built] = {
        "multi": platforms_index("linux/amd64", "linux/arm64"),
        "nested": index_bytes(platforms_index("linux/s390x"), image_bytes(b"plain")),
        "docker": platforms_index("linux/riscv64", docker=True),
        "long": image_bytes(b"sha512", algorithm="sha512"),
    }
    layouts = opener(grace=AT_ONCE)
    sbom = artifact_bytes(b"sbom", subject=subject)
    async with layouts.writing(str(folder)) as layout:
        for tag, image in built.items():
            await put_built(layout, image, tag=tag)
        await put_built(layout, image_bytes(b"untagged"), at=described(image_bytes(b"untagged").raw).digest)
        await put_built(layout, subject, tag="subject")
        await put_built(layout, sbom)
        await put_blob(layout, verified_once(b"nobody's"))
    tags, contents = read_layout(folder)
    for digest in tags.values():
        assert_whole(digest, contents)
    assert set(sbom.contents()) <= set(contents)
    assert str(described(b"untagged").digest) in contents
    assert str(described(b"nobody's").digest) not in contents


async def test_nothing_younger_than_the_grace_goes(folder: Path) -> None:
    write_layout(folder, {"v1": image_bytes(b"a")})
    clock = FakeClock(datetime.now(UTC))
    layouts = Layouts(clock)
    async with layouts.writing(str(folder)) as layout:
        await an_image(layout, b"b", tag="v2")
        foreign = add(folder, b"another tool's, in flight")
    assert foreign.exists()
    await clock.advance(timedelta(hours=1, minutes=1).total_seconds())
    assert await tidied(layouts, folder) == 1
    assert not foreign.exists()
    layouts.close()


async def test_only_files_named_by_a_digest_go(opener: Opener, folder: Path) -> None:
    write_layout(folder, {"v1": image_bytes(b"a")})
    kept = [folder / name for name in ("mine", "blobs/sha256/x.tmp", "blobs/notes", "blobs/md5/abc", ".umoci-1/f")]
    for path in kept:
        path.parent.mkdir(exist_ok=True)
        path.write_text("kept")
    layouts = opener(grace=AT_ONCE)
    async with layouts.writing(str(folder)) as layout:
        await an_image(layout, b"b", tag="v2")
        gone = add(folder, b"unlisted")
    assert all(path.exists() for path in kept)
    assert not gone.exists()


async def test_the_manifest_of_one_image_that_is_a_layer_of_another_keeps_its_own_layers(
    opener: Opener, folder: Path
) -> None:
    plain = image_bytes(b"a layer")
    for tags in (["plain", "wrapping"], ["wrapping", "plain"]):
        built = {"plain": plain, "wrapping": image_bytes(plain.raw)}
        write_layout(folder, {tag: built[tag] for tag in tags})
        async with opener(grace=AT_ONCE).writing(str(folder)) as layout:
            await an_image(layout, b"another", tag="another")
        tags_there, contents = read_layout(folder)
        for digest in tags_there.values():
            assert_whole(digest, contents)


async def test_a_manifest_we_cannot_read_keeps_what_it_mentions(opener: Opener, folder: Path) -> None:
    layer, inner = b"a layer", image_bytes(b"inner layer")
    old = Built(
        DOCKER_SCHEMA1,
        b'{"schemaVersion":1,"fsLayers":[{"blobSum":"%s"}]}' % str(described(layer).digest).encode(),
        "",
    )
    old = Built(old.media_type, old.raw, str(described(old.raw).digest), {str(described(layer).digest): layer})
    damaged = index_bytes(inner)
    write_layout(folder, {"old": old, "damaged": damaged})
    place = folder / "blobs" / "sha256" / damaged.digest[7:]
    place.write_bytes(b" " + damaged.raw[1:])
    async with opener(grace=AT_ONCE).writing(str(folder)) as layout:
        await an_image(layout, b"new", tag="new")
        gone = add(folder, b"unlisted")
    names = {path.name for path in (folder / "blobs" / "sha256").iterdir()}
    assert {digest[7:] for digest in (*old.contents(), *damaged.contents())} <= names
    assert gone.name not in names


async def test_nothing_goes_while_another_process_writes(opener: Opener, folder: Path) -> None:
    ours, theirs = opener(grace=AT_ONCE), opener(grace=AT_ONCE)
    built = image_bytes(b"in flight")
    async with theirs.writing(str(folder)) as their_layout:
        await put_blob(their_layout, verified_once(b"in flight"))
        async with ours.writing(str(folder)) as layout:
            await an_image(layout, b"ours", tag="ours")
        assert await tidied(ours, folder) is None
        assert str(described(b"in flight").digest) in digests(folder)
        await put_built(their_layout, built, tag="theirs")
    assert await tidied(ours, folder) == 0
    tags, contents = read_layout(folder)
    for digest in tags.values():
        assert_whole(digest, contents)


async def test_a_blob_found_present_stays_until_the_writer_has_used_it(opener: Opener, folder: Path) -> None:
    ours, theirs = opener(grace=AT_ONCE), opener(grace=AT_ONCE)
    write_layout(folder, {"v1": image_bytes(b"a")})
    add(folder, b"left by a run that was killed")
    async with theirs.writing(str(folder)) as layout:
        assert await layout.has_blob(described(b"left by a run that was killed"))
        async with ours.writing(str(folder)) as our_layout:
            await an_image(our_layout, b"ours", tag="ours")
        assert await layout.has_blob(described(b"left by a run that was killed"))


async def test_nothing_is_collected_when_nothing_was_written(opener: Opener, folder: Path) -> None:
    async with opener().writing(str(folder)) as layout:
        await an_image(layout, b"a", tag="v1")
    unlisted = add(folder, b"unlisted")
    async with opener(grace=AT_ONCE).writing(str(folder)) as layout:
        assert await layout.head_manifest("v1") is not None
        assert await layout.has_blob(described(b"a"))
    assert unlisted.exists()


async def test_a_writer_that_fails_collects_nothing_and_unlocks(opener: Opener, folder: Path) -> None:
    async def failing(layout: Repository) -> None:
        await put_blob(layout, verified_once(b"unlisted"))
        raise KeyError("a bug")

    layouts = opener(grace=AT_ONCE)
    async with layouts.writing(str(folder)) as layout:
        await an_image(layout, b"a", tag="v1")
    with pytest.raises(KeyError):
        async with layouts.writing(str(folder)) as layout:
            await failing(layout)
    assert str(described(b"unlisted").digest) in digests(folder)
    assert await tidied(opener(grace=AT_ONCE), folder) == 1


async def test_a_layout_without_an_index_loses_nothing(opener: Opener, folder: Path) -> None:
    async with opener().writing(str(folder)) as layout:
        await put_blob(layout, verified_once(b"first of all"))
    (folder / "index.json").unlink()
    with pytest.raises(StorageError, match="it is missing"):
        await tidied(opener(grace=AT_ONCE), folder)
    assert (folder / "blobs" / "sha256" / described(b"first of all").digest.hex).exists()


def old_index(*layers: bytes) -> Built:
    return index_bytes(image_bytes(*layers))


async def test_what_a_young_manifest_names_stays_however_old_it_is(folder: Path) -> None:
    clock = FakeClock(datetime.now(UTC))
    layouts = Layouts(clock)
    kept = old_index(b"an old layer")
    write_layout(folder, {"v1": image_bytes(b"a"), "gone": kept})
    write_layout(folder, {"v1": image_bytes(b"a")})
    await clock.advance(timedelta(hours=2).total_seconds())
    later = (datetime.now(UTC) + timedelta(hours=2)).timestamp()
    place = folder / "blobs" / "sha256" / kept.digest[7:]
    young = Files()
    stat = young.stat

    class Touched(Files):
        def stat(self, path: Path, *, follow: bool = False) -> Stat | None:
            seen = stat(path, follow=follow)
            return replace(seen, ctime_ns=int(later * 1e9)) if seen is not None and path == place else seen

    assert await Layouts(clock, files=Touched()).open(str(folder)).tidy() == 0
    assert set(kept.contents()) <= digests(folder)
    assert await layouts.open(str(folder)).tidy() == len(kept.contents())
    layouts.close()


async def test_a_sweep_that_stops_anywhere_leaves_no_manifest_without_its_parts(
    opener: Opener, folder: Path, tmp_path: Path
) -> None:
    garbage = index_bytes(old_index(b"one", b"shared"), image_bytes(b"two", b"shared"))
    old = set(garbage.contents())
    for left in count():
        here = tmp_path / f"{left}"
        write_layout(here, {"garbage": garbage})
        write_layout(here, {"v1": image_bytes(b"a")})
        stops = Stops(left)
        with contextlib.suppress(StorageError):
            await opener(files=Files(stops), grace=AT_ONCE).open(str(here)).tidy()
        contents = read_layout(here)[1]
        for digest in {digest for digest in old & set(contents) if contents[digest].startswith(b'{"schemaVersion"')}:
            assert_whole(digest, contents)
        if not stops.stopped:
            assert left == len(old)
            break
        assert len(old & set(contents)) == len(old) - left


class Stops:
    """Fails every removal of a blob after so many."""

    def __init__(self, left: int) -> None:
        self.stopped = False
        self._left = left

    def __call__(self, operation: str, path: Path) -> None:
        if operation == "remove" and "blobs" in path.parts:
            self._left -= 1
            if self._left < 0:
                self.stopped = True
                raise OSError(errno.EIO, "stopped")


async def test_damaged_garbage_that_names_itself_in_a_circle_goes(opener: Opener, folder: Path) -> None:
    write_layout(folder, {"v1": image_bytes(b"a")})
    one, other = (described(name) for name in (b"one", b"other"))
    for named, naming in ((one, other), (other, one)):
        place = folder / "blobs" / "sha256" / naming.digest.hex
        place.write_bytes(b'{"schemaVersion":2,"mentions":"%s"}' % str(named.digest).encode())
    assert await tidied(opener(grace=AT_ONCE), folder) == 2
    assert digests(folder) == set(image_bytes(b"a").contents())
