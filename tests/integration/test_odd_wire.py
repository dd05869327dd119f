"""Answers that are odd on the wire, all of a registry's and of its token server's: what is plain all the same works."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.integration.runs import ran
from tests.support.built import image_bytes, platforms_index, read_layout, some_bytes, write_layout
from tests.support.fake_registry import Bearer, FakeRegistry, Features
from tests.support.front import Front, Oddity, Plain
from tests.support.token_server import Policy, TokenServer

LAYER = some_bytes(300_000, "layer")
IMAGES = {"v1": image_bytes(LAYER), "v2": image_bytes(LAYER, b""), "all": platforms_index("linux/amd64", "linux/arm64")}
DIGESTS = {tag: image.digest for tag, image in IMAGES.items()}


def both_lengths(plain: Plain) -> None:
    plain.chunked()


def wrong_length_and_chunks(plain: Plain) -> None:
    if plain.method != "HEAD":
        plain.drop("content-length")
        plain.fields.append("Content-Length: 3")
        plain.chunked()


def length_twice(plain: Plain) -> None:
    plain.fields.append(f"content-length:{plain.value('content-length')}")


def length_as_list(plain: Plain) -> None:
    length = plain.value("content-length")
    plain.drop("content-length")
    plain.fields.append(f"Content-Length: {length} , {length}")


def http_1_0(plain: Plain) -> None:
    plain.status, plain.close = plain.status.replace("HTTP/1.1", "HTTP/1.0"), True


def until_close(plain: Plain) -> None:
    if plain.method != "HEAD":
        plain.drop("content-length")
    plain.close = True


def until_close_1_0(plain: Plain) -> None:
    until_close(plain)
    http_1_0(plain)


def closes_unsaid(plain: Plain) -> None:
    """Close a connection that was to be kept, as soon as the answer is out."""
    plain.close = True


def closes(plain: Plain) -> None:
    plain.fields.append("connection: Close")
    plain.close = True


def early_hints(plain: Plain) -> None:
    plain.status = f"HTTP/1.1 103 Early Hints\r\nLink: </v2/x>; rel=next\r\nContent-Length: 9\r\n\r\n{plain.status}"


def continues(plain: Plain) -> None:
    plain.status = f"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n{plain.status}"


def without_reason(plain: Plain) -> None:
    plain.status = plain.status[:13]


def without_reason_nor_space(plain: Plain) -> None:
    plain.status = plain.status[:12]


def shouting(plain: Plain) -> None:
    plain.fields = [f"{name.upper()}:{value}" for name, _, value in (line.partition(":") for line in plain.fields)]


def whispering(plain: Plain) -> None:
    plain.fields = [f"{name.lower()}:\t{value} " for name, _, value in (line.partition(":") for line in plain.fields)]


def in_latin_1(plain: Plain) -> None:
    plain.status += " d\xe9j\xe0 vu"
    plain.fields += ["X-Served-By: Andr\xe9", "Via: 1.1 caf\xe9", "X-Utf: \xc3\xa9"]


def folded(plain: Plain) -> None:
    plain.fields = [line.replace(": ", ":\r\n ", 1) for line in plain.fields] + ["X-Long: a,\r\n\tb,\r\n  c"]


def spaced_names(plain: Plain) -> None:
    plain.fields = [line.replace(":", " :", 1) for line in plain.fields] + ["X Odd: yes"]


def bare_ends(plain: Plain) -> None:
    plain.raw = "\n".join([plain.status, *plain.fields, "", ""]).encode("latin-1") + plain.body


def many_headers(plain: Plain) -> None:
    plain.fields += [f"X-Trace-{number}: {'y' * 40}" for number in range(300)]


def long_header(plain: Plain) -> None:
    plain.fields.append(f"X-Policy: {'p' * 40_000}")


def long_location(plain: Plain) -> None:
    where = plain.value("location")
    if "/blobs/uploads/" in where:
        plain.drop("location")
        plain.fields.append(f"Location: {where}{'&' if '?' in where else '?'}_padding={'t' * 7000}")


def trailing_garbage(plain: Plain) -> None:
    plain.body += b"\r\n<!-- cached by x -->\r\n"
    plain.close = True


def head_with_body(plain: Plain) -> None:
    if plain.method == "HEAD" or plain.code == 204:
        plain.body, plain.close = b"this does not belong here", True


def nothing_with_length(plain: Plain) -> None:
    if plain.code in {201, 202, 204} and not plain.body:
        plain.drop("content-length")
        plain.fields.append("Content-Length: 25")
        if plain.code == 204:
            plain.body, plain.close = b"this does not belong here", True
        else:
            plain.status, plain.body = plain.status.replace(str(plain.code), "201"), b"x" * 25


def without_type(plain: Plain) -> None:
    plain.drop("content-type")


def type_with_parameters(plain: Plain) -> None:
    kind = plain.value("content-type").partition(";")[0]
    plain.drop("content-type")
    plain.fields.append(f'CONTENT-TYPE:{kind.upper()} ; Charset="UTF-8";q=1')


def identity(plain: Plain) -> None:
    plain.fields += ["Content-Encoding: identity", "Transfer-Encoding: Identity"]


def _packed(label: str, pack: Callable[[bytes], bytes]) -> Oddity:
    def odd(plain: Plain) -> None:
        plain.fields.append(f"Content-Encoding: {label}")
        if plain.body:
            plain.body = pack(plain.body)
            plain.drop("content-length")
            plain.fields.append(f"Content-Length: {len(plain.body)}")

    odd.__name__ = f"packed_as_{label}"
    return odd


def _raw_deflate(data: bytes) -> bytes:
    return zlib.compress(data, wbits=-15)


def _claimed(label: str) -> Oddity:
    def odd(plain: Plain) -> None:
        plain.fields.append(f"Content-Encoding: {label}")

    odd.__name__ = f"claims_{label}"
    return odd


def transfer_gzip(plain: Plain) -> None:
    if plain.has_body and plain.body:
        plain.body = gzip.compress(plain.body)
        plain.drop("content-length")
        plain.chunked()
        plain.fields = [
            line.replace("Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked") for line in plain.fields
        ]


HARMLESS: list[Oddity] = [
    both_lengths,
    wrong_length_and_chunks,
    length_twice,
    length_as_list,
    http_1_0,
    until_close,
    until_close_1_0,
    closes_unsaid,
    closes,
    early_hints,
    continues,
    without_reason,
    without_reason_nor_space,
    shouting,
    whispering,
    in_latin_1,
    folded,
    spaced_names,
    bare_ends,
    many_headers,
    long_header,
    long_location,
    trailing_garbage,
    head_with_body,
    nothing_with_length,
    without_type,
    type_with_parameters,
    identity,
    *(_claimed(label) for label in ("gzip", "x-gzip", "gzip, identity", "deflate", "br", "zstd", "aws-chunked", "")),
    _packed("gzip", gzip.compress),
    _packed("X-GZip", gzip.compress),
    _packed("identity, gzip", gzip.compress),
    _packed("deflate", zlib.compress),
    _packed("Deflate", _raw_deflate),
    transfer_gzip,
]


@pytest.mark.parametrize("odd", HARMLESS, ids=lambda odd: odd.__name__)
async def test_images_go_to_a_registry_and_back_whatever_its_answers_look_like(odd: Oddity, tmp_path: Path) -> None:
    write_layout(tmp_path / "origin", IMAGES)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        tokens = await enter(TokenServer(Policy()))
        realm = await enter(Front(tokens.port, odd))
        challenge = (
            f'Bearer realm="http://{realm.host}/token",service="{tokens.service}",scope="repository:app:pull,push"'
        )
        auth = Bearer(tokens, challenge=challenge)
        tokens.policy.users["ann"] = "pw"
        registry = await enter(FakeRegistry(auth=auth, features=Features(relative_locations=True, referrers=True)))
        front = await enter(Front(registry.port, odd))
        tally, told = await ran(
            tmp_path,
            f"source: 'ocidir://{tmp_path}/origin', target: '{front.host}/app', type: repository",
            f"source: '{front.host}/app', target: 'ocidir://{tmp_path}/back', type: repository, referrers: true",
            creds=f"- registry: '{front.host}'\n  tls: disabled\n  user: ann\n  pass: pw\n",
        )
    assert tally.failures == [], told
    assert read_layout(tmp_path / "back")[0] == DIGESTS
    assert {"HEAD", "GET", "PUT", "POST"} <= {method for method, _, _ in front.answered}
    assert realm.answered
