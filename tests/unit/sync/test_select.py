from __future__ import annotations

import pytest

from regsync.sync.select import EVERYTHING, Filter, Selection

TAGS = ["a", "ab", "b", "xb", "v1", "v1.2", "latest"]
ALPINE = ["v0.9.0-alpine3.19", "v1.2.3-alpine3.21", "v1.5.0-alpine3.20", "v2.0.0-alpine3.21", "v3.0.0-alpine", "latest"]
TWO_MAJORS = ["v1", "v1.5", "v1.5.0", "v2", "v2.0", "v2.0.0"]


def test_no_filter_chooses_everything_in_order() -> None:
    assert EVERYTHING.choose(TAGS) == TAGS


def test_a_pattern_matches_whole_names_alternatives_included() -> None:
    assert Filter(allow=("a|b",)).choose(TAGS) == ["a", "b"]


def test_deny_takes_away_from_what_allow_gave() -> None:
    assert Filter(allow=("v.*",), deny=(r"v\d+",)).choose(TAGS) == ["v1.2"]


def test_deny_alone_takes_away_from_everything() -> None:
    assert Filter(deny=(".*b",)).choose(TAGS) == ["a", "v1", "v1.2", "latest"]


def test_sets_are_united_in_their_order_and_each_name_comes_once() -> None:
    selection = Selection((Filter(allow=("latest",)), Filter(allow=("v.*", "latest"))))
    assert selection.choose(TAGS) == ["latest", "v1", "v1.2"]


def test_an_empty_set_lets_everything_pass() -> None:
    assert Selection((Filter(),)).choose(TAGS) == TAGS


@pytest.mark.parametrize(
    ("ranges", "tags", "chosen"),
    [
        ([">=1.0.0 <2.0.0"], ALPINE, ["v1.2.3-alpine3.21", "v1.5.0-alpine3.20", "v2.0.0-alpine3.21"]),
        ([">=1.0.0 <3.0.0"], ["v3.0.0-alpine", "v3.0.0"], ["v3.0.0-alpine"]),
        ([">=5.0.0"], ["v5-scratch", "v4-scratch", "v6-scratch", "v5.1-scratch"], ["v6-scratch", "v5.1-scratch"]),
        ([">=2 <5"], ["v1", "v2", "v3", "v4", "v5"], ["v2", "v3", "v4"]),
        ([">=1.5 <2.0"], ["v1.4", "v1.5", "v1.6", "v1.9", "v2.0"], ["v1.5", "v1.6", "v1.9"]),
        ([">=1.0.0 <3.0.0"], [*TWO_MAJORS, "v3"], TWO_MAJORS),
        (["^1", "3.1"], ["3.1", "2.0", "1.4", "latest", "1.9"], ["3.1", "1.4", "1.9"]),
        (["^9"], ALPINE, []),
        ([], ALPINE, ALPINE),
    ],
)
def test_ranges_are_alternatives_that_keep_the_order_and_drop_what_is_no_version(
    ranges: list[str], tags: list[str], chosen: list[str]
) -> None:
    assert Filter(ranges=tuple(ranges)).choose(tags) == chosen


@pytest.mark.parametrize(
    ("allow", "deny", "chosen"),
    [
        (("latest",), (), []),
        (("v.*",), (), ["v1.1", "v1.2.0-rc1"]),
        ((), (".*-rc.*",), ["v1.1", "1.3"]),
        (("v.*", "latest"), (".*-rc.*",), ["v1.1"]),
    ],
)
def test_versions_come_first_then_allow_then_deny(
    allow: tuple[str, ...], deny: tuple[str, ...], chosen: list[str]
) -> None:
    tags = ["latest", "v1.1", "v1.2.0-rc1", "1.3", "v2"]
    assert Filter(allow, deny, (">=1 <2",)).choose(tags) == chosen


def test_a_range_in_one_set_binds_no_other() -> None:
    selection = Selection((Filter(ranges=("^1",)), Filter(allow=("latest",))))
    assert selection.choose(["latest", "0.9", "1.2"]) == ["1.2", "latest"]


def test_a_long_list_is_gone_through_in_batches_that_make_up_the_choice() -> None:
    names = [f"v{number}" for number in range(25_000)]
    selection = Selection((Filter(ranges=(">=20000",)), Filter(allow=("v1.*",))))
    batches = [*selection.batches(names)]
    assert len(batches) > 20
    assert [*dict.fromkeys(name for batch in batches for name in batch)] == selection.choose(names)


def test_a_choice_is_put_into_words() -> None:
    chosen = Selection((Filter(("v.*",), (".*-rc",), ("^1", "~2.1")), Filter(deny=("x",))))
    assert str(chosen) == "semver ^1 or ~2.1; allow v.*; deny .*-rc | allow everything; deny x"
