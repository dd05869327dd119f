"""Variables that are not set: who hears of them, and who need not."""

from __future__ import annotations

import pytest

from tests.unit.template.surroundings import rendered


def unset(text: str, **env: str) -> list[str]:
    missing: list[str] = []
    rendered(text, env=env, unset=missing)
    return missing


@pytest.mark.parametrize(
    "text",
    ['{{ env "A" }}', '{{ env "A" | upper }}', '{{ upper (env "A") }}', '{{ $a := env "A" }}{{ $a }}',
     '{{ "A" | env }}', '{{ if true }}{{ env "A" }}{{ end }}', '{{ with "A" }}{{ env . }}{{ end }}',
     '{{ print (env "A") "b" }}'],
)  # fmt: skip
def test_a_variable_that_is_not_set_is_told(text: str) -> None:
    assert unset(text) == ["A"]
    assert unset(text, A="") == []


@pytest.mark.parametrize(
    "text",
    ['{{ env "A" | default "b" }}', '{{ default "b" (env "A") }}', '{{ env "A" | upper | default "b" }}',
     '{{ default "b" (env "A" | upper) }}', '{{ or (env "A") "b" }}', '{{ if env "A" }}{{ end }}',
     '{{ with env "A" }}{{ end }}', '{{ if eq (env "A") "b" }}{{ end }}', '{{ if not (env "A") }}{{ end }}',
     '{{ env "A" | or "b" }}', '{{ if false }}{{ env "A" }}{{ end }}'],
)  # fmt: skip
def test_a_variable_for_which_something_stands_in_is_not(text: str) -> None:
    assert unset(text) == []


def test_it_is_told_where_something_stands_in_for_another_one() -> None:
    assert unset('{{ env "A" | default "b" }}{{ env "B" }}{{ if env "C" }}{{ else }}{{ env "D" }}{{ end }}') == [
        "B",
        "D",
    ]


def test_what_is_set_is_used() -> None:
    assert rendered('{{ env "A" | default "b" }}', env={"A": "x"}) == "x"
    assert rendered('{{ env "A" | default "b" }}') == "b"
