from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from regsync.oci.descriptor import Descriptor
from regsync.transfer.dating import Dates, moment
from tests.support.built import Built, artifact_bytes, compact, image_bytes, index_bytes
from tests.support.images import put_built
from tests.support.memory import MemoryRepository
from tests.unit.transfer.lab import DIRECTLY

CREATED = "org.opencontainers.image.created"
MAY = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
SAID = "2026-05-01T12:30:00Z"


def image(created: object = None, **keys: object) -> Built:
    said = {} if created is None else {"created": created}
    return image_bytes(b"layer", config=compact({"rootfs": {}, **said, **keys}))


async def dated(built: Built, repository: MemoryRepository | None = None) -> datetime | None:
    place = repository or MemoryRepository()
    manifest = await put_built(place, built, tag="v1")
    return await Dates(most=9).of(place, manifest.descriptor, asking=DIRECTLY, platforms=None)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (SAID, MAY),
        ("2026-05-01T12:30:00.123456789Z", MAY + timedelta(microseconds=123456)),
        ("2026-05-01T14:30:00+02:00", MAY),
        ("2026-05-01T12:30:00", MAY),
        ("1970-01-01T00:00:00Z", None),
        ("1980-01-01T00:00:01Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+23:00", None),
        ("yesterday", None),
        ("", None),
        (5, None),
        (None, None),
    ],
)
def test_a_time_that_stands_for_none_is_none(text: object, meant: datetime | None) -> None:
    assert moment(text) == meant


async def test_an_image_is_as_old_as_its_config_says() -> None:
    assert await dated(image(SAID)) == MAY
    assert await dated(image()) is None
    assert await dated(image("1970-01-01T00:00:00Z")) is None


async def test_what_an_annotation_says_costs_no_config() -> None:
    place = MemoryRepository()
    noted = image_bytes(b"layer", annotations={CREATED: SAID})
    assert await dated(noted, place) == MAY
    assert await dated(index_bytes(image(), annotations={CREATED: SAID}), place) == MAY
    assert place.calls["open_blob"] == 0


async def test_an_index_is_as_old_as_its_first_image_and_not_as_what_is_said_of_one() -> None:
    attestation = replace(image("2020-01-01T00:00:00Z"), platform={"os": "unknown", "architecture": "unknown"})
    index = index_bytes(attestation, index_bytes(image(SAID)), image("2021-01-01T00:00:00Z"))
    assert await dated(index) == MAY
    assert await dated(index_bytes(attestation)) == datetime(2020, 1, 1, tzinfo=UTC)
    assert await dated(index_bytes()) is None


async def test_indexes_below_indexes_are_looked_into_so_far_and_no_further() -> None:
    built = image(SAID)
    for _ in range(4):
        built = index_bytes(built)
    assert await dated(built) is None


@pytest.mark.parametrize("config", [b"[]", b"{", b"\xff", compact({"created": SAID, "pad": "x" * (1 << 20)})])
async def test_a_config_that_says_nothing_readable_or_too_much_says_no_time(config: bytes) -> None:
    place = MemoryRepository()
    assert await dated(image_bytes(b"layer", config=config), place) is None
    assert place.calls["open_blob"] == (len(config) < 1 << 20)


async def test_what_is_no_image_is_not_fetched_for_its_age() -> None:
    place = MemoryRepository()
    assert await dated(artifact_bytes(b"chart"), place) is None
    assert place.calls["open_blob"] == 0


async def test_a_config_that_an_image_brings_along_is_not_fetched() -> None:
    place = MemoryRepository()
    manifest = await put_built(place, image(SAID), tag="v1")
    assert manifest.config is not None
    inline = replace(manifest.config, data=compact({"created": SAID}))

    class Inline:
        async def manifest(self, *_: object) -> object:
            return replace(manifest, config=inline)

    described: Descriptor = manifest.descriptor
    assert await Dates(most=9).of(place, described, asking=Inline(), platforms=None) == MAY  # type: ignore[arg-type]
    assert place.calls["open_blob"] == 0


async def test_no_more_is_read_than_that_and_nothing_twice() -> None:
    place, dates = MemoryRepository(), Dates(most=3)
    images = [await put_built(place, image(SAID, number=number), tag="v1") for number in range(2)]
    place.calls.clear()
    for _ in range(2):
        found = [await dates.of(place, one.descriptor, asking=DIRECTLY, platforms=None) for one in images]
        assert found == [MAY, None]
    assert (dates.full, place.calls["get_manifest"], place.calls["open_blob"]) == (True, 2, 1)
