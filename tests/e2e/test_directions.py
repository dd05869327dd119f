"""Registries and layouts, each as source and as target, with every kind of content; skopeo is the second reader."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from tests.e2e.attached import listed_by_oras, listed_by_regctl
from tests.e2e.program import Ended, creds, once
from tests.support.built import (
    Built,
    artifact_bytes,
    assert_whole,
    image_bytes,
    index_bytes,
    platforms_index,
    read_layout,
    some_bytes,
    write_layout,
)
from tests.support.real import DockerRegistry, run
from tests.support.registries import Crane, Distribution, Ferro

PLATFORMS = ("linux/amd64", "linux/arm64/v8", "linux/arm/v7", "linux/s390x", "windows/amd64")
PLAIN = image_bytes(b"a layer", b"another")
IMAGES: Mapping[str, Built] = {
    "plain": PLAIN,
    "docker": image_bytes(b"a layer of docker's", docker=True),
    "platforms": platforms_index(*PLATFORMS),
    "list": platforms_index(*PLATFORMS[:2], docker=True),
    "nested": index_bytes(platforms_index("linux/amd64", "linux/arm64"), image_bytes(b"beside the inner index")),
    "about": artifact_bytes(b"a signature", subject=PLAIN),
    "unheard-of": artifact_bytes(b"some file", file_type="application/vnd.example.never-seen"),
    "empty": image_bytes(b"", b"not empty"),
}


@cache
def with_a_large_one() -> Mapping[str, Built]:
    return {**IMAGES, "large": image_bytes(some_bytes(64 << 20))}


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("origin") / "layout"
    write_layout(folder, with_a_large_one())
    return folder


def mirrored(source: str, target: str, *, cwd: Path) -> Ended:
    hosts = [name.partition("/")[0] for name in (source, target) if not name.startswith("ocidir:")]
    config = creds(*hosts) + f"sync:\n- source: {source}\n  target: {target}\n  type: repository\n"
    return once(config, cwd=cwd)


def raw_at(reference: str) -> bytes:
    tls = [] if reference.startswith("oci:") else ["--tls-verify=false"]
    return run("skopeo", "inspect", "--raw", *tls, reference)


def skopeo_name(place: str, tag: str) -> str:
    if place.startswith("ocidir://"):
        return f"oci:{place.removeprefix('ocidir://')}:{tag}"
    return f"docker://{place}:{tag}"


def assert_readable(place: str, out: Path, images: Mapping[str, Built] = IMAGES) -> None:
    """Read every image with skopeo: manifests byte for byte, and all blobs of those it can copy.

    Docker's media types it does not find in layouts, so there they are read as files.
    """
    out.mkdir()
    if place.startswith("ocidir://"):
        tags, contents = read_layout(Path(place.removeprefix("ocidir://")))
        for tag, image in images.items():
            assert contents[tags[tag]] == image.raw
            assert_whole(tags[tag], contents)
    for tag, image in images.items():
        if tag not in {"docker", "list"} or not place.startswith("ocidir://"):
            assert raw_at(skopeo_name(place, tag)) == image.raw, f"{place}:{tag}"
    for tag in images.keys() & {"plain", "platforms", "empty", "large"}:
        folder = out / tag
        arguments = ["--all", "--preserve-digests", "--src-tls-verify=false"]
        run("skopeo", "copy", "-q", *arguments, skopeo_name(place, tag), f"oci:{folder}:{tag}")
        for digest, data in images[tag].contents().items():
            algorithm, _, value = digest.partition(":")
            assert (folder / "blobs" / algorithm / value).read_bytes() == data


def assert_idle(source: str, target: str, *, cwd: Path) -> None:
    again = mirrored(source, target, cwd=cwd)
    assert again.code == 0, again.err
    figures = again.figures
    assert (figures["copied"], figures["failed"], figures["bytes"]) == (0, 0, 0)
    assert figures["unchanged"] >= len(IMAGES)


def test_content_survives_every_direction_byte_for_byte_and_a_second_run_writes_nothing(
    origin: Path, two_registries: tuple[DockerRegistry, DockerRegistry], tmp_path: Path
) -> None:
    first, second = two_registries
    stations = [
        f"ocidir://{origin}",
        f"{first.host}/from/layout",
        f"{second.host}/from/registry",
        f"ocidir://{tmp_path}/from-registry",
        f"ocidir://{tmp_path}/from-layout",
    ]
    for number, (source, target) in enumerate(itertools.pairwise(stations)):
        done = mirrored(source, target, cwd=tmp_path / f"run{number}")
        assert done.code == 0, done.err
        assert done.figures["failed"] == 0
        assert done.figures["copied"] >= len(IMAGES)
        assert_readable(target, tmp_path / f"read{number}", with_a_large_one())
        assert_idle(source, target, cwd=tmp_path / f"again{number}")


def assert_lists_what_is_about_plain(place: str) -> None:
    """Ask two clients of others what refers to an image."""
    about = {IMAGES["about"].digest}
    assert listed_by_oras(place, PLAIN.digest) == listed_by_regctl(place, PLAIN.digest) == about


def test_content_survives_the_way_through_every_kind_of_registry_and_other_clients_find_what_belongs_to_it(
    tmp_path: Path,
) -> None:
    write_layout(tmp_path / "origin", IMAGES)
    with (
        Ferro(tmp_path / "ferro") as ferro,
        Distribution(tmp_path / "distribution") as distribution,
        Crane(tmp_path / "crane") as crane,
    ):
        hosts = [f"{registry.host}/some/images" for registry in (ferro, distribution, crane)]
        stations = [f"ocidir://{tmp_path}/origin", *hosts, f"ocidir://{tmp_path}/last"]
        for number, (source, target) in enumerate(itertools.pairwise(stations)):
            done = mirrored(source, target, cwd=tmp_path / f"run{number}")
            assert done.code == 0, done.err
            assert_readable(target, tmp_path / f"read{number}")
            assert_lists_what_is_about_plain(target)
            assert_idle(source, target, cwd=tmp_path / f"again{number}")


def test_between_layouts_of_one_file_system_no_byte_is_moved_but_manifests(origin: Path, tmp_path: Path) -> None:
    done = mirrored(f"ocidir://{origin}", f"ocidir://{tmp_path}/copy", cwd=tmp_path)
    assert done.code == 0, done.err
    assert done.figures["spared"] > 64 << 20
    assert done.figures["bytes"] < 1 << 20


def test_between_repositories_of_one_registry_blobs_are_mounted(
    origin: Path, docker_registry: DockerRegistry, tmp_path: Path
) -> None:
    one, two = f"{docker_registry.host}/one", f"{docker_registry.host}/two"
    assert mirrored(f"ocidir://{origin}", one, cwd=tmp_path / "a").code == 0
    done = mirrored(one, two, cwd=tmp_path / "b")
    assert done.code == 0, done.err
    assert done.figures["spared"] > 64 << 20
    assert done.figures["bytes"] < 1 << 20


def test_a_registry_is_mirrored_with_all_its_repositories(
    two_registries: tuple[DockerRegistry, DockerRegistry], origin: Path, tmp_path: Path
) -> None:
    first, second = two_registries
    for path in ("one", "deep/two", "skip/me"):
        config = creds(first.host) + (
            f"sync:\n- {{source: 'ocidir://{origin}:plain', target: '{first.host}/{path}:v1', type: image}}\n"
        )
        assert once(config, cwd=tmp_path / path).code == 0
    config = creds(first.host, second.host) + (
        f"sync:\n- source: {first.host}\n  target: {second.host}/mirror\n  type: registry\n"
        "  repos: {deny: ['skip/.*']}\n"
    )
    done = once(config, cwd=tmp_path)
    assert done.code == 0, done.err
    assert done.figures["copied"] == 2
    for path in ("one", "deep/two"):
        assert raw_at(f"docker://{second.host}/mirror/{path}:v1") == PLAIN.raw
