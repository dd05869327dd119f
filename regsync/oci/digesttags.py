"""Tags that name a digest in their own name, as cosign and others attach things: `sha256-<hex>.sig`.

What begins with a digest's algorithm and all of its hex belongs to it, the tag that lists its referrers included.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from regsync.oci.digest import ALGORITHMS, HEX_LENGTH, Digest

_BEGINNING: Final = re.compile("|".join(f"({each})-([0-9a-f]{{{HEX_LENGTH[each]}}})" for each in ALGORITHMS))


def digest_tags(tags: Iterable[str]) -> Mapping[Digest, tuple[str, ...]]:
    """Return those tags that belong to a digest, by that digest and in their order; one of sha512 is too long to be."""
    found: dict[Digest, list[str]] = defaultdict(list)
    for tag in tags:
        if begins := _BEGINNING.match(tag):
            algorithm, value = (part for part in begins.groups() if part)
            found[Digest(algorithm, value)].append(tag)
    return {digest: tuple(each) for digest, each in found.items()}
