"""What is made out of the bodies of errors."""

from __future__ import annotations

import pytest

from regsync.registry.http.complaint import words_of
from regsync.registry.http.failure import failure_of

ARTIFACTORY = b'{"errors":[{"status":400,"message":"Unable to deploy"}]}'
SCALITY = b'<?xml version="1.0"?><Error><Code>X</Code><Message>Request has expired</Message></Error>'


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (ARTIFACTORY, "Unable to deploy"),
        (b'{"errors":[{"code":"DENIED","message":"no","detail":"quota"}]}', "DENIED no: quota"),
        (b'{"message":"repository is archived"}', "repository is archived"),
        (b'{"error":"invalid_grant","error_description":"expired"}', "expired"),
        (b'{"error":{"code":3,"message":"over quota"}}', "over quota"),
        (b'{"detail":"Not found."}', "Not found."),
        (b'{"errors":{"message":"in a row"}}', "in a row"),
        (b'{"errors":["the first","the second"]}', "the first"),
        (SCALITY, "Request has expired"),
        (b"<!doctype html><html><head><title>Blocked &amp; logged</title></head></html>", "Blocked & logged"),
        (b"<html><body><h1>Sign in\n first</h1></body></html>", "Sign in first"),
        (b"404 page not found\n", "404 page not found"),
        (b"\xef\xbb\xbfthe project is read-only\nsee the wiki", "the project is read-only"),
    ],
)
def test_words_are_found_in_every_shape(body: bytes, words: str) -> None:
    assert words_of(body) == words


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"  ", b"{}", b"[]", b"null", b"7", b'"x"', b'{"message":{"a":{"message":{"message":"deep"}}}}'),
        *(b"<html>", b"<html><title></title>", b"\xff\xfe\x00", b"\x1f\x8b\x08binary", b"[" * 100_000, b"{" * 100_000),
        *(b'{"errors":[]}', b'{"message":"  "}', b'{"unknown":"words"}', b"--------"),
    ],
)
def test_what_says_nothing_is_not_shown(body: bytes) -> None:
    assert words_of(body) == ""


def test_words_of_strangers_are_short_on_one_line_and_steer_no_terminal() -> None:
    assert len(words_of(b"a" * 100_000)) <= 300
    assert "\x1b" not in words_of(b'{"message":"red \\u001b[31m"}')
    assert words_of(b'{"message":"one\\nlevel=ERROR two"}') == "one level=ERROR two"
    assert len(words_of(b"<title>" * 20_000)) <= 300


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"repository is archived", "403 Forbidden: repository is archived"),
        (b"<html><head><title>403 Forbidden</title></head></html>", "403 Forbidden"),
        (b"403 page is closed", "403 Forbidden: page is closed"),
        (ARTIFACTORY, "403 Unable to deploy"),
        (b"{}", "403 Forbidden"),
    ],
)
def test_they_stand_behind_what_the_status_means(body: bytes, told: str) -> None:
    assert str(failure_of(403, body, place="GET x at h")) == f"GET x at h: {told}"
