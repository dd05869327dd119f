"""All a run sends, through proxies of each kind: to registries, token servers, storage and webhooks, TLS inside."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import pytest
import trustme

from tests.integration.runs import ran
from tests.support.built import image_bytes, read_layout, some_bytes, write_layout
from tests.support.fake_registry import Basic, Bearer, FakeRegistry, Features
from tests.support.faults import Fault, Redirect
from tests.support.gateway import Gateway, Passage
from tests.support.token_server import Policy, TokenServer
from tests.unit.registry.raw import RawServer, says

LAYER = some_bytes(300_000, "layer")
IMAGES = {"v1": image_bytes(LAYER), "v2": image_bytes(LAYER, b"more")}
DIGESTS = {tag: image.digest for tag, image in IMAGES.items()}
LOGIN = "ann:s3cret-canary"
RELATIVE = Features(relative_locations=True)  # it does not know what it is called out there
HOST = "registry.example:5000"
STORAGE = "storage.example:5001"


@dataclass(slots=True)
class World:
    """One proxy, and the environment and `creds` that lead through it to a registry called `HOST`."""

    gateway: Gateway
    environ: dict[str, str]
    creds: str
    folder: Path
    others: dict[str, int] = field(default_factory=dict)

    async def run(self, *entries: str) -> None:
        tally, told = await ran(self.folder, *entries, creds=self.creds, environ=self.environ)
        assert tally.failures == [], told

    @property
    def kinds(self) -> set[str]:
        return {passage.kind for passage in self.gateway.passed}

    @property
    def hosts(self) -> set[str]:
        return {passage.host for passage in self.gateway.passed}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def proxy_authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, str]:
    """An authority of proxies alone, and the file it is in."""
    made, path = trustme.CA(), tmp_path_factory.mktemp("authority") / "proxies.pem"
    made.cert_pem.write_to_path(path)
    return made, str(path)


def creds_for(registry: FakeRegistry, authority: trustme.CA, *, tls: bool, extra: str = "") -> str:
    pem = authority.cert_pem.bytes().decode().replace("\n", "\n    ")
    trust = f"  regcert: |\n    {pem}" if tls else "  tls: disabled"
    return f"- registry: {HOST}\n{trust}\n{extra}"


@asynccontextmanager
async def behind(
    scheme: str,
    registry: FakeRegistry,
    creds: str,
    folder: Path,
    *,
    login: str = "",
    proxies: tuple[trustme.CA, str] | None = None,
    others: Mapping[str, int] = MappingProxyType({}),
) -> AsyncIterator[World]:
    """Have a proxy of this kind lead to the registry, and to `others`."""
    tls: ssl.SSLContext | None = None
    if proxies is not None and scheme == "https":
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        proxies[0].issue_cert("127.0.0.1").configure_cert(tls)
    leads = {"registry.example": registry.port, **{f"{name}.example": port for name, port in others.items()}}
    async with Gateway(leads, login=login, tls=tls) as gateway:
        environ = {"ALL_PROXY": f"{scheme}://{login}{'@' if login else ''}{gateway.host}"}
        if tls is not None and proxies is not None:
            environ["SSL_CERT_FILE"] = proxies[1]
        yield World(gateway, environ, creds, folder)


@pytest.mark.parametrize("tls", [True, False], ids=["tls", "plain"])
@pytest.mark.parametrize("login", ["", LOGIN], ids=["anybody", "login"])
@pytest.mark.parametrize("scheme", ["http", "https", "socks5", "socks5h"])
async def test_an_image_is_pushed_and_pulled_through_a_proxy(
    tmp_path: Path, authority: trustme.CA, proxy_authority: tuple[trustme.CA, str], scheme: str, login: str, tls: bool
) -> None:
    write_layout(tmp_path / "origin", IMAGES)
    async with FakeRegistry(authority=authority if tls else None, features=RELATIVE) as registry:
        creds = creds_for(registry, authority, tls=tls)
        async with behind(scheme, registry, creds, tmp_path, login=login, proxies=proxy_authority) as world:
            await world.run(
                f"source: 'ocidir://{tmp_path}/origin', target: '{HOST}/app', type: repository",
                f"source: '{HOST}/app', target: 'ocidir://{tmp_path}/back', type: repository",
            )
    assert read_layout(tmp_path / "back")[0] == DIGESTS
    assert world.hosts == {"registry.example"}
    assert {passage.login for passage in world.gateway.passed} == {login}
    assert all(asked.headers.get("Proxy-Authorization") is None for asked in registry.journal)


async def test_socks_4a_is_told_the_name_and_the_user(tmp_path: Path, authority: trustme.CA) -> None:
    async with FakeRegistry() as registry:
        registry.seed("app", IMAGES)
        creds = creds_for(registry, authority, tls=False)
        async with behind("socks4a", registry, creds, tmp_path, login="ann") as world:
            await world.run(f"source: '{HOST}/app', target: 'ocidir://{tmp_path}/back', type: repository")
    assert read_layout(tmp_path / "back")[0] == DIGESTS
    assert {*world.gateway.passed} == {Passage("socks4a", "registry.example", 5000, "ann")}


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
async def test_connections_through_socks_are_used_again(tmp_path: Path, authority: trustme.CA, scheme: str) -> None:
    async with FakeRegistry(authority=authority) as registry:
        registry.seed("app", {f"v{number}": image_bytes(str(number).encode()) for number in range(40)})
        async with behind(scheme, registry, creds_for(registry, authority, tls=True), tmp_path) as world:
            await world.run(f"source: '{HOST}/app', target: 'ocidir://{tmp_path}/back', type: repository")
    assert len(registry.journal) > 100
    assert len(world.gateway.passed) < 30


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_tokens_and_storage_are_reached_through_the_proxy_as_well(
    tmp_path: Path, authority: trustme.CA, scheme: str
) -> None:
    async with TokenServer(Policy(users={"bob": "pw"}, anonymous=False)) as tokens, FakeRegistry() as storage:
        realm = f'Bearer realm="http://tokens.example:7/token",service="{tokens.service}",scope="repository:app:pull"'
        storage.seed("app", IMAGES)
        async with FakeRegistry(auth=Bearer(tokens, challenge=realm)) as registry:
            registry.seed("app", IMAGES)
            for digest in {digest for image in IMAGES.values() for digest in image.blobs}:
                to = Redirect(f"http://{STORAGE}/v2/app/blobs/{digest}")
                registry.fail(Fault(to, method="GET", path=digest, times=9))
            creds = creds_for(registry, authority, tls=False, extra="  user: bob\n  pass: pw\n")
            ports = {"tokens": tokens.port, "storage": storage.port}
            async with behind(scheme, registry, creds, tmp_path, others=ports) as world:
                await world.run(f"source: '{HOST}/app', target: 'ocidir://{tmp_path}/back', type: repository")
    assert read_layout(tmp_path / "back")[0] == DIGESTS
    assert world.hosts == {"registry.example", "tokens.example", "storage.example"}
    assert storage.count(method="GET", kind="blob")


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_webhooks_are_sent_through_the_proxy_as_well(tmp_path: Path, authority: trustme.CA, scheme: str) -> None:
    async with FakeRegistry() as registry, RawServer(lambda _: says(200)) as listener:
        registry.seed("app", IMAGES)
        creds = creds_for(registry, authority, tls=False)
        hook = "hooks: {entryPost: {type: webhook, params: ['http://hooks.example/told?token=canary']}}"
        async with behind(scheme, registry, creds, tmp_path, others={"hooks": listener.port}) as world:
            entry = f"source: '{HOST}/app', target: 'ocidir://{tmp_path}/back', type: repository"
            await world.run(f"{entry}, {hook}")
    assert [asked.target for asked in listener.asked] == ["/told?token=canary"]
    assert "hooks.example" in world.hosts


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
@pytest.mark.parametrize("where", ["169.254.169.254", "10.0.0.1", "sub.localhost", "metadata.google.internal"])
async def test_a_registry_behind_a_proxy_may_send_us_nowhere_it_could_not_send_us_without(
    tmp_path: Path, authority: trustme.CA, scheme: str, where: str
) -> None:
    async with FakeRegistry() as registry:
        registry.seed("app", IMAGES)
        registry.fail(Fault(Redirect(f"http://{where}/x"), method="GET", kind="blob", times=99))
        async with behind(scheme, registry, creds_for(registry, authority, tls=False), tmp_path) as world:
            entry = f"source: '{HOST}/app:v1', target: 'ocidir://{tmp_path}/back:v1', type: image"
            tally, told = await ran(tmp_path, entry, creds=world.creds, environ=world.environ)
    assert len(tally.failures) == 1
    assert any(f"will not follow the registry to {where}" in str(event) for event in told)
    assert world.hosts == {"registry.example"}


@pytest.mark.parametrize("exempt", ["127.0.0.0/8", "localhost"])
async def test_what_no_proxy_names_and_this_machine_go_straight(
    tmp_path: Path, fake_registry: FakeRegistry, exempt: str
) -> None:
    fake_registry.seed("app", IMAGES)
    async with Gateway({}) as gateway:
        environ = {"ALL_PROXY": f"socks5h://{gateway.host}", "NO_PROXY": exempt}
        entry = f"source: '{fake_registry.host}/app', target: 'ocidir://{tmp_path}/back', type: repository"
        tally, _ = await ran(tmp_path, entry, hosts=[fake_registry.host], environ=environ)
    assert (tally.failures, gateway.passed) == ([], [])


async def test_what_is_said_of_a_registry_says_nothing_of_a_proxy(
    tmp_path: Path, authority: trustme.CA, proxy_authority: tuple[trustme.CA, str]
) -> None:
    """Neither `tls: insecure` nor `regcert` makes us believe a stranger on the way, who would get the proxy's login."""
    async with FakeRegistry(authority=authority, auth=Basic("bob", "pw")) as registry:
        registry.seed("app", IMAGES)
        pem = proxy_authority[0].cert_pem.bytes().decode().replace("\n", "\n    ")
        creds = f"- registry: {HOST}\n  tls: insecure\n  user: bob\n  pass: pw\n  regcert: |\n    {pem}\n"
        async with behind("https", registry, creds, tmp_path, login=LOGIN, proxies=proxy_authority) as world:
            del world.environ["SSL_CERT_FILE"]
            entry = f"source: '{HOST}/app:v1', target: 'ocidir://{tmp_path}/back:v1', type: image"
            tally, told = await ran(tmp_path, entry, creds=creds, environ=world.environ)
    assert (len(tally.failures), world.gateway.passed, registry.journal) == (1, [], [])
    assert any(f"the proxy {world.gateway.host} has a TLS certificate that is not trusted" in str(e) for e in told)
