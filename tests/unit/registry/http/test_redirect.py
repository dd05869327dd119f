"""Where a registry may send us, and what goes along."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from regsync.errors import AccessDenied, Malformed, Refused, RegsyncError, Unsupported
from regsync.registry.http.message import Headers
from regsync.registry.http.redirect import next_hop, origin_of
from regsync.registry.http.transport import Request
from tests.unit.registry.raw import Answering, Asked, RawServer, Step, in_turn, says
from tests.unit.registry.speaking import Speaking, speaking, with_login

SIGNED = "/bucket/%2Fblob%41?X-Sig=a%2Fb+c%3D&z=%7e&empty="
ASKED = {"authorization": "Basic YW5uOnMzY3JldC1jYW5hcnk="}


def logged_in(answer: Step) -> Answering:
    """Ask for a login first, so that there is a credential that could leak."""

    def step(asked: Asked) -> Step:
        known = asked.headers.get("authorization") == ASKED["authorization"]
        return answer if known else says(401, b"", ("WWW-Authenticate", 'Basic realm="r"'))

    return step


class Two:
    """A registry that redirects, and the place it redirects to."""

    registry: RawServer
    elsewhere: RawServer
    to: Speaking


@pytest.fixture
async def two() -> AsyncIterator[Two]:
    pair = Two()
    async with AsyncExitStack() as stack:
        pair.elsewhere = await stack.enter_async_context(RawServer(in_turn(says(200, b"content"))))
        pair.registry = await stack.enter_async_context(RawServer(in_turn(says(500))))
        pair.to = await stack.enter_async_context(speaking(with_login(pair.registry.host)))
        yield pair


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_reading_follows_without_the_login_and_byte_for_byte(two: Two, status: int, method: str) -> None:
    location = ("Location", two.elsewhere.url + SIGNED)
    two.elsewhere.answer = in_turn(says(200))
    two.registry.answer = logged_in(says(status, b"<html>moved</html>" * (method == "GET"), location))
    answer = await two.to.transport.send(Request(method, "/v2/a/blobs/d", headers=(("Range", "bytes=1-2"),)))
    assert answer.url == two.elsewhere.url + SIGNED
    there = two.elsewhere.asked[0]
    assert (there.method, there.target, there.headers["range"]) == (method, SIGNED, "bytes=1-2")
    assert "authorization" not in there.headers
    assert {asked.connection for asked in two.registry.asked} == {1}


@pytest.mark.parametrize("status", [307, 308])
async def test_writing_follows_where_the_method_is_kept(two: Two, status: int) -> None:
    two.registry.answer = in_turn(says(status, b"", ("Location", two.elsewhere.url + "/u?s=%2F")))
    await two.to.transport.send(Request("PUT", "/v2/a/manifests/v1", body=b"{}"))
    there = two.elsewhere.asked[0]
    assert (there.method, there.target, there.body) == ("PUT", "/u?s=%2F", b"{}")


@pytest.mark.parametrize("status", [301, 302, 303])
@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH"])
async def test_writing_does_not_follow_what_would_become_reading(two: Two, status: int, method: str) -> None:
    two.registry.answer = in_turn(says(status, b"", ("Location", two.elsewhere.url)))
    with pytest.raises(Unsupported):
        await two.to.transport.send(Request(method, "/v2/x", body=b"x"))
    assert two.elsewhere.asked == []


async def test_a_redirected_upload_is_refused_once_it_has_begun(two: Two) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x"

    two.registry.answer = in_turn(says(307, b"", ("Location", two.elsewhere.url)))
    with pytest.raises(Unsupported, match="redirects an upload"):
        await two.to.transport.pour(Request("PUT", "/v2/x"), chunks(), length=1)
    assert two.elsewhere.asked == []


async def test_a_relative_redirect_stays_and_keeps_the_login(two: Two) -> None:
    def answer(asked: Asked) -> Step:
        if not asked.headers.get("authorization"):
            return says(401, b"", ("WWW-Authenticate", 'Basic realm="r"'))
        return says(200) if asked.target == "/v2/b?x=%2F" else says(307, b"", ("Location", "b?x=%2F"))

    two.registry.answer = answer
    await two.to.transport.send(Request("GET", "/v2/a"))
    assert two.registry.sent("authorization")[1:] == [ASKED["authorization"]] * 2


async def test_redirects_end(two: Two) -> None:
    two.registry.answer = in_turn(says(307, b"", ("Location", "/v2/again")))
    with pytest.raises(Unsupported, match="more than 5"):
        await two.to.transport.send(Request("GET", "/v2/a"))
    assert len(two.registry.asked) == 6


async def test_a_redirect_that_says_nothing_is_malformed(two: Two) -> None:
    two.registry.answer = in_turn(says(307))
    with pytest.raises(Malformed, match="no Location"):
        await two.to.transport.send(Request("GET", "/v2/a"))


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:169.254.169.254]/",
        "http://[fd00:ec2::254]/",
        "http://0.0.0.0:1/",
        "http://[::]:1/",
        "http://[fe80::1]:1/",
        "http://ann:pw@127.0.0.1:1/",
        "http://127.0.0.1\\@x/",
        "http://a b/",
        "http:///x",
        "http://a..b/",
        "http://127.0.0.1:99999/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
    ],
)
async def test_a_registry_on_loopback_leads_nowhere_else(two: Two, location: str) -> None:
    two.registry.answer = in_turn(says(307, b"", ("Location", location)))
    with pytest.raises(RegsyncError) as caught:
        await two.to.transport.send(Request("GET", "/v2/a"))
    assert isinstance(caught.value, Refused), caught.value
    assert len(two.registry.asked) == 1


async def test_a_signed_url_that_expired_is_asked_for_again_at_the_registry(two: Two) -> None:
    two.registry.answer = in_turn(says(307, b"", ("Location", two.elsewhere.url + "/s")))
    two.elsewhere.answer = in_turn(says(403), says(400), says(200, b"content"))
    assert (await two.to.transport.send(Request("GET", "/v2/a"))).body == b"content"
    assert len(two.registry.asked) == 3


async def test_storage_in_trouble_does_not_make_the_registry_suspect(two: Two) -> None:
    two.registry.answer = in_turn(says(307, b"", ("Location", two.elsewhere.url + "/s")))
    two.elsewhere.answer = in_turn(says(403))
    for _ in range(10):
        with pytest.raises(RegsyncError):
            await two.to.transport.send(Request("GET", "/v2/a"))
    two.registry.answer = in_turn(says(200))
    assert (await two.to.transport.send(Request("GET", "/v2/a"))).status == 200


async def test_an_upload_elsewhere_goes_without_the_login(two: Two) -> None:
    two.registry.answer = logged_in(says(202, b"", ("Location", two.elsewhere.url + "/up?state=%2B%2f")))
    started = await two.to.transport.send(Request("POST", "/v2/a/blobs/uploads/", expect=frozenset({202})))
    where = started.resolve(started.headers["location"])
    await two.to.transport.send(Request("PUT", f"{where}&digest=d", body=b"x"))
    assert two.elsewhere.asked[0].target == "/up?state=%2B%2f&digest=d"
    assert two.elsewhere.sent("authorization") == [None]


async def test_a_401_elsewhere_gets_no_login(two: Two) -> None:
    two.registry.answer = in_turn(says(200))
    two.elsewhere.answer = in_turn(says(401, b"", ("WWW-Authenticate", 'Basic realm="give"')))
    await two.to.transport.send(Request("GET", "/v2/"))
    with pytest.raises(AccessDenied):
        await two.to.transport.send(Request("PUT", f"{two.elsewhere.url}/up", body=b"x"))
    assert two.elsewhere.sent("authorization") == [None]


async def test_a_place_nobody_was_led_to_is_judged_as_public_only(two: Two) -> None:
    async with speaking(with_login("unseen.example")) as to:
        with pytest.raises(Refused, match="loopback"):
            await to.transport.send(Request("PUT", f"https://127.0.0.1:{two.elsewhere.port}/up", body=b"x"))
    assert two.elsewhere.connections == 0


def test_tls_is_never_left() -> None:
    with pytest.raises(Refused, match="plain http"):
        next_hop("GET", 302, Headers([("Location", "http://r.example/x")]), url="https://r.example/y")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://r.example/a", "https://R.Example:443/b", True),
        ("https://r.example./a", "https://r.example/b", True),
        ("https://r.example/", "https://r.example:8443/", False),
        ("https://r.example/", "http://r.example:443/", False),
        ("https://r.example/", "https://sub.r.example/", False),
        ("http://r.example/", "http://r.example:80/", True),
        ("http://r.example:0/", "http://r.example:80/", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(one: str, other: str, same: bool) -> None:
    assert (origin_of(one) == origin_of(other)) is same
