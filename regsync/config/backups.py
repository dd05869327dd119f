"""The rules for `backup`: a template that can be read; and, where nothing in it has to be expanded, a name there is."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from regsync.backups import named
from regsync.config.problems import Path, Report
from regsync.errors import BadTemplate, Malformed
from regsync.oci.reference import parse_reference
from regsync.template.engine import Template

_ANY: Final = parse_reference("registry.example/any:any")
_EXPECTED: Final = "expected a tag, or a whole reference such as registry.example/backups/app:old"


def check_backup(text: str, path: Path, report: Report) -> None:
    """Tell what is wrong with the template under `backup`; what only a run can know fails its image then."""
    if fault := _fault(text):
        report.error((*path, "backup"), fault)


@lru_cache(64)
def _fault(text: str) -> str:
    """Return what is wrong with a template; files repeat the same one in thousands of entries."""
    try:
        Template.parse(text)
        if "{{" not in text:
            named(text, _ANY)
    except BadTemplate as error:
        return str(error)
    except Malformed:
        return f"no name to keep an image under; {_EXPECTED}"
    return ""
