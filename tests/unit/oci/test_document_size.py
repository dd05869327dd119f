"""What a document may hold is known before it is parsed: objects cost many times their text."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsync.errors import Malformed
from regsync.oci import mediatype
from regsync.oci.document import VALUES_MAX, read_document, refuse_crowd
from regsync.oci.manifest import DESCRIPTORS_MAX, MANIFEST_MAX, Manifest
from tests.unit.oci.documents import descriptor, encode, index

MANY = VALUES_MAX + 1


def many(value: str, *, of: int = 2_700_000) -> bytes:
    return f'{{"x":[{",".join([value] * of)}]}}'.encode()


@pytest.mark.parametrize(
    "raw",
    [
        many("{}"),
        many("[]"),
        many("0"),
        many('""'),
        many("\t\n{} ", of=MANY),
        many(r'"\"\\"', of=MANY),
        many('{"a":0}', of=MANY // 3 + 1),
        json.dumps(dict.fromkeys(map(str, range(MANY // 2 + 1)))).encode(),
        b"[" * MANIFEST_MAX,
        b'{"a":' * (MANIFEST_MAX // 5),
        b"," * MANIFEST_MAX,
    ],
    ids=[
        "objects", "lists", "numbers", "texts", "blanks", "escapes", "members", "keys", "brackets", "braces", "commas",
    ],
)  # fmt: skip
def test_a_document_of_tiny_values_is_refused_before_it_costs_memory(raw: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(Malformed, match="it is not a usable JSON document: it has more than 320,000 keys and val"):
            read_document(raw, what="it")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize(
    "text",
    [
        "{[:,]}" * 1_000_000,
        '",' * 1_000_000,
        '\\",' * 1_000_000,
        "\\" * 1_000_000 + '"' + ",:" * 400_000,
        "\u2c3a\u223a," * 400_000,
    ],
    ids=["brackets", "quotes", "escaped quotes", "backslashes", "characters with bytes like commas"],
)
def test_a_long_text_is_one_value_whatever_stands_in_it(text: str) -> None:
    for ascii_only in (True, False):
        raw = json.dumps({"x": text, "y": [text[:9]]}, ensure_ascii=ascii_only).encode()
        assert read_document(raw, what="it") == {"x": text, "y": [text[:9]]}


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":"' + b'\\",' * 2_700_000,
        b'{"a":"' + b'","' * 2_700_000,
        b'{"a":' + b'"' * MANIFEST_MAX,
        b'{"a":' + b'""' * 4_000_000 + b"," * MANY,
        b'{"a":"' + b"\\" * MANIFEST_MAX,
        b'{"a"' + b" " * MANIFEST_MAX,
        b'{"a":' + b"1" * MANIFEST_MAX + b"," * MANY,
    ],
)
def test_broken_documents_of_any_length_are_refused(raw: bytes) -> None:
    with pytest.raises(Malformed, match="it is not a usable JSON document: "):
        read_document(raw, what="it")


def test_an_index_of_as_many_annotated_images_as_are_allowed_is_read() -> None:
    platform = {"os": "linux", "architecture": "arm64", "variant": "v8", "os.version": "1"}
    notes = {f"org.example.note-{number}": "{with, brackets: [and] commas}" for number in range(6)}
    children = [
        descriptor(str(number), mediatype.OCI_MANIFEST, platform=platform, annotations=notes)
        for number in range(DESCRIPTORS_MAX)
    ]
    raw = encode(index(manifests=children))
    assert len(raw) < MANIFEST_MAX
    assert len(Manifest.read(raw).children) == DESCRIPTORS_MAX


def counted(value: Any) -> int:
    """Keys and values, and one for each empty list or object more, which the text cannot tell from one of one value."""
    if isinstance(value, dict):
        return sum(1 + counted(inner) for inner in value.values()) + (len(value) or 1)
    if isinstance(value, list):
        return sum(map(counted, value)) + (len(value) or 1)
    return 0


JSON = st.recursive(
    st.none() | st.integers() | st.text(alphabet='a{}[]:,"\\\n\u2c3a', max_size=6),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(alphabet='a,:"\\{', max_size=4), inner),
    max_leaves=30,
)


@given(JSON, st.integers(0, 3), st.booleans())
def test_keys_and_values_are_counted_as_they_are(value: Any, indent: int, ascii_only: bool) -> None:
    value = {"x": value}
    raw = json.dumps(value, indent=indent or None, ensure_ascii=ascii_only).encode()
    here = counted(value)
    refuse_crowd(raw, most=here)
    with pytest.raises(Malformed):
        refuse_crowd(raw, most=here - 1)
