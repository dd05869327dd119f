from __future__ import annotations

import pytest

from regsync.errors import Malformed
from regsync.listen import Address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", Address("127.0.0.1", 8080)),
        ("[::1]:8080", Address("::1", 8080)),
        ("localhost:0", Address("localhost", 0)),
        (":8080", Address("", 8080)),
        ("unix:/run/regsync.sock", Address(path="/run/regsync.sock")),
    ],
)
def test_an_address_is_read_and_written_alike(text: str, address: Address) -> None:
    assert Address.parse(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    ["", "8080", "host", "host:http", "::1:8080", "host:65536", "host:-1", "http://host:80", "unix:here", "a b:1"],
)
def test_what_is_no_address_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(Malformed, match="expected host:port"):
        Address.parse(text)
