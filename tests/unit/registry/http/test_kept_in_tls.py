"""Locations in plain http that a registry behind TLS names: its own place stays in TLS, any other is refused."""

from __future__ import annotations

import pytest

from regsync.errors import Refused
from regsync.registry.http.redirect import kept_in_tls


@pytest.mark.parametrize(
    ("by", "named", "asked"),
    [
        ("https://r.example", "http://r.example/v2/a?_state=1&x=%2F", "https://r.example/v2/a?_state=1&x=%2F"),
        ("https://r.example", "HTTP://R.example:80/v2/a", "https://r.example/v2/a"),
        ("https://r.example:8443", "http://r.example:8443/v2/a", "https://r.example:8443/v2/a"),
        ("https://r.example:8443", "http://r.example/v2/a", "https://r.example:8443/v2/a"),
        ("https://r.example", "http://r.example:443/v2/a", "https://r.example/v2/a"),
        ("https://r.example", "http://r.example?upload=1", "https://r.example?upload=1"),
        ("https://r.example", "http://r.example:5000/v2/a?x", "https://r.example/v2/a?x"),
        ("https://r.example:8443", "http://r.example:5000/v2/a", "https://r.example:8443/v2/a"),
        ("https://r.example", "https://storage.example/v2/a", "https://storage.example/v2/a"),
        ("https://r.example", "https://r.example:5000/v2/a", "https://r.example:5000/v2/a"),
        ("http://r.example", "http://r.example:5000/v2/a", "http://r.example:5000/v2/a"),
    ],
)
def test_what_a_registry_calls_http_of_itself_is_asked_in_https(by: str, named: str, asked: str) -> None:
    assert kept_in_tls(named, by=by) == asked


@pytest.mark.parametrize(
    "named",
    [
        "http://other.example/v2/a",
        "http://sub.r.example/v2/a",
        "http://r.example.evil.example/v2/a",
        "http://r.example@evil.example/v2/a",
        "http://r.example\\@evil.example/v2/a",
    ],
)
def test_plain_http_of_anybody_else_is_refused(named: str) -> None:
    with pytest.raises(Refused):
        kept_in_tls(named, by="https://r.example")
