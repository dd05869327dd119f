"""Where locations point."""

from __future__ import annotations

import pytest

from regsync.errors import Refused
from regsync.registry.http.message import Headers, resolved
from regsync.registry.http.redirect import origin_of

HERE = "https://r.example/v2/a/blobs/uploads/?x"


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("https://s.example/a%2Bb%2f?sig=%7E~+|'()", "https://s.example/a%2Bb%2f?sig=%7E~+|'()"),
        ("https://s.example/My Image.tar?name=a b|c", "https://s.example/My%20Image.tar?name=a%20b|c"),
        ("/f\u00fcr?n=\u00e4", "https://r.example/f%C3%BCr?n=%C3%A4"),
        ("/raw\udcfc", "https://r.example/raw%FC"),
        (" /v2/a/blobs/uploads/1?s=2#part ", "https://r.example/v2/a/blobs/uploads/1?s=2"),
        ("1#part", "https://r.example/v2/a/blobs/uploads/1"),
    ],
)
def test_what_stands_behind_the_host_is_quoted_where_it_has_to_be_and_else_kept(location: str, url: str) -> None:
    assert resolved(HERE, location) == url


@pytest.mark.parametrize(
    "location",
    ["https://s.\u00e4.example/x", "https://s .example/x", "https://s.example\\@evil/x", "/a\\b", "/a\tb\x7f"],
)
def test_a_host_that_two_could_read_differently_is_refused_all_the_same(location: str) -> None:
    with pytest.raises(Refused):
        origin_of(resolved(HERE, location))


def test_what_a_proxy_has_said_once_more_is_said_once() -> None:
    headers = Headers([("Location", "/a"), ("LOCATION", "/a"), ("Link", "<1>"), ("link", "<2>"), ("Link", "<1>")])
    assert (headers["location"], headers["link"]) == ("/a", "<1>, <2>")
    assert headers.lines("link") == ("<1>", "<2>", "<1>")
