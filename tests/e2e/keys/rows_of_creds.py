"""Keys of `creds`: what each of them changes at a registry."""

from __future__ import annotations

import shutil
import ssl

import trustme
from aiohttp import web

from regsync.oci.reference import parse_reference
from tests.e2e.keys.lab import IMAGE, Lab, row
from tests.support.built import image_bytes, some_bytes
from tests.support.fake_registry import Basic, Bearer, FakeRegistry
from tests.support.faults import Fault, SlowHeaders
from tests.support.token_server import Policy, TokenServer

PIECE = 1000  # bytes
TAGS = {f"t{number}": image_bytes(str(number).encode()) for number in range(6)}


@row("creds.registry")
async def _(lab: Lab) -> None:
    registry = await lab.registry()
    assert await lab.pull(f"{registry.host}/app:v1", "registry: another.example, tls: disabled") != []
    assert await lab.pull(f"{registry.host}/app:v1", f"registry: 'http://{registry.host}'") == []
    assert lab.arrived == IMAGE.digest


@row("creds.hostname")
async def _(lab: Lab) -> None:
    registry = await lab.registry()
    item = f"registry: a.name.example, hostname: '{registry.host}', tls: disabled"
    assert await lab.pull("a.name.example/app:v1", item) == []
    assert lab.arrived == IMAGE.digest
    assert {asked.headers["Host"] for asked in registry.journal} == {registry.host}


@row("creds.tls")
async def _(lab: Lab) -> None:
    registry = await lab.registry(FakeRegistry(authority=trustme.CA()))
    assert await lab.pull(f"{registry.host}/app:v1", f"registry: '{registry.host}', tls: enabled") != []
    assert registry.journal == []
    assert await lab.pull(f"{registry.host}/app:v1", f"registry: '{registry.host}', tls: insecure") == []
    plain = await lab.registry()
    assert await lab.push(f"{plain.host}/app:v2", f"registry: '{plain.host}', tls: disabled") == []


def pem(*blocks: trustme.Blob) -> str:
    """Return PEM text as a double-quoted scalar."""
    text = "".join(block.bytes().decode() for block in blocks)
    return '"' + text.replace("\n", "\\n") + '"'


@row("creds.regcert")
async def _(lab: Lab) -> None:
    authority = trustme.CA()
    registry = await lab.registry(FakeRegistry(authority=authority))
    item = f"registry: '{registry.host}', regcert: {pem(authority.cert_pem)}"
    assert await lab.pull(f"{registry.host}/app:v1", item) == []
    assert lab.arrived == IMAGE.digest


class Doorman(FakeRegistry):
    """A registry that wants a certificate of its own authority from whoever connects."""

    def __init__(self, authority: trustme.CA) -> None:
        super().__init__(authority=authority)
        self._clients = authority

    def _tls(self) -> ssl.SSLContext | None:
        context = super()._tls()
        assert context is not None
        self._clients.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        return context


@row("creds.clientCert", "creds.clientKey")
async def _(lab: Lab) -> None:
    authority = trustme.CA()
    registry = await lab.registry(Doorman(authority))
    item = f"registry: '{registry.host}', regcert: {pem(authority.cert_pem)}"
    assert await lab.pull(f"{registry.host}/app:v1", item) != []
    ours = authority.issue_cert("regsync.example")
    item += f", clientCert: {pem(*ours.cert_chain_pems)}, clientKey: {pem(ours.private_key_pem)}"
    assert await lab.pull(f"{registry.host}/app:v1", item) == []


@row("creds.user", "creds.pass")
async def _(lab: Lab) -> None:
    registry = await lab.registry(FakeRegistry(auth=Basic("ann", "wonder land")))
    item = f"registry: '{registry.host}', tls: disabled"
    assert await lab.pull(f"{registry.host}/app:v1", item) != []
    assert await lab.pull(f"{registry.host}/app:v1", f"{item}, user: ann, pass: wonder land") == []


@row("creds.token")
async def _(lab: Lab) -> None:
    policy = Policy(refresh_tokens={"identity": "ann"}, users={"ann": "other"}, anonymous=False)
    tokens = await lab.stack.enter_async_context(TokenServer(policy))
    registry = await lab.registry(FakeRegistry(auth=Bearer(tokens)))
    item = f"registry: '{registry.host}', tls: disabled"
    assert await lab.pull(f"{registry.host}/app:v1", item) != []
    assert await lab.pull(f"{registry.host}/app:v1", f"{item}, token: identity") == []
    assert [asked.method for asked in tokens.journal] == ["GET", "POST"]


def install_helper(lab: Lab, name: str, *, server: str) -> None:
    """Put a helper on the path that knows one server, and notes in `asked` when it is run."""
    program = lab.folder / name
    answer = '{"ServerURL": "", "Username": "ann", "Secret": "pw"}'
    script = f'read -r asked\necho "$asked" >> {lab.folder}/asked\ntest "$asked" = {server} && echo \'{answer}\'\n'
    program.write_text(f"#!/bin/sh\n{script}")
    program.chmod(0o755)
    lab.environ["PATH"] = f"{lab.folder}:{lab.environ['PATH']}"


@row("creds.credHelper")
async def _(lab: Lab) -> None:
    registry = await lab.registry(FakeRegistry(auth=Basic("ann", "pw")))
    install_helper(lab, "docker-credential-row", server=registry.host)
    item = f"registry: '{registry.host}', tls: disabled, credHelper: docker-credential-row"
    assert await lab.pull(f"{registry.host}/app:v1", item) == []


@row("creds.credHost")
async def _(lab: Lab) -> None:
    registry = await lab.registry(FakeRegistry(auth=Basic("ann", "pw")))
    install_helper(lab, "docker-credential-row", server="https://login.example/")
    item = f"registry: '{registry.host}', tls: disabled, credHelper: docker-credential-row"
    assert await lab.pull(f"{registry.host}/app:v1", item) != []
    assert await lab.pull(f"{registry.host}/app:v1", f"{item}, credHost: 'https://login.example/'") == []


@row("creds.credExpire")
async def _(lab: Lab) -> None:
    """After that time the helper is asked again; a number counts nanoseconds."""
    registry = await lab.registry(FakeRegistry(auth=Basic("ann", "pw")))
    install_helper(lab, "docker-credential-row", server=registry.host)
    item = f"registry: '{registry.host}', tls: disabled, credHelper: docker-credential-row"
    for expiry, asked in ("2h", 1), ("30m", 2), (1800 * 10**9, 2):
        (lab.folder / "asked").write_text("")
        async with lab.connections(f"creds: [{{{item}, credExpire: {expiry}}}]") as connections:
            source = connections.engine.endpoints.open(parse_reference(f"{registry.host}/app"))
            for _ in range(2):
                assert await source.head_manifest("v1") is not None
                await lab.clock.advance(3600)
        assert (lab.folder / "asked").read_text().count("\n") == asked


@row("creds.pathPrefix")
async def _(lab: Lab) -> None:
    registry = await lab.registry()
    registry.seed("hub/library/tool", {"v1": IMAGE})
    item = f"registry: '{registry.host}', tls: disabled, pathPrefix: hub"
    assert await lab.pull(f"{registry.host}/library/tool:v1", item) == []
    assert all(asked.path.startswith("/v2/hub/library/tool/") for asked in registry.journal)


@row("creds.repoAuth")
async def _(lab: Lab) -> None:
    """With it each repository is asked first without a login, as if it were a registry of its own."""
    tokens = await lab.stack.enter_async_context(TokenServer(Policy()))
    registry = await lab.registry(FakeRegistry(auth=Bearer(tokens)))
    registry.seed("other", {"v1": IMAGE})
    for item, refusals in ("", 1), (", repoAuth: true", 2):
        registry.journal.clear()
        text = f"creds: [{{registry: '{registry.host}', tls: disabled{item}}}]\nsync:\n"
        for path in "app", "other":
            text += f"- {{source: '{registry.host}/{path}:v1', target: 'ocidir://{lab.out}:{path}', type: image}}\n"
        assert (await lab.once(text)).failures == []
        assert registry.count(status=401) == refusals


@row("creds.mirrors")
async def _(lab: Lab) -> None:
    registry = await lab.registry()
    mirror = await lab.registry()
    item = f"registry: '{registry.host}', tls: disabled, mirrors: ['{mirror.host}']"
    assert await lab.pull(f"{registry.host}/app:v1", item, f"registry: '{mirror.host}', tls: disabled") == []
    assert lab.arrived == IMAGE.digest
    assert registry.journal == []
    assert {asked.query.get("ns") for asked in mirror.journal} == {registry.host}


@row("creds.priority")
async def _(lab: Lab) -> None:
    """The lower is asked first, and of equals the mirror."""
    for own, other in (1, 0), (0, 0), (0, 1):
        registry, mirror = await lab.registry(), await lab.registry()
        item = f"registry: '{registry.host}', tls: disabled, mirrors: ['{mirror.host}'], priority: {own}"
        mirrors = f"registry: '{mirror.host}', tls: disabled, priority: {other}"
        shutil.rmtree(lab.out, ignore_errors=True)
        assert await lab.pull(f"{registry.host}/app:v1", item, mirrors) == []
        assert bool(mirror.journal) == (own >= other)
        assert bool(registry.journal) == (own < other)


@row("creds.api", "creds.scheme")
async def _(lab: Lab) -> None:
    """They have no effect, and their authors are told so."""
    registry = await lab.registry()
    item = f"registry: '{registry.host}', tls: disabled, api: hub, scheme: https"
    assert await lab.pull(f"{registry.host}/app:v1", item) == []
    assert any("api is deprecated and has no effect" in warning for warning in lab.warnings)
    assert any("Scheme is deprecated, for http set TLS to disabled" in warning for warning in lab.warnings)


@row("creds.apiOpts.disableHead")
async def _(lab: Lab) -> None:
    registry = await lab.registry()
    item = f"registry: '{registry.host}', tls: disabled, apiOpts: {{disableHead: 'true'}}"
    assert await lab.pull(f"{registry.host}/app:v1", item) == []
    assert await lab.push(f"{registry.host}/app:v2", item, image=TAGS["t1"]) == []
    assert registry.count(method="HEAD") == 0


@row("creds.blobMax", "creds.blobChunk")
async def _(lab: Lab) -> None:
    """A blob of `blobMax` bytes goes up whole, one of a byte more in pieces of `blobChunk`."""
    registry = await lab.registry()
    small, large = some_bytes(2 * PIECE, "whole"), some_bytes(2 * PIECE + 1, "in pieces")
    item = f"registry: '{registry.host}', tls: disabled, blobMax: {2 * PIECE}, blobChunk: {PIECE}"
    assert await lab.push(f"{registry.host}/app:v2", item, image=image_bytes(small, large)) == []
    assert sorted(asked.bytes_in for asked in registry.asked(method="PATCH")) == [1, PIECE, PIECE]
    assert 2 * PIECE in [asked.bytes_in for asked in registry.asked(kind="commit")]


@row("creds.reqPerSec")
async def _(lab: Lab) -> None:
    registry = await lab.registry()
    began = lab.clock.monotonic()
    item = f"registry: '{registry.host}', tls: disabled, reqPerSec: 0.5"
    assert await lab.pull(f"{registry.host}/app:v1", item) == []
    assert lab.clock.monotonic() - began >= 2 * (len(registry.journal) - 1)


class Crowded(FakeRegistry):
    """A slow registry that notes how many requests it has at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.fail(Fault(SlowHeaders(0.001), method="HEAD", times=len(TAGS)))
        self.most = self._now = 0

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            return await super()._serve(request)
        finally:
            self._now -= 1


@row("creds.reqConcurrent")
async def _(lab: Lab) -> None:
    found = []
    for item in ", reqConcurrent: 2", "":
        registry = Crowded()
        await lab.registry(registry, **TAGS)
        text = f"creds: [{{registry: '{registry.host}', tls: disabled{item}}}]\nsync:\n"
        text += f"- {{source: '{registry.host}/app', target: 'ocidir://{lab.out}/{registry.port}', type: repository}}\n"
        assert (await lab.once(text)).failures == []
        found.append(registry.most)
    assert found[0] == 2 < found[1]
