"""A real daemon that is told over HTTP to run an entry, to cancel a run in the middle of a copy, to pause and go on."""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

from tests.e2e.program import Started, creds, log_lines, wait_for
from tests.e2e.test_server import digest_at, server, when
from tests.support.built import Built, digest_of, image_bytes, some_bytes
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Fault, Stall
from tests.support.real import DockerRegistry, free_port

TOKEN: Final = "a-token-of-this-test"
PATIENCE: Final = 60.0  # seconds; what a busy machine needs, and a bound for what hangs
LARGE: Final = image_bytes(some_bytes(4 << 20))


class Teller:
    """Whoever asks and tells the daemon; both wait for the answer."""

    def __init__(self, port: int) -> None:
        self._port = port

    def get(self, path: str) -> dict[str, Any]:
        return self._answer("GET", path, {})[1]

    def tell(self, command: str, *, token: str = TOKEN) -> tuple[int, dict[str, Any]]:
        return self._answer("POST", f"/entries/{command}", {"Authorization": f"Bearer {token}"})

    def _answer(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)) as connection:
            connection.request(method, f"/api/v1{path}", headers=headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())


def config_of(source: str, target: str, port: int) -> str:
    entries = (
        f"{{name: stuck, source: '{source}/large:v1', target: '{target}/large:v1', type: image, interval: 1h}}",
        f"{{name: often, source: '{source}/small:v1', target: '{target}/small:v1', type: image, interval: 1s}}",
    )
    listen = f"server: {{listen: '127.0.0.1:{port}', token: '{{{{ file `token` }}}}'}}\n"
    return creds(source, target) + listen + "sync:\n" + "".join(f"- {entry}\n" for entry in entries)


def arrives(target: DockerRegistry, name: str, image: Built) -> None:
    wait_for(lambda: digest_at(target, name, "v1") == image.digest, within=PATIENCE)


def cancelled_and_run_again(teller: Teller, target: DockerRegistry) -> None:
    def in_its_middle() -> bool:
        under_way = [one["entry"] for one in teller.get("/images")["images"]]
        return "stuck" in under_way and any(
            file.stat().st_size > 1 << 16 for file in target.data.rglob("_uploads/*/data")
        )

    def outcomes() -> list[str]:
        return [run["outcome"] for run in teller.get("/entries/stuck/runs")["runs"]]

    wait_for(in_its_middle, within=PATIENCE)
    assert [teller.tell("stuck/cancel", token=token)[0] for token in ("", "wrong")] == [401, 401]
    assert teller.tell("stuck/run") == (409, {"error": "already running"})
    assert teller.tell("stuck/cancel") == (202, {"entry": "stuck", "result": "cancelled", "paused": False})
    wait_for(lambda: outcomes() == ["cut"], within=PATIENCE)
    assert digest_at(target, "large", "v1") is None
    for file in target.data.rglob("blobs/sha256/*/*/data"):
        assert file.parent.name == digest_of(file.read_bytes()).removeprefix("sha256:")
    assert teller.tell("stuck/run")[0] == 202
    arrives(target, "large", LARGE)


def run_while_paused(teller: Teller, target: DockerRegistry, image: Built) -> None:
    """What ran when it was paused goes on, so that it may have to be asked for again."""
    while (answer := teller.tell("often/run"))[0] == 409:
        assert answer[1] == {"error": "already running"}
    assert answer == (202, {"entry": "often", "result": "queued", "paused": True})
    arrives(target, "small", image)


async def paused_and_resumed(teller: Teller, source: FakeRegistry, target: DockerRegistry, process: Started) -> None:
    first, second, third = (image_bytes(word) for word in (b"first", b"second", b"third"))
    await asyncio.to_thread(arrives, target, "small", first)
    assert (await asyncio.to_thread(teller.tell, "often/pause"))[1]["result"] == "paused"
    await when(lambda: "Due while paused, not started" in process.log(), within=PATIENCE)
    source.seed("small", {"v1": second})
    await asyncio.to_thread(run_while_paused, teller, target, second)
    source.seed("small", {"v1": third})
    assert (await asyncio.to_thread(teller.tell, "often/resume"))[1]["result"] == "resumed"
    await asyncio.to_thread(arrives, target, "small", third)


async def test_a_daemon_does_what_it_is_told_and_says_who_told_it(
    fake_registry: FakeRegistry, docker_registry: DockerRegistry, tmp_path: Path
) -> None:
    fake_registry.seed("large", {"v1": LARGE})
    fake_registry.seed("small", {"v1": image_bytes(b"first")})
    layer = max(LARGE.blobs, key=lambda digest: len(LARGE.blobs[digest]))
    fake_registry.fail(Fault(Stall(after_bytes=2 << 20), kind="blob", path=layer))
    port, folder = free_port(), tmp_path / "run"
    folder.mkdir()
    (folder / "token").write_text(f"{TOKEN}\n")
    with server(config_of(fake_registry.host, docker_registry.host, port), cwd=folder) as process:
        await when(lambda: "Server ready" in process.log(), within=PATIENCE)
        await asyncio.to_thread(cancelled_and_run_again, Teller(port), docker_registry)
        await paused_and_resumed(Teller(port), fake_registry, docker_registry, process)
        process.signal(signal.SIGTERM)
        ended = await asyncio.to_thread(process.ended)
    assert ended.code == 0, ended.err
    assert (TOKEN in ended.err, "Traceback" in ended.err) == (False, False)
    said = [line for line in log_lines(ended.err) if line.get("who") == "API"]
    assert [(line["msg"], line["entry"], line["client"]) for line in said] == [
        ("Run cancelled", "stuck", "127.0.0.1"),
        ("Run asked for", "stuck", "127.0.0.1"),
        ("Entry paused", "often", "127.0.0.1"),
        ("Run asked for", "often", "127.0.0.1"),
        ("Entry resumed", "often", "127.0.0.1"),
    ]
