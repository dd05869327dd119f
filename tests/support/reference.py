"""The reference of the configuration as tests read it: the rows of its tables, and the model they speak of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from pydantic import BaseModel

from regsync.config.model import Config, Hook, Inherited
from tests.support.pages import ROOT

REFERENCE: Final = ROOT / "docs" / "reference" / "configuration.md"
_LINK: Final = re.compile(r"\[([^]]+)\]\([^)]+\)")
_SECTIONS: Final = {
    "Top level": "",
    "creds": "creds.",
    "defaults": "defaults.",
    "server": "server.",
    "sync": "sync.",
    "Keys inside keys": "",
}
_INHERITED: Final = "*inherited*"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: what it says of one key."""

    type: str
    default: str
    meaning: str

    @property
    def inherited(self) -> bool:
        return self.meaning.startswith(_INHERITED)

    @property
    def plain(self) -> str:
        """The meaning without links, and without whether it is inherited."""
        return _LINK.sub(r"\1", self.meaning.removeprefix(_INHERITED).lstrip(":, "))


def row_of(key: Key, reference: Mapping[str, Row]) -> Row | None:
    """Return the row of a key; what entries inherit is described with `defaults`."""
    row = reference.get(key.path)
    if key.inherited and (row is None or row.meaning.startswith("as in")):
        return reference.get(f"defaults.{key.word}")
    return row


def rows() -> Mapping[str, Row]:
    """What the reference says, by the path of the key: `creds.tls`, `defaults.parallel`, `sync.tags`, `tags.allow`."""
    found: dict[str, Row] = {}
    section = ""
    for line in REFERENCE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line[3:]
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 4 and cells[0].startswith("`") and section in _SECTIONS:
            for key in re.findall(r"`([^`]+)`", cells[0]):
                found[_SECTIONS[section] + key] = Row(*cells[1:])
    return found


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the model: where the reference has it, in which model it is, and what it is when nobody says it."""

    path: str
    model: type[BaseModel]
    name: str
    default: Any

    @property
    def word(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def inherited(self) -> bool:
        return issubclass(self.model, Inherited) and self.name in Inherited.model_fields


def keys() -> Iterator[Key]:
    """Yield every key of the model once for each place it is documented at."""
    seen: set[str] = set()
    for path, model in _models(Config, ""):
        for name, field in model.model_fields.items():
            place = path + (field.alias or name)
            if place not in seen:
                seen.add(place)
                yield Key(place, model, name, field.get_default(call_default_factory=True))


def _models(model: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield the models with the paths their keys are documented under: of nested ones, that of the last key."""
    yield path, model
    for name, field in model.model_fields.items():
        inner = model_in(field.annotation)
        if inner is not None:
            yield from _models(inner, "hook." if inner is Hook else f"{field.alias or name}.")


def model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model that a key's value is made of, or its items are."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(model_in, get_args(annotation))), None)
