"""Bodies that are labelled as compressed although nobody asked for that (RFC 9110, 8.4: Content-Encoding).

The label is often a lie: file servers put it on whatever begins like gzip, and the bytes are the blob's own. So the
bytes are taken as they came; only where they cannot be what was asked for, they are unpacked, never beyond its length.
Compressed transfers (RFC 9112, 7: Transfer-Encoding), which nobody may send unasked either, are the same to us.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from typing import Final

from regsync.errors import IntegrityError
from regsync.registry.http.message import Headers
from regsync.text import plain

_NOTHING: Final = frozenset({"", "identity", "chunked", "none", "binary", "aws-chunked", "utf-8"})
_KNOWN: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # zlib's words for them
_RAW: Final = -15  # zlib's word for what some servers call deflate
_SHOWN: Final = 80  # characters of what a registry calls it
_PIECE: Final = 256 << 10  # bytes unpacked at once


def coding_of(headers: Headers) -> str:
    """Return what a body is called that was packed, by how many codings as may be; empty where it was not."""
    names = f"{headers.get('content-encoding', '')},{headers.get('transfer-encoding', '')}".lower().split(",")
    return plain(", ".join(name.strip() for name in names if name.strip() not in _NOTHING)[:_SHOWN])


def is_labelled(headers: Headers) -> bool:
    """Say whether a body is called packed in a way that we can undo."""
    return coding_of(headers) in _KNOWN


def oddly_packed(headers: Headers) -> str:
    """Return what people are told of a registry whose bodies had to be unpacked."""
    return f"bodies come packed ({coding_of(headers)}), which nobody asked for; unpacking them"


def unpacked(body: bytes, headers: Headers, *, cap: int) -> bytes | None:
    """Return what a body holds as it is labelled; None where it is no such thing, is cut, or holds more than `cap`."""
    inflating = _inflating(coding_of(headers), body)
    if inflating is None:
        return None
    try:
        found = inflating.decompress(body, cap + 1)
    except zlib.error:
        return None
    return found if inflating.eof and len(found) <= cap else None


def as_text(body: bytes, headers: Headers, *, cap: int) -> bytes:
    """Return a body that is to be JSON or the like: unpacked where it is labelled as packed, and does not look so."""
    begins_as_text = body.lstrip()[:1] in {b"{", b"[", b"<"}
    return body if begins_as_text else unpacked(body, headers, cap=cap) or body


async def inflated(chunks: AsyncIterator[bytes], headers: Headers, *, most: int) -> AsyncIterator[bytes]:
    """Unpack as it comes; `IntegrityError` where it is not packed as labelled, or holds more than `most` bytes."""
    coding, left = coding_of(headers), most
    inflating = None
    async for chunk in chunks:
        inflating = inflating or _inflating(coding, chunk)
        packed = chunk
        while packed and inflating is not None and not inflating.eof:
            try:
                piece = inflating.decompress(packed, _PIECE)
            except zlib.error:
                raise IntegrityError(
                    f"a body labelled as {coding} is none, and not what was asked for either"
                ) from None
            packed, left = inflating.unconsumed_tail, left - len(piece)
            if left < 0:
                raise IntegrityError(f"a body labelled as {coding} holds more than the {most} bytes asked for")
            if piece:
                yield piece


def _inflating(coding: str, beginning: bytes) -> zlib._Decompress | None:
    """Return what undoes this coding; of the two kinds of deflate, what begins like zlib's is zlib's."""
    if coding not in _KNOWN:
        return None
    raw = coding == "deflate" and beginning[:1] != b"" and beginning[0] & 0x0F != 8
    return zlib.decompressobj(_RAW if raw else _KNOWN[coding])
