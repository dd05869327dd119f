"""Two ends in memory that differ, and what a check that looks into that says of them."""

from __future__ import annotations

from datetime import UTC, datetime

from regsync.events import Event, ImageDiffers, ImageNeeded
from regsync.sync.entry import SyncEntry
from regsync.sync.survey import Looking
from tests.support.built import Built, compact, image_bytes
from tests.support.images import put_built
from tests.unit.sync.lab import MemoryEndpoints, ran

MAY, JUNE = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)


def made(moment: datetime | str, *layers: bytes) -> Built:
    """An image that says when it was made."""
    said = moment if isinstance(moment, str) else moment.isoformat()
    return image_bytes(*layers, config=compact({"created": said, "rootfs": {"type": "layers"}, "n": len(layers)}))


OLD, NEW = made(MAY, b"base", b"old"), made(JUNE, b"base", b"new!")


def differences(seen: list[Event]) -> list[ImageDiffers]:
    return [event for event in seen if isinstance(event, ImageDiffers)]


async def looked(ends: MemoryEndpoints, *entries: SyncEntry, missing: bool = False) -> list[ImageDiffers]:
    """Say how they differ; nothing was written, and what is not gone is needed."""
    failed, seen = await ran(ends, *entries, scope="check", looking=Looking(missing))
    assert failed == 0, seen
    found = differences(seen)
    needed = {event.target for event in seen if isinstance(event, ImageNeeded)}
    assert needed == {one.target for one in found if one.change in {"new", "changed"}}
    written = {"write", "put_manifest", "adopt_blob", "write_blob"}
    assert not [call for one in ends.repositories_by_name.values() for call in one.calls if call in written]
    return found


def forget(ends: MemoryEndpoints) -> None:
    for one in ends.repositories_by_name.values():
        one.calls.clear()


def size_of(built: Built, *, without: Built | None = None) -> int:
    return len(built.raw) + sum(
        len(data) for digest, data in built.blobs.items() if without is None or digest not in without.blobs
    )


async def differing() -> MemoryEndpoints:
    """A source of two tags; the target has the older image under one of them."""
    found = MemoryEndpoints()
    await put_built(found.at("a.x/app"), NEW, tag="v1")
    await put_built(found.at("a.x/app"), NEW, tag="v2")
    await put_built(found.at("b.x/app"), OLD, tag="v1")
    forget(found)
    return found
