"""Bodies that are labelled as compressed although nobody asked for that (RFC 9110, 8.4: Content-Encoding).

The label is often a lie: file servers put it on whatever begins like gzip, and the bytes are the blob's own. So the
bytes are taken as they came; only where they cannot be what was asked for, they are unpacked, never beyond its length.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from typing import Final

from regsync.errors import IntegrityError
from regsync.registry.http.message import Headers

_GZIP: Final = frozenset({"gzip", "x-gzip"})
_WBITS: Final = 31  # zlib's word for gzip
_PIECE: Final = 256 << 10  # bytes unpacked at once


def is_labelled(headers: Headers) -> bool:
    """Say whether a body is called gzip."""
    return headers.get("content-encoding", "").strip().lower() in _GZIP


def unpacked(body: bytes, *, cap: int) -> bytes | None:
    """Return what a body holds as gzip; None where it is none, is cut, or holds more than `cap` bytes."""
    inflating = zlib.decompressobj(_WBITS)
    try:
        found = inflating.decompress(body, cap + 1)
    except zlib.error:
        return None
    return found if inflating.eof and len(found) <= cap else None


async def inflated(chunks: AsyncIterator[bytes], *, most: int) -> AsyncIterator[bytes]:
    """Unpack as it comes; `IntegrityError` where that is no gzip, or holds more than `most` bytes."""
    inflating, left = zlib.decompressobj(_WBITS), most
    async for chunk in chunks:
        packed = chunk
        while packed and not inflating.eof:
            try:
                piece = inflating.decompress(packed, _PIECE)
            except zlib.error:
                raise IntegrityError("a body labelled as gzip is none, and not what was asked for either") from None
            packed, left = inflating.unconsumed_tail, left - len(piece)
            if left < 0:
                raise IntegrityError(f"a body labelled as gzip holds more than the {most} bytes asked for")
            if piece:
                yield piece
