"""One layout, many writers: processes that know nothing of each other lose no tag of one another."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

from tests.e2e.program import Started, creds, once
from tests.support.built import Built, assert_whole, image_bytes, read_layout, write_layout
from tests.support.fake_registry import FakeRegistry
from tests.support.real import run

PROCESSES = 8
TAGS = 20


def images_of(process: int) -> dict[str, Built]:
    """Images with one layer everybody has, one only this process has, and one of their own."""
    return {
        f"p{process}-t{tag}": image_bytes(b"of all", f"of {process}".encode(), f"of {process} and {tag}".encode())
        for tag in range(TAGS)
    }


EVERYTHING = {tag: image for process in range(PROCESSES) for tag, image in images_of(process).items()}


def entry(source: str, target: Path) -> str:
    return f"sync:\n- source: {source}\n  target: ocidir://{target}\n  type: repository\n"


def run_all(configs: list[str], folder: Path) -> None:
    """Run all configurations at once, each by a process of its own, to a good end."""
    with ExitStack() as stack:
        started: list[Started] = []
        for number, config in enumerate(configs):
            cwd = folder / f"process{number}"
            cwd.mkdir(exist_ok=True)
            (cwd / "regsync.yml").write_text(config)
            started.append(stack.enter_context(Started("once", "-c", "regsync.yml", cwd=cwd)))
        for process in started:
            ended = process.ended()
            assert ended.code == 0, ended.err


def assert_all_there(layout: Path) -> None:
    tags, contents = read_layout(layout)
    assert tags == {tag: image.digest for tag, image in EVERYTHING.items()}
    for digest in tags.values():
        assert_whole(digest, contents)
    for tag in ("p0-t0", "p7-t19"):
        assert run("skopeo", "inspect", "--raw", f"oci:{layout}:{tag}") == EVERYTHING[tag].raw


def test_eight_processes_add_twenty_tags_each_to_one_layout(tmp_path: Path) -> None:
    layout, configs = tmp_path / "together", []
    for process in range(PROCESSES):
        source = tmp_path / f"source{process}"
        write_layout(source, images_of(process))
        configs.append(entry(f"ocidir://{source}", layout))
    run_all(configs, tmp_path)
    assert_all_there(layout)


async def test_eight_processes_that_download_lose_no_tag_either(fake_registry: FakeRegistry, tmp_path: Path) -> None:
    layout, configs = tmp_path / "together", []
    for process in range(PROCESSES):
        fake_registry.seed(f"p{process}", images_of(process))
        configs.append(creds(fake_registry.host) + entry(f"{fake_registry.host}/p{process}", layout))
    await asyncio.to_thread(run_all, configs, tmp_path)
    assert_all_there(layout)
    again = await asyncio.to_thread(once, configs[0], cwd=tmp_path)
    assert (again.code, again.figures["copied"], again.figures["unchanged"]) == (0, 0, TAGS)
