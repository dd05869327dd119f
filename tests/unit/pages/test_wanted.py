from __future__ import annotations

import pytest

from regsync.pages.wanted import Wanted, pages_for


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, Wanted()),
        ({"q": " alpine  edge ", "state": "late", "page": "3"}, Wanted("alpine  edge", "late", 3)),
        ({"q": "x" * 999, "state": "nowhere", "page": "0"}, Wanted("x" * 200)),
        ({"page": "-1"}, Wanted()),
        ({"page": "1e3"}, Wanted()),
        ({"page": "٣"}, Wanted()),
        ({"page": "9" * 5000}, Wanted()),
    ],
)
def test_what_is_of_no_use_in_a_query_is_as_if_not_given(query: dict[str, str], expected: Wanted) -> None:
    assert Wanted.of(query) == expected


def test_other_pages_and_states_keep_the_words() -> None:
    wanted = Wanted("a&b c", "late", 2)
    assert wanted.at(3) == "/?q=a%26b+c&state=late&page=3"
    assert wanted.in_state("") == "/?q=a%26b+c"
    assert Wanted().at(1) == "/"


@pytest.mark.parametrize(("count", "expected"), [(0, 1), (50, 1), (51, 2), (10_000, 200)])
def test_there_is_always_a_page(count: int, expected: int) -> None:
    assert pages_for(count, 50) == expected
