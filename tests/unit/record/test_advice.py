from __future__ import annotations

import pytest

from regsync.record.advice import advice


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("GET manifest v1 of a/b at r.example: 401 UNAUTHORIZED authentication required", "Check the login"),
        ("r.example: the token server refused the login", "Check the login"),
        ("PUT manifest v1 at r.example: 403 DENIED requested access", "The login is right"),
        ("hub.example/prom/prometheus: v3 is not there", "Check repository and tag"),
        ("GET tags of a/b at r.example: 404 NAME_UNKNOWN repository name not known", "Check repository and tag"),
        ("GET manifest v1 at r.example: 429 TOOMANYREQUESTS", "Nothing yet"),
        ("r.example is left alone since it answers 503", "Nothing yet"),
        ("GET blob at r.example: 502", "The registry has trouble"),
        ("r.example: its TLS certificate is not trusted: self-signed", "Trust its authority"),
        ("r.example: the proxy p.example:3128 cannot be reached: connection refused", "Look at the proxy"),
        ("127.0.0.1:31478: connection refused", "Check that the registry runs"),
        ("mirror/a: disk full", "Make room"),
        ("cannot create /a/.regsync: not permitted: give user 7, whom regsync runs as, access to it", "Make room"),
        ("blob sha256:1: came as sha256:2", "The source sent other bytes"),
        ("a bug in regsync: KeyError", "This is a bug"),
        ("something else", "Run `regsync once -v debug`"),
    ],
)
def test_a_failure_comes_with_what_to_do_about_it(error: str, expected: str) -> None:
    assert advice("Failed to copy", error).startswith(expected)


def test_numbers_in_names_are_no_statuses() -> None:
    assert advice("", "r.example/app404:401 cannot be put in place").startswith("Run `regsync")
