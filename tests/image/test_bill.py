"""What the image says it is made of, and that whose licences ask to be handed on are (H6 of our list)."""

from __future__ import annotations

import json
import re
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from regsync import __version__
from tests.support.bill import libraries
from tests.support.container import Image
from tests.support.pages import ROOT

HELPERS = {"docker-credential-ecr-login": "ECR_LOGIN", "docker-credential-gcr": "GCR"}


def components(image: Image, name: str) -> dict[str, dict[str, Any]]:
    """Return what a bill of the image lists, by its package URL without a version; it is one that CycloneDX takes."""
    text = (image.root / "usr/share/sbom" / f"{name}.cdx.json").read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    return {part["purl"].partition("@")[0]: part for part in json.loads(text)["components"]}


def test_the_bill_names_us_and_every_wheel_by_a_hash_it_was_pinned_by_and_its_licence(image: Image) -> None:
    found = components(image, "regsync")
    pinned = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    for library in libraries():
        part = found[f"pkg:pypi/{library.name}"]
        assert (part["purl"], part["licenses"]) == (library.purl, [{"expression": library.licence}])
        assert f"sha256:{part['hashes'][0]['content']}" in pinned
    assert found["pkg:pypi/regsync"]["version"] == __version__
    assert len(found["pkg:pypi/regsync"]["hashes"]) == 1


def test_the_bill_names_python_and_every_package_of_the_system_with_a_licence_that_is_there(image: Image) -> None:
    found = components(image, "regsync")
    assert re.fullmatch(r"3\.\d+\.\d+", found["pkg:generic/python"]["version"])
    packages = {f"pkg:deb/debian/{path.name}" for path in (image.root / "var/lib/dpkg/status.d").iterdir()}
    assert {f"pkg:deb/debian/{name}" for name in ("libc6", "libssl3t64", "tzdata", "ca-certificates")} <= packages
    for name in packages:
        (reference,) = found[name]["externalReferences"]
        assert (image.root / reference["url"].removeprefix("file:///")).stat().st_size > 0
    others = {f"pkg:pypi/{library.name}" for library in libraries()} | {"pkg:generic/python", "pkg:pypi/regsync"}
    assert {*found} == packages | others
    assert "ID=debian\n" in (image.root / "etc/os-release").read_text(encoding="utf-8")


def test_every_wheel_keeps_its_licence_and_python_its_own(image: Image) -> None:
    (site,) = image.root.glob("opt/regsync/lib/python3.*/site-packages")
    lost, bare = [], []
    for found in distributions(path=[str(site)]):
        files = [file for file in found.files or () if ".dist-info" in str(file)]
        lost += [file for file in files if not (site / str(file)).exists()]
        if not any(re.search(r"licen[cs]e|copying", file.name, re.IGNORECASE) for file in files):
            bare.append(found.metadata["Name"])
    assert (lost, bare) == ([], [])
    assert list(image.root.glob("usr/lib*/python3.*/LICENSE.txt"))


def test_the_bill_of_the_helpers_names_all_they_are_made_of_and_their_licences_are_there(cloud: Image) -> None:
    found = components(cloud, "credential-helpers")
    recipe = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for name, argument in HELPERS.items():
        assert f"ARG {argument}={found[f'pkg:generic/{name}']['version']}\n" in recipe
    modules = [part for purl, part in found.items() if purl.startswith("pkg:golang/") and part["name"] != "stdlib"]
    assert len(modules) > 20
    assert [part["name"] for part in found.values() if not part.get("licenses")] == []
    texts = cloud.root / "usr/share/doc/credential-helpers"
    assert [part for part in modules if not list((texts / f"{part['name']}@{part['version']}").iterdir())] == []
    assert "Redistribution" in (texts / "go" / "LICENSE").read_text(encoding="utf-8")
    assert components(cloud, "regsync").keys() & found.keys() == set()


def test_nothing_of_where_it_was_made_is_in_a_bill(cloud: Image) -> None:
    for path in (cloud.root / "usr/share/sbom").iterdir():
        assert not re.search(r"https?://(?!cyclonedx\.org/schema/)", Path(path).read_text(encoding="utf-8"))
