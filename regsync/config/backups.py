"""The rule for `backup` where it is no template: a name that there is. `expansion.py` looks at templates."""

from __future__ import annotations

from typing import Final

from regsync.backups.name import named
from regsync.config.problems import Path, Report
from regsync.config.templated import is_template
from regsync.errors import Malformed
from regsync.oci.reference import parse_reference

_ANY: Final = parse_reference("registry.example/any:any")
_EXPECTED: Final = "expected a tag, or a whole reference such as registry.example/backups/app:old"


def check_backup(text: str, path: Path, report: Report) -> None:
    """Tell what is wrong with the text under `backup`."""
    try:
        if not is_template(text):
            named(text, _ANY)
    except Malformed:
        report.error((*path, "backup"), f"no name to keep an image under; {_EXPECTED}")
