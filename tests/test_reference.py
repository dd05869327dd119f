"""The reference says of every key what the model says: its type, its default, and whether entries inherit it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import BaseModel, TypeAdapter

from regsync.config.model import Config, Defaults, Inherited, SyncStep
from regsync.config.scalars import Plain
from regsync.duration import parse_duration
from regsync.oci.mediatype import OCI_INDEX
from tests.support.reference import Key, keys, row_of, rows
from tests.support.schema import PLACES, text

KEYS: Final = [pytest.param(key, id=key.path) for key in keys()]
NOT_NUMBERS: Final = {  # what the reference calls a default that is found at run time, or is none
    "creds.hostname": "the name", "creds.tls": "`enabled`", "creds.credHost": "the hostname",
    "creds.reqConcurrent": "found out", "defaults.mediaTypes": "the four below", "sync.source": "required",
    "sync.target": "required", "sync.type": "required", "sync.name": "see below", "sync.tags": "all",
    "sync.repos": "all", "sync.platforms": "all", "hook.type": "required", "hook.params": "required",
    "ratelimit.retry": "`5m`", "defaults.referrerFilters": "all", "defaults.referrerSource": "the source",
    "defaults.referrerTarget": "the target", "server.listen": "nowhere",
    "defaults.state": "in memory", "notify.url": "required",
}  # fmt: skip
CHOICES: Final = {"everything", "nothing"}
TYPES: Final = {
    ("boolean", "number", "string"): "text", ("boolean",): "boolean", ("number", "string"): "number",
    ("string",): "duration", ("integer", "string"): "duration", ("array",): "list", ("object",): "mapping",
}  # fmt: skip
SAMPLES: Final[dict[str, Any]] = {
    "backup": "old-{{.Ref.Tag}}", "interval": "1h0m0s", "jitter": "1h0m0s", "schedule": "@daily",
    "ratelimit": {"min": "5"},
    "referrerFilters": [{"artifactType": "a/b"}], "referrerSource": "a.example/x", "referrerTarget": "b.example/x",
    "mediaTypes": [OCI_INDEX], "hooks": {"pre": {"type": "exec", "params": ["a"]}},
}  # fmt: skip
NAMED_OTHERWISE: Final = {"fastCopy": "fastCheck"}


@pytest.mark.parametrize("key", KEYS)
def test_every_key_has_a_row_with_its_type(key: Key) -> None:
    row = row_of(key, rows())
    assert row is not None, f"{key.path} has no row in its table of docs/reference/configuration.md"
    assert row.type == kind(key)
    assert row.plain


def kind(key: Key) -> str:
    """What the reference calls values of this key."""
    if key.word in {"type", "tls", "disableHead"}:
        return "boolean" if key.word == "disableHead" else "text"
    found = Config.model_json_schema()["$defs"].get(key.model.__name__) or Config.model_json_schema()
    shape = found["properties"][key.word]
    shape = shape.get("anyOf", [shape])[0]
    said = shape.get("type", "object")
    return TYPES[tuple(sorted(said)) if isinstance(said, list) else (said,)]


@pytest.mark.parametrize("key", KEYS)
def test_every_default_is_the_one_that_is_documented(key: Key) -> None:
    row = row_of(key, rows())
    assert row is not None
    if key.path in NOT_NUMBERS:
        assert row.default == NOT_NUMBERS[key.path]
    elif row.default in CHOICES | {""} or (key.path.startswith("sync.") and key.inherited):
        assert not key.default or isinstance(key.default, BaseModel)
    else:
        default = [*key.default] if isinstance(key.default, tuple) else key.default or 0
        assert read(row.default.strip("`"), key) == default


def read(documented: str, key: Key) -> object:
    """The value a default of the reference stands for."""
    if kind(key) == "duration":
        return parse_duration(documented)
    return json.loads(documented)


@pytest.mark.parametrize("key", KEYS)
def test_what_is_called_inherited_is_and_nothing_else(key: Key) -> None:
    row = row_of(key, rows())
    assert row is not None
    assert row.inherited == key.inherited


@pytest.mark.parametrize("name", Inherited.model_fields)
def test_an_entry_takes_every_inherited_key_from_the_defaults_unless_it_says_it(name: str) -> None:
    key = Inherited.model_fields[name].alias or name
    sample = SAMPLES.get(key, True)
    said = Plain(value=True, text="true") if sample is True else sample
    defaults = Defaults.model_validate({key: said}).settled()
    bare = SyncStep().filled_from(Defaults().settled(), place="")
    taken = SyncStep().filled_from(defaults, place="")
    field = NAMED_OTHERWISE.get(key, key)
    before, after = (one.model_dump(by_alias=True, mode="json")[field] for one in (bare, taken))
    assert after != before
    assert contains(after, sample)


def contains(value: Any, wanted: Any) -> bool:
    """Say whether a value has all that is wanted; what has defaults of its own may have more."""
    if isinstance(wanted, dict):
        return all(contains(value[key], one) for key, one in wanted.items())
    if isinstance(wanted, list):
        return all(contains(one, two) for one, two in zip(value, wanted, strict=True))
    return str(value) == str(wanted)


def test_every_row_is_about_a_key() -> None:
    known = {key.path for key in keys()}
    assert sorted(set(rows()) - known) == []


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_the_schema_that_is_shipped_is_made_of_the_model_and_the_reference(place: Path) -> None:
    assert place.read_text(encoding="utf-8") == text(), "run `make schema`"
    assert TypeAdapter(dict[str, Any]).validate_json(text())
