"""Tests reach this machine alone, and find no settings of whoever runs them."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from tests.support import real


def test_connecting_to_another_machine_fails_the_test() -> None:
    with socket.socket() as connection, pytest.raises(pytest.fail.Exception):
        connection.connect(("192.0.2.1", 80))


async def test_connecting_to_another_machine_by_asyncio_fails_the_test() -> None:
    with pytest.raises(pytest.fail.Exception):
        await asyncio.open_connection("192.0.2.1", 80)


def test_the_home_is_empty_and_no_proxy_is_set() -> None:
    assert not [each.name for each in Path.home().iterdir() if each.name != ".cache"]
    assert not [name for name in os.environ if name.lower().endswith("_proxy")]


@pytest.mark.parametrize(("required", "outcome"), [("1", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_program_that_is_not_there_skips_or_fails_as_asked(
    monkeypatch: pytest.MonkeyPatch, required: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv(real.REQUIRE_REAL, required)
    with pytest.raises(outcome):
        real.require("a-program-nobody-has-written")
