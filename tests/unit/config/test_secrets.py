"""Whatever is wrong with a file, nothing is quoted from where a secret may stand."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsync.config.model import ApiOptions, Cred, Defaults, SyncStep
from regsync.errors import ConfigError
from tests.unit.config.loading import STEP, loaded

CANARY: Final = "hunter2"
DIGITS: Final = "0477477"  # read as an octal number, so a text of it is not what was written
WRONG: Final = (
    CANARY, DIGITS, f"[{CANARY}]", f"{{{CANARY}: {CANARY}}}", f"{{a: {CANARY}, a: {CANARY}}}", f"[[{CANARY}]]",
    f'"{CANARY}\\q"', f'"{CANARY}', f"'{CANARY}", f"*{CANARY}", f"!{CANARY} {CANARY}", f"!a!{CANARY} b",
    f"&{CANARY} x y: z", f"@{CANARY}", f"%{CANARY}", f"`{CANARY}", f"'{{{{env {CANARY}}}}}'", f"'{{{{.{CANARY}}}}}'",
    f"'{{{{upper \"{CANARY}\" 1}}}}'", f"{{{{{CANARY}}}}}",
    f"'{CANARY} \\n'", f"1.{DIGITS}", f"|{CANARY}", f"{CANARY}: {CANARY}", f"u:{CANARY}@a.example",
    f"https://u:{CANARY}@a.example/v2", f"-{DIGITS}h", f"{DIGITS}{CANARY}", f'"\\x1b{CANARY}"',
    f"-----BEGIN {CANARY}-----", f'"-----BEGIN A-----\\n{CANARY}\\n-----END A-----"',
)  # fmt: skip

# Under these keys of `defaults` and `sync` no secret has a place, so a wrong value is quoted.
_HARMLESS: Final = """
source target type interval schedule ratelimit tags tagSets repos mediaTypes parallel blobLimit cacheCount cacheTime
jitter digestTags referrers referrerFilters referrerSlow fastCheck fastCopy forceRecursive includeExternal
skipDockerConfig skipInvalidEntries state
platform platforms hooks userAgent name backup referrerSource referrerTarget
"""
HARMLESS: Final = frozenset(_HARMLESS.split())


def told(text: str) -> str:
    """Everything that is said about a file."""
    try:
        return "\n".join(loaded(text).warnings)
    except ConfigError as error:
        return "\n".join(error.problems)


def leaked(text: str) -> list[str]:
    return [word for word in (CANARY, DIGITS.lstrip("0"), str(int(DIGITS, 8))) if word in told(text)]


def keys(*models: type[Cred | ApiOptions | Defaults | SyncStep]) -> list[str]:
    return sorted({field.alias or name for model in models for name, field in model.model_fields.items()})


@pytest.mark.parametrize("key", [*keys(Cred), "password", "Token"])
@pytest.mark.parametrize("value", WRONG)
def test_no_value_of_a_login_is_ever_quoted(key: str, value: str) -> None:
    if key == "apiOpts" and f"{CANARY}: " in value:  # keys are shown
        return
    other = "" if key == "registry" else "    registry: a.example\n"
    assert leaked(f"creds:\n  - user: ann\n{other}    {key}: {value}\n    api: v2\n") == []


@pytest.mark.parametrize("value", WRONG)
def test_no_option_of_a_login_is_ever_quoted(value: str) -> None:
    assert leaked(f"creds:\n  - registry: a.example\n    apiOpts: {{disableHead: {value}}}\n") == []
    assert leaked(f"creds:\n  - registry: a.example\n    mirrors: [{value}]\n") == []


@pytest.mark.parametrize("value", WRONG)
def test_a_value_that_stands_where_none_belongs_is_not_quoted(value: str) -> None:
    for text in (
        f"{value}\n",
        f"pass: {value}\n",
        f"creds: {value}\n",
        f"creds:\n  - {value}\n",
        f"token: {value}\nsync: []",
    ):
        if not (text.startswith((CANARY, "{")) or f"- {CANARY}: " in text or f"- {{{CANARY}" in text):  # keys are shown
            assert leaked(text) == []


@pytest.mark.parametrize("key", sorted({*keys(Defaults), "pass", "token"} - HARMLESS))
@pytest.mark.parametrize("value", WRONG)
def test_what_is_wrong_in_the_defaults_is_not_quoted_where_a_secret_may_stand(key: str, value: str) -> None:
    assert leaked(f"defaults:\n  {key}: {value}\n") == []


@pytest.mark.parametrize("key", sorted({*keys(SyncStep), "pass", "token"} - HARMLESS))
@pytest.mark.parametrize("value", WRONG)
def test_what_is_wrong_in_an_entry_is_not_quoted_where_a_secret_may_stand(key: str, value: str) -> None:
    assert leaked(f"{STEP}    {key}: {value}\n") == []


LOGINS = (
    f"u:{CANARY}@a.example", f"u:{CANARY}@a.example/x", f"u:{CANARY}@a.example/x:1", f"https://u:{CANARY}@a.example/x",
    f"u:{CANARY}@a.example:5000", f"{CANARY}@a.example/x@sha256:{'0' * 64}", f"a.example/u:{CANARY}@b", f"ocidir://u:{CANARY}@x",
    f"u:p@{CANARY}@a.example/x", f"u:{CANARY}@localhost", f"u:{CANARY}@[::1]:5000/x", f"a@{CANARY}/x", f"u:{CANARY}@",
)  # fmt: skip


@pytest.mark.parametrize("kind", ["image", "repository", "registry"])
@pytest.mark.parametrize("login", LOGINS)
def test_a_login_inside_a_reference_is_not_quoted(login: str, kind: str) -> None:
    for pair in (f"source: '{login}', target: b.example/x", f"source: b.example, target: '{login}'"):
        assert leaked(f"sync: [{{{pair}, type: {kind}}}]\n") == []
    assert told(f"sync: [{{source: '{login}', target: b.example/x, type: {kind}}}]\n")
    for key in ("referrerSource", "referrerTarget"):
        assert leaked(f"defaults: {{{key}: '{login}'}}\n") == []
        assert leaked(f"{STEP}    {key}: '{login}'\n") == []


@given(st.text(alphabet="u:/@.-a1[]", max_size=12), st.text(alphabet="u:/@.-a1[]", max_size=12))
def test_nothing_before_an_at_is_quoted_unless_a_digest_is_behind_it(before: str, behind: str) -> None:
    for kind in ("image", "repository", "registry"):
        text = f"{before}{CANARY}@{behind}"
        assert leaked(f"sync: [{{source: '{text}', target: b.example/x, type: {kind}}}]\n") == []


@pytest.mark.parametrize("key", [f"pass:{CANARY}", f"pass={CANARY}", f"u:{CANARY}@a.example", f"pass {CANARY}"])
def test_of_an_unknown_key_only_the_name_is_shown(key: str) -> None:
    text = f"creds:\n  - registry: a.example\n    '{key}': x\n    '{key}': y\n"
    assert leaked(text) == []
    assert "unknown key" in told(text)
