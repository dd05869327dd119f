"""Bills of materials in CycloneDX 1.6 of what an image holds, for programs that look for known holes and for licences.

`assemble.py` has one made of the image. `python3 bill.py FOLDER` makes that of the credential helpers in FOLDER, from
what `go version -m` says of them, as the Dockerfile has it written beside them. The same image gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

BILLS = Path("usr/share/sbom")
TEXTS = Path("usr/share/doc")
HELPERS = "credential-helpers"
RELEASE = Path("/etc/os-release")
LICENCES = Path("licences.md")  # of the reference
ROW = re.compile(r"^\| (\S+) \| \S+ \| (.+) \|$", re.MULTILINE)
WORDS = {  # what stands in the text of a licence and in none above it
    "Apache-2.0": "Apache License",
    "MPL-2.0": "Mozilla Public License",
    "MIT": "Permission is hereby granted, free of charge",
    "ISC": "Permission to use, copy, modify, and",
    "BSD-3-Clause": "Neither the name",
    "BSD-2-Clause": "Redistribution and use in source and binary forms",
}

Component = dict[str, Any]


def component(name: str, version: str, purl: str, *, licence: str = "", sha256: str = "", **more: Any) -> Component:
    """Return one of them; what is not known is left out."""
    made: Component = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl, **more}
    if licence:
        made["licenses"] = [{"expression": licence}]
    if sha256:
        made["hashes"] = [{"alg": "SHA-256", "content": sha256}]
    return made


def write(root: Path, name: str, components: Iterable[Component], needs: dict[str, list[str]]) -> None:
    """Write a bill of these, of which each needs those that `needs` names."""
    found = sorted(components, key=lambda one: str(one["bom-ref"]))
    whole = {"type": "container", "bom-ref": name, "name": name}
    edges = {name: [one["bom-ref"] for one in found], **needs}
    made: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": whole},
        "components": found,
        "dependencies": [{"ref": ref, "dependsOn": sorted(edges[ref])} for ref in sorted(edges)],
    }
    made["serialNumber"] = f"urn:uuid:{uuid5(NAMESPACE_URL, json.dumps(made, sort_keys=True))}"
    (root / BILLS).mkdir(parents=True, exist_ok=True)
    (root / BILLS / f"{name}.cdx.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


def write_image(root: Path, environment: Path, reports: Iterable[Path]) -> None:
    """Write the bill of an image put together here: what pip says it has installed, Python, packages of the system."""
    (site,) = (root / environment.relative_to("/")).glob("lib/python3*/site-packages")
    version = platform.python_version()
    cpe = f"cpe:2.3:a:python:python:{version}:*:*:*:*:*:*:*"
    python = component("python", version, f"pkg:generic/python@{version}", licence="Python-2.0.1", cpe=cpe)
    write(root, "regsync", [*wheels(site, reports), python, *packages(root)], {})


def wheels(site: Path, reports: Iterable[Path]) -> Iterator[Component]:
    """Yield what was installed, with the digest of its wheel and the licence our reference names."""
    licences = {"regsync": "Apache-2.0", **dict(ROW.findall(LICENCES.read_text(encoding="utf-8")))}
    taken = [one for report in reports for one in json.loads(report.read_text(encoding="utf-8"))["install"]]
    digests = {
        one["metadata"]["name"].lower(): one["download_info"]["archive_info"]["hashes"]["sha256"] for one in taken
    }
    for found in metadata.distributions(path=[str(site)]):
        name = re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()
        digest = digests[found.metadata["Name"].lower()]
        purl = f"pkg:pypi/{name}@{found.version}"
        yield component(name, found.version, purl, licence=licences.get(name, ""), sha256=digest)


def packages(root: Path) -> Iterator[Component]:
    """Yield the system's packages of which something was taken, as far as it told; their licences lie beside them."""
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)', RELEASE.read_text(encoding="utf-8"), re.MULTILINE))
    for status in (root / "var/lib/dpkg/status.d").glob("*"):
        said = dict(re.findall(r"^([A-Z][\w-]*): (.*)$", status.read_text(encoding="utf-8"), re.MULTILINE))
        where = f"arch={said['Architecture']}&distro={release['ID']}-{release.get('VERSION_ID', '')}"
        purl = f"pkg:deb/{release['ID']}/{status.name}@{quote(said['Version'])}?{where}"
        lies = Path("/", TEXTS, status.name).resolve()  # packages of one source share theirs
        text = [{"type": "license", "url": f"file://{lies}/copyright"}]
        yield component(status.name, said["Version"], purl, externalReferences=text)


def write_helpers(folder: Path) -> None:
    """Write the bill of Go programs, and of all that they were made of: modules, and Go itself."""
    parts: dict[str, Component] = {}
    needs: dict[str, list[str]] = {}
    for said in re.split(r"\n(?=\S)", (folder / "modules").read_text(encoding="utf-8")):
        program, go, rows = _read(said)
        binary = hashlib.sha256((folder / "usr/local/bin" / program).read_bytes()).hexdigest()
        purls = [f"pkg:golang/{path.lower()}@{version}" for _, path, version in rows]
        licences = [licence_of(folder / TEXTS / HELPERS / f"{path}@{version}") for _, path, version in rows]
        made = [
            component(path, version, purl, licence=licence)
            for purl, licence, (_, path, version) in zip(purls, licences, rows, strict=True)
        ]
        stdlib = component("stdlib", go, f"pkg:golang/stdlib@{go}", licence="BSD-3-Clause")
        version = rows[0][2]
        whole = component(program, version, f"pkg:generic/{program}@{version}", licence=licences[0], sha256=binary)
        parts |= {one["bom-ref"]: one for one in [*made, stdlib, {**whole, "type": "application"}]}
        needs[whole["bom-ref"]] = [*purls, stdlib["bom-ref"]]
    write(folder, HELPERS, parts.values(), needs)
    (folder / "modules").unlink()


def _read(said: str) -> tuple[str, str, list[tuple[str, str, str]]]:
    """Return a program's name, its Go's version, and its modules, its own first, out of what Go says of it."""
    head = re.match(r"\S*/(\S+): go(\S+)", said)
    rows = re.findall(r"^\t(mod|dep)\t(\S+)\t(\S+)", said, re.MULTILINE)
    if head is None or not rows:
        sys.exit(f"this is not what `go version -m` says of a program:\n{said[:500]}")
    return head[1], head[2], rows


def licence_of(folder: Path) -> str:
    """Return which licences the texts in a folder are, in SPDX's words; nothing if one of them is not known."""
    texts = [" ".join(path.read_text(encoding="utf-8").split()) for path in sorted(folder.glob("[Ll][Ii][Cc]*"))]
    found = [next((name for name, words in WORDS.items() if words in text), "") for text in texts]
    return " AND ".join(dict.fromkeys(found)) if all(found) else ""


if __name__ == "__main__":
    write_helpers(Path(sys.argv[1]))
