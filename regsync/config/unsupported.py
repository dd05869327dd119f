"""What the Go regsync can do and this version cannot yet: refused where it would have an effect, never ignored."""

from __future__ import annotations

from typing import Final

from regsync.config.fields import Section
from regsync.config.model import Cred, Inherited
from regsync.config.problems import Path, Report

_LATER: Final = frozenset(
    {
        "include_external",
    }
)
_TEMPLATED: Final = ("registry", "user", "password", "regcert", "client_cert", "client_key")
_NOT_YET: Final = "is not supported yet; remove it, or stay with the Go regsync for this file"


def refuse_later_keys(section: Section, path: Path, report: Report) -> None:
    """Refuse the keys of this mapping whose behaviour is not built yet, if they are set to anything that matters."""
    for name in section.model_fields_set & _LATER:
        if getattr(section, name):
            _refuse(report, (*path, key_of(section, name)), key_of(section, name))


def refuse_later_settings(section: Inherited, path: Path, report: Report) -> None:
    """Refuse what is not built yet among the keys that `defaults` and the items of `sync` share."""
    refuse_later_keys(section, path, report)


def refuse_templates(cred: Cred, path: Path, report: Report) -> frozenset[str]:
    """Refuse templates in a login, and return the names of the fields that have them."""
    found = frozenset(name for name in _TEMPLATED if is_template(getattr(cred, name)))
    for name in found:
        refuse_template((*path, key_of(cred, name)), report)
    return found


def refuse_schema1(path: Path, report: Report) -> None:
    """Refuse a media type of Docker's schema 1 among those to copy: every such image would fail."""
    report.error(path, "schema 1 is not copied yet; convert such images, or remove it from mediaTypes")


def is_template(text: str) -> bool:
    """Say whether the Go regsync would expand this text."""
    return "{{" in text


def refuse_template(path: Path, report: Report) -> None:
    """Refuse a text with a template in it."""
    report.error(path, "a template ({{ }}) is not supported yet; write the text itself")


def key_of(section: Section, name: str) -> str:
    """Return the key under which this field stands in the file."""
    return type(section).model_fields[name].alias or name


def _refuse(report: Report, path: Path, key: str) -> None:
    report.error(path, f"{key} {_NOT_YET}")
