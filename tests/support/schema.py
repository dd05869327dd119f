"""The JSON schema of the configuration, made from the model and the reference: `python -m tests.support.schema`.

It is written to the package, from which `regsync config --schema` prints it, and beside the reference.
"""

from __future__ import annotations

import json
from typing import Any, Final

from regsync.config.model import Config, SyncStep
from tests.support.pages import ROOT
from tests.support.reference import keys, row_of, rows

PLACES: Final = (ROOT / "regsync" / "config" / "schema.json", ROOT / "docs" / "reference" / "regsync.schema.json")
_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_REQUIRED: Final = ("source", "target", "type")
_OLD: Final = frozenset({"api", "scheme", "fastCopy"})
_NOTHING: Final[tuple[Any, ...]] = (None, "", "0s", [], {})


def schema() -> dict[str, Any]:
    """Return the schema: keys of the user (`x-…`) are free, and every key may be null, as if it were not given."""
    made = Config.model_json_schema(mode="validation")
    meanings = _meanings()
    for section in (made, *made["$defs"].values()):
        section["patternProperties"] = {"^x-": True}
        section.pop("description", None)
        for key, value in section["properties"].items():
            value.pop("title", None)
            value.pop("default", None)
            section["properties"][key] = {**_nullable(value), **meanings[section["title"], key]}
    made["$defs"][SyncStep.__name__]["required"] = list(_REQUIRED)
    made["$defs"][SyncStep.__name__]["properties"]["type"].pop("default")
    return {"$schema": _DRAFT, **made, "title": "regsync.yml", "type": ["object", "null"]}


def _meanings() -> dict[tuple[str, str], dict[str, Any]]:
    """Return for each key what is said of it and its default, by the name of its model."""
    reference = rows()
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for key in keys():
        word = key.word
        row = row_of(key, reference)
        said: dict[str, Any] = {"description": row.plain} if row is not None else {}
        default = json.loads(key.model().model_dump_json(by_alias=True)).get(word)
        if default not in _NOTHING and not isinstance(default, dict):
            said["default"] = default
        if word in _OLD:
            said["deprecated"] = True
        found.setdefault((key.model.__name__, word), said)
    return found


def _nullable(value: dict[str, Any]) -> dict[str, Any]:
    if "type" in value and "null" not in value["type"]:
        kinds = value["type"] if isinstance(value["type"], list) else [value["type"]]
        value = {**value, "type": [*kinds, "null"]}
    if "enum" in value:
        value = {**value, "enum": [*value["enum"], None]}
    return {"anyOf": [value, {"type": "null"}]} if "$ref" in value else value


def text() -> str:
    """Return the schema as its files have it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for place in PLACES:
        place.write_text(text(), encoding="utf-8")
