"""What templates under `creds` learn is secret, wherever it is said; what they name is not."""

from __future__ import annotations

from contextlib import suppress

import pytest

from regsync.config.dump import dump_config
from regsync.errors import ConfigError
from regsync.secrets import CENSORED, Secrets
from tests.unit.config.loading import loaded, problems_of

_ENVIRON = {"PW": "hunter2", "LOGIN": "ann:hunter2:rest", "REG": "reg.example", "ANN": "ann"}


def kept(lines: str) -> set[str]:
    """What is noted as secret for a login that says this."""
    secrets: list[str] = []
    with suppress(ConfigError):
        loaded(f"creds:\n  - registry: a.example\n    {lines}\n", environ=_ENVIRON, kept=secrets)
    return set(secrets)


@pytest.mark.parametrize(
    ("line", "secrets"),
    [
        ("pass: '{{ env `PW` }}'", {"hunter2"}),
        ("token: 'x{{ env `PW` }}'", {"hunter2", "xhunter2"}),
        ("pass: '{{ upper (env `PW`) }}'", {"hunter2", "HUNTER2"}),
        ("pass: '{{ index (split (env `LOGIN`) `:`) 1 }}'", {"hunter2", "ann:hunter2:rest"}),
        ("user: '{{ index (split (env `LOGIN`) `:`) 0 }}'", {"ann:hunter2:rest"}),
        ("user: '{{ env `ANN` }}'", set()),
        ("hostname: '{{ env `REG` }}:5000'", set()),
        ("hostname: '{{ if env `PW` }}b.example{{ end }}'", {"hunter2"}),
        ("pass: '{{ env `PW` | nope }}'", set()),
        ("pass: '{{ index (split (env `PW`) `x`) 7 }}'", {"hunter2"}),
        ("user: '{{ index (split (env `PW`) `x`) 7 }}'", {"hunter2"}),
    ],
)
def test_what_a_secret_is_made_of_is_secret_and_what_is_shown_anyway_is_not(line: str, secrets: set[str]) -> None:
    assert kept(line) == secrets


@pytest.mark.parametrize(
    "template",
    ["{{ hunter2 }}", "{{ .hunter2 }}", "{{ upper `hunter2` 1 }}", "{{ `hunter2", "{{ file (print `hunt` `er2`) }}",
     "{{ time.Parse `2006` `hunter2` }}", "{{ file (env `PW`) }}", "{{ len (env (env `PW`)) | nope }}",
     "{{ env (env `PW`) }}", "{{ index (split (env `PW`) ``) 99 }}", "{{ hunter2"],
)  # fmt: skip
@pytest.mark.parametrize("key", ["user", "pass", "token", "registry", "hostname", "regcert", "clientKey", "credHelper"])
def test_of_a_template_in_a_login_nothing_is_quoted(key: str, template: str) -> None:
    text = f'creds: [{{registry: a.example, {key}: "{template}"}}]\n'.replace(
        "registry: a.example, registry", "registry"
    )
    try:
        said = " ".join(loaded(text, environ=_ENVIRON).warnings)
    except ConfigError as error:
        said = str(error)
    assert "hunter2" not in said
    assert said


def test_the_names_of_variables_and_files_are_told() -> None:
    text = "creds: [{registry: a.example, user: '{{ env `A_NAME` }}', pass: '{{ file `/a/name` }}'}]\n"
    user, password = problems_of(text)
    assert "A_NAME is not set" in user
    assert password.endswith(": /a/name")


def test_a_secret_that_an_entry_is_made_of_is_not_printed() -> None:
    secrets = Secrets()
    text = (
        "creds: [{registry: a.example, pass: '{{ env `PW` }}'}]\n"
        "sync: [{source: 'a.example/{{ env `PW` }}', target: b.example/hunter2x, type: repository}]\n"
    )
    noted: list[str] = []
    found = loaded(text, environ=_ENVIRON, kept=noted)
    for secret in noted:
        secrets.keep(secret)
    shown = dump_config(found.config, show_secrets=False, made=found.made, clean=secrets.clean)
    assert f"source: a.example/{CENSORED}" in shown
    assert "target: b.example/hunter2x" in shown  # which says so itself
    assert "a.example/hunter2" in dump_config(found.config, show_secrets=True, made=found.made, clean=secrets.clean)
