"""Reading JSON of strangers so that nobody else can read it differently (RELIABILITY B10).

Bytes are copied verbatim, so what counts is that we see what every other client will see. Go's decoder matches keys
whatever their case and takes the last of duplicates, Python's does neither: a document where that would make a
difference is refused, and so is everything a JSON parser accepts by custom and not by RFC 8259.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any, Final, Never

from regsync.errors import Malformed

DEPTH_MAX: Final = 32

_WORDS: Final = (
    "schemaVersion mediaType artifactType config layers manifests subject annotations digest size platform urls "
    "data blobs fsLayers os architecture variant os.version os.features"
)
_KNOWN: Final = frozenset(_WORDS.split())
_FOLDED: Final = frozenset(key.casefold() for key in _KNOWN)
_DIGITS_MAX: Final = 20  # a sign and the digits of 2**63
_SHOWN: Final = 80
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_TOO_DEEP: Final = f"it is nested deeper than {DEPTH_MAX} levels"


def read_document(raw: bytes, *, what: str) -> dict[str, Any]:
    """Return the object these bytes are to every reader alike; `what` names them in the `Malformed` else raised."""
    try:
        return _decoded(raw.decode("utf-8"))
    except RecursionError:
        why = _TOO_DEEP
    except (Malformed, ValueError) as error:  # UnicodeError and JSONDecodeError are ValueErrors
        why = str(error)
    raise Malformed(f"{what} is not a usable JSON document: {why}")


def _decoded(text: str) -> dict[str, Any]:
    document = _DECODER.decode(text)
    if not isinstance(document, dict):
        raise Malformed("it is not an object")
    _refuse_traps(document)
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


def _refuse_traps(document: dict[str, Any]) -> None:
    """Walk level by level, so that hostile depth costs no recursion of ours."""
    level: list[Any] = [document]
    for _ in range(DEPTH_MAX):
        below: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                _refuse_case_variants(node)
                below += [_anonymous(child) if key == "annotations" else child for key, child in node.items()]
            else:
                below += node
        level = [child for child in below if isinstance(child, dict | list)]
        if not level:
            return
    raise Malformed(_TOO_DEEP)


def _refuse_case_variants(node: dict[str, Any]) -> None:
    for key in node.keys() - _KNOWN:
        if key.casefold() in _FOLDED:
            raise Malformed(f"the key {key[:_SHOWN]!r} would be another one to clients that ignore case")


def _anonymous(annotations: Any) -> Any:
    """Leave out the keys of a map: they are anybody's, and their case counts for every client."""
    return list(annotations.values()) if isinstance(annotations, dict) else annotations
