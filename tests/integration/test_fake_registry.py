"""The fake registry is no fiction: the same requests are put to it and to docker-registry, and the answers compared."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

from tests.support.fake_registry import Basic, Bearer, FakeRegistry
from tests.support.images import platforms_index, read_layout, write_layout
from tests.support.real import DockerRegistry, TokenAuth, run
from tests.support.replay import Ask, Heard, replay, script
from tests.support.token_server import Policy, Signer, TokenServer

# Headers that no client of ours looks at, and those that cannot be the same twice.
_IGNORED = {"date", "server", "docker-upload-uuid", "connection", "etag"}

# Where the fake differs on purpose. Whoever adds a line here says why.
_ALLOWED: dict[str, tuple[str, ...]] = {
    # docker-registry 2.8 takes a chunk at any offset; the distribution-spec wants 416, and newer registries give it.
    "a chunk that is early": ("status", "range"),
    # docker-registry sends its page of error under the length of the blob, so its answer never ends.
    "behind the end of a blob": ("content-length",),
    "a range that is none": ("content-length",),
    # docker-registry passes on at which byte its JSON parser gave up.
    "no JSON": ("content-length", "body"),
    "nothing": ("content-length", "body"),
}

_UPLOAD = re.compile(r"/blobs/uploads/[^/]+$")


def _comparable(ask: Ask, heard: Heard, host: str) -> dict[str, Any]:
    """Return what must be equal, by name: the status, the headers but for names of hosts and sessions, the body."""
    found: dict[str, Any] = {"status": heard.status, "body": heard.body}
    for name, value in heard.headers.items():
        if name not in _IGNORED:
            found[name] = _UPLOAD.sub("/blobs/uploads/<session>", value.replace(host, "<host>"))
    if heard.status in {200, 401} and found.get("content-type", "").startswith("application/json") and heard.body:
        found["body"] = _in_order(json.loads(heard.body))
    if challenge := found.get("www-authenticate"):
        found["www-authenticate"] = challenge.replace(":push,pull", ":pull,push")
    return {name: value for name, value in found.items() if name not in _ALLOWED.get(ask.name, ())}


def _in_order(body: dict[str, Any]) -> dict[str, Any]:
    """Sort what docker-registry names in no order at all: tags, and the actions a 401 asks for."""
    if body.get("tags"):
        body["tags"].sort()
    for error in body.get("errors", ()):
        if isinstance(error["detail"], list):
            error["detail"].sort(key=lambda wanted: str(wanted["Action"]))
    return body


def _differences(asks: tuple[Ask, ...], pairs: list[tuple[Heard, Heard]], *, hosts: tuple[str, str]) -> list[str]:
    found: list[str] = []
    for ask, (real, fake) in zip(asks, pairs, strict=True):
        one, other = _comparable(ask, real, hosts[0]), _comparable(ask, fake, hosts[1])
        found += [
            f"{ask.name}: {name}: docker-registry {one.get(name)!r}, fake {other.get(name)!r}"
            for name in sorted(one.keys() | other.keys())
            if one.get(name) != other.get(name)
        ]
    return found


async def _compare(real: DockerRegistry, fake: FakeRegistry, asks: tuple[Ask, ...]) -> list[str]:
    heard = [await asyncio.to_thread(replay, each.host, asks) for each in (real, fake)]
    return _differences(asks, list(zip(*heard, strict=True)), hosts=(real.host, fake.host))


async def test_the_fake_answers_every_request_as_docker_registry_does(
    docker_registry: DockerRegistry, fake_registry: FakeRegistry
) -> None:
    asks = script()
    assert len(asks) == len({ask.name for ask in asks}), "requests are told apart by their names"
    assert not await _compare(docker_registry, fake_registry, asks)


async def test_every_difference_that_is_allowed_is_one_of_a_request_in_the_script() -> None:
    assert _ALLOWED.keys() <= {ask.name for ask in script()}


async def test_the_fake_asks_for_a_password_as_docker_registry_does(tmp_path: Path) -> None:
    asks = (
        Ask("no login", "GET", "/v2/"),
        Ask("no login at a manifest", "GET", "/v2/a/b/manifests/v1"),
        Ask("no login at an upload", "POST", "/v2/a/b/blobs/uploads/"),
        Ask("a wrong password", "GET", "/v2/", {"Authorization": "Basic dXNlcjp3cm9uZw=="}),
        Ask("the right password", "GET", "/v2/", {"Authorization": "Basic dXNlcjpzZWNyZXQ="}),
    )
    with DockerRegistry(tmp_path, basic=("user", "secret")) as real:
        async with FakeRegistry(auth=Basic("user", "secret")) as fake:
            assert not await _compare(real, fake, asks)


async def test_the_fake_asks_for_a_token_as_docker_registry_does(tmp_path: Path) -> None:
    signer = Signer()
    (tmp_path / "bundle.pem").write_bytes(signer.bundle)
    async with TokenServer(Policy(users={"user": "secret"}), signer=signer) as server:
        token = TokenAuth(server.realm, server.service, server.issuer, tmp_path / "bundle.pem")
        login = {"Authorization": "Basic dXNlcjpzZWNyZXQ="}
        wanted = f"/token?service={server.service}&scope=repository:a/b:pull,push"
        issued = await asyncio.to_thread(replay, server.host, (Ask("a token", "GET", wanted, login),))
        bearer = {"Authorization": f"Bearer {json.loads(issued[0].body)['token']}"}
        asks = (
            Ask("no token", "GET", "/v2/"),
            Ask("no token at a manifest", "GET", "/v2/a/b/manifests/v1"),
            Ask("no token at an upload", "POST", "/v2/a/b/blobs/uploads/"),
            Ask("no token at the catalogue", "GET", "/v2/_catalog"),
            Ask("a token", "GET", "/v2/a/b/manifests/v1", bearer),
            Ask("a token at an upload", "POST", "/v2/a/b/blobs/uploads/", bearer),
            Ask("a token of another repository", "GET", "/v2/c/d/manifests/v1", bearer),
        )
        with DockerRegistry(tmp_path / "registry", token=token) as real:
            async with FakeRegistry(auth=Bearer(server)) as fake:
                assert not await _compare(real, fake, asks)


async def test_another_client_copies_into_the_fake_and_out_of_it(tmp_path: Path, fake_registry: FakeRegistry) -> None:
    built = platforms_index("linux/amd64", "linux/arm64")
    write_layout(tmp_path / "in", {"v1": built})
    there = f"docker://{fake_registry.host}/a/b:v1"
    copy = ("skopeo", "--insecure-policy", "copy", "--all", "--preserve-digests")
    await asyncio.to_thread(run, *copy, "--dest-tls-verify=false", f"oci:{tmp_path}/in:v1", there)
    await asyncio.to_thread(run, *copy, "--src-tls-verify=false", there, f"oci:{tmp_path}/out:v1")
    assert read_layout(tmp_path / "out") == ({"v1": built.digest}, built.contents())
    assert fake_registry.count(method="PUT", kind="manifest", status=201) == 3
