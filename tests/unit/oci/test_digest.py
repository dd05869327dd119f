"""Digests are checked values, or nothing."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsync.errors import Malformed
from regsync.oci.digest import Digest

HEX = "0123456789abcdef"


@pytest.mark.parametrize(("algorithm", "length"), [("sha256", 64), ("sha384", 96), ("sha512", 128)])
def test_a_supported_digest_is_printed_as_it_was_read(algorithm: str, length: int) -> None:
    text = f"{algorithm}:{'a' * length}"
    digest = Digest.parse(text)
    assert (digest.algorithm, digest.hex, str(digest)) == (algorithm, "a" * length, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256",
        "sha256:",
        ":" + "a" * 64,
        "sha256:" + "a" * 63,
        "sha256:" + "a" * 65,
        "sha256:" + "A" * 64,
        "sha256:" + "g" * 64,
        "sha256:" + "\u0661" * 64,
        "sha256:" + "a" * 63 + "\n",
        "sha256:" + "a" * 64 + "\n",
        "sha256:" + "a" * 63 + "\0",
        "sha256:../../" + "a" * 58,
        "sha256:%2f" + "a" * 61,
        "SHA256:" + "a" * 64,
        "sha512:" + "a" * 64,
        "md5:" + "a" * 32,
        "sha1:" + "a" * 40,
        "sha256+b64u:" + "a" * 64,
        "multihash+base58:" + "a" * 64,
        "blake3:" + "a" * 64,
        " sha256:" + "a" * 64,
    ],
)
def test_anything_else_is_an_unsupported_digest(text: str) -> None:
    with pytest.raises(Malformed, match="unsupported digest"):
        Digest.parse(text)


def test_a_message_quotes_only_the_beginning_of_what_it_refuses() -> None:
    with pytest.raises(Malformed) as caught:
        Digest.parse("x" * 100_000)
    assert len(str(caught.value)) < 400


@given(st.binary(max_size=200), st.sampled_from(["sha256", "sha384", "sha512"]))
def test_the_digest_of_bytes_is_what_hashlib_says(data: bytes, algorithm: str) -> None:
    digest = Digest.of(data, algorithm)
    assert digest == Digest.parse(f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}")
    hasher = digest.hasher()
    hasher.update(data)
    assert hasher.hexdigest() == digest.hex


@given(st.one_of(st.text(), st.text(alphabet=HEX + ":sha25614_+-./\n", max_size=140)))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    try:
        digest = Digest.parse(text)
    except Malformed:
        return
    assert str(digest) == text
    assert set(digest.hex) <= set(HEX)
