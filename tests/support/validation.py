"""As much of JSON schema as ours uses, so that tests can hold files against it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,), "array": (list,), "string": (str,), "number": (int, float), "integer": (int,),
    "boolean": (bool,), "null": (type(None),),
}  # fmt: skip
_KNOWN: Final = """
    $schema $defs $ref type properties patternProperties additionalProperties required items anyOf enum pattern minimum
    title description default deprecated
"""


def faults(value: Any, schema: Any, whole: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield where a value is not as the schema says; a word of JSON schema that is not known here is an error."""
    if isinstance(schema, bool):
        yield from () if schema else (f"{path}: not allowed",)
        return
    assert set(schema) <= set(_KNOWN.split())
    if "$ref" in schema:
        yield from faults(value, whole["$defs"][schema["$ref"].rpartition("/")[2]], whole, path)
    if "anyOf" in schema and all(any(faults(value, one, whole, path)) for one in schema["anyOf"]):
        yield f"{path}: none of its forms"
    wrong = _of_itself(value, schema)
    if wrong:
        yield f"{path}: {wrong}"
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from faults(item, schema.get("items", True), whole, f"{path}[{position}]")
    elif isinstance(value, dict):
        yield from _of_mapping(value, schema, whole, path)


def _of_itself(value: Any, schema: Mapping[str, Any]) -> str:
    """Say what is wrong with a value whatever is in it."""
    if "type" in schema and not any(_is(value, kind) for kind in _listed(schema["type"])):
        return f"not of type {schema['type']}"
    if "enum" in schema and value not in schema["enum"]:
        return f"not one of {schema['enum']}"
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        return "does not match"
    if isinstance(value, int | float) and value < schema.get("minimum", value):
        return f"less than {schema['minimum']}"
    return ""


def _of_mapping(value: dict[str, Any], schema: Any, whole: Mapping[str, Any], path: str) -> Iterator[str]:
    for key in schema.get("required", ()):
        if key not in value:
            yield f"{path}.{key}: missing"
    for key, item in value.items():
        inner = schema.get("properties", {}).get(key)
        if inner is None:
            patterns = schema.get("patternProperties", {})
            found = [one for pattern, one in patterns.items() if re.search(pattern, key)]
            inner = found[0] if found else schema.get("additionalProperties", True)
        yield from faults(item, inner, whole, f"{path}.{key}")


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _listed(kinds: Any) -> list[str]:
    return kinds if isinstance(kinds, list) else [kinds]
