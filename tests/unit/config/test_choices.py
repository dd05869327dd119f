"""What a file says of which tags and repositories to take."""

from __future__ import annotations

from tests.unit.config.loading import STEP, problems_of, warnings_of


def test_a_range_that_cannot_be_read_is_refused_where_it_stands() -> None:
    text = f"{STEP}    tags:\n      semverRange: ['>=1', '1.x']\n    tagSets: [{{semverRange: ['>= 2']}}]\n"
    first, second = problems_of(text)
    assert first.startswith(
        '6:28: sync[0].tags.semverRange[1]: "1.x": "1.x" is no term of a range; expected terms betw'
    )
    assert second.startswith('7:30: sync[0].tagSets[0].semverRange[0]: ">= 2": ">=" is no term of a range; expected')


def test_a_blank_range_is_refused_and_an_empty_one_is_none() -> None:
    (problem,) = problems_of(f"{STEP}    tags: {{semverRange: ['', '  ']}}\n")
    assert problem.startswith('5:30: sync[0].tags.semverRange[1]: "  ": an empty range; expected')
    assert warnings_of(f"{STEP}    tags: {{semverRange: ['']}}\n") == []


def test_a_range_nothing_lies_in_is_warned_of() -> None:
    (warning,) = warnings_of(f"{STEP}    tags: {{semverRange: ['>2 <1']}}\n")
    assert warning.startswith('5:26: sync[0].tags.semverRange[0]: ">2 <1": no version lies within this range')


def test_a_pattern_that_is_read_otherwise_is_told_where_it_stands_first_with_what_to_write() -> None:
    tags = "tags: {allow: ['*-windows', 'a|b', '(a|b)'], deny: ['a|b', '*-windows']}"
    text = f"{STEP}    {tags}\n    repos: {{deny: ['*']}}\n"
    ending, outer, *others = warnings_of(text)
    assert ending == (
        '5:20: sync[0].tags.allow[0]: "*-windows": the pattern begins with a quantifier and is read as ".*-windows"; '
        "write that"
    )
    assert outer.startswith('5:33: sync[0].tags.allow[1]: "a|b": the pattern takes whole names only')
    assert [warning.partition(": ")[0] for warning in others] == ["6:12", "6:20"]
