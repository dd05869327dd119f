"""The token of the daemon: where it comes from, what is refused as one, and that nobody ever sees it."""

from __future__ import annotations

import pytest

from regsync.config.dump import dump_config
from regsync.errors import ConfigError
from regsync.loading import keep_other_secrets
from regsync.secrets import Secrets
from tests.unit.config.loading import loaded

TOKEN = "0123456789abcdef"
LONG_ENOUGH = "server.token: too short; expected 16 characters or more, as `openssl rand -hex 32` prints"
FIT = "server.token: expected letters, digits and -._~+/= only, as `openssl rand -hex 32` prints"


def said(token: str) -> str:
    return f"server: {{token: '{token}'}}\n"


@pytest.mark.parametrize("token", [TOKEN, "{{ env `TOKEN` }}", "{{ env `TOKEN` }}~._-+/=", ""])
def test_it_may_be_written_there_or_come_from_elsewhere(token: str) -> None:
    secrets: list[str] = []
    server = loaded(said(token), environ={"TOKEN": TOKEN}, kept=secrets).config.server
    assert server.token == token.replace("{{ env `TOKEN` }}", TOKEN)
    assert TOKEN not in repr(server)
    assert ("{{" in token) == (TOKEN in secrets)


@pytest.mark.parametrize(
    ("token", "problem"),
    [
        (TOKEN[1:], LONG_ENOUGH),
        ("{{ slice (env `TOKEN`) 1 }}", LONG_ENOUGH),
        ("0123456789 abcdef", FIT),
        ("0123456789äabcdef", FIT),
        ("***", "server.token: *** stands for a secret that was not printed; write the secret itself"),
        ("{{ env `NONE` }}", "server.token: the template comes to nothing (NONE is not set); expected a text"),
        (
            "{{ file `/none` }}",
            "server.token: template, line 1, column 4: the file cannot be read (no such file or directory): /none",
        ),
    ],
)
def test_what_cannot_be_one_is_refused_in_one_line_that_does_not_say_it(token: str, problem: str) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(said(token), environ={"TOKEN": TOKEN})
    assert [line.partition(": ")[2] for line in refused.value.problems] == [problem]


def test_it_is_printed_only_when_secrets_are_asked_for() -> None:
    config = loaded(said(TOKEN)).config
    hidden = dump_config(config, show_secrets=False)
    assert "server:\n  token: '***'\n" in hidden
    assert hidden.startswith("# *** stands for a secret.")
    shown = dump_config(config, show_secrets=True)
    assert loaded(shown).config.server == config.server


def test_it_is_found_in_whatever_is_said() -> None:
    secrets = Secrets()
    keep_other_secrets(loaded(said(TOKEN)).config, secrets)
    assert TOKEN not in secrets.clean(f"Authorization: Bearer {TOKEN}")
