"""What regclient's regsync ignores, or reads otherwise than it looks: the lines that `regsync config --check` prints.

Each is one line with its place and one form, so that it can be looked for: `regclient's regsync …; here …`. None says
that the file cannot be used: errors do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from regsync.config.fields import key_of
from regsync.config.model import IMAGES, RETRY_MIN, WITHOUT_EFFECT, Config, Inherited, SyncStep, TagFilter, TagSelection
from regsync.config.problems import Path
from regsync.config.scalars import shown
from regsync.config.traps_logins import traps_of_login, traps_of_mirrors
from regsync.duration import parse_duration

Trap = tuple[Path, str, str]  # where, what regclient's regsync makes of it, and what becomes of it here

_EXTRAS: Final = ("referrer_filters", "referrer_source", "referrer_target", "referrer_slow")
_SAME: Final = "the same"
_UNKNOWN: Final = "ignores this key"
_WORDY: Final = re.compile(r"-(?:[0-9A-Za-z]+\.)*[A-Za-z]+(?:[.+]|$)")  # a prerelease with a part of letters alone
_BELOW: Final = re.compile(r"<=?[^=]")
_ABOVE: Final = re.compile(r">=?[^=]")


@dataclass(frozen=True, slots=True)
class Written:
    """A file as its author wrote it: in `config` is set what was said, and `text` returns what stands at a path.

    `pattern` returns what its author should know of a pattern.
    """

    config: Config
    text: Callable[[Path], str]
    pattern: Callable[[str], str]


def traps_of(written: Written) -> Iterator[Trap]:
    """Yield every trap of a file but those that its YAML alone shows."""
    config = written.config
    for position, cred in enumerate(config.creds):
        yield from traps_of_login(cred, ("creds", position), written.text)
    yield from traps_of_mirrors(config)
    yield from _of_defaults(written)
    defaults = config.defaults.settled()
    for position, step in enumerate(config.sync):
        path: Path = ("sync", position)
        yield from _of_section(step, path, written.text)
        yield from _of_step(step, path)
        yield from _of_extras(step, step.filled_from(defaults, place=""), path)
        sets = [((*path, "tagSets", number), one) for number, one in enumerate(step.tag_sets)]
        for place, chosen in ((*path, "tags"), step.tags), *sets, ((*path, "repos"), step.repos):
            yield from _of_choice(chosen, place, written.pattern)


def _of_defaults(written: Written) -> Iterator[Trap]:
    defaults, path = written.config.defaults, ("defaults",)
    yield from _of_section(defaults, path, written.text)
    said = defaults.model_fields_set
    if written.config.sync:
        number = written.text((*path, "parallel")) if "parallel" in said else ""
        if defaults.parallel == IMAGES and number != str(IMAGES):
            theirs = "runs one entry after another and copies one image at a time without a number above 0"
            yield (*path, "parallel"), theirs, f"{IMAGES} images at a time, whichever entries they belong to"
        if "skip_docker_config" not in said:
            theirs = "uses docker's logins and certificates unless this is true, the default in its documentation"
            yield (*path, "skipDockerConfig"), theirs, _SAME
    if "skip_invalid_entries" in said:
        yield (*path, "skipInvalidEntries"), _UNKNOWN, "entries that cannot be used are left out"
    if defaults.state:
        yield (*path, "state"), _UNKNOWN, "the last runs of `server` are kept there"
    if defaults.cache_count and defaults.cache_time:
        theirs = "keeps what is asked for often beyond this time, so that later signatures are never seen"
        yield (*path, "cacheTime"), theirs, "nothing is kept longer than this"
    elif defaults.cache_count or defaults.cache_time:
        key = "cacheCount" if defaults.cache_count else "cacheTime"
        yield (*path, key), "keeps nothing unless both cacheCount and cacheTime are given", "the same, with a warning"


def _of_section(section: Inherited, path: Path, text: Callable[[Path], str]) -> Iterator[Trap]:
    """Yield the traps among the keys that `defaults` and entries share."""
    if section.fast_copy is not None:
        here = "it is another name of fastCheck" if section.fast_check is None else "fastCheck counts"
        yield (*path, "fastCopy"), f"{_UNKNOWN}, which its documentation names", here
    retry = (*path, "ratelimit", "retry")
    if section.ratelimit.retry == RETRY_MIN and parse_duration(text(retry)) < RETRY_MIN:
        yield retry, "raises this to 5m0s", _SAME
    if section.jitter is not None:
        yield (*path, "jitter"), _UNKNOWN, "visits are put off by up to so long, each entry's by its own time"
    if section.schedule and section.interval:
        yield (*path, "interval"), "ignores this beside a schedule", _SAME
    for name in section.hooks.model_fields_set:
        if getattr(section.hooks, name) is not None:
            yield (*path, "hooks", key_of(section.hooks, name)), "never runs a hook", "it runs"
    if section.referrer_slow:
        yield (*path, "referrerSlow"), "does nothing with this key", "every manifest of a layout is looked at"


def _of_step(step: SyncStep, path: Path) -> Iterator[Trap]:
    for name in step.model_fields_set.intersection(WITHOUT_EFFECT.get(step.type, ())):
        key = key_of(step, name)
        yield (*path, key), f"ignores {key} for type {step.type}", "the same, with a warning"
    if step.name:
        yield (*path, "name"), _UNKNOWN, "it is what log lines call the entry"
    if step.platform and "/" not in step.platform.partition(",")[0]:
        theirs = "takes what this leaves open from the machine it runs on"
        yield (*path, "platform"), theirs, _SAME


def _of_extras(step: SyncStep, filled: SyncStep, path: Path) -> Iterator[Trap]:
    """Yield the traps of what is copied beside an image; `filled` has what `defaults` say, too."""
    if filled.platform and (filled.referrers or filled.digest_tags):
        theirs = "never looks at referrers and digest tags again once the image for the platform is there"
        yield (*path, "platform"), theirs, "they are looked at in every run"
    if not filled.referrers:
        for name in step.model_fields_set.intersection(_EXTRAS):
            if getattr(step, name):
                yield (*path, key_of(step, name)), "ignores this without referrers: true", _SAME


def _of_choice(chosen: TagFilter, path: Path, advice: Callable[[str], str]) -> Iterator[tuple[Path, str, str]]:
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
