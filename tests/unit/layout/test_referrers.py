"""Referrers of a layout: those its lists name, those only its index does, and what of them is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from regsync.errors import StorageError
from regsync.layout.layouts import Layouts
from regsync.layout.repository import LayoutRepository
from regsync.oci.digest import Digest
from regsync.oci.referrers import fallback_tag
from tests.support.images import artifact_bytes, image_bytes, index_bytes, put_built, write_layout

IMAGE = image_bytes(b"a layer")
ABOUT = Digest.parse(IMAGE.digest)
TAG = fallback_tag(ABOUT)
LISTED = artifact_bytes(b"listed", subject=IMAGE)
ENTERED = artifact_bytes(b"only entered in the index", subject=IMAGE)


def blob(folder: Path, digest: str) -> Path:
    algorithm, _, value = digest.partition(":")
    return folder / "blobs" / algorithm / value


@pytest.fixture
def source(folder: Path) -> Path:
    """A layout of another tool: one referrer on the list, one tagged, one only entered."""
    images = {"v1": IMAGE, TAG: index_bytes(LISTED), "signed": LISTED, "other": image_bytes(b"another")}
    write_layout(folder, images, untagged=(ENTERED,))
    return folder


async def found(layout: LayoutRepository, *, slow: bool) -> list[str]:
    return [str(each.digest) for each in await layout.referrers(ABOUT, slow=slow)]


async def test_only_a_slow_look_finds_what_no_list_names(layouts: Layouts, source: Path) -> None:
    layout = layouts.open(str(source))
    assert await found(layout, slow=False) == [LISTED.digest]
    assert await found(layout, slow=True) == [LISTED.digest, ENTERED.digest]
    (_, entered) = await layout.referrers(ABOUT, slow=True)
    assert entered.artifact_type == ENTERED.artifact_type


async def test_a_slow_look_sees_what_was_entered_since(layouts: Layouts, source: Path) -> None:
    layout = layouts.open(str(source))
    assert len(await found(layout, slow=True)) == 2
    later = artifact_bytes(b"later", subject=IMAGE)
    write_layout(source, {"v1": IMAGE}, untagged=(ENTERED, later))
    assert await found(layout, slow=True) == [ENTERED.digest, later.digest]


async def test_a_slow_look_reads_each_manifest_once(
    layouts: Layouts, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = layouts.open(str(source))
    read, reads = layout.blobs.read, list[Digest]()

    def counted(digest: Digest) -> bytes:
        reads.append(digest)
        return read(digest)

    monkeypatch.setattr(layout.blobs, "read", counted)
    for _ in range(3):
        await found(layout, slow=True)
    assert reads.count(Digest.parse(ENTERED.digest)) == 1


async def test_a_slow_look_passes_over_what_nobody_can_read(layouts: Layouts, source: Path) -> None:
    blob(source, image_bytes(b"another").digest).unlink()
    blob(source, IMAGE.digest).write_bytes(b"{")
    assert await found(layouts.open(str(source)), slow=True) == [LISTED.digest, ENTERED.digest]


@pytest.mark.parametrize("lost", [True, False])
async def test_a_damaged_list_of_a_source_is_an_error(layouts: Layouts, source: Path, *, lost: bool) -> None:
    place = blob(source, index_bytes(LISTED).digest)
    place.unlink() if lost else place.write_bytes(b"{}")
    with pytest.raises(StorageError, match=f"{TAG}, a list of referrers, is damaged"):
        await found(layouts.open(str(source)), slow=False)


@pytest.mark.parametrize("lost", [True, False])
async def test_to_a_writer_a_damaged_list_names_nothing_and_is_made_anew(
    layouts: Layouts, source: Path, *, lost: bool
) -> None:
    place = blob(source, index_bytes(LISTED).digest)
    place.unlink() if lost else place.write_bytes(b"{}")
    async with layouts.writing(str(source)) as layout:
        assert await found(layout, slow=False) == []
        await put_built(layout, LISTED)
        assert await found(layout, slow=False) == [LISTED.digest]


async def test_to_a_writer_a_referrer_that_lost_a_part_is_not_there_until_it_is_mended(
    layouts: Layouts, source: Path
) -> None:
    (part,) = (digest for digest, data in LISTED.blobs.items() if data == b"listed")
    blob(source, part).unlink()
    assert await found(layouts.open(str(source)), slow=False) == [LISTED.digest]
    async with layouts.writing(str(source)) as layout:
        assert await found(layout, slow=False) == []
        await put_built(layout, LISTED)
        assert await found(layout, slow=False) == [LISTED.digest]
