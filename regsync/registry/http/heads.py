"""Heads of answers that the HTTP library does not read although what they mean is plain, put as it reads them.

Lenient as Go is, with which registries and what stands before them are tried: of two ways to say how long an answer is,
chunks go before a length (RFC 9112, 6.3), and one length said twice is one. Two lengths are a contradiction and stay
refused, since a wrong one would let an answer begin within another.
"""

from __future__ import annotations

import re
from typing import Final

_ENDS: Final = (b"\n\r\n", b"\n\n")
_ODD_NAME = re.compile(rb"\n[^:\s]*[ \t]")  # a blank before the colon, or a line that goes on with the one before it
_LENGTH, _CODING = b"content-length", b"transfer-encoding"
_BEGINNING: Final = b"HTTP/"


class Contradiction(Exception):
    """An answer of which nobody can say where it ends."""


def end_of(data: bytes) -> int | None:
    """Return where the body begins; None where that is still to come, 0 where this will never be a head."""
    ends = [at + len(end) for end in _ENDS if (at := data.find(end)) >= 0]
    if ends:
        return min(ends)
    begun = data.lstrip(b"\r\n")[: len(_BEGINNING)]
    return None if _BEGINNING.startswith(begun) else 0


def mended(head: bytes) -> tuple[bytes, bool]:
    """Return a head as the library reads it, and whether its connection had better not be used again.

    `Contradiction` where it names two lengths.
    """
    small = head.lower()
    lengths, coded = small.count(b"\n" + _LENGTH), b"\n" + _CODING in small
    if lengths < 2 and not coded and b"," not in _value(small) and not _ODD_NAME.search(head):
        return head, False
    fields = [_field(line) for line in _lines(head)[1:]]
    if any(name == _CODING and b"chunked" in value.lower() for name, value, _ in fields):
        kept = [line for name, _, line in fields if name not in {_LENGTH, b""}]
    else:
        kept = [line for name, _, line in fields if name not in {_LENGTH, _CODING, b""}]
        kept += _one_length([value for name, value, _ in fields if name == _LENGTH])
    whole = b"\r\n".join([_lines(head)[0], *kept, b"", b""])
    return whole, len(kept) != len(fields)


def _value(small: bytes) -> bytes:
    """Return what follows the name of the first length, up to its line's end."""
    return small.partition(b"\n" + _LENGTH)[2].partition(b"\n")[0]


def _lines(head: bytes) -> list[bytes]:
    """Return the status line and the fields, each with what is folded onto further lines."""
    lines: list[bytes] = []
    for line in head.strip(b"\r\n").replace(b"\r\n", b"\n").split(b"\n"):
        if lines[1:] and line[:1] in {b" ", b"\t"}:
            lines[-1] += b" " + line.strip()
        else:
            lines.append(line)
    return lines


def _field(line: bytes) -> tuple[bytes, bytes, bytes]:
    """Return name in small letters, value and the line; a name with spaces in it is none, and no name is left."""
    name, colon, value = line.partition(b":")
    name = name.rstrip(b" \t")
    if not colon:
        return line, b"", line
    if b" " in name or b"\t" in name:
        return b"", value, line
    return name.lower(), value.strip(), name + b":" + value


def _one_length(values: list[bytes]) -> list[bytes]:
    lengths = {each.strip() for value in values for each in value.split(b",")}
    if len(lengths) > 1:
        raise Contradiction("names more than one length for an answer (Content-Length)")
    return [b"Content-Length: " + length for length in lengths]
