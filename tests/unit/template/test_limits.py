"""A template that never ends, or grows without bound, is stopped."""

from __future__ import annotations

import pytest

from regsync.template.values import LARGEST
from tests.unit.template.surroundings import refusal, rendered

_LARGE = f"{{{{ $x := printf `%{LARGEST}d` 1 }}}}"
_TWICE = "{{ $x := `0123456789abcdef` }}{{ range 40 }}{{ $x = print $x $x }}{{ end }}"


@pytest.mark.parametrize(
    "text",
    ["{{ range 1000000000 }}{{ end }}", "{{ range 1000 }}{{ range 1000 }}a{{ end }}{{ end }}",
     "{{ range 1000000000 }}{{ continue }}{{ end }}", "{{ range 900 }}{{ range 900 }}{{ end }}{{ end }}"],
)  # fmt: skip
def test_a_template_that_goes_on_is_stopped(text: str) -> None:
    assert "not at its end after 100000 steps" in refusal(text)


@pytest.mark.parametrize(
    "text",
    ["{{ define `r` }}{{ template `r` . }}{{ end }}{{ template `r` . }}",
     "{{ block `b` . }}{{ template `b` . }}{{ end }}",
     "{{ define `r` }}{{ if true }}{{ with 1 }}{{ template `r` . }}{{ end }}{{ end }}{{ end }}{{ template `r` . }}"],
)  # fmt: skip
def test_a_template_that_uses_itself_is_stopped(text: str) -> None:
    assert "nested deeper than 100 levels" in refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        _TWICE,
        "{{ range 9000 }}{{ printf `%1000d` 1 }}{{ end }}",
        "{{ printf `%99999999d` 1 }}",
        f"{_LARGE}{{{{ $x }}}}a",
        f"{_LARGE}{{{{ join (split `abc` ``) $x }}}}",
        f"{_LARGE}{{{{ printf `%q%q` $x $x }}}}",
        f"{_LARGE}{{{{ print $x $x }}}}",
        f"{_LARGE}{{{{ split $x `` }}}}",
        f"{_LARGE}{{{{ range 90 }}}}{{{{ html $x }}}}{{{{ urlquery $x }}}}{{{{ end }}}}",
        "{{ $x := split (printf `%99999d` 1) `` }}{{ json $x }}{{ json $x }}{{ jsonPretty $x }}",
    ],
)
def test_a_template_that_grows_is_stopped(text: str) -> None:
    assert any(said in refusal(text) for said in ("more than", "not at its end"))


@pytest.mark.parametrize("deep", [41, 500, 6000])
def test_a_template_that_is_nested_without_end_is_refused(deep: int) -> None:
    for text in (
        "{{ " + "(" * deep + "1" + ")" * deep + " }}",
        "{{ " + "(print " * deep + "1" + ")" * deep + " }}",
        "{{ if 1 }}" * deep + "{{ end }}" * deep,
        "{{ if 1 }}" + "{{ else if 1 }}" * deep + "{{ end }}",
    ):
        assert "nested deeper than 40 levels" in refusal(text)


def test_a_text_that_is_too_long_is_not_looked_at() -> None:
    assert "longer than 262144 characters" in refusal("{{ 1 }}" * 40_000)


def test_what_people_write_is_far_from_the_limits() -> None:
    assert rendered("{{ range 200 }}{{ if . }}{{ . | printf `%d,` }}{{ end }}{{ end }}").endswith("199,")
    chain = "{{ if 0 }}" + "{{ else if 0 }}" * 20 + "{{ else }}x{{ end }}"
    assert rendered(chain) == "x"
