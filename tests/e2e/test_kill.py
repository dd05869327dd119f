"""Killed at any moment, a run leaves a layout that is whole, with all it held before; the next run completes it."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.program import Started, creds, once, wait_for
from tests.support.built import (
    assert_whole,
    image_bytes,
    platforms_index,
    read_layout,
    some_bytes,
    write_layout,
)
from tests.support.real import DockerRegistry, run

KILLS = 40
ROUNDS = 2  # the kills are shared out among so many tests
SEED = 20261123
MIB = 1 << 20

OLD = {f"old{number}": image_bytes(b"of all", f"old {number}".encode()) for number in range(20)}
NEW = {
    **{f"new{number}": image_bytes(b"of all", some_bytes(MIB, str(number)), b"%d" % number) for number in range(12)},
    "large": image_bytes(some_bytes(16 * MIB)),
    "platforms": platforms_index("linux/amd64", "linux/arm64", "linux/s390x"),
    "old0": image_bytes(b"of all", b"this tag has moved"),
}
BEFORE = {tag: image.digest for tag, image in OLD.items()}
AFTER = BEFORE | {tag: image.digest for tag, image in NEW.items()}
RAW = {image.digest: image.raw for image in (*OLD.values(), *NEW.values())}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerRegistry]:
    """A docker-registry that has the old images in one repository and the new ones in another."""
    folder = tmp_path_factory.mktemp("source")
    with DockerRegistry(folder / "registry") as registry:
        for name, images in (("old", OLD), ("new", NEW)):
            write_layout(folder / name, images)
            ended = once(entry(registry, f"ocidir://{folder / name}", f"{registry.host}/{name}"), cwd=folder)
            assert ended.code == 0, ended.err
        yield registry


@pytest.fixture(scope="module")
def layout(source: DockerRegistry, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A layout with the old images, written by the program; tests work on copies of it."""
    folder = tmp_path_factory.mktemp("layout")
    ended = once(entry(source, f"{source.host}/old", f"ocidir://{folder}/layout"), cwd=folder)
    assert ended.code == 0, ended.err
    return folder / "layout"


@pytest.fixture(scope="module")
def duration(source: DockerRegistry, layout: Path, tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long a run works that nobody kills, in seconds from its first line."""
    folder = tmp_path_factory.mktemp("unkilled")
    with begun(source, shutil.copytree(layout, folder / "layout"), cwd=folder) as process:
        began = time.monotonic()
        assert process.ended().code == 0, process.log()
        return time.monotonic() - began


def entry(registry: DockerRegistry, source: str, target: str) -> str:
    step = f"sync:\n- source: {source}\n  target: {target}\n  type: repository\n"
    return creds(registry.host) + step


def begun(registry: DockerRegistry, layout: Path, *, cwd: Path) -> Started:
    """Start a copy of the new images into the layout, and return once it has said something."""
    (cwd / "regsync.yml").write_text(entry(registry, f"{registry.host}/new", f"ocidir://{layout}"))
    process = Started("once", "-c", "regsync.yml", cwd=cwd)
    wait_for(process.log, within=60)
    return process


def assert_sound(layout: Path) -> dict[str, str]:
    """Fail unless every tag from before is there, every tag there is one that belongs, and all are whole."""
    tags, contents = read_layout(layout)
    assert tags.keys() >= BEFORE.keys()
    for tag, digest in tags.items():
        assert digest in {BEFORE.get(tag), AFTER[tag]}
        assert_whole(digest, contents)
    return tags


def assert_read_by_skopeo(layout: Path, tags: dict[str, str], *, some: int) -> None:
    for tag in [*tags][:some]:
        assert run("skopeo", "inspect", "--raw", f"oci:{layout}:{tag}") == RAW[tags[tag]]


@pytest.mark.parametrize("part", range(ROUNDS))
def test_a_run_killed_at_any_moment_loses_nothing_and_the_next_one_completes_it(
    part: int, source: DockerRegistry, layout: Path, duration: float, tmp_path: Path
) -> None:
    draw = random.Random(SEED + part)  # noqa: S311  # moments, not secrets
    moments = [duration * (number + draw.random()) / KILLS for number in range(part, KILLS, ROUNDS)]
    killed = 0
    for number, moment in enumerate(moments):
        cwd = tmp_path / f"kill{number}"
        target = shutil.copytree(layout, cwd / "layout")
        with begun(source, target, cwd=cwd) as process, suppress(subprocess.TimeoutExpired):
            process.process.wait(timeout=moment)  # and leaving the block kills it
        killed += process.process.returncode == -signal.SIGKILL
        tags = assert_sound(target)
        assert_read_by_skopeo(target, tags, some=3)
        completed = once(entry(source, f"{source.host}/new", f"ocidir://{target}"), cwd=cwd)
        assert completed.code == 0, completed.err
        assert assert_sound(target) == AFTER
        shutil.rmtree(cwd)
    assert killed, "no run was still working when its moment came"


def test_what_was_killed_before_is_left_readable_as_a_whole(
    source: DockerRegistry, layout: Path, duration: float, tmp_path: Path
) -> None:
    target = shutil.copytree(layout, tmp_path / "layout")
    for number in range(8):  # one after the other, each on what the one before has left
        with begun(source, target, cwd=tmp_path) as process, suppress(subprocess.TimeoutExpired):
            process.process.wait(timeout=duration * number / 16)
        assert_read_by_skopeo(target, assert_sound(target), some=20)
    completed = once(entry(source, f"{source.host}/new", f"ocidir://{target}"), cwd=tmp_path)
    assert completed.code == 0, completed.err
    assert assert_sound(target) == AFTER
