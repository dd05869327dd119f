"""The whole program in front of mirrors: caches, empty ones, dead ones and wrong ones."""

from __future__ import annotations

import asyncio
import shutil
import socket
from pathlib import Path

from tests.e2e.logins import run
from tests.e2e.program import Ended, once, regsync
from tests.support.built import Built, image_bytes, platforms_index, read_layout, some_bytes, write_layout
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Fault, ResetInside, Status
from tests.support.mirrors import IMAGE, LAYER, digest_of_layer
from tests.support.real import DockerRegistry

IMAGES = {"plain": image_bytes(b"a layer"), "platforms": platforms_index("linux/amd64", "linux/arm64")}
DIGESTS = {tag: image.digest for tag, image in IMAGES.items()}


class Cache(DockerRegistry):
    """A docker-registry that fetches what it lacks from another one, and keeps it."""

    def __init__(self, folder: Path, upstream: str) -> None:
        super().__init__(folder)
        self._upstream = upstream

    def _config(self) -> str:
        return super()._config() + f"proxy:\n  remoteurl: {self._upstream}\n"


def config(source: str, target: str, *mirrors: str, kind: str = "repository") -> str:
    """Return a file with one entry, whose registry, the source or the target, has these mirrors."""
    creds = "".join(f"- {{registry: '{host}', tls: disabled}}\n" for host in mirrors)
    registry = source if not source.startswith("ocidir:") else target
    host = registry.partition("/")[0]
    creds += f"- {{registry: '{host}', tls: disabled, mirrors: [{', '.join(map(repr, mirrors))}]}}\n"
    return f"creds:\n{creds}sync:\n- {{source: '{source}', target: '{target}', type: {kind}}}\n"


def seeded(registry: DockerRegistry, folder: Path, images: dict[str, Built]) -> None:
    """Push images to a registry as `app`."""
    write_layout(folder / "origin", images)
    pushed = once(config(f"ocidir://{folder}/origin", f"{registry.host}/app"), cwd=folder / "push")
    assert pushed.code == 0, pushed.err


def complaints(ended: Ended) -> list[str]:
    return [line["mirror"] for line in ended.lines if line["msg"] == "A mirror fails, others are asked instead"]


def test_what_a_mirror_lacks_comes_from_the_registry_itself(tmp_path: Path) -> None:
    with DockerRegistry(tmp_path / "registry") as registry, DockerRegistry(tmp_path / "mirror") as mirror:
        seeded(registry, tmp_path, IMAGES)
        ended = once(config(f"{registry.host}/app", f"ocidir://{tmp_path}/out", mirror.host), cwd=tmp_path)
        assert ended.code == 0, ended.err
        assert read_layout(tmp_path / "out")[0] == DIGESTS
        assert complaints(ended) == []
        assert "err.code" in mirror.log.read_text(), "it was asked"


def test_a_cache_serves_what_it_has_when_the_registry_is_gone(tmp_path: Path) -> None:
    with DockerRegistry(tmp_path / "registry") as registry, Cache(tmp_path / "cache", registry.url) as cache:
        seeded(registry, tmp_path, {"plain": IMAGES["plain"]})
        ends = (f"{registry.host}/app:plain", f"ocidir://{tmp_path}/out:plain")
        first = once(config(*ends, cache.host, kind="image"), cwd=tmp_path / "first")
        assert first.code == 0, first.err
        registry.kill()
        shutil.rmtree(tmp_path / "out")
        second = once(config(*ends, cache.host, kind="image"), cwd=tmp_path / "second")
        assert second.code == 0, second.err
        assert read_layout(tmp_path / "out")[0] == {"plain": DIGESTS["plain"]}


def test_a_mirror_where_nobody_listens_is_warned_of_once(tmp_path: Path) -> None:
    with DockerRegistry(tmp_path / "registry") as registry, socket.socket() as silent:
        seeded(registry, tmp_path, IMAGES)
        silent.bind(("127.0.0.1", 0))  # and does not listen
        nobody = "{}:{}".format(*silent.getsockname())
        ended = once(config(f"{registry.host}/app", f"ocidir://{tmp_path}/out", nobody), cwd=tmp_path)
        assert ended.code == 0, ended.err
        assert read_layout(tmp_path / "out")[0] == DIGESTS
        assert complaints(ended) == [nobody]


async def test_a_target_is_asked_itself_whatever_mirrors_it_has(tmp_path: Path) -> None:
    """In a check, too: what a mirror has says nothing of its registry."""
    write_layout(tmp_path / "origin", {"v1": IMAGE})
    async with FakeRegistry() as registry, FakeRegistry() as mirror:
        mirror.seed("app", {"v1": IMAGE})
        text = config(f"ocidir://{tmp_path}/origin", f"{registry.host}/app", mirror.host)
        (tmp_path / "regsync.yml").write_text(text)
        arguments = ("check", "--exit-code", "-c", "regsync.yml")
        assert (await asyncio.to_thread(regsync, *arguments, cwd=tmp_path)).code == 3
        assert (await run(text, cwd=tmp_path)).code == 0
        assert registry.repositories["app"].tags == {"v1": IMAGE.digest}
        assert (await run(text, "--missing", cwd=tmp_path)).figures["unchanged"] == 1
        assert mirror.journal == []


async def test_a_blob_goes_on_at_the_registry_where_it_broke_at_the_mirror(tmp_path: Path) -> None:
    async with FakeRegistry() as registry, FakeRegistry() as mirror:
        for one in (registry, mirror):
            one.seed("app", {"v1": IMAGE})
        mirror.fail(Fault(ResetInside(200_000), kind="blob", path=digest_of_layer()))
        mirror.fail(Fault(Status(503), kind="blob", path=digest_of_layer(), nth=2, times=99))
        ended = await run(config(f"{registry.host}/app", f"ocidir://{tmp_path}/out", mirror.host), cwd=tmp_path)
        assert ended.code == 0, ended.err
        assert read_layout(tmp_path / "out")[0] == {"v1": IMAGE.digest}
        (rest,) = registry.asked(kind="blob")
        assert 0 < rest.bytes_out < len(LAYER)
        assert rest.bytes_out + mirror.asked(path=digest_of_layer())[0].bytes_out >= len(LAYER)


async def test_an_image_whose_layer_a_mirror_has_wrong_is_copied_from_the_registry(tmp_path: Path) -> None:
    async with FakeRegistry() as registry, FakeRegistry() as mirror:
        registry.seed("app", {"v1": IMAGE})
        mirror.seed("app", {"v1": IMAGE}).lies[digest_of_layer()] = some_bytes(len(LAYER), "something else")
        ended = await run(config(f"{registry.host}/app", f"ocidir://{tmp_path}/out", mirror.host), cwd=tmp_path)
        assert ended.code == 0, ended.err
        assert read_layout(tmp_path / "out")[0] == {"v1": IMAGE.digest}
        assert complaints(ended) == [mirror.host]
        assert mirror.count(path=digest_of_layer()) == 1


async def test_a_mirror_that_lacks_everything_costs_one_request_for_each_that_reads(tmp_path: Path) -> None:
    """As in the Go regsync, whose reads are doubled by such a mirror."""
    async with FakeRegistry() as registry, FakeRegistry() as mirror:
        registry.seed("app", {"v1": IMAGE})
        text = config(f"{registry.host}/app", f"ocidir://{tmp_path}/out", mirror.host)
        assert (await run(text, cwd=tmp_path)).code == 0
        asked = [(each.method, each.path) for each in registry.journal]
        assert sorted((each.method, each.path) for each in mirror.journal) == sorted(asked)
