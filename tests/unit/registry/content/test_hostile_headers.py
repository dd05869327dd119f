"""Whatever a registry writes into its headers, what comes of it is one of our errors or an answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from regsync.errors import RegsyncError, Unavailable
from regsync.oci.mediatype import OCI_MANIFEST
from regsync.registry.repository import RegistryRepository
from tests.support.images import described, image_bytes, manifest_of
from tests.unit.registry.content.lab import Lab, lab
from tests.unit.registry.raw import Asked, RawServer, Step, says

DATA = bytes(200_000)
BLOB = described(DATA)
IMAGE = manifest_of(image_bytes(b"layer"))
NAMES = (
    *("Link", "Location", "Range", "Content-Range", "OCI-Chunk-Min-Length", "Docker-Content-Digest", "Content-Length"),
    *("Retry-After", "Warning", "WWW-Authenticate", "Content-Type", "OCI-Subject", "Content-Encoding"),
)
HOSTS = ("[", "[::1", "[::g]", "[v1.x]", "a]b", "127.0.0.1:99999999", "127.0.0.1:x", "127.0.0.1:0", "", "u@127.0.0.1")
DIGITS = ("0", "00", "-1", "+1", "1_0", "9" * 19, "9" * 5000, "1e9", "\xb2", "0x1", "")
DIGESTS = (
    "sha256:",
    "sha256:" + "0" * 63,
    "sha256:" + "g" * 64,
    "md5:" + "0" * 32,
    "sha512:" + "0" * 64,
    ":",
    "a" * 9999,
)

schemes = st.sampled_from(["http://", "https://", "ftp://", "//", "http:", "/"])
paths = st.sampled_from(["", "/", "/v2/app/tags/list?last=%", "/\\", "?#", "/\x7f"])
urls = st.builds("{}{}{}".format, schemes, st.sampled_from(HOSTS), paths)
numbers = st.sampled_from(DIGITS)
units, wholes = st.sampled_from(["", "bytes=", "bytes "]), st.sampled_from(["", "/*", "/200000", "/x"])
ranges = st.builds("{}{}-{}{}".format, units, numbers, numbers, wholes)
junk = st.text(st.characters(codec="latin-1", exclude_categories=["Cc", "Ll", "Lu"]), max_size=40)
dates = st.sampled_from(["Fri, 31 Dec 9999 23:59:59 -2359", "Mon, 01 Jan 0001 00:00:00 +2359", "Thu, 99 Foo 1", "-5"])
values = st.one_of(
    urls,
    numbers,
    ranges,
    junk,
    dates,
    st.sampled_from(DIGESTS),
    urls.map('<{}>; rel="next"'.format),
    urls.map('Bearer realm="{}",service="s"'.format),
    junk.map('299 - "{}"'.format),
)
headers = st.lists(st.tuples(st.sampled_from(NAMES), values), min_size=1, max_size=3)
statuses = st.sampled_from([0, 0, 0, 0, 200, 201, 202, 204, 206, 301, 307, 401, 404, 416, 429, 500, 503])


def body_of(asked: Asked) -> tuple[int, bytes]:
    """The status and body of a decent registry's answer."""
    if asked.method in {"POST", "PATCH"}:
        return 202, b""
    if asked.method == "PUT":
        return 201, b""
    if "/manifests/" in asked.target:
        return 200, IMAGE.raw
    if "/uploads/" in asked.target:
        return 204, b""
    return 200, DATA if "/blobs/" in asked.target else json.dumps({"tags": ["v1"], "repositories": ["a"]}).encode()


def decent(asked: Asked) -> dict[str, str]:
    kind = OCI_MANIFEST if "/manifests/" in asked.target else ""
    found = {"Content-Type": kind, "Location": "/v2/app/blobs/uploads/1", "Range": "0-99999"}
    return {name: value for name, value in found.items() if value}


def hostile(status: int, lines: list[tuple[str, str]]) -> Callable[[Asked], Step]:
    """Answers that would be decent but for these headers, and perhaps the status."""

    def answer(asked: Asked) -> Step:
        usual, body = body_of(asked)
        spoilt = {name.lower() for name, _ in lines}
        kept = [(name, value) for name, value in decent(asked).items() if name.lower() not in spoilt]
        sent = says(status or usual, b"" if asked.method == "HEAD" else body, *kept, *lines, then="close")
        if "content-length" not in spoilt:
            return sent
        return Step(sent.data.replace(b"Content-Length: %d\r\n" % len(body), b"", 1), "close")

    return answer


async def read(repository: RegistryRepository, start: int) -> None:
    async with repository.open_blob(BLOB, start=start) as chunks:
        [chunk async for chunk in chunks]


async def write(repository: RegistryRepository, size: int) -> None:
    async with repository.write_blob(BLOB) as writer:
        await writer.write(DATA[writer.offset : size])
        await writer.write(DATA[writer.offset : size])
        if size < len(DATA):
            raise Unavailable("the source went away")
        await writer.commit()


async def tags(at: Lab) -> None:
    [tag async for tag in at.repository().tags()]
    [each async for each in at.registries.catalogue(at.host)]


async def tried(work: Awaitable[object]) -> None:
    with suppress(RegsyncError):
        async with asyncio.timeout(30):
            await work


async def everything(status: int, lines: list[tuple[str, str]]) -> None:
    """Do everything a repository can do."""
    async with RawServer(hostile(status, lines)) as server, lab(server.host) as at:
        repository = at.repository()
        await tried(tags(at))
        await tried(repository.head_manifest("v1"))
        await tried(repository.get_manifest("v1"))
        await tried(repository.put_manifest(IMAGE, at="v1"))
        await tried(repository.has_blob(BLOB))
        await tried(read(repository, 0))
        await tried(read(repository, 1000))
        await tried(repository.adopt_blob(BLOB, at.repository("other")))
        for size in (150_000, 150_000, len(DATA)):
            await tried(write(repository, size))


@settings(max_examples=60)
@given(statuses, headers)
@example(0, [("Link", '<http://[/v2/r/tags/list>; rel="next"')])
@example(0, [("Location", "//[")])
@example(307, [("Location", "http://127.0.0.1:99999999/")])
@example(401, [("WWW-Authenticate", 'Bearer realm="http://[/"')])
@example(429, [("Retry-After", "Fri, 31 Dec 9999 23:59:59 -2359")])
@example(429, [("Retry-After", "9" * 12)])
@example(206, [("Content-Range", "bytes " + "9" * 19 + "-0/*")])
def test_hostile_headers_raise_nothing_but_our_errors(status: int, lines: list[tuple[str, str]]) -> None:
    asyncio.run(everything(status, lines))


@pytest.mark.parametrize("name", NAMES)
def test_each_header_may_be_hostile_in_every_way_we_know(name: str) -> None:
    for value in (
        *DIGITS,
        *DIGESTS[:3],
        *(f"http://{host}/" for host in HOSTS),
        *(f"<//{host}>;rel=next" for host in HOSTS),
    ):
        asyncio.run(everything(0, [(name, value)]))
