"""What other engines, and hasty readers of Go's documentation, get wrong."""

from __future__ import annotations

import pytest

from tests.unit.template.surroundings import refusal, rendered

_DOCUMENTED = (
    '{{$t := time.Now}}{{printf "%s/backups/%s:%s-%d%d%d" .Ref.Registry .Ref.Repository .Ref.Tag '
    "$t.Year $t.Month $t.Day}}"
)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ('{{ default "x" 0 }}{{ default "x" false }}{{ default "x" "" }}{{ default "x" 0.0 }}', "xxxx"),
        ('{{ default "x" 7 }} {{ default "x" true }} {{ default "x" "y" }}', "7 true y"),
        ('{{ default "x" .Sync.Interval }}', "1h30m0s"),
    ],
)
def test_default_stands_in_for_the_zero_of_whatever_type_it_is_given(text: str, made: str) -> None:
    assert rendered(text) == made


def test_default_refuses_lists_and_maps() -> None:
    assert "cannot be compared" in refusal('{{ default "x" .Sync.Tags.Allow }}')
    assert "cannot be compared" in refusal('{{ default "x" (index .Sync.ReferrerFilters 0).Annotations }}')


def test_json_ends_with_a_line_and_escapes_line_separators_and_no_html() -> None:
    assert rendered('{{ json "<&>\\u2028\\u2029" }}') == '"<&>\\u2028\\u2029"\n'


def test_the_keys_of_a_map_are_sorted_wherever_they_are_shown() -> None:
    annotations = "(index .Sync.ReferrerFilters 0).Annotations"
    assert rendered(f"{{{{ {annotations} }}}}") == "map[a:1 b:2]"
    assert rendered(f"{{{{ json {annotations} }}}}") == '{"a":"1","b":"2"}\n'
    assert rendered(f"{{{{ range $k, $_ := {annotations} }}}}{{{{ $k }}}}{{{{ end }}}}") == "ab"


def test_a_key_that_a_map_lacks_is_no_value_and_empty_to_index() -> None:
    annotations = "(index .Sync.ReferrerFilters 0).Annotations"
    assert rendered(f"{{{{ {annotations}.missing }}}}") == "<no value>"
    assert rendered(f'{{{{ index {annotations} "missing" }}}}') == ""


@pytest.mark.parametrize("field", [".Ref.Nope", ".Sync.Nope", ".Nope", ".Ref.tag", ".Sync.source", ".Sync.Tags.allow"])
def test_a_field_that_a_struct_lacks_is_an_error(field: str) -> None:
    assert "no such field" in refusal(f"bkup-{{{{ {field} }}}}")


def test_the_field_that_was_probably_meant_is_named() -> None:
    assert refusal("{{ .Ref.Tga }}").endswith('no such field in ref.Ref: "Tga"; did you mean "Tag"?')
    assert refusal("{{ .Ref.tag }}").endswith('did you mean "Tag"?')


def test_numbers_of_two_types_cannot_be_compared() -> None:
    assert "cannot be compared" in refusal("{{ eq 1 1.0 }}")


def test_numbers_are_written_as_go_writes_them() -> None:
    assert rendered("{{ 3.0 }} {{ 123456789.0 }} {{ 100000.0 }} {{ 1000000.0 }}") == "3 1.23456789e+08 100000 1e+06"


def test_a_letter_without_an_upper_case_of_one_letter_stays() -> None:
    assert rendered('{{ upper "ß" }}{{ upper "aé" }}') == "ßAÉ"


def test_a_pipe_with_nothing_behind_it_is_accepted() -> None:
    assert rendered('{{ "a" | upper | }}') == "A"


def test_an_offset_is_shown_twice_where_its_zone_has_no_name() -> None:
    text = '{{ time.Parse "2006-01-02T15:04:05Z07:00" "2024-03-04T05:06:07+02:00" }}'
    assert rendered(text) == "2024-03-04 05:06:07 +0200 +0200"


def test_a_file_is_trimmed() -> None:
    assert rendered('{{ file "/a" }}|', files={"/a": " \n secret \r\n\t"}) == "secret|"


def test_a_file_that_cannot_be_read_is_an_error() -> None:
    assert refusal('{{ file "/a" }}') == "template, line 1, column 4: cannot be read: /a"


@pytest.mark.parametrize(
    "name", ["__class__", "__init__", "kind", "of", "fields", "registry", "repository", "with_tag", "upper", "_replace"]
)
@pytest.mark.parametrize(
    "of", [".Ref", ".Sync", ".", '("a" | upper)', ".Sync.Tags", "time", "time.Now", ".Sync.Interval"]
)
def test_no_attribute_of_python_is_a_field(of: str, name: str) -> None:
    dot = "" if of == "." else of
    assert refusal(f"{{{{ {dot}.{name} }}}}")


def test_a_pointer_is_true_whatever_it_points_to() -> None:
    assert rendered("{{ .Sync.DigestTags }} {{ if .Sync.DigestTags }}yes{{ end }}") == "false yes"


def test_texts_are_counted_and_cut_in_bytes() -> None:
    assert rendered('{{ len "é" }} {{ index "é" 0 }} {{ slice "héllo" 3 }}') == "2 195 llo"


def test_what_is_no_text_in_the_end_is_an_error() -> None:
    assert refusal('{{ slice "é" 0 1 }}') == "template: what comes out is not UTF-8"


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("bkup-{{.Ref.Tag}}", "bkup-v1.2-alpine"),
        (_DOCUMENTED, "registry.example:5000/backups/hub/static:v1.2-alpine-202434"),
        ('{{ time.Now.Format "2006-01-02" }}', "2024-03-04"),
        ('{{ time.Now.Format "20060102-150405.000 Monday" }}', "20240304-050607.000 Monday"),
        ('{{ $t := time.Now }}{{ printf "%d%02d" $t.Year $t.Month }} {{ $t.Month }}', "202403 March"),
        ("{{ time.Now }}", "2024-03-04 05:06:07 +0000 UTC"),
    ],
)
def test_the_time_is_the_one_of_the_world(text: str, made: str) -> None:
    assert rendered(text) == made
