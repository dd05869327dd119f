from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from regsync.clock import SystemClock
from regsync.errors import IntegrityError, NotFound
from regsync.layout.files import Files
from regsync.layout.layouts import Layouts
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.oci.referrers import fallback_tag
from regsync.repository import Repository
from tests.support.images import (
    an_artifact,
    an_image,
    an_index,
    artifact_bytes,
    image_bytes,
    manifest_of,
    put_built,
    read_layout,
    write_layout,
)
from tests.unit.layout.conftest import Opener
from tests.unit.layout.looking import everything, names, tags_of

CREATED = "org.opencontainers.image.created"


async def test_a_missing_or_empty_directory_reads_as_nothing_and_stays_as_it_is(layouts: Layouts, folder: Path) -> None:
    for place in (folder, folder.parent):
        layout = layouts.open(str(place))
        assert await layout.head_manifest("v1") is None
        with pytest.raises(NotFound):
            await tags_of(layout)
        with pytest.raises(NotFound):
            await layout.get_manifest("v1")
    assert names(folder.parent) == []


async def test_names_are_as_written_and_one_directory_is_one_object(
    layouts: Layouts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("layout")
    layout = layouts.open("layout")
    assert (layout.name, layout.host) == ("ocidir://layout", "ocidir")
    assert layouts.open("./layout") is layouts.open("link") is layouts.open(str(tmp_path / "layout")) is layout


async def test_manifests_come_back_by_tag_and_by_digest(layouts: Layouts, folder: Path) -> None:
    async with layouts.writing(str(folder)) as layout:
        index = await an_index(layout, "linux/amd64", "linux/arm64", tag="multi")
    layout = layouts.open(str(folder))
    for ref in ("multi", index.digest):
        assert (await layout.get_manifest(ref)).raw == index.raw
        assert await layout.head_manifest(ref) == index.descriptor
    child = index.children[0]  # listed nowhere, found among the blobs
    assert (await layout.get_manifest(child.digest)).descriptor == child
    assert await layout.head_manifest(child.digest) == child
    assert await tags_of(layout) == ["multi"]


async def test_an_untagged_manifest_is_entered_by_its_digest(layouts: Layouts, folder: Path) -> None:
    built = image_bytes(b"a")
    async with layouts.writing(str(folder)) as layout:
        await put_built(layout, built, at=Digest.parse(built.digest))
        with pytest.raises(IntegrityError):
            await layout.put_manifest(manifest_of(built), at=Digest.of(b"another"))
    entries = json.loads((folder / "index.json").read_bytes())["manifests"]
    assert [(entry["digest"], list(entry["annotations"])) for entry in entries] == [(built.digest, [CREATED])]


async def test_a_child_gets_no_entry_but_an_absent_index_is_made(layouts: Layouts, folder: Path) -> None:
    async with layouts.writing(str(folder)) as layout:
        await put_built(layout, image_bytes(b"a"))
    assert json.loads((folder / "index.json").read_bytes())["manifests"] == []


async def test_storing_twice_writes_nothing(layouts: Layouts, folder: Path) -> None:
    async with layouts.writing(str(folder)) as layout:
        await an_index(layout, "linux/amd64", tag="v1")
        await an_artifact(layout, b"sbom", subject=image_bytes(b"x"))
    before = everything(folder)
    async with layouts.writing(str(folder)) as layout:
        await an_index(layout, "linux/amd64", tag="v1")
        await an_artifact(layout, b"sbom", subject=image_bytes(b"x"))
    assert everything(folder) == before


async def test_a_tag_that_moves_keeps_the_index_before_it(layouts: Layouts, folder: Path) -> None:
    async with layouts.writing(str(folder)) as layout:
        await an_image(layout, b"one", tag="v1")
        before = (folder / "index.json").read_bytes()
        second = await an_image(layout, b"two", tag="v1")
        assert await layout.head_manifest("v1") == second.descriptor
    assert (folder / ".regsync" / "index.json.previous").read_bytes() == before


async def test_a_thousand_look_ups_read_the_index_once(opener: Opener, folder: Path) -> None:
    reads: list[Path] = []
    files = Files(lambda operation, path: reads.append(path) if operation == "read" else None)
    write_layout(folder, {f"v{number}": image_bytes(f"{number}".encode()) for number in range(100)})
    layout = opener(files=files).open(str(folder))
    for number in range(100):
        for _ in range(10):
            assert await layout.head_manifest(f"v{number}") is not None
    assert 0 < reads.count(folder / "index.json") <= 4


async def test_an_index_changed_by_others_is_seen(opener: Opener, folder: Path) -> None:
    reader = opener().open(str(folder))
    for tag in ("a", "b"):
        async with opener().writing(str(folder)) as layout:
            await an_image(layout, tag.encode(), tag=tag)
        assert tag in await tags_of(reader)


@pytest.mark.parametrize("damage", [None, b"", b"cut off", b"{" * 20])
async def test_a_tag_whose_manifest_is_gone_or_damaged_is_not_there_and_can_be_put_again(
    opener: Opener, folder: Path, damage: bytes | None
) -> None:
    built = image_bytes(b"a")
    write_layout(folder, {"v1": built})
    place = folder / "blobs" / "sha256" / built.digest[7:]
    place.unlink() if damage is None else place.write_bytes(damage)
    async with opener().writing(str(folder)) as layout:
        assert await layout.head_manifest("v1") is None
        await put_built(layout, built, tag="v1")
        assert await layout.head_manifest("v1") is not None
    assert place.read_bytes() == built.raw


async def test_a_flipped_bit_in_a_manifest_is_found_by_whoever_demands_it(layouts: Layouts, folder: Path) -> None:
    built = image_bytes(b"a")
    write_layout(folder, {"v1": built})
    place = folder / "blobs" / "sha256" / built.digest[7:]
    place.write_bytes(bytes([built.raw[0], built.raw[1] ^ 1]) + built.raw[2:])
    with pytest.raises(IntegrityError):
        await layouts.open(str(folder)).get_manifest("v1")


async def test_a_referrer_is_listed_under_the_fallback_tag_of_its_subject(layouts: Layouts, folder: Path) -> None:
    subject = image_bytes(b"a")
    async with layouts.writing(str(folder)) as layout:
        await put_built(layout, subject, tag="v1")
        first = await an_artifact(layout, b"sbom", subject=subject)
        built = artifact_bytes(b"signature", subject=subject)
        second = await put_built(layout, built)  # as part of something else: findable all the same
        tag = fallback_tag(Digest.parse(subject.digest))
        assert await tags_of(layout) == [tag, "v1"]
        listed = await layout.get_manifest(tag)
    assert [child.digest for child in listed.children] == [first.digest, second.digest]


@pytest.mark.parametrize("how", ["missing", "cut"])
async def test_a_damaged_list_of_referrers_keeps_no_referrer_from_being_entered(
    layouts: Layouts, folder: Path, how: str
) -> None:
    subject = image_bytes(b"a")
    tag = fallback_tag(Digest.parse(subject.digest))
    async with layouts.writing(str(folder)) as layout:
        await put_built(layout, subject, tag="v1")
        await an_artifact(layout, b"sbom", subject=subject)
    place = folder / "blobs" / "sha256" / read_layout(folder)[0][tag][7:]
    place.unlink() if how == "missing" else place.write_bytes(place.read_bytes()[:50])
    async with layouts.writing(str(folder)) as layout:
        again = await an_artifact(layout, b"sbom", subject=subject)
        listed = await layout.get_manifest(tag)
    assert [child.digest for child in listed.children] == [again.digest]
    read_layout(folder)  # every file is what its name says


async def test_many_tags_at_once_are_all_there(layouts: Layouts, folder: Path) -> None:
    async with layouts.writing(str(folder)) as layout, asyncio.TaskGroup() as group:
        for number in range(50):
            group.create_task(an_image(layout, f"{number}".encode(), tag=f"v{number}"))
    tags, _ = read_layout(folder)
    assert len(tags) == 50


async def test_a_change_that_cannot_be_made_does_not_stop_the_others(layouts: Layouts, folder: Path) -> None:
    subject = image_bytes(b"a")
    tag = fallback_tag(Digest.parse(subject.digest))
    write_layout(folder, {"v1": subject, tag: image_bytes(b"an image where a list belongs")})
    async with layouts.writing(str(folder)) as layout:
        bad = manifest_of(artifact_bytes(b"sbom", subject=subject))
        results = await asyncio.gather(
            layout.put_manifest(bad, at="bad"), an_image(layout, b"b", tag="good"), return_exceptions=True
        )
    assert isinstance(results[0], Exception)
    assert isinstance(results[1], Manifest)
    assert "good" in read_layout(folder)[0]


@pytest.mark.parametrize("name", ["SOURCE_DATE_EPOCH", "SOURCE_DATE_EPOC"])
async def test_the_environment_may_name_the_time_of_creation(
    layouts: Layouts, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "1700000000")
    async with layouts.writing(str(folder)) as layout:
        await an_image(layout, b"a", tag="v1")
    entry = json.loads((folder / "index.json").read_bytes())["manifests"][0]
    assert entry["annotations"][CREATED] == "2023-11-14T22:13:20Z"


def test_a_layout_is_a_repository(folder: Path) -> None:
    layouts = Layouts(SystemClock())
    repository: Repository = layouts.open(str(folder))
    assert repository.name == f"ocidir://{folder}"
    layouts.close()
