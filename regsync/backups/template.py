"""The template under `backup`, and what it can ask. Loaded only where there is one."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from regsync.backups import named
from regsync.oci.reference import LayoutReference, Reference, RegistryReference
from regsync.template.engine import Template
from regsync.template.values import Function, Kind, Struct
from regsync.template.world import World

_NOT_IN_A_NAME: Final = re.compile("[^a-z0-9/]+")


@dataclass(frozen=True, slots=True)
class Backup:
    """The template, and the entry it belongs to as templates see it (`.Sync`)."""

    template: Template
    sync: Struct

    def reference(self, target: Reference, world: World) -> Reference:
        """Return the name under which this target is kept; `Malformed` if the template names none."""
        return named(self.template.render(data_of(target, self.sync), world), target)


@lru_cache(64)
def parsed(text: str) -> Template:
    """Return a template; files repeat the same one in thousands of entries."""
    return Template.parse(text)


def data_of(target: Reference, sync: Struct) -> Struct:
    """Return what a template under `backup` is about: `.Ref`, `.Sync` and `.Step`."""
    return Struct(_DATA, (target, sync))


def _of_registry(reference: Reference, part: str) -> str:
    """Return what Go calls the registry or the repository, which a layout has none of."""
    if isinstance(reference, LayoutReference):
        return ""
    return reference.registry if part == "registry" else reference.repository


def _path(reference: Reference) -> str:
    return reference.path if isinstance(reference, LayoutReference) else ""


def _with(reference: Reference, tag: str, digest: str) -> Struct:
    return Struct(REFERENCE, replace(reference, tag=tag, digest=digest))


def _in_registry(reference: Reference) -> Struct:
    """Return what a layout is called where a registry's name is wanted."""
    if isinstance(reference, LayoutReference):
        name = _NOT_IN_A_NAME.sub("-", posixpath.normpath(reference.path).lower()).strip("-/")
        return Struct(REFERENCE, RegistryReference("localhost", name, reference.tag, reference.digest))
    return Struct(REFERENCE, reference)


REFERENCE: Final = Kind(
    "ref.Ref",
    fields={
        "Scheme": lambda reference: reference.scheme if isinstance(reference, LayoutReference) else "reg",
        "Reference": str,
        "Registry": lambda reference: _of_registry(reference, "registry"),
        "Repository": lambda reference: _of_registry(reference, "repository"),
        "Tag": lambda reference: reference.tag,
        "Digest": lambda reference: reference.digest,
        "Path": _path,
    },
    methods={
        "CommonName": Function(str),
        "IsSet": Function(lambda reference: bool(reference.tag or reference.digest or _path(reference))),
        "IsSetRepo": Function(lambda _: True),
        "IsZero": Function(lambda _: False),
        "SetTag": Function(lambda reference, tag: _with(reference, tag, ""), ("string",)),
        "SetDigest": Function(lambda reference, digest: _with(reference, "", digest), ("string",)),
        "AddDigest": Function(lambda reference, digest: _with(reference, reference.tag, digest), ("string",)),
        "ToReg": Function(_in_registry),
    },
    is_zero=lambda _: False,
)
_DATA: Final = Kind(
    "struct { Ref ref.Ref; Step main.ConfigSync; Sync main.ConfigSync }",
    fields={
        "Ref": lambda data: Struct(REFERENCE, data[0]),
        "Step": lambda data: data[1],
        "Sync": lambda data: data[1],
    },
)
