"""Whatever is written, a template is read to its end or refused, and so it runs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from regsync.errors import BadTemplate
from regsync.template.engine import Template
from tests.unit.template.surroundings import DATA, world

_WORDS = (
    "{{", "}}", "{{-", "-}}", " ", "\n", "if", "else", "end", "range", "with", "define", "template", "block", "break",
    "continue", "nil", "true", "$", "$x", ":=", "=", "|", "(", ")", ",", ".", ".Ref", ".Tag", ".Sync", "index",
    "split", "printf", "print", "eq", "and", "or", "default", "time", ".Now", ".Parse", ".Format", '"a"', "`b`", "'c'",
    "1", "-2", "1.5", "1e400", "0x", "0b2", "07", '"%[1]*.*v"', '"%d"', "/*", "*/", '"', "`", "'", "\\", "\x00", "é",
    "\ud800", "#", "len", "slice", "json", "html", "js", "urlquery", "call", "not", "join", "env", "file", "3",
    '"2006-01-02"', ".AddDate",
)  # fmt: skip
texts = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(_WORDS), max_size=24).map("".join))
actions = st.lists(st.sampled_from(_WORDS[2:]), max_size=12).map(lambda words: "{{ " + " ".join(words) + " }}")


@given(texts | actions)
def test_a_text_is_a_template_or_refused(text: str) -> None:
    place = (1, 1)
    try:
        Template.parse(text)
    except BadTemplate as error:
        place = (error.line, error.column)
    assert min(place) >= 1


@given(texts | actions | st.lists(actions, max_size=4).map("".join))
def test_a_template_makes_a_text_or_is_refused(text: str) -> None:
    try:
        made = Template.parse(text).render(DATA, world())
    except BadTemplate:
        return
    made.encode()


@given(st.text(max_size=60).filter(lambda text: "{{" not in text and text.isprintable()))
def test_a_text_without_braces_is_itself(text: str) -> None:
    assert Template.parse(text).render(None, world()) == text
