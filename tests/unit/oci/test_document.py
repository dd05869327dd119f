"""Documents that two parsers could read differently are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsync.errors import Malformed
from regsync.oci.document import DEPTH_MAX, read_document


def nested(depth: int, *, opening: str = '{"a":', closing: str = "}") -> bytes:
    return (opening * depth + "0" + closing * depth).encode()


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"<html><body>Sign in</body></html>", "it is a page"),
        (b"[]", "not an object"),
        (b"null", "not an object"),
        (b'"text"', "not an object"),
        (b"1", "not an object"),
        (b'{"a": 1} {"b": 2}', "Extra data behind its end: line 1 column 10"),
        (b'{"a": 1}\0', "Extra data"),
        (b'{"a": 1,}', "double quotes|trailing comma"),
        (b'{"a": 1', "delimiter"),
        (b"{'a': 1}", "double quotes"),
        (b'{"a": "\t"}', "control character"),
        (b'{"layers": [], "layers": []}', "'layers' is there twice"),
        (b'{"x": {"a": 1, "a": 1}}', "'a' is there twice"),
        (b'{"x": {"\\u0061": 1, "a": 1}}', "'a' is there twice"),
        (b'{"annotations": {"a": "1", "a": "2"}}', "'a' is there twice"),
        (b'{"x": NaN}', "NaN"),
        (b'{"x": Infinity}', "Infinity"),
        (b'{"x": -Infinity}', "-Infinity"),
        (b'{"x": 1e400}', "out of range"),
        (b'{"x": -1e400}', "out of range"),
        (b'{"x": ' + b"9" * 5000 + b"}", "5000 digits"),
        (b'{"x": 100000000000000000000}', "21 digits"),
        (b'{"x": 01}', "delimiter"),
        (b'{"x": +1}', "Expecting value"),
        ('{"x": \u0661}'.encode(), "Expecting value"),
        (b'\xef\xbb\xbf{"a": 1}', "it begins with a byte order mark"),
        ('{"a": 1}'.encode("utf-16"), "it is not in UTF-8"),
        (b"\n  <?xml version='1.0'?><Error/>", "it is a page"),
        (b'{"a": "\xff"}', "not in UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "not in UTF-8"),
        (b'{"a": "\xc0\xaf"}', "not in UTF-8"),
        (b'{"a": "\\ud800"}', "surrogates"),
        (b'{"\\uDFFF": 1}', "surrogates"),
        (nested(DEPTH_MAX + 1), "deeper than 32"),
        (nested(100_000), "deeper than 32"),
        (b'{"a":' + nested(DEPTH_MAX, opening="[", closing="]") + b"}", "deeper than 32"),
        (b'{"annotations":' + nested(DEPTH_MAX) + b"}", "deeper than 32"),
    ],
)
def test_a_document_that_is_not_the_same_to_everybody_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why) as caught:
        read_document(raw, what="manifest a/b:v1")
    assert str(caught.value).startswith("manifest a/b:v1 is not a usable JSON document: ")


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"schemaVersion": 2, "size": 2**63 - 1, "x": [1.5, -1, 0, None, True, "\U0001f433", {"\u00e9": {}}]},
        {"annotations": {"Config": "kept", "config": "too", "LAYERS": "and this"}},
        {"Vendor": {"thing": 1}, "org.example.Digests": []},
        {"Layers": [{"Digest": ""}], "MEDIATYPE": {}},
    ],
)
def test_a_plain_document_is_what_json_says(document: dict[str, Any]) -> None:
    assert read_document(json.dumps(document).encode(), what="it") == document
    assert (
        read_document(json.dumps(document, ensure_ascii=False, indent=3).encode() + b"\r\n\t ", what="it") == document
    )


def test_the_greatest_allowed_depth_is_allowed() -> None:
    assert read_document(nested(DEPTH_MAX), what="it")


def test_a_message_quotes_only_the_beginning_of_a_key() -> None:
    key = json.dumps("k" * 100_000)
    with pytest.raises(Malformed) as caught:
        read_document(f"{{{key}: 1, {key}: 2}}".encode(), what="it")
    assert len(str(caught.value)) < 300


KEYS = st.sampled_from(["layers", "Layers", "digest", "size", "x", "annotations", "\u017fize"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_any_value_is_read_back_or_refused(value: object) -> None:
    try:
        document = read_document(json.dumps(value).encode(), what="it")
    except Malformed:
        return
    assert document == value


@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,\\u0dN1e-+. tx', max_size=60).map(str.encode))
def test_any_bytes_are_an_object_or_refused(raw: bytes) -> None:
    try:
        document = read_document(raw, what="it")
    except Malformed:
        return
    assert document == json.loads(raw)
