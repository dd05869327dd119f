"""Reading JSON of strangers so that nobody else can read it differently (RELIABILITY B10), at a bounded cost.

Bytes are copied verbatim, so what counts is that we see what every other client will see. Go's decoder matches keys
whatever their case and takes the last of duplicates, Python's does neither: a document where that would make a
difference is refused, and so is everything a JSON parser accepts by custom and not by RFC 8259. A key's case makes a
difference where a client looks for that key, and in no object it does not know.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Never

from regsync.errors import Malformed

DEPTH_MAX: Final = 32
BOM: Final = b"\xef\xbb\xbf"  # what some editors put before UTF-8
VALUES_MAX: Final = 320_000  # keys and values: 10,000 annotated descriptors have fewer, and parsing them takes 0.1 s

_DIGITS_MAX: Final = 20  # a sign and the digits of 2**63
_SHOWN: Final = 80
_FIRST: Final = 256  # bytes that are looked at to see what it is instead
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_TOO_DEEP: Final = f"it is nested deeper than {DEPTH_MAX} levels"

# What begins a key or a value, and all up to the next such: between two stand at most one text and blanks (the end
# of the bytes ends a text, too). Possessive, hence linear.
_SEPARATORS: Final = (b"{", b"[", b",", b":")
_BEGINNING: Final = re.compile(rb'[{[,:](?:[^{[,:"]++|"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)){0,3}+', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that clients look for in one kind of object."""

    exact: frozenset[str]
    folded: frozenset[str]

    @classmethod
    def of(cls, words: str) -> Keys:
        """Take the keys from a text with spaces between them."""
        exact = frozenset(words.split())
        return cls(exact, frozenset(key.casefold() for key in exact))

    def refuse_variants(self, node: Mapping[str, Any], *, where: str = "") -> None:
        """Raise `Malformed` for a key of this object that is one of these to clients that ignore case."""
        if node.keys() <= self.exact:
            return
        for key in node.keys() - self.exact:
            if key.casefold() in self.folded:
                place = f"{where}: " if where else ""
                raise Malformed(f"{place}the key {key[:_SHOWN]!r} would be another one to clients that ignore case")


def read_document(raw: bytes, *, what: str, most: int = VALUES_MAX) -> dict[str, Any]:
    """Return the object these bytes are to every reader alike; `what` names them in the `Malformed` else raised.

    It has at most `most` keys and values. The case of keys is for whoever knows what to look for (`Keys`).
    """
    try:
        refuse_crowd(raw, most=most)
        return _decoded(raw.decode("utf-8"))
    except RecursionError:
        why = _TOO_DEEP
    except UnicodeDecodeError:
        why = "it is not in UTF-8"
    except json.JSONDecodeError as error:
        why = _said(error, raw)
    except (Malformed, ValueError) as error:
        why = str(error)
    raise Malformed(f"{what} is not a usable JSON document: {why}")


def _said(error: json.JSONDecodeError, raw: bytes) -> str:
    """Return what the parser found, in words for whoever may have damaged the file."""
    if not raw or raw.isspace():
        return "it is empty"
    if raw.startswith(BOM):
        return "it begins with a byte order mark"
    if raw[:_FIRST].lstrip().startswith(b"<"):
        return "it is a page (HTML or XML), as sign-in portals and web servers send them"
    if error.msg == "Extra data":
        return f"Extra data behind its end: line {error.lineno} column {error.colno}"
    return str(error)


def refuse_crowd(raw: bytes, *, most: int = VALUES_MAX) -> None:
    """Raise `Malformed` for UTF-8 JSON with more than so many keys and values, before it is parsed.

    Tiny objects take thirty times their bytes in memory, and hold the interpreter where 8 MiB of text take a moment.
    """
    if len(raw) <= most or sum(map(raw.count, _SEPARATORS)) <= most:
        return
    if sum(1 for _ in islice(_BEGINNING.finditer(raw), most + 1)) > most:  # texts may hold any number of commas
        raise Malformed(f"it has more than {most:,} keys and values")


def _decoded(text: str) -> dict[str, Any]:
    document = _DECODER.decode(text)
    if not isinstance(document, dict):
        raise Malformed("it is not an object")
    _refuse_depth(document)
    if _SURROGATE.search(text):
        json.dumps(document, ensure_ascii=False).encode("utf-8")  # refuses those without a partner: they are no text
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    node = dict(pairs)
    if len(node) != len(pairs):
        (twice, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise Malformed(f"the key {twice[:_SHOWN]!r} is there twice")
    return node


def _constant(name: str) -> Never:
    raise Malformed(f"{name} is not a JSON number")


def _integer(digits: str) -> int:
    if len(digits) > _DIGITS_MAX:
        raise Malformed(f"a number of {len(digits)} digits")
    return int(digits)


def _real(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise Malformed(f"the number {digits[:_SHOWN]} is out of range")
    return value


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_real
)


def _refuse_depth(document: dict[str, Any]) -> None:
    """Walk level by level, so that hostile depth costs no recursion of ours."""
    level: list[Any] = [document]
    for _ in range(DEPTH_MAX):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise Malformed(_TOO_DEEP)
