"""One fault at one request, of every kind, at either end: the run ends well and everything is there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from regsync.app import App
from regsync.events import Event
from regsync.facts import Telling
from regsync.loading import load
from regsync.record.tally import Tally
from regsync.secrets import Secrets
from tests.support.built import assert_whole, image_bytes, index_bytes, some_bytes
from tests.support.clock import FakeClock
from tests.support.fake_registry import Bearer, FakeRegistry
from tests.support.faults import (
    Action,
    BitFlip,
    Fault,
    HalfBody,
    Html200,
    NotHttp,
    ResetAfter,
    ResetBefore,
    ResetInside,
    Status,
)
from tests.support.token_server import Policy, TokenServer

ACTIONS: dict[str, Action] = {
    **{str(code): Status(code) for code in (408, 429, 500, 502, 503, 504)},
    "429 with Retry-After": Status(429, {"Retry-After": "2"}),
    "reset before the answer": ResetBefore(),
    "reset inside the answer": ResetInside(),
    "reset after the request": ResetAfter(),
    "half a body": HalfBody(),
    "a flipped bit": BitFlip(),
    "a page of HTML": Html200(),
    "bytes that are no HTTP": NotHttp(),
}
REQUESTS: dict[str, tuple[str, str, str]] = {
    "source catalogue": ("source", "catalog", "GET"),
    "source tags": ("source", "tags", "GET"),
    "source manifest HEAD": ("source", "manifest", "HEAD"),
    "source manifest GET": ("source", "manifest", "GET"),
    "source blob GET": ("source", "blob", "GET"),
    "source token": ("source tokens", "token", ""),
    "target manifest HEAD": ("target", "manifest", "HEAD"),
    "target blob HEAD": ("target", "blob", "HEAD"),
    "target upload POST": ("target", "upload", "POST"),
    "target chunk PATCH": ("target", "patch", "PATCH"),
    "target upload PUT": ("target", "commit", "PUT"),
    "target manifest PUT": ("target", "manifest", "PUT"),
    "target token": ("target tokens", "token", ""),
}
IMAGE = index_bytes(
    image_bytes(some_bytes(300_000, "one"), b"shared"),
    image_bytes(some_bytes(5000, "two"), b"shared", platform="linux/arm64"),
)


@dataclass(slots=True)
class Ends:
    """Two registries that want tokens, each with a server that gives them."""

    source: FakeRegistry
    target: FakeRegistry
    servers: dict[str, FakeRegistry | TokenServer] = field(default_factory=dict)


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    async with (
        TokenServer(Policy({"user": "secret"})) as source_tokens,
        TokenServer(Policy({"user": "secret"})) as target_tokens,
        FakeRegistry(auth=Bearer(source_tokens)) as source,
        FakeRegistry(auth=Bearer(target_tokens)) as target,
    ):
        source.seed("app", {"v1": IMAGE})
        servers: dict[str, FakeRegistry | TokenServer] = {
            "source": source,
            "target": target,
            "source tokens": source_tokens,
            "target tokens": target_tokens,
        }
        yield Ends(source, target, servers)


async def synced(ends: Ends, folder: Path, *, chunked: bool = False) -> tuple[Tally, list[Event]]:
    login = "tls: disabled, user: user, pass: secret"
    chunks = ", blobMax: 1000, blobChunk: 40000" if chunked else ""
    config = folder / "regsync.yml"
    config.write_text(
        f"creds:\n- {{registry: '{ends.source.host}', {login}}}\n"
        f"- {{registry: '{ends.target.host}', {login}{chunks}}}\n"
        f"sync:\n- {{source: '{ends.source.host}', target: '{ends.target.host}/mirror', type: registry}}\n"
    )
    seen: list[Event] = []
    clock = FakeClock(instant=True)
    tell = Telling([lambda fact: seen.append(fact.event)], clock)
    app = App(load(str(config), allow_unknown_keys=False), clock=clock, tell=tell, environ={}, secrets=Secrets())
    return await app.once("changed", abort_on_error=False), seen


@pytest.mark.parametrize("action_name", ACTIONS)
@pytest.mark.parametrize("request_name", REQUESTS)
async def test_one_transient_fault_is_survived_and_nothing_is_missing(
    ends: Ends, tmp_path: Path, request_name: str, action_name: str
) -> None:
    where, kind, method = REQUESTS[request_name]
    server = ends.servers[where]
    server.fail(Fault(ACTIONS[action_name], kind=kind, method=method))
    tally, seen = await synced(ends, tmp_path, chunked=kind == "patch")
    assert not server.faults.waiting, "the fault was not met"
    assert tally.failures == [], seen
    arrived = ends.target.repositories["mirror/app"]
    contents = {**arrived.blobs, **{digest: manifest.raw for digest, manifest in arrived.manifests.items()}}
    assert arrived.tags == {"v1": IMAGE.digest}
    assert_whole(IMAGE.digest, contents)
    for digest, data in IMAGE.contents().items():
        assert contents[digest] == data
