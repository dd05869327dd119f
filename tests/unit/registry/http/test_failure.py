"""A registry's refusal as one safe line."""

from __future__ import annotations

import pytest

from regsync.errors import (
    AccessDenied,
    Failing,
    Forbidden,
    IntegrityError,
    InvalidReference,
    NoSuchRepository,
    NotFound,
    NotOurs,
    RegsyncError,
    Unavailable,
    Unsupported,
)
from regsync.registry.http.complaint import complaint_of
from regsync.registry.http.failure import failure_of


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "DIGEST_INVALID", IntegrityError),
        (400, "NAME_INVALID", InvalidReference),
        (400, "DENIED", AccessDenied),
        (400, "MANIFEST_INVALID", Unsupported),
        (400, "NAME_UNKNOWN", NoSuchRepository),
        (403, "DENIED", Forbidden),
        (404, "NAME_UNKNOWN", NoSuchRepository),
        (404, "MANIFEST_UNKNOWN", NotFound),
        (404, "DENIED", NotFound),
        (404, "", NotOurs),
        (403, "TOOMANYREQUESTS", Unavailable),
        (500, "UNSUPPORTED", Unsupported),
        (500, "", Failing),
        (503, "", Failing),
        (429, "", Unavailable),
        (599, "", Unsupported),
    ],
)
def test_status_and_code_name_the_kind_of_failure(status: int, code: str, kind: type[RegsyncError]) -> None:
    body = b'{"errors":[{"code":"%s","message":"words","detail":"more"}]}' % code.encode()
    failure = failure_of(status, body, place="GET x at h")
    assert type(failure) is kind
    assert str(failure).split() == f"GET x at h: {status} {code} words: more".split()


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>", b"[]", b"{}", b"null", b'{"errors":[]}', b'{"errors":{}}', b'{"errors":[1]}'),
        *(b'{"errors":null}', b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"errors":[{"code":1,"message":{}}]}'),
    ],
)
def test_a_body_that_says_nothing_leaves_the_status(body: bytes) -> None:
    assert str(failure_of(404, body, place="GET x at h")) == "GET x at h: 404 Not Found"


def test_words_are_shortened() -> None:
    body = b'{"errors":[{"code":"X","message":"%s"}]}' % (b"a" * 100_000)
    assert len(complaint_of(body).words) <= 4096


def test_the_codes_of_all_errors_are_known() -> None:
    body = b'{"errors":[{"code":"DIGEST_INVALID"},{"code":"MANIFEST_BLOB_UNKNOWN"},{"message":"x"},{"code":1}]}'
    said = complaint_of(body)
    assert said.code == "DIGEST_INVALID"
    assert said.codes == {"DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN"}
