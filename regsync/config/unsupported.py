"""What the Go regsync can do and this version cannot yet: refused where it would have an effect, never ignored."""

from __future__ import annotations

from typing import Final

from regsync.config.fields import Section
from regsync.config.model import Cred
from regsync.config.problems import Path, Report

_TEMPLATED: Final = ("registry", "user", "password", "regcert", "client_cert", "client_key")


def refuse_templates(cred: Cred, path: Path, report: Report) -> frozenset[str]:
    """Refuse templates in a login, and return the names of the fields that have them."""
    found = frozenset(name for name in _TEMPLATED if is_template(getattr(cred, name)))
    for name in found:
        refuse_template((*path, key_of(cred, name)), report)
    return found


def is_template(text: str) -> bool:
    """Say whether the Go regsync would expand this text."""
    return "{{" in text


def refuse_template(path: Path, report: Report) -> None:
    """Refuse a text with a template in it."""
    report.error(path, "a template ({{ }}) is not supported yet; write the text itself")


def key_of(section: Section, name: str) -> str:
    """Return the key under which this field stands in the file."""
    return type(section).model_fields[name].alias or name
