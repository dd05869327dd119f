"""The classifier, a test per row, and the arithmetic of waiting."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

import pytest

from regsync.errors import AccessDenied, IntegrityError, Refused, RegsyncError, Unavailable
from regsync.registry.http.retry import Worth, back_off, is_outage, is_strain, retry_after, worth_of, worth_of_status

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529])
def test_trouble_is_worth_another_try(status: int) -> None:
    assert worth_of_status(status) is Worth.AGAIN


@pytest.mark.parametrize(
    "status", [301, 304, 400, 401, 403, 404, 405, 409, 410, 412, 413, 414, 415, 422, 451, 501, 507]
)
def test_a_refusal_is_not(status: int) -> None:
    assert worth_of_status(status) is Worth.NEVER


def test_the_code_of_an_error_outweighs_its_status() -> None:
    assert worth_of_status(500, "UNSUPPORTED") is Worth.ONCE
    assert worth_of_status(500, "UNKNOWN") is Worth.AGAIN
    assert worth_of_status(403, "TOOMANYREQUESTS") is Worth.AGAIN
    assert worth_of_status(503, "DENIED") is Worth.AGAIN


@pytest.mark.parametrize("status", [200, 204, 206])
def test_a_success_nobody_expected_comes_from_in_between(status: int) -> None:
    assert worth_of_status(status) is Worth.AGAIN


@pytest.mark.parametrize("error", [Refused("x"), AccessDenied("x"), IntegrityError("x")])
def test_what_is_no_outage_is_not_tried_again(error: RegsyncError) -> None:
    assert worth_of(error) is Worth.NEVER


def test_a_connection_that_broke_is_tried_again_and_a_name_nobody_knows_once() -> None:
    broken, unknown, busy = Unavailable("x"), Unavailable("x"), Unavailable("x")
    broken.__cause__ = ConnectionResetError()
    unknown.__cause__ = socket.gaierror(socket.EAI_NONAME, "not known")
    busy.__cause__ = socket.gaierror(socket.EAI_AGAIN, "later")
    assert [worth_of(error) for error in (broken, unknown, busy)] == [Worth.AGAIN, Worth.ONCE, Worth.AGAIN]


def test_strain_and_outage_are_told_apart() -> None:
    assert [status for status in (429, 500, 502, 503) if is_strain(status)] == [429, 503]
    assert [status for status in (404, 408, 425, 429, 500, 502, 503, 504, 524) if is_outage(status)] == [
        *(429, 502, 503, 504, 524)
    ]


def test_pauses_double_up_to_a_limit_and_leave_all_to_chance() -> None:
    assert [back_off(n, draw=lambda: 1.0) for n in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert back_off(3, draw=lambda: 0.25) == 0.5
    assert back_off(900, draw=lambda: 0.0) == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (" 120 ", 120.0),
        ("1000000000", 1e9),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60.0),
        ("Thursday, 01-Jan-26 00:01:00 GMT", 60.0),
        ("Thu Jan  1 00:01:00 2026", 60.0),
        ("Wed, 31 Dec 2025 23:59:00 GMT", None),
        ("-5", None),
        ("0", None),
        ("000", None),
        ("1.5", None),
        ("\u0661", None),
        ("9" * 5000, None),
        ("soon", None),
        ("", None),
        ("Thu, 99 Foo 2026", None),
        ("Thu, 01 Jan 999999999999 00:00:00 GMT", None),
    ],
)
def test_retry_after_has_two_forms(text: str, seconds: float | None) -> None:
    assert retry_after(text, NOW) == seconds
