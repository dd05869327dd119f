"""Which program this is: what `regsync version` prints, and what a template after `--format` can ask."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from regsync import __version__

_SHOWN: Final = ("VCSTag", "Platform", "Python")
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64", "i686": "386"}  # the names images have for them
_UNKNOWN: Final = "unknown"  # as Go's regsync says where it was not built in a checkout
_JSON: Final = {
    "GoVer": "goVersion", "GoCompiler": "goCompiler", "Platform": "platform", "VCSCommit": "vcsCommit",
    "VCSDate": "vcsDate", "VCSRef": "vcsRef", "VCSState": "vcsState", "VCSTag": "vcsTag", "Python": "python",
}  # fmt: skip


def facts() -> dict[str, str]:
    """Return all that is known, under the names of the Go regsync; a Python stands where its Go would."""
    machine = platform.machine()
    return {
        "GoVer": f"python{platform.python_version()}",
        "GoCompiler": sys.implementation.name,
        "Platform": f"{sys.platform}/{_ARCHITECTURES.get(machine, machine)}",
        "VCSCommit": _UNKNOWN,
        "VCSDate": _UNKNOWN,
        "VCSRef": _UNKNOWN,
        "VCSState": _UNKNOWN,
        "VCSTag": f"v{__version__}",
        "Python": platform.python_version(),
    }


def rows(known: Mapping[str, str]) -> str:
    """Return the lines that are printed without a template."""
    return "".join(f"{name + ':':<10}{known[name]}\n" for name in _SHOWN)


def formatted(text: str) -> str:
    """Return what a template makes of all that is known; `BadTemplate` if it makes nothing."""
    from regsync.template.engine import Template  # noqa: PLC0415  # most people ask for the lines
    from regsync.template.values import Kind, Struct  # noqa: PLC0415
    from regsync.template.world import world_of  # noqa: PLC0415

    fields = {name: lambda known, name=name: known[name] for name in _JSON}
    kind = Kind("version.Info", fields=fields, json=_JSON, pretty=rows, is_zero=lambda _: False)
    return Template.parse(text).render(Struct(kind, facts()), world_of(os.environ, lambda: datetime.now(UTC)))
