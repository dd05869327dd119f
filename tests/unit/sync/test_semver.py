"""The dialect of `semverRange`; which tags a range takes was asked of the Go regsync where nothing else is said."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from regsync.errors import Malformed
from regsync.sync.semver import check_range, range_of, version_of

NUMBERS = st.lists(st.integers(0, 12).map(str) | st.sampled_from(["01", "20240101"]), min_size=1, max_size=4)
AFTER = st.sampled_from(["", "-rc1", "-rc2", "-rc.11", "-alpine3.21", "-1", "-10", "-a1b2", "-A", "-", "-1a"])
VERSIONS = st.builds(lambda numbers, after: ".".join(numbers) + after, NUMBERS, AFTER)


def takes(text: str, tag: str) -> bool:
    version = version_of(tag)
    return version is not None and range_of(text).takes(version)


# (range, tags it takes, tags it does not take)
RANGES = [
    (">=1.0.0", ["1.0", "v1", "20240101", "1.2.3-alpine", "01.002"], ["1.0.0-rc1", "0.9", "latest", "v", "V1", "1."]),
    ("<2.0.0", ["2.0.0-alpine3.21", "2.0.0-rc1", "0", "1.99"], ["2", "v2.0", "2.0.0.0"]),
    (">=1", ["1.2.3.4.5", "10.0.17763.2114"], ["0.9.9.9"]),
    ("=1.2.3", ["1.2.3", "v1.2.3", "1.2.3.0", "1.2.3-"], ["1.2.3-rc1", "1.2.4"]),
    ("1.2", ["1.2", "1.2.0"], ["1.2.1"]),
    ("~1", ["1.0.9", "1", "1.1.0-rc1"], ["1.1", "1.0.0-rc1"]),
    ("~1.2.3", ["1.2.3", "1.2.99"], ["1.3", "1.2.2"]),
    ("^1.2.3", ["1.2.3", "1.99", "2.0.0-rc1"], ["2", "1.2.2"]),
    ("^0.2.3", ["0.2.3", "0.2.9"], ["0.3", "0.2.2"]),
    ("^0.0.3", ["0.0.3", "0.0.4-rc1"], ["0.0.4"]),
    ("^0.0", ["0.0.0"], ["0.0.5"]),
    ("^0", ["0.0.0", "0"], ["0.0.1"]),
    ("^1", ["2.0.0-rc1"], ["1-rc1"]),
    (">=1.0.0 <2.0.0", ["1.0.0", "1.9.9"], ["2.0.0", "0.9"]),
    ("  >=1\t<2 ", ["1.5"], ["2", "0.5"]),
    (">=v1.2", ["v1.2", "1.3"], ["1.1"]),
    (">=1.2.3-rc2+build <1.2.3", ["1.2.3-rc2", "1.2.3-rc11", "1.2.3-rc-1"], ["1.2.3-rc1", "1.2.3-rc", "1.2.3"]),
    (">1-rc2", ["1-rc11", "1-rc2a", "1-rd", "1"], ["1-rc2", "1-rc02", "1-rc1", "1-10"]),
    ("<1.2.3-a", ["1.2.3-A", "1.2.3-_", "1.2.3-01"], ["1.2.3-a", "1.2.3-a1", "1.2.3-b"]),
    (">=5.0.0", ["v6-scratch", "v5.1-scratch"], ["v5-scratch", "v4-scratch"]),
    # as semver.org says; in the Go regsync these are all equal, or the other way round
    (">1-alpha", ["1-alpha.1", "1-alpha.beta", "1-beta"], ["1-alpha", "1-1"]),
    (">1.0.0-rc.1", ["1.0.0-rc.2", "1.0.0-rc.10"], ["1.0.0-rc.1"]),
    (">1.0.0-rc.2", ["1.0.0-rc.10"], ["1.0.0-rc.1", "1.0.0-rc"]),
    (">1.0.0-10", ["1.0.0-1a", "1.0.0-20240101000000000000000001"], ["1.0.0-9"]),
]


@pytest.mark.parametrize(("text", "taken", "left"), RANGES, ids=lambda one: one if isinstance(one, str) else "")
def test_a_range_takes_these_tags_and_not_those(text: str, taken: list[str], left: list[str]) -> None:
    assert [tag for tag in taken if not takes(text, tag)] == []
    assert [tag for tag in left if takes(text, tag)] == []


@pytest.mark.parametrize(
    "text",
    [
        *("1.x", ">= 1.0", "!=1", "1 || 2", "1.0,<2", "~>1.2", "*", "1 - 2", "=>1", "==1", ">", "^", "vv1", ">=V1"),
        *(">=-1", "+1", "1_0", "\u0663", ">=1\u0660", "latest", "9223372036854775808", "1..2", "1.", ">=1;<2"),
    ],
)
def test_what_is_no_range_says_which_term_and_what_was_expected(text: str) -> None:
    with pytest.raises(Malformed, match="is no term of a range; expected terms between spaces"):
        check_range(text)


@pytest.mark.parametrize("text", ["  ", "\t"])
def test_a_blank_is_no_range(text: str) -> None:
    with pytest.raises(Malformed, match="an empty range; expected"):
        check_range(text)


@pytest.mark.parametrize("text", ["", ">=1", "1-rc1", "=1 >=1", ">=1 <=1", ">0 <2", "9223372036854775807", "<0-0"])
def test_a_range_that_takes_something_needs_no_word(text: str) -> None:
    assert check_range(text) == ""


@pytest.mark.parametrize("text", [">2 <1", ">=1 <1", ">1 <=1", "=1 =2", "1.0 >1", "^2 ~1", ">=1.0.0 <1.0.0-rc1"])
def test_a_range_in_which_no_version_lies_is_told(text: str) -> None:
    assert "takes nothing" in check_range(text)


@pytest.mark.parametrize("tag", ["9223372036854775807", "009223372036854775807", "0" * 99, "1" * 9 + ".2" * 60])
def test_parts_up_to_64_bits_make_a_version(tag: str) -> None:
    assert takes(">=0", tag)


@pytest.mark.parametrize(
    "tag", ["9223372036854775808", "1.99999999999999999999", "9" * 9999, "1.2.", ".1", "\u0661", "1_0", " 1", "1\n"]
)
def test_what_is_beyond_or_has_other_digits_is_no_version(tag: str) -> None:
    assert version_of(tag) is None


@given(VERSIONS, VERSIONS)
@example("1.0.0-rc", "1.0.0-rc1")
@example("1-1", "1-a")
def test_of_two_versions_one_is_above_or_they_are_equal(one: str, other: str) -> None:
    signs = [sign for sign in "<=>" if takes(f"{sign}{one}", other)]
    assert len(signs) == 1
    back = {"<": ">", ">": "<", "=": "="}[signs[0]]
    assert takes(f"{back}{other}", one)


@given(VERSIONS, VERSIONS, VERSIONS)
def test_versions_are_in_one_order(low: str, middle: str, high: str) -> None:
    if takes(f">={low}", middle) and takes(f">={middle}", high):
        assert takes(f">={low}", high)


@given(st.text(max_size=12), VERSIONS)
def test_any_text_is_a_range_or_malformed(text: str, tag: str) -> None:
    try:
        check_range(text)
    except Malformed:
        return
    if text:
        takes(text, tag)
