"""Layers that lie at URLs a manifest names: where they are fetched from, and what never goes there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from regsync.errors import IntegrityError, NotFound, Refused, RegsyncError, Unavailable
from regsync.oci.descriptor import Descriptor
from regsync.registry.content.external import opened
from regsync.registry.http.transport import Request
from tests.support.images import Verified, described, some_bytes
from tests.unit.registry.raw import Answering, Asked, RawServer, Step, in_turn, says
from tests.unit.registry.speaking import Speaking, speaking, with_login

LAYER = some_bytes(300_000, "foreign")
NOT_HERE = b'{"errors":[{"code":"BLOB_UNKNOWN"}]}'
LOGIN = "Basic YW5uOnMzY3JldC1jYW5hcnk="


def for_who_logs_in(answer: Step) -> Answering:
    """Ask everybody for a login, so that there is one that could leak."""

    def step(asked: Asked) -> Step:
        return answer if asked.headers.get("authorization") == LOGIN else says(401, b"", ASKING)

    return step


ASKING = ("WWW-Authenticate", 'Basic realm="r"')


class Two:
    """A registry that wants a login and does not have the layer, and a server of whoever wrote the manifest."""

    registry: RawServer
    elsewhere: RawServer
    to: Speaking

    def blob(self, *urls: str) -> Descriptor:
        return replace(described(LAYER), urls=urls or (f"{self.elsewhere.url}/layer?sig=%2Fa",))

    async def read(self, blob: Descriptor, *, start: int = 0) -> bytes:
        request = Request("GET", f"/v2/a/blobs/{blob.digest}", what="blob")
        async with opened(self.to.transport, request, blob, start=start, clock=self.to.clock) as chunks:
            return b"".join([chunk async for chunk in chunks])


@pytest.fixture
async def two() -> AsyncIterator[Two]:
    pair = Two()
    async with AsyncExitStack() as stack:
        pair.elsewhere = await stack.enter_async_context(RawServer(in_turn(says(200, LAYER))))
        pair.registry = await stack.enter_async_context(RawServer(for_who_logs_in(says(404, NOT_HERE))))
        pair.to = await stack.enter_async_context(speaking(with_login(pair.registry.host)))
        yield pair


async def test_a_layer_the_registry_has_is_taken_from_there(two: Two) -> None:
    two.registry.answer = for_who_logs_in(says(200, LAYER))
    assert await two.read(two.blob()) == LAYER
    assert two.elsewhere.asked == []


async def test_a_layer_it_does_not_have_comes_from_its_url_and_no_login_goes_there(two: Two) -> None:
    assert await two.read(two.blob()) == LAYER
    (asked,) = two.elsewhere.asked
    assert (asked.method, asked.target) == ("GET", "/layer?sig=%2Fa")
    assert "authorization" not in asked.headers
    assert "cookie" not in asked.headers


async def test_a_blob_without_urls_is_just_not_there(two: Two) -> None:
    with pytest.raises(NotFound):
        await two.read(described(LAYER))


@pytest.mark.parametrize("scheme", ["Basic", "Bearer"])
async def test_who_asks_for_a_login_there_gets_none(two: Two, scheme: str) -> None:
    two.elsewhere.answer = in_turn(
        says(401, b"", ("WWW-Authenticate", f'{scheme} realm="{two.elsewhere.url}/token",service="s"'))
    )
    with pytest.raises(RegsyncError):
        await two.read(two.blob())
    assert [asked.target for asked in two.elsewhere.asked] == ["/layer?sig=%2Fa"]
    assert all("authorization" not in asked.headers for asked in two.elsewhere.asked)


async def test_a_url_that_leads_to_the_registry_itself_gets_no_login_either(two: Two) -> None:
    with pytest.raises(RegsyncError):
        await two.read(two.blob(f"{two.registry.url}/v2/private/blobs/x"))
    sent = [asked.headers.get("authorization") for asked in two.registry.asked if "private" in asked.target]
    assert sent == [None]


async def test_nor_does_a_redirect_to_the_registry(two: Two) -> None:
    two.elsewhere.answer = in_turn(says(307, b"", ("Location", f"{two.registry.url}/v2/private/blobs/x")))
    with pytest.raises(RegsyncError):
        await two.read(two.blob())
    assert [asked.headers.get("authorization") for asked in two.registry.asked if "private" in asked.target] == [None]


async def test_urls_are_tried_in_their_order_until_one_gives_it(two: Two) -> None:
    two.elsewhere.answer = in_turn(says(404), says(403), says(200, LAYER))
    urls = [f"{two.elsewhere.url}/{number}" for number in range(9)]
    assert await two.read(two.blob("ftp://files.example/x", "http://u:p@files.example/x", *urls)) == LAYER
    assert [asked.target for asked in two.elsewhere.asked] == ["/0", "/1", "/2"]


async def test_no_more_than_eight_urls_are_tried(two: Two) -> None:
    two.elsewhere.answer = in_turn(says(404))
    with pytest.raises(NotFound):
        await two.read(two.blob(*(f"{two.elsewhere.url}/{number}" for number in range(1000))))
    assert len(two.elsewhere.asked) == 8


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data", "http://[fd00:ec2::254]/",
        "http://0.0.0.0:80/", "http://169.254.1.1/", "file:///etc/passwd", "ftp://x.example/a", "//x.example/a",
        "http://user:pw@x.example/a", "http:// x/", "", "not a url", "http://x.example\\@y.example/",
    ],
)  # fmt: skip
async def test_what_may_not_be_reached_is_refused(two: Two, url: str) -> None:
    with pytest.raises(Refused):
        await two.read(two.blob(url))


async def test_redirects_there_are_followed_and_counted(two: Two) -> None:
    two.elsewhere.answer = in_turn(says(302, b"", ("Location", "/again")))
    with pytest.raises(RegsyncError, match="more than 5 redirects"):
        await two.read(two.blob())
    assert len(two.elsewhere.asked) == 6


async def test_a_connection_that_breaks_there_is_gone_on_with(two: Two) -> None:
    half = len(LAYER) // 2
    rest = (("Content-Range", f"bytes {half}-{len(LAYER) - 1}/{len(LAYER)}"),)
    whole = says(200, LAYER).data
    two.elsewhere.answer = in_turn(Step(whole[: half - len(LAYER)], then="close"), says(206, LAYER[half:], *rest))
    assert await two.read(two.blob()) == LAYER
    assert two.elsewhere.asked[1].headers["range"] == f"bytes={half}-{len(LAYER) - 1}"


async def test_other_bytes_than_those_described_are_found_out_by_whoever_reads(two: Two) -> None:
    two.elsewhere.answer = in_turn(says(200, b"?" * len(LAYER)))
    blob = two.blob()
    request = Request("GET", f"/v2/a/blobs/{blob.digest}", what="blob")
    with pytest.raises(IntegrityError):
        async with opened(two.to.transport, request, blob, start=0, clock=two.to.clock) as chunks:
            _ = [chunk async for chunk in Verified(blob, chunks)]


async def test_trouble_there_is_no_trouble_of_the_registry(two: Two) -> None:
    two.elsewhere.answer = in_turn(says(429, b"", ("Retry-After", "3600")))
    with pytest.raises(Unavailable) as caught:
        await two.read(two.blob())
    assert caught.value.retry_after is None
    assert len(two.elsewhere.asked) <= 3
    assert (await two.to.transport.send(Request("GET", "/v2/a/x", expect=frozenset({404})))).status == 404
