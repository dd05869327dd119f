"""What regclient's regsync reads otherwise in `allow`, `deny` and `semverRange`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from regsync.config.model import TagFilter, TagSelection
from regsync.config.problems import Path
from regsync.config.scalars import shown

_WORDY: Final = re.compile(r"-(?:[0-9A-Za-z]+\.)*[A-Za-z]+(?:[.+]|$)")  # a prerelease with a part of letters alone
_BELOW: Final = re.compile(r"<=?[^=]")
_ABOVE: Final = re.compile(r">=?[^=]")


def traps_of_choice(chosen: TagFilter, path: Path, advice: Callable[[str], str]) -> Iterator[tuple[Path, str, str]]:
    """Yield the traps of one choice; `advice` returns what is to be known of a pattern."""
    for key, patterns in (("allow", chosen.allow), ("deny", chosen.deny)):
        for position, pattern in enumerate(patterns):
            if known := advice(pattern):
                theirs = f"puts ^ before {shown(pattern)} and $ behind it, which makes another pattern of it"
                yield (*path, key, position), theirs, known
    if isinstance(chosen, TagSelection):
        yield from _of_ranges(chosen.semver_range, (*path, "semverRange"))


def _of_ranges(ranges: Sequence[str], path: Path) -> Iterator[tuple[Path, str, str]]:
    for position, text in enumerate(ranges):
        if any(map(_WORDY.search, text.split())):
            theirs = "takes prereleases such as rc.1, rc.2 and rc.10 for the same version"
            yield (*path, position), theirs, "they are compared as semver.org says"
        if not text:
            yield (*path, position), "ignores an empty range", "the same"
    if len(ranges) > 1 and _only(_ABOVE, ranges) and _only(_BELOW, ranges):
        theirs = "takes what any of these ranges takes, so that two ends of one range take everything"
        yield path, theirs, 'the same; write both ends into one text, as in ">=1 <2"'


def _only(end: re.Pattern[str], ranges: Sequence[str]) -> bool:
    """Say whether one of the ranges has nothing but this end."""
    return any(text and all(map(end.match, text.split())) for text in ranges)
