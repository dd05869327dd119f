"""What `source` and `target` may say, which depends on the type of the entry; read by the references' own grammar.

A repository must name no tag: `repo:latest` with the tag of every image behind it (`repo:latest:v1`) never worked in
the Go regsync either, it only failed later, tag by tag.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import Final

from regsync.config.scalars import shown
from regsync.errors import InvalidReference, Malformed
from regsync.oci.reference import LayoutReference, Reference, parse_host, parse_reference

_LAYOUT: Final = "ocidir://"
_ANY_TAG: Final = ":x"
_ANY_REPOSITORY: Final = "/x"
_DIGEST: Final = re.compile(r"[^@]*@[A-Za-z0-9+._-]+:[0-9a-fA-F]{32,}")  # any other @ may end a login


@dataclass(frozen=True, slots=True)
class Places:
    """Reads references, the same text once: large files name each source several times."""

    _images: dict[str, Reference] = field(default_factory=dict)

    def image(self, text: str) -> Reference:
        """Return one image; `Malformed` if the text names none that could be opened."""
        known = self._images.get(text)
        if known is None:
            known = self._images[text] = _openable(text)
        return known

    def repository(self, text: str) -> Reference:
        """Return any image of a repository that is named without tag or digest."""
        try:
            return _openable(text + _ANY_TAG)
        except Malformed:
            _openable(text)
            raise Malformed(f"{shown(text)} names a tag or digest; expected a repository alone") from None

    def prefix(self, text: str) -> Reference:
        """Return any image below a prefix, which repositories' names can be put behind."""
        try:
            return _openable(text + _ANY_REPOSITORY)
        except Malformed:
            _refuse_login(text)
            expected = "expected a registry, a path in one, or ocidir:// and a directory"
            raise Malformed(f"{shown(text)} is no prefix for repositories; {expected}") from None

    def registry(self, text: str) -> str:
        """Return a registry that can be asked for its repositories."""
        if text.startswith(_LAYOUT):
            raise Malformed("a layout has no list of repositories; expected a registry, or type repository")
        _refuse_login(text)
        return parse_host(text)


def same_repository(one: Reference, other: Reference) -> bool:
    """Say whether both are in one repository; a directory can be written in several ways."""
    if isinstance(one, LayoutReference) and isinstance(other, LayoutReference):
        return posixpath.normpath(one.path) == posixpath.normpath(other.path)
    return one.name == other.name


def inside(registry: str, target: Reference) -> bool:
    """Say whether what is put below a prefix would be listed by this registry again."""
    return target.name.startswith(f"{registry}/")


def same_prefix(registry: str, target: Reference) -> bool:
    """Say whether a prefix is the registry itself."""
    return target == parse_reference(registry + _ANY_REPOSITORY)


def _openable(text: str) -> Reference:
    _refuse_login(text)
    reference = parse_reference(text)
    if isinstance(reference, LayoutReference) and not reference.name.startswith(_LAYOUT):
        raise InvalidReference(f"nothing can open {shown(text)}; expected a registry or ocidir://")
    _ = reference.ref  # a digest of an algorithm nobody can check is refused here
    return reference


def _refuse_login(text: str) -> None:
    if "@" in text and not _DIGEST.fullmatch(text):
        raise Malformed("after @ must come a digest, with at least 32 hex digits; credentials belong under creds")
