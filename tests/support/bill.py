"""What comes with regsync: the list of licences, and a bill of materials for programs that look for known holes.

`python -m tests.support.bill licences` writes the page of the reference, `… sbom FILE` a bill in CycloneDX 1.6. Both
are made from `requirements.txt` and what the libraries say of themselves, which have to be installed as pinned. The
page has those of the extra `notify`, too, and the programs of the image `cloud`; the bill of an image is made with it.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from regsync import __version__
from tests.support.pages import ROOT

PAGE: Final = ROOT / "docs" / "reference" / "licences.md"
OURS: Final = "Apache-2.0"
_PINNED: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", flags=re.MULTILINE)
_IN_WORDS: Final = {  # who names a licence in words alone, and which one its text is
    "aiosignal": "Apache-2.0",
    "google-re2": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
    "markdown-it-py": "MIT",
    "mdurl": "MIT",
    "uvloop": "MIT OR Apache-2.0",
}
_SOMEWHERE: Final = {  # so that the bill is the same wherever it is made: the image's system, the oldest Python
    "extra": "", "implementation_name": "cpython", "os_name": "posix", "platform_python_implementation": "CPython",
    "platform_system": "Linux", "python_full_version": "3.11.0", "python_version": "3.11", "sys_platform": "linux",
}  # fmt: skip
_TABLE: Final = "| {} | version | licence (SPDX) |\n| --- | --- | --- |\n"
_HEAD: Final = f"""# Licences

regsync is under the Apache License 2.0 (`LICENSE`). Its wheel and its sdist hold nothing of anybody else; installing it
as `requirements.txt` says, and so the image, brings the libraries below, whose licences lie beside them in
`*.dist-info`. The image has a Python and libraries of the system it was built on, too: its bill of materials,
`/usr/share/sbom/regsync.cdx.json`, names them, and their licences lie in `/usr/share/doc` and beside the standard
library.

`make licences` makes this page.

{_TABLE.format("library")}"""
_NOTIFY: Final = f"""
## With the extra `notify`

What `requirements-notify.txt` brings besides:

{_TABLE.format("library")}"""
_CLOUD: Final = f"""
## In the image `cloud`

Programs in Go. The modules they are made of are in `/usr/share/sbom/credential-helpers.cdx.json`, their licences in
`/usr/share/doc/credential-helpers`:

{_TABLE.format("program")}"""
_HELPERS: Final = {"docker-credential-ecr-login": "ECR_LOGIN", "docker-credential-gcr": "GCR"}  # both Apache-2.0


@dataclass(frozen=True)
class Library:
    """A library as it is pinned, with its licence in SPDX's words and the names of what it needs."""

    name: str
    version: str
    licence: str
    summary: str
    needs: tuple[str, ...]

    @property
    def purl(self) -> str:
        """What the bill and the lists of known holes call it."""
        return f"pkg:pypi/{self.name}@{self.version}"


def libraries(file: str = "requirements.txt") -> list[Library]:
    """Return what this file pins, by name; `SystemExit` where something else is installed."""
    pinned = _PINNED.findall((ROOT / file).read_text("utf-8"))
    return sorted((_library(name, version) for name, version in pinned), key=lambda library: library.name)


def _library(name: str, version: str) -> Library:
    said = metadata.metadata(name)
    if said["Version"] != version:
        raise SystemExit(f"{name} {said['Version']} is installed and {version} pinned: install requirements-dev.txt")
    return Library(name, version, _licence(name), said["Summary"], _named(metadata.requires(name) or ()))


def _licence(name: str) -> str:
    said = metadata.metadata(name).json
    expression = str(_IN_WORDS.get(name) or said.get("license_expression") or said.get("license") or "nothing")
    try:
        return canonicalize_license_expression(expression)
    except InvalidLicenseExpression as error:
        raise SystemExit(
            f"{name} says of its licence {expression!r}: see which it is, and add it to {__file__}"
        ) from error


def _named(requirements: Iterable[str]) -> tuple[str, ...]:
    wanted = [Requirement(text) for text in requirements]
    here = [need for need in wanted if need.marker is None or need.marker.evaluate(_SOMEWHERE)]
    return tuple(sorted({canonicalize_name(need.name) for need in here}))


def licences() -> str:
    """Return the page of the reference."""
    found = libraries()
    besides = [library for library in libraries("requirements-notify.txt") if library not in found]
    recipe = (ROOT / "Dockerfile").read_text("utf-8")
    versions = {
        name: re.search(rf"^ARG {argument}=(\S+)$", recipe, re.MULTILINE) for name, argument in _HELPERS.items()
    }
    helpers = [Library(name, version[1], OURS, "", ()) for name, version in versions.items() if version]
    return _HEAD + _rows(found) + _NOTIFY + _rows(besides) + _CLOUD + _rows(helpers)


def _rows(found: Iterable[Library]) -> str:
    return "".join(f"| {library.name} | {library.version} | {library.licence} |\n" for library in found)


def bill(epoch: int) -> dict[str, Any]:
    """Return the bill of materials of what is installed by `requirements.txt`, as of `epoch` (seconds)."""
    found = libraries()
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    program = Library("regsync", __version__, OURS, "Mirror container images", _named(wanted))
    made: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch, UTC).isoformat(),
            "component": {**_component(program), "type": "application"},
        },
        "components": [_component(library) for library in found],
        "dependencies": [*_edges([program, *found])],
    }
    return {**made, "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, json.dumps(made, sort_keys=True))}"}


def _component(library: Library) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": library.purl,
        "name": library.name,
        "version": library.version,
        "description": library.summary,
        "licenses": [{"expression": library.licence}],
        "purl": library.purl,
    }


def _edges(found: list[Library]) -> Iterator[dict[str, Any]]:
    purls = {library.name: library.purl for library in found}
    for library in found:
        yield {"ref": library.purl, "dependsOn": [purls[name] for name in library.needs if name in purls]}


def _main(what: str, *paths: str) -> None:
    if what == "licences":
        PAGE.write_text(licences(), encoding="utf-8")
    else:
        text = json.dumps(bill(int(os.environ["SOURCE_DATE_EPOCH"])), indent=2) + "\n"
        Path(*paths).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _main(*sys.argv[1:])
