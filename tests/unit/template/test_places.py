"""Where a template is wrong, and what is said of it."""

from __future__ import annotations

import pytest

from regsync.errors import BadTemplate
from tests.unit.template.surroundings import refusal, rendered


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ xyz }}", 'line 1, column 4: no such function: "xyz"'),
        ('a{{ splt "a" }}', 'line 1, column 5: no such function: "splt"; did you mean "split"?'),
        ("a\n  {{ $x }}", "line 2, column 6: no such variable: $x"),
        ("{{ .A", "line 1, column 1: }} is missing"),
        ('{{ "a }}', "line 1, column 4: a text in quotes does not end"),
        ("{{ if true }}x", "line 1, column 15: the text ends; expected {{ end }}"),
        ("{{ }}", "line 1, column 4: a value is missing"),
        ("{{ end }}", "line 1, column 4: end without a block that it belongs to"),
        ("{{ break }}", "line 1, column 4: break outside range"),
        ("{{ .Ref.Tag | 1 }}", "line 1, column 15: what stands behind | must be a function"),
        ("{{ (1 }}", "line 1, column 7: not expected here: }}"),
        ('{{ 1 "a" }}', "line 1, column 4: arguments for what is no function"),
        ("{{ upper }}", "line 1, column 4: upper wants 1 argument, gets 0"),
        ("{{ upper 3 }}", "line 1, column 10: string is wanted here, not a number"),
        ("{{ upper .Sync.Tags }}", "line 1, column 10: string is wanted here, not main.TagAllowDeny"),
        ("{{ index .Sync.Tags.Allow 7 }}", "line 1, column 4: index: out of range: 7 of 2"),
        ('{{ template "x" }}', 'line 1, column 4: no such template: "x"'),
        ("{{ .Ref.Tag.Nope }}", 'line 1, column 4: no such field in string: "Nope"'),
        ('{{ "\\q" }}', "line 1, column 4: not an escape that Go knows"),
        ("{{/* a", "line 1, column 3: a comment must end with */}}"),
        ("{{ 1 # }}", "line 1, column 6: a character that does not belong there: '#'"),
        ('{{ time.Parse "2006" "x" }}', "line 1, column 4: time.Parse: the text is not a time in this layout"),
        ("{{ time.Now.ISOWeek }}", "line 1, column 4: ISOWeek gives several values, which a template cannot take"),
    ],
)
def test_the_place_is_named(text: str, said: str) -> None:
    assert refusal(text) == f"template, {said}"


@pytest.mark.parametrize(
    "text",
    ["{{ hunter2 }}", "{{ .hunter2 }}", "{{ $hunter2 }}", '{{ "hunter2', '{{ template "hunter2" }}', "{{ hunter2",
     '{{ upper "hunter2" 1 }}', '{{ index (split "hunter2" "") 99 }}', '{{ "hunter2" "hunter2" }}', "{{ 1hunter2 }}",
     '{{ time.Parse "2006" "hunter2" }}', "{{ .Ref.hunter2 }}", "{{ len 1 | hunter2 }}", "{{ hunter2'x }}",
     '{{ printf "%d" "hunter2" | index "hunter2" }}', '{{ "\\hunter2" }}', "{{ 'hunter2' }}",
     '{{ join "hunter2" "a" }}'],
)  # fmt: skip
def test_what_is_said_without_being_shown_quotes_nothing(text: str) -> None:
    with pytest.raises(BadTemplate) as caught:
        rendered(text)
    assert "hunter2" not in caught.value.what
