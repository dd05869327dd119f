"""`platform` and `platforms` against real ends: docker-registry and layouts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from regsync.events import Event, ImageCopied, ImageCurrent, Warned
from tests.integration.runs import ran
from tests.support.built import (
    Built,
    assert_whole,
    image_bytes,
    index_bytes,
    platforms_index,
    read_layout,
    write_layout,
)
from tests.support.real import DockerRegistry, run

INDEX = platforms_index("linux/amd64", "linux/arm64", "unknown/unknown")
NESTED = index_bytes(INDEX, image_bytes(b"beside", platform="linux/arm64"))


def target_of(folder: Path, registry: DockerRegistry | None) -> str:
    return f"{registry.host}/app:v1" if registry else f"ocidir://{folder}/target:v1"


@pytest.mark.parametrize("end", ["registry", "layout"])
async def test_the_image_of_one_platform_arrives_and_is_current_afterwards(
    docker_registry: DockerRegistry, tmp_path: Path, end: str
) -> None:
    write_layout(tmp_path / "source", {"v1": INDEX})
    target = target_of(tmp_path, docker_registry if end == "registry" else None)
    entry = f"source: 'ocidir://{tmp_path}/source:v1', target: '{target}', type: image, platform: linux/arm64/v8"
    first, _ = await ran(tmp_path, entry, hosts=[docker_registry.host])
    second, _ = await ran(tmp_path, entry, hosts=[docker_registry.host])
    assert [(one.copied, one.unchanged, one.failures) for one in (first, second)] == [(1, 0, []), (0, 1, [])]
    image = f"docker://{target}" if end == "registry" else f"oci:{tmp_path}/target:v1"
    flags = ["--tls-verify=false"] if end == "registry" else []
    assert run("skopeo", "inspect", "--raw", *flags, image) == INDEX.children[1].raw


def damaged(seen: list[Event]) -> list[Event]:
    return [event for event in seen if isinstance(event, Warned)]


@pytest.mark.parametrize("built", [INDEX, NESTED], ids=["flat", "nested"])
async def test_a_layout_keeps_an_index_of_which_some_images_were_left_out(tmp_path: Path, built: Built) -> None:
    write_layout(tmp_path / "source", {"v1": built})
    places = f"source: 'ocidir://{tmp_path}/source:v1', target: 'ocidir://{tmp_path}/target:v1', type: image"
    entry = f"{places}, platforms: [linux/arm64, '']"
    first, _ = await ran(tmp_path, entry)
    assert (first.copied, first.failures) == (1, [])
    tags, contents = read_layout(tmp_path / "target")
    assert tags == {"v1": built.digest}
    assert contents[built.digest] == built.raw
    assert INDEX.children[0].digest not in contents
    assert_whole(INDEX.children[1].digest, contents)
    second, seen = await ran(tmp_path, entry)
    assert (second.copied, second.unchanged, damaged(seen)) == (0, 1, [])
    third, _ = await ran(tmp_path, places)
    assert (third.copied, third.failures) == (1, [])
    assert_whole(built.digest, read_layout(tmp_path / "target")[1])


async def test_a_lost_layer_of_what_was_copied_is_found_and_copied_again(tmp_path: Path) -> None:
    write_layout(tmp_path / "source", {"v1": INDEX})
    entry = (
        f"source: 'ocidir://{tmp_path}/source:v1', target: 'ocidir://{tmp_path}/target:v1', type: image, "
        "platforms: [linux/arm64]"
    )
    await ran(tmp_path, entry)
    layer = json.loads(INDEX.children[1].raw)["layers"][0]["digest"]
    (tmp_path / "target" / "blobs" / "sha256" / layer[7:]).unlink()
    tally, seen = await ran(tmp_path, entry)
    assert (tally.copied, tally.failures) == (1, [])
    assert len(damaged(seen)) == 1
    assert_whole(INDEX.children[1].digest, read_layout(tmp_path / "target")[1])


async def test_a_registry_that_wants_every_image_of_an_index_is_named_with_the_option(
    docker_registry: DockerRegistry, tmp_path: Path
) -> None:
    write_layout(tmp_path / "source", {"v1": INDEX})
    target = f"{docker_registry.host}/app:v1"
    entry = f"source: 'ocidir://{tmp_path}/source:v1', target: '{target}', type: image, platforms: [linux/arm64]"
    tally, seen = await ran(tmp_path, entry, hosts=[docker_registry.host])
    [failure] = tally.failures
    assert f"{docker_registry.host} takes no index without all of its images, and platforms leaves" in failure.error
    assert failure.attempts == 1
    assert not [event for event in seen if isinstance(event, ImageCopied | ImageCurrent)]


async def test_a_tag_of_some_images_is_there_where_only_what_is_missing_is_wanted(tmp_path: Path) -> None:
    write_layout(tmp_path / "source", {"v1": INDEX})
    ends = f"source: 'ocidir://{tmp_path}/source:v1', target: 'ocidir://{tmp_path}/target:v1', type: image"
    entry = f"{ends}, platforms: [linux/arm64]"
    await ran(tmp_path, entry)
    tally, seen = await ran(tmp_path, entry, scope="missing")
    assert (tally.copied, tally.unchanged, damaged(seen)) == (0, 1, [])


@pytest.mark.parametrize("chosen", ["platforms: [linux/arm64]", "platform: linux/arm64"])
async def test_a_layout_that_is_filled_by_one_entry_is_read_by_another_of_the_same_run(
    tmp_path: Path, chosen: str
) -> None:
    write_layout(tmp_path / "source", {"v1": INDEX})
    source, between, target = (f"ocidir://{tmp_path}/{name}:v1" for name in ("source", "between", "target"))
    first = f"source: '{source}', target: '{between}', type: image, platforms: [linux/arm64]"
    tally, seen = await ran(tmp_path, first, f"source: '{between}', target: '{target}', type: image, {chosen}")
    assert (tally.copied, tally.failures, damaged(seen)) == (2, [], [])
    assert INDEX.children[1].digest in read_layout(tmp_path / "target")[1]
