"""Keys of `defaults` that are about registries."""

from __future__ import annotations

import base64
import json

from tests.e2e.keys.lab import IMAGE, Lab, row
from tests.support.built import image_bytes, some_bytes
from tests.support.fake_registry import Basic, Bearer, FakeRegistry, Features
from tests.support.token_server import Policy, TokenServer


@row("defaults.blobLimit")
async def _(lab: Lab) -> None:
    """A registry may demand larger pieces than `blobChunk`, but none larger than this."""
    for limit, sizes in ("", [1000, 3000]), ("blobLimit: 2000", [2000, 2000]):
        registry = await lab.registry(FakeRegistry(features=Features(min_chunk=3000)))
        item = f"registry: '{registry.host}', tls: disabled, blobMax: 500, blobChunk: 600"
        image = image_bytes(some_bytes(4000))
        assert await lab.push(f"{registry.host}/app:v2", item, defaults=limit, image=image) == []
        assert sorted(asked.bytes_in for asked in registry.asked(method="PATCH")) == sizes


@row("defaults.skipInvalidEntries")
async def _(lab: Lab) -> None:
    """Also about entries that name registries: those that cannot be used are left out, and the others run."""
    registry = await lab.registry()
    text = f"creds: [{{registry: '{registry.host}', tls: disabled}}]\ndefaults: {{skipInvalidEntries: true}}\nsync:\n"
    text += f"- {{source: '{registry.host}/NO:v1', target: 'ocidir://{lab.out}:no', type: image}}\n"
    text += f"- {{source: '{registry.host}/app:v1', target: 'ocidir://{lab.out}:v1', type: image}}\n"
    await lab.once(text)
    assert lab.arrived == IMAGE.digest


@row("defaults.skipDockerConfig")
async def _(lab: Lab) -> None:
    registry = await lab.registry(FakeRegistry(auth=Basic("ann", "pw")))
    login = {"auths": {registry.host: {"auth": base64.b64encode(b"ann:pw").decode()}}}
    lab.environ["DOCKER_AUTH_CONFIG"] = json.dumps(login)
    item = f"registry: '{registry.host}', tls: disabled"
    assert await lab.pull(f"{registry.host}/app:v1", item, defaults="skipDockerConfig: true") != []
    assert await lab.pull(f"{registry.host}/app:v1", item) == []
    assert lab.arrived == IMAGE.digest


@row("defaults.userAgent")
async def _(lab: Lab) -> None:
    """It is the whole header, and how token servers know the client."""
    tokens = await lab.stack.enter_async_context(TokenServer(Policy()))
    registry = await lab.registry(FakeRegistry(auth=Bearer(tokens)))
    item = f"registry: '{registry.host}', tls: disabled"
    assert await lab.pull(f"{registry.host}/app:v1", item, defaults="userAgent: example-mirror/1") == []
    journal = [*registry.journal, *tokens.journal]
    assert {asked.headers["User-Agent"] for asked in journal} == {"example-mirror/1"}
    assert [asked.query["client_id"] for asked in tokens.journal] == ["example-mirror/1"]
