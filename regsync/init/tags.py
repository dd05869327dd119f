"""What kinds of tags a repository has, told by their names alone.

Nobody says how tags are to be named, so these are habits: versions (`v1.2.3`), with what comes before a release behind
them (`-rc.1`, `b2`) or with a variant (`-alpine3.19`), days (`20240315`, `RELEASE.2024-03-15T…`), commits
(`sha-1a2b3c4`), what is tied to a digest (`sha256-….sig`), and names (`latest`, `bookworm-slim`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from regsync.oci.digest import digest_tags

Parts = tuple[int, ...]

_VERSION: Final = re.compile(r"v?([0-9]{1,18}(?:\.[0-9]{1,18})*+)(.*)")
_DAY: Final = re.compile(
    r"(?P<before>(?:.*[^0-9])?)20[0-9]{2}(?P<dash>-?)(?:0[1-9]|1[0-2])(?P=dash)(?:0[1-9]|[12][0-9]|3[01])(?P<behind>(?:[^0-9].*)?)"
)
_EARLY: Final = re.compile(
    r"(?:^|[-._])(?:alpha|beta|rc|cr|dev|pre|preview|snapshot|nightly|canary|milestone|ea|a|b|m)[-.]?[0-9]*(?:$|[-._])",
    re.IGNORECASE,
)
_MACHINE: Final = re.compile(
    r"(?:^|[-._])(?:amd64|x86[-_]64|i?386|arm64(?:v8)?|aarch64|arm(?:32)?(?:v[567])?(?:hf)?|ppc64le|s390x|riscv64|"
    r"mips64le|loong64)(?:$|[-._])"
)
_COMMIT: Final = re.compile(
    r"(?:.*[-_.])?(?:sha-?|git-?)?(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}|(?:sha|git|commit)-[0-9a-f]{7,64}"
)
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)*")


@dataclass(frozen=True, slots=True)
class Kinds:
    """A repository's tags by kind, each in the order of the list.

    `releases` and those of `variants` come with the numbers they begin with; a variant's key is what stands behind,
    with `#` for numbers within (`-alpine`, `-debian-#-r`). `days` are nothing but a day, `stamped` have a day behind
    the text that is their key. `early` are alphas, release candidates and the like, `machines` images for one
    architecture, `attached` signatures and what else is named by a digest.
    """

    releases: Mapping[str, Parts]
    variants: Mapping[str, Mapping[str, Parts]]
    days: tuple[str, ...]
    stamped: Mapping[str, tuple[str, ...]]
    early: tuple[str, ...]
    machines: tuple[str, ...]
    commits: tuple[str, ...]
    attached: tuple[str, ...]
    names: tuple[str, ...]


def kinds_of(tags: Iterable[str]) -> Kinds:
    """Sort tags by what they seem to be."""
    tags = [*tags]
    attached = {tag for found in digest_tags(tags).values() for tag in found}
    releases: dict[str, Parts] = {}
    variants: dict[str, dict[str, Parts]] = defaultdict(dict)
    stamped: dict[str, list[str]] = defaultdict(list)
    others: dict[str, list[str]] = defaultdict(list)
    for tag in tags:
        kind, key, parts = ("attached", "", ()) if tag in attached else _kind(tag)
        match kind:
            case "release":
                releases[tag] = parts
            case "variant":
                variants[key][tag] = parts
            case "stamped":
                stamped[key].append(tag)
            case _:
                others[kind].append(tag)
    return Kinds(
        releases,
        variants,
        stamped={key: tuple(found) for key, found in stamped.items()},
        **{kind: tuple(others[kind]) for kind in ("days", "early", "machines", "commits", "attached", "names")},
    )


def _kind(tag: str) -> tuple[str, str, Parts]:
    """Return what a tag is, what it shares with others of its kind, and the numbers it begins with."""
    version = _VERSION.fullmatch(tag)
    day = _DAY.fullmatch(tag)
    if _MACHINE.search(tag):
        return "machines", "", ()
    if day and not (version and "." in version[1]):
        return ("stamped", day["before"], ()) if day["before"] or day["behind"] else ("days", "", ())
    if version and (not _COMMIT.fullmatch(tag) or "." in version[1]):
        return _version(version[2], tuple(map(int, version[1].split("."))))
    return ("commits" if _COMMIT.fullmatch(tag) else "names"), "", ()


def _version(behind: str, parts: Parts) -> tuple[str, str, Parts]:
    if not behind:
        return "release", "", parts
    if _EARLY.search(behind):
        return "early", "", ()
    if _COMMIT.fullmatch(behind):
        return "commits", "", ()
    if not behind.startswith("-"):  # no version to `semverRange`
        return "names", "", ()
    return "variant", _NUMBER.sub("#", behind).removesuffix("#"), parts
