"""Source and target as people type them, made into what a configuration says.

Besides what a configuration takes, an address may be pasted as it is: `https://` goes, and `http://` says that its
registry speaks plain HTTP.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import Final, Literal

from regsync.config.places import Places, same_repository
from regsync.errors import Malformed
from regsync.oci.reference import LayoutReference, Reference, RegistryReference, parse_reference

Kind = Literal["image", "repository", "registry"]

_WEB: Final = re.compile(r"(https?)://", re.IGNORECASE)
_LAYOUT: Final = "ocidir://"


@dataclass(frozen=True, slots=True)
class End:
    """One end: its text in the file, and the registry it is in, empty for a layout.

    `reference` is any image of a repository, and None for a whole registry. `plain`: the registry speaks plain HTTP.
    """

    text: str
    kind: Kind
    registry: str
    reference: Reference | None
    plain: bool = False

    @property
    def path(self) -> str:
        """The repository's path in its registry, or a layout's last part."""
        match self.reference:
            case RegistryReference(repository=repository):
                return repository
            case LayoutReference(path=path):
                return posixpath.basename(posixpath.normpath(path))
            case None:
                return ""


def source_of(text: str) -> End:
    """Read what is to be copied: an image, a repository or a registry; `Malformed` for anything else."""
    text, plain, pasted = _bare(text)
    places = Places()
    if _is_registry(text, pasted=pasted):
        name = places.registry(text.removesuffix("/"))
        return End(name, "registry", name, None, plain)
    reference = places.image(text)
    kind: Kind = "repository" if _names_all(text) else "image"
    return _end(kind, reference, plain=plain)


def target_of(text: str, source: End) -> End:
    """Read where a source is copied to; a registry alone takes it under its own path."""
    text, plain, pasted = _bare(text)
    places = Places()
    if source.kind == "registry":
        prefix = places.prefix(text.removesuffix("/"))
        registry = prefix.registry if isinstance(prefix, RegistryReference) else ""
        if registry == source.registry:
            raise Malformed("the target is in the source; expected another registry")
        return End(prefix.name.removesuffix("/x"), "registry", registry, None, plain)
    if _is_registry(text, pasted=pasted):
        text = f"{places.registry(text.removesuffix('/'))}/{source.path}"
    if source.kind == "repository":
        target = _end("repository", places.repository(text), plain=plain)
    else:
        target = _end("image", places.image(_tagged(text, source)), plain=plain)
    if source.reference is not None and target.reference is not None and _same(source, target):
        raise Malformed("the target is the source; expected another place")
    return target


def _bare(text: str) -> tuple[str, bool, bool]:
    """Return what is behind `http://` or `https://`, whether it was the former, and whether any was there."""
    text = text.strip()
    pasted = _WEB.match(text)
    return (text[pasted.end() :], pasted[1].lower() == "http", True) if pasted else (text, False, False)


def _is_registry(text: str, *, pasted: bool) -> bool:
    """Say whether this is a registry and no path in one: `node:20` is an image, `localhost:5000` is none."""
    head, _, rest = text.partition("/")
    host = head.partition(":")[0]
    named = pasted or "." in host or host == "localhost" or head.startswith("[")
    return named and not rest and not text.startswith(_LAYOUT)


def _names_all(text: str) -> bool:
    try:
        Places().repository(text)
    except Malformed:
        return False
    return True


def _end(kind: Kind, reference: Reference, *, plain: bool) -> End:
    registry = reference.registry if isinstance(reference, RegistryReference) else ""
    return End(str(reference) if kind == "image" else reference.name, kind, registry, reference, plain)


def _tagged(text: str, source: End) -> str:
    """Return a target with the source's tag, unless it has one of its own."""
    if not _names_all(text):
        return text
    tag = "" if source.reference is None else source.reference.tag
    if not tag:
        raise Malformed("the source is named by digest alone; expected a target with a tag for it")
    return f"{text}:{tag}"


def _same(source: End, target: End) -> bool:
    if source.reference is None or target.reference is None:
        return False
    if source.kind == "repository":
        return same_repository(source.reference, target.reference)
    return parse_reference(source.text) == parse_reference(target.text)
