"""One entry of the configuration as the engine knows it: frozen, checked, without defaults to look up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from regsync.hooks.hook import Hooks
from regsync.oci.reference import Reference, parse_reference
from regsync.sync.select import EVERYTHING, Selection
from regsync.transfer.options import PLAIN, CopyOptions

NameBackup = Callable[[Reference], Reference]
"""Says under which name an image is kept before its own is given to another; `Malformed` if there is no such name."""

Scope = Literal["changed", "missing", "check"]


@dataclass(frozen=True, slots=True)
class PullLimit:
    """How many images a registry must still let be fetched, if it counts them, or be asked again in `retry` seconds."""

    least: int
    retry: float


@dataclass(frozen=True, slots=True)
class SyncEntry:
    """What to copy where.

    `source` and `target` are references for images and repositories; for registries `source` is a host and `target` a
    prefix, to which each repository's path is added. `tags` chooses among a repository's tags, `repositories` among a
    registry's repositories. `media_types` are those that are copied; others are skipped. `options` say how much of an
    image is copied, `limit` when its source is left alone. `hooks` is None where nothing is run around a copy,
    `backup` where nothing is kept.
    """

    name: str
    kind: Literal["image", "repository", "registry"]
    source: str
    target: str
    media_types: tuple[str, ...]
    tags: Selection = EVERYTHING
    repositories: Selection = EVERYTHING
    options: CopyOptions = PLAIN
    hooks: Hooks | None = None
    limit: PullLimit | None = None
    backup: NameBackup | None = None


@dataclass(frozen=True, slots=True)
class RegistryPair:
    """All selected repositories of a registry, to be copied below a prefix."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class RepositoryPair:
    """All selected tags of one repository, to be copied under their own names."""

    source: Reference
    target: Reference


@dataclass(frozen=True, slots=True)
class ImagePair:
    """One image and the name it gets."""

    source: Reference
    target: Reference


Pair = RegistryPair | RepositoryPair | ImagePair


def pair_of(entry: SyncEntry) -> Pair:
    """Return all an entry is about; `Malformed` for a name nothing can be found by."""
    match entry.kind:
        case "image":
            return ImagePair(parse_reference(entry.source), parse_reference(entry.target))
        case "repository":
            return RepositoryPair(parse_reference(entry.source), parse_reference(entry.target))
        case "registry":
            return RegistryPair(entry.source, entry.target)


def repository_in(pair: RegistryPair, path: str) -> RepositoryPair:
    """Return the pair of one repository of a registry."""
    return RepositoryPair(parse_reference(f"{pair.source}/{path}"), parse_reference(f"{pair.target}/{path}"))


def is_tagged(reference: Reference) -> bool:
    """Say whether a reference names its image by tag, so that a list of tags answers whether it is there."""
    return not reference.digest
