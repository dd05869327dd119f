"""The JSON schema takes what regsync takes and marks what it refuses."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given

from tests.support.pages import PAGES, ROOT, blocks, page_name
from tests.support.schema import schema
from tests.support.validation import faults
from tests.support.wild import values_in
from tests.unit.config.generated import CONFIG
from tests.unit.config.loading import STEP

SCHEMA = schema()
EXAMPLE = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
EXAMPLES = [
    *(
        pytest.param(block.body, id=f"{page_name(page)}-{number}")
        for page in PAGES
        for number, block in enumerate(blocks(page))
        if block.kind == "yaml" and not {"other", "wrong"} & set(block.words)
    ),
    pytest.param(EXAMPLE, id="config.example.yaml"),
    pytest.param(re.sub(r"^#\|( |$)", "", EXAMPLE, flags=re.MULTILINE), id="config.example.yaml, everything"),
]
CRED = "creds:\n  - registry: a.example\n"


def marked(text: str) -> list[str]:
    """What an editor marks in a file."""
    return list(faults(values_in(text), SCHEMA, SCHEMA))


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_is_as_the_schema_says(text: str) -> None:
    assert marked(text) == []


@given(CONFIG)
def test_whatever_can_be_written_is_as_the_schema_says(values: dict[str, Any]) -> None:
    assert list(faults(values, SCHEMA, SCHEMA)) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("vresion: 1\n", ".vresion"),
        ("sync: {}\n", ".sync"),
        (f"{STEP}    tagss: {{}}\n", ".sync[0].tagss"),
        (f"{STEP}    tags: [a]\n", ".sync[0].tags"),
        (f"{STEP}    tags: {{alow: [a]}}\n", ".sync[0].tags"),
        (f"{STEP}    fastCheck: yes\n", ".sync[0].fastCheck"),
        (f"{STEP}    interval: 60\n", ".sync[0].interval"),
        (f"{STEP}    interval: 1d\n", ".sync[0].interval"),
        ("sync: [{source: a, target: b, type: imgae}]\n", ".sync[0].type"),
        ("sync: [{source: a, target: b}]\n", ".sync[0].type"),
        ("sync: [{target: b, type: image}]\n", ".sync[0].source"),
        ("defaults: {fastcheck: true}\n", ".defaults"),
        ("defaults: {parallel: many}\n", ".defaults"),
        ("defaults: {blobLimit: -1}\n", ".defaults"),
        (f"{CRED}    password: x\n", ".creds[0].password"),
        (f"{CRED}    tls: off\n", ".creds[0].tls"),
        (f"{CRED}    reqPerSec: -1\n", ".creds[0].reqPerSec"),
        (f"{CRED}    blobMax: -2\n", ".creds[0].blobMax"),
    ],
)
def test_a_mistake_is_marked(text: str, place: str) -> None:
    (fault,) = marked(text)
    assert fault.startswith(f"{place}: ")


def test_keys_of_the_user_are_free_everywhere() -> None:
    assert marked(f"x-a: 1\n{CRED}    x-b: []\n{STEP}    x-c: {{}}\n    tags: {{x-d: e}}\n") == []


def test_every_key_is_described_and_null_is_as_not_given() -> None:
    sections = [SCHEMA, *SCHEMA["$defs"].values()]
    keys = [(section["title"], key, value) for section in sections for key, value in section["properties"].items()]
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert [(title, key) for title, key, value in keys if list(faults(None, value, SCHEMA))] == []
