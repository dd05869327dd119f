"""Which tags of a target are gone at the source, and which only look so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from regsync.errors import Forbidden, Unsupported
from regsync.events import ImageDiffers, ImageFailed
from regsync.oci.reference import Reference
from regsync.repository import Repository
from regsync.sync.entry import SyncEntry
from regsync.sync.select import Filter, Selection
from regsync.sync.survey import Looking
from tests.support.images import put_built
from tests.unit.sync.lab import MemoryEndpoints, image, ran, repository
from tests.unit.sync.surveyed import MAY, OLD, differences, differing, forget, looked


@pytest.fixture
async def ends() -> MemoryEndpoints:
    return await differing()


async def test_tags_that_the_selection_names_and_the_source_has_no_more_are_gone(ends: MemoryEndpoints) -> None:
    target = ends.at("b.x/app")
    await put_built(target, OLD, tag="v0")
    await put_built(target, OLD, tag="edge")
    await put_built(target, OLD, tag=f"sha256-{OLD.digest[7:]}.sig")
    await put_built(target, OLD, tag="old-v1")
    forget(ends)
    entry = versions(repository("a.x/app", "b.x/app"))
    gone = [one for one in await looked(ends, entry) if one.change == "gone"]
    assert gone == [ImageDiffers("a.x/app:v0", "b.x/app:v0", "gone", OLD.digest, "", MAY, None)]


def versions(entry: SyncEntry, allow: str = "v.*") -> SyncEntry:
    return replace(entry, tags=Selection((Filter(allow=(allow,)),)))


async def test_what_another_entry_writes_is_not_gone(ends: MemoryEndpoints) -> None:
    for tag in ("v3", "v4", "v5"):
        await put_built(ends.at("b.x/app"), OLD, tag=tag)
    await put_built(ends.at("d.x/other"), OLD, tag="v3")
    await put_built(ends.at("d.x/one"), OLD, tag="odd")
    forget(ends)
    whole, other = repository("a.x/app", "b.x/app"), repository("d.x/other", "b.x/app")
    found = await looked(ends, whole, other, image("d.x/one:odd", "b.x/app:v4"))
    assert [(one.source, one.target) for one in found if one.change == "gone"] == [("a.x/app:v5", "b.x/app:v5")]


async def test_what_an_entry_may_write_whose_source_cannot_be_listed_is_not_gone(ends: MemoryEndpoints) -> None:
    await put_built(ends.at("b.x/app"), OLD, tag="v5")
    ends.at("d.x/other").fail("tags", Forbidden("d.x: no"), times=9)
    failed, seen = await ran(
        ends,
        repository("a.x/app", "b.x/app"),
        repository("d.x/other", "b.x/app"),
        scope="check",
        looking=Looking(),
    )
    assert failed == 1
    assert sorted(one.change for one in differences(seen)) == ["changed", "new"]


async def test_an_image_that_is_kept_before_it_is_overwritten_is_not_gone(ends: MemoryEndpoints) -> None:
    def kept(target: Reference) -> Reference:
        return target.with_tag(f"old-{target.tag}")

    await put_built(ends.at("b.x/app"), OLD, tag="old-v1")
    await put_built(ends.at("b.x/app"), OLD, tag="old-v7")
    forget(ends)
    found = await looked(ends, replace(repository("a.x/app", "b.x/app"), backup=kept))
    assert [one.target for one in found if one.change == "gone"] == ["b.x/app:old-v7"]


@pytest.mark.parametrize("tag", ["v9", "v0"])
async def test_an_image_that_its_source_has_no_more_is_gone_if_the_target_has_it(
    ends: MemoryEndpoints, tag: str
) -> None:
    await put_built(ends.at("b.x/app"), OLD, tag="v0")
    forget(ends)
    failed, seen = await ran(ends, image(f"a.x/app:{tag}", f"b.x/app:{tag}"), scope="check", looking=Looking())
    if tag == "v9":
        assert (failed, differences(seen)) == (1, [])
        return
    assert (failed, [(one.change, one.before) for one in differences(seen)]) == (0, [("gone", OLD.digest)])
    assert not [event for event in seen if isinstance(event, ImageFailed)]


async def test_repositories_of_a_registry_are_compared_each(ends: MemoryEndpoints) -> None:
    ends.catalogues["a.x"] = ["app", "emptied"]
    await put_built(ends.at("b.x/hub/app"), OLD, tag="v0")
    await put_built(ends.at("b.x/hub/emptied"), OLD, tag="v1")
    forget(ends)
    entry = replace(repository("a.x", "b.x/hub"), kind="registry")
    found = await looked(ends, entry)
    assert sorted((one.change, one.target) for one in found) == [
        ("gone", "b.x/hub/app:v0"),
        ("gone", "b.x/hub/emptied:v1"),
        ("new", "b.x/hub/app:v1"),
        ("new", "b.x/hub/app:v2"),
    ]


async def test_a_target_whose_tags_cannot_be_listed_has_none_that_are_gone(ends: MemoryEndpoints) -> None:
    ends.at("b.x/app").fail("tags", Forbidden("b.x: no"), times=9)
    found = await looked(ends, repository("a.x/app", "b.x/app"))
    assert sorted(one.change for one in found) == ["changed", "new"]


async def test_a_run_that_stops_at_the_first_failure_calls_nothing_gone(ends: MemoryEndpoints) -> None:
    await put_built(ends.at("b.x/app"), OLD, tag="v9")
    wrong = image("a.x/none:v1", "b.x/none:v1")
    entries = (repository("a.x/app", "b.x/app"), wrong)
    failed, seen = await ran(ends, *entries, scope="check", looking=Looking(), abort_on_error=True)
    assert failed == 1
    assert "gone" not in {one.change for one in differences(seen)}


async def test_what_a_registry_may_write_that_cannot_be_listed_is_not_gone(ends: MemoryEndpoints) -> None:
    await put_built(ends.at("b.x/hub/app"), OLD, tag="v7")
    await put_built(ends.at("b.x/hubs/app"), OLD, tag="v8")

    async def refused(host: str) -> AsyncIterator[str]:
        if host == "d.x":
            raise Forbidden("d.x: no")
        yield host

    ends.repositories = refused  # type: ignore[method-assign]
    whole = replace(repository("d.x", "b.x/hub"), kind="registry")
    entries = (repository("a.x/app", "b.x/hub/app"), repository("a.x/app", "b.x/hubs/app"), whole)
    failed, seen = await ran(ends, *entries, scope="check", looking=Looking())
    assert failed == 1
    assert [one.target for one in differences(seen) if one.change == "gone"] == ["b.x/hubs/app:v8"]


async def test_a_target_that_cannot_be_opened_fails_its_images_and_ends_nothing_else(ends: MemoryEndpoints) -> None:
    found = ends.open

    def opened(reference: Reference, *, itself: bool = False) -> Repository:
        if reference.name.startswith("c.x"):
            raise Unsupported("c.x: cannot be opened")
        return found(reference, itself=itself)

    ends.open = opened  # type: ignore[method-assign]
    entries = (repository("a.x/app", "c.x/app"), repository("a.x/app", "b.x/app"))
    failed, seen = await ran(ends, *entries, scope="check", looking=Looking())
    assert failed == 2
    assert sorted(one.change for one in differences(seen)) == ["changed", "new"]
