from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsync.errors import Malformed
from regsync.registry.login.challenge import Challenge, parse_challenges


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Basic", [("basic", {})]),
        ('Basic realm="a b"', [("basic", {"realm": "a b"})]),
        ("BASIC Realm=a/b+c~d", [("basic", {"realm": "a/b+c~d"})]),
        ('Bearer realm="https://a/t",service="s"', [("bearer", {"realm": "https://a/t", "service": "s"})]),
        ("Bearer realm=https://a:50/t?x=1,service=s", [("bearer", {"realm": "https://a:50/t?x=1", "service": "s"})]),
        ('Bearer realm = "a" ,  service= s', [("bearer", {"realm": "a", "service": "s"})]),
        ('Bearer realm="a" service="s"', [("bearer", {"realm": "a", "service": "s"})]),
        (r'Basic realm="say \"hi\" \\ \x"', [("basic", {"realm": 'say "hi" \\ x'})]),
        ('Bearer scope="repository:a/b:pull,push"', [("bearer", {"scope": "repository:a/b:pull,push"})]),
        ('Basic realm="x", Bearer a="y",b=z', [("basic", {"realm": "x"}), ("bearer", {"a": "y", "b": "z"})]),
        ('Basic realm="x" Bearer realm="y"', [("basic", {"realm": "x"}), ("bearer", {"realm": "y"})]),
        ("Negotiate, Basic realm=x", [("negotiate", {}), ("basic", {"realm": "x"})]),
        ("Negotiate YWJjZA==, Basic realm=x", [("negotiate", {}), ("basic", {"realm": "x"})]),
        (", ,Basic realm=x,,", [("basic", {"realm": "x"})]),
        ("Basic realm=first, realm=second", [("basic", {"realm": "first"})]),
        ('Basic realm=""', [("basic", {"realm": ""})]),
        ("AWS4-HMAC-SHA256 a=b", [("aws4-hmac-sha256", {"a": "b"})]),
        ("", []),
        (" \t, ", []),
    ],
)  # fmt: skip
def test_a_challenge_line_is_read(line: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    assert parse_challenges([line]) == tuple(Challenge(scheme, params) for scheme, params in expected)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Bearer realm='a b', scope='repository:a:pull,push'", {"realm": "a b", "scope": "repository:a:pull,push"}),
        ("Bearer realm='a b' service='s'", {"realm": "a b", "service": "s"}),
        ("Bearer realm=it's", {"realm": "it's"}),
        (r"Bearer realm=\"https://a/t\",service=\"s\"", {"realm": "https://a/t", "service": "s"}),
        ('Bearer realm="a"; service="s";scope=x', {"realm": "a", "service": "s", "scope": "x"}),
        ("Bearer scope=repository:a:pull,push,realm=a", {"scope": "repository:a:pull,push", "realm": "a"}),
        ('Bearer\trealm="a",\tservice\t=\t"s"', {"realm": "a", "service": "s"}),
        ('Bearer realm="https://a/t",service="s', {"realm": "https://a/t", "service": "s"}),
        ('Bearer realm="https://a/t,service=s', {"realm": "https://a/t", "service": "s"}),
        ('Bearer: realm="a", service="s"', {"realm": "a", "service": "s"}),
        ('BEARER REALM="a" , SERVICE="s",', {"realm": "a", "service": "s"}),
    ],
)
def test_an_odd_challenge_means_what_its_author_meant(line: str, expected: dict[str, str]) -> None:
    assert parse_challenges([line]) == (Challenge("bearer", expected),)


def test_what_stands_beside_a_challenge_is_no_part_of_it() -> None:
    assert parse_challenges(['Digest realm="a, b", qop="auth,auth-int", nonce=x==, Bearer realm="y"']) == (
        Challenge("digest", {"realm": "a, b", "qop": "auth,auth-int", "nonce": "x=="}),
        Challenge("bearer", {"realm": "y"}),
    )
    assert [each.scheme for each in parse_challenges(["Bearer scope=a:pull,Basic realm=b"])] == ["bearer", "basic"]
    assert [each.scheme for each in parse_challenges(["Bearer realm=a,push"])] == ["bearer", "push"]


def test_challenges_of_several_lines_come_in_their_order() -> None:
    assert [each.scheme for each in parse_challenges(["Negotiate", 'Bearer realm="a"', "Basic"])] == [
        *("negotiate", "bearer", "basic"),
    ]


@pytest.mark.parametrize(
    "line",
    ['realm="x"', 'Basic realm="x" "y"', 'Basic realm=a"b"', '"Basic"', "Basic \x00", 'Basic realm="a\r\nb"', "é"],
)
def test_garbage_is_malformed(line: str) -> None:
    with pytest.raises(Malformed):
        parse_challenges([line])


def test_a_garbage_line_does_not_hide_a_good_one() -> None:
    assert parse_challenges(['Bearer realm="x" "', "Basic realm=y"]) == (Challenge("basic", {"realm": "y"}),)


@given(st.lists(st.text(), max_size=4))
def test_no_text_raises_anything_but_malformed(lines: list[str]) -> None:
    try:
        parse_challenges(lines)
    except Malformed:
        return


@given(st.lists(st.text('Basic=", \t\\:/x', max_size=60), max_size=3))
def test_no_text_of_the_grammars_own_characters_raises_anything_but_malformed(lines: list[str]) -> None:
    try:
        parse_challenges(lines)
    except Malformed:
        return


@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.from_regex(r"[ -~]*", fullmatch=True), min_size=1)
)
def test_what_the_grammar_can_say_is_read_back(params: dict[str, str]) -> None:
    quoted = ", ".join(f'{key}="{_escape(value)}"' for key, value in params.items())
    assert parse_challenges([f"Bearer {quoted}"]) == (Challenge("bearer", params),)


def test_a_long_line_is_read_in_linear_time() -> None:
    line = "Bearer " + "a " * 30_000 + 'b="' + "\\" * 30_000 + " " * 30_000 + "=" * 30_000
    with pytest.raises(Malformed):
        parse_challenges([line])
    assert parse_challenges(["Bearer scope=" + "a," * 30_000 + ",pull" * 30_000])


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
