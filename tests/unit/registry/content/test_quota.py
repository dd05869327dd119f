from __future__ import annotations

import pytest

from regsync.registry.content.quota import quota_of
from regsync.registry.http.message import Headers


@pytest.mark.parametrize(
    ("remaining", "limit", "said"),
    [
        ("76;w=21600", "100;w=21600", (76, 100)),  # Docker Hub
        ("76", "100", (76, 100)),
        ("0", "100", (0, 100)),
        (" 76 ; w=21600", "100, 100;w=60, 5000;w=3600", (76, 100)),
        ("76, 4;w=60", "", (76, None)),
        ("", "100", (None, 100)),
        ("", "", (None, None)),
        ("-1", "100", (None, 100)),
        ("many", "1e3", (None, None)),
        ("\u0663", "9" * 40, (None, None)),
    ],
)
def test_the_first_number_counts_and_what_is_none_was_not_said(
    remaining: str, limit: str, said: tuple[int | None, int | None]
) -> None:
    quota = quota_of(Headers([("RateLimit-Remaining", remaining), ("ratelimit-limit", limit)]), heard=7.0)
    assert (quota.remaining, quota.limit) == said
    assert quota.heard == 7.0


def test_fields_in_several_lines_are_one_list() -> None:
    assert quota_of(Headers([("ratelimit-remaining", "5;w=60"), ("ratelimit-remaining", "80")]), heard=0).remaining == 5


def test_what_counts_requests_and_not_pulls_is_not_read() -> None:
    assert quota_of(Headers([("X-RateLimit-Remaining", "5")]), heard=0).remaining is None
