"""Where a registry may send us, by how far it is itself, in every way it can and by every spelling of an address."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from regsync.errors import Refused, RegsyncError
from regsync.registry.http.guard import AddressClass
from regsync.registry.http.message import Request
from regsync.registry.http.wire import Wire
from regsync.registry.login.scope import Scope
from tests.unit.registry.raw import Answering, Asked, RawServer, Step, in_turn, says
from tests.unit.registry.speaking import speaking, with_login

READ = Request("GET", "/v2/a/manifests/v1", scopes=(Scope.of_repository("a", push=False),), attempts=1)
NEVER = [
    *("169.254.169.254", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "2852039166", "0xa9fea9fe"),
    *("0251.0376.0251.0376", "169.254.43518", "[fd00:ec2::254]", "[64:ff9b::a9fe:a9fe]", "100.100.100.200"),
    *("168.63.129.16", "[fd20:ce::254]"),
    *("0.0.0.0", "0", "0.1.2.3", "[::]", "[fe80::1]", "169.254.1.1", "224.0.0.1", "[ff02::1]"),
    *("metadata.google.internal", "metadata"),
]  # fmt: skip
LOOPBACK = ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "127.1", "a.localhost"]
PRIVATE = ["10.0.0.1", "172.16.0.1", "192.168.1.1", "[fd00::1]", "[::ffff:10.0.0.1]", "167772161", "100.64.0.1"]
REFUSED = [
    *((AddressClass.LOOPBACK, where) for where in NEVER),
    *((AddressClass.PRIVATE, where) for where in [*NEVER, *LOOPBACK]),
    *((AddressClass.PUBLIC, where) for where in [*NEVER, *LOOPBACK, *PRIVATE]),
]


def redirecting(to: str) -> Answering:
    return in_turn(says(307, b"", ("Location", f"http://{to}:9/x?X-Signature=canary")))


def wanting(token_server: str) -> Answering:
    return in_turn(says(401, b"", ("WWW-Authenticate", f'Bearer realm="http://{token_server}:9/t?key=canary"')))


def far(monkeypatch: pytest.MonkeyPatch, how: AddressClass) -> None:
    """Have every registry be as far as this."""
    monkeypatch.setattr(Wire, "class_at", lambda _self, _url: how)


def resolving(monkeypatch: pytest.MonkeyPatch, name: str, address: str) -> None:
    """Have a name lead to an address."""
    real = socket.getaddrinfo

    def lookup(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        return real(address if host == name else host, port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)


@pytest.mark.parametrize("answering", [redirecting, wanting])
@pytest.mark.parametrize(("how", "where"), REFUSED)
async def test_no_registry_leads_further_in_than_it_is_itself(
    how: AddressClass, where: str, answering: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with RawServer(answering(where)) as server, speaking(with_login(server.host)) as to:
        far(monkeypatch, how)
        with pytest.raises(RegsyncError) as caught:
            await to.transport.send(READ)
    assert isinstance(caught.value, Refused)
    text = str(caught.value)
    assert server.host in text
    assert where.strip("[]") in text
    assert "canary" not in text
    assert "\n" not in text
    assert len(server.asked) == 1


@pytest.mark.parametrize("answering", [redirecting, wanting])
@pytest.mark.parametrize(
    ("how", "address"),
    [
        (AddressClass.LOOPBACK, "169.254.169.254"),
        (AddressClass.LOOPBACK, "::ffff:169.254.169.254"),
        (AddressClass.PRIVATE, "127.0.0.1"),
        (AddressClass.PRIVATE, "::1"),
        (AddressClass.PUBLIC, "10.0.0.1"),
        (AddressClass.PUBLIC, "0.0.0.0"),
    ],
)
async def test_a_name_is_judged_by_the_address_that_is_connected_to(
    how: AddressClass, address: str, answering: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolving(monkeypatch, "rebound.example", address)
    async with RawServer(answering("rebound.example")) as server, speaking(with_login(server.host)) as to:
        far(monkeypatch, how)
        with pytest.raises(Refused, match=r"will not follow the registry to rebound\.example:9: it is at a") as caught:
            await to.transport.send(READ)
    assert server.host in str(caught.value)
    assert "canary" not in str(caught.value)


async def test_a_registry_on_this_machine_leads_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "storage.example", "127.0.0.1")
    async with RawServer(in_turn(says(200))) as storage, RawServer(in_turn(says(500))) as server:
        to_storage = ("Location", f"http://storage.example:{storage.port}/x")
        server.answer = in_turn(says(307, b"", to_storage))
        async with speaking(server.host) as to:
            assert (await to.transport.send(READ)).status == 200


async def test_a_private_registry_behind_a_proxy_names_a_private_token_server() -> None:
    asked: list[str] = []

    def proxy(one: Asked) -> Step:
        asked.append(one.target)
        if one.target.startswith("http://10.0.0.2/token"):
            return says(200, b'{"token":"T"}')
        known = one.headers.get("authorization") == "Bearer T"
        return says(200) if known else says(401, b"", ("WWW-Authenticate", 'Bearer realm="http://10.0.0.2/token"'))

    async with RawServer(proxy) as server:
        async with speaking(with_login("10.0.0.1:5000"), environ={"HTTP_PROXY": server.url}) as to:
            assert (await to.transport.send(READ)).status == 200
        async with speaking(with_login("registry.example:5000"), environ={"HTTP_PROXY": server.url}) as to:
            with pytest.raises(Refused, match="local address"):
                await to.transport.send(READ)
    assert asked[0] == "http://10.0.0.1:5000/v2/a/manifests/v1"


async def test_an_upload_that_is_led_further_in_says_who_led_it_there(monkeypatch: pytest.MonkeyPatch) -> None:
    async with RawServer(in_turn(says(200))) as server, speaking(with_login(server.host)) as to:
        far(monkeypatch, AddressClass.PUBLIC)
        with pytest.raises(Refused) as caught:
            await to.transport.send(Request("PUT", "http://10.0.0.1:9/up?key=canary", body=b"x", what="blob x"))
    assert str(caught.value) == (
        f"PUT blob x at {server.host}: will not follow the registry to 10.0.0.1:9: it is at a private address"
    )
