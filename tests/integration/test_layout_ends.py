"""Whole runs between layouts: what is damaged at either end, and what two entries do to one target."""

from __future__ import annotations

from pathlib import Path

import pytest

from regsync.app import App
from regsync.events import BlobRetried, Event, ImageCopied, ImageCurrent, Warned
from regsync.facts import Telling
from regsync.loading import load
from regsync.record.tally import Tally
from regsync.secrets import Secrets
from tests.support.built import assert_whole, image_bytes, index_bytes, read_layout, some_bytes, write_layout
from tests.support.clock import FakeClock
from tests.support.fake_registry import FakeRegistry

LAYER = some_bytes((2 << 20) + 9, "a layer")
IMAGE = index_bytes(image_bytes(LAYER, b"shared"), image_bytes(b"other", b"shared"))
DAMAGES = {"other bytes": b"!" + LAYER[1:], "too short": LAYER[:-1], "too long": LAYER + b"!"}


async def synced(folder: Path, *entries: tuple[str, str], creds: str = "[]") -> tuple[Tally, list[Event], FakeClock]:
    """Run these images once; the clock tells how long that took by itself."""
    steps = "".join(f"- {{source: '{source}', target: '{target}', type: image}}\n" for source, target in entries)
    config = folder / "regsync.yml"
    config.write_text(f"creds: {creds}\nsync:\n{steps}")
    seen: list[Event] = []
    clock = FakeClock(instant=True)
    tell = Telling([lambda fact: seen.append(fact.event)], clock)
    app = App(load(str(config), allow_unknown_keys=False), clock=clock, tell=tell, environ={}, secrets=Secrets())
    return await app.once("changed", abort_on_error=False), seen, clock


def place_of(layout: Path, digest: str) -> Path:
    return layout / "blobs" / "sha256" / digest[7:]


def layer_digest() -> str:
    [digest] = [digest for digest, data in IMAGE.contents().items() if data == LAYER]
    return digest


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", ["layout", "registry"])
async def test_a_damaged_file_in_a_source_layout_is_not_waited_for(tmp_path: Path, damage: str, kind: str) -> None:
    source = tmp_path / "source"
    write_layout(source, {"v1": IMAGE})
    place_of(source, layer_digest()).write_bytes(DAMAGES[damage])
    async with FakeRegistry() as fake:
        target = f"ocidir://{tmp_path}/target:v1" if kind == "layout" else f"{fake.host}/app:v1"
        creds = f"[{{registry: '{fake.host}', tls: disabled}}]"
        tally, seen, clock = await synced(tmp_path, (f"ocidir://{source}:v1", target), creds=creds)
    [failure] = tally.failures
    assert "is damaged" in failure.error
    assert layer_digest()[7:] in failure.error
    assert failure.attempts == 1
    assert not [event for event in seen if isinstance(event, BlobRetried)]
    assert clock.slept == []


@pytest.mark.parametrize("lost", IMAGE.contents())
async def test_a_target_layout_damaged_before_us_is_told_of_and_mended(tmp_path: Path, lost: str) -> None:
    write_layout(tmp_path / "source", {"v1": IMAGE})
    write_layout(tmp_path / "target", {"v1": IMAGE})
    place_of(tmp_path / "target", lost).unlink()
    entry = (f"ocidir://{tmp_path}/source:v1", f"ocidir://{tmp_path}/target:v1")
    tally, seen, _ = await synced(tmp_path, entry)
    assert tally.failures == []
    assert [event.message for event in seen if isinstance(event, Warned)] == ["A tag of this layout is damaged"]
    assert [event for event in seen if isinstance(event, ImageCopied)]
    tags, contents = read_layout(tmp_path / "target")
    assert tags == {"v1": IMAGE.digest}
    assert_whole(IMAGE.digest, contents)
    _, seen, _ = await synced(tmp_path, entry)
    assert [event for event in seen if isinstance(event, ImageCurrent)]


async def test_a_tag_is_not_copied_beside_itself_without_its_parts(tmp_path: Path) -> None:
    layout = tmp_path / "layout"
    write_layout(layout, {"v1": IMAGE})
    place_of(layout, layer_digest()).unlink()
    tally, _, _ = await synced(tmp_path, (f"ocidir://{layout}:v1", f"ocidir://{layout}:v2"))
    assert len(tally.failures) == 1
    assert list(read_layout(layout)[0]) == ["v1"]


@pytest.mark.parametrize("place", ["blobs", "blobs/sha256"])
async def test_a_target_that_shares_its_blobs_by_a_link_is_refused_and_the_other_layout_keeps_all(
    tmp_path: Path, place: str
) -> None:
    write_layout(tmp_path / "source", {"v1": image_bytes(b"new")})
    write_layout(tmp_path / "shop", {"keep": IMAGE})
    write_layout(tmp_path / "target", {"v0": image_bytes(b"old")})
    inside = tmp_path / "target" / place
    inside.rename(tmp_path / "moved")
    inside.symlink_to(tmp_path / "shop" / place)
    tally, _, _ = await synced(tmp_path, (f"ocidir://{tmp_path}/source:v1", f"ocidir://{tmp_path}/target:v1"))
    [failure] = tally.failures
    assert f"{inside} is a symbolic link" in failure.error
    assert set(read_layout(tmp_path / "shop")[1]) == set(IMAGE.contents())
