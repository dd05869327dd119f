"""The examples are what their script makes, other tools read them, and the example configuration shows everything."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from regsync.config.load import Loaded
from regsync.duration import parse_duration
from regsync.loading import load
from tests.support.pages import ROOT, configuration_keys
from tests.support.real import run

LAYOUT = ROOT / "examples" / "layout"
EXAMPLE = ROOT / "config.example.yaml"
REFERENCE = ROOT / "docs" / "reference" / "configuration.md"
WITHOUT_EFFECT = {"api", "scheme", "fastCopy"}  # understood for old files, and nothing to show to anybody


def files(folder: Path) -> dict[str, bytes]:
    """Everything in a directory, by its path in there."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def uncommented(folder: Path) -> str:
    """Write the example with all its marked blocks taken in; return where."""
    path = folder / "everything.yaml"
    path.write_text(re.sub(r"^#\|( |$)", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE), encoding="utf-8")
    return str(path)


def loaded(path: str) -> Loaded:
    return load(path, allow_unknown_keys=False)


def documented() -> set[str]:
    """The keys the reference describes."""
    text = REFERENCE.read_text(encoding="utf-8")
    return {key for key in configuration_keys() if f"`{key}`" in text}


def test_the_script_writes_the_layout_that_is_kept_byte_for_byte(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(ROOT / "examples" / "make_layout.py"), str(tmp_path / "layout")], check=True)
    assert files(tmp_path / "layout") == files(LAYOUT)


def test_every_blob_of_the_example_is_named_by_its_digest() -> None:
    blobs = {path: path.read_bytes() for path in (LAYOUT / "blobs" / "sha256").iterdir()}
    assert [path.name for path, data in blobs.items() if hashlib.sha256(data).hexdigest() != path.name] == []


@pytest.mark.parametrize("tag", ["hello", "tools-1.0", "tools-1.1"])
def test_skopeo_copies_every_image_out_of_the_example(tag: str, tmp_path: Path) -> None:
    run("skopeo", "copy", "--all", "--insecure-policy", f"oci:{LAYOUT}:{tag}", f"dir:{tmp_path / 'copy'}")


def test_umoci_lists_the_tags_of_the_example() -> None:
    listed = run("umoci", "ls", "--layout", str(LAYOUT)).decode().split()
    assert [tag for tag in listed if not tag.startswith("sha256-")] == ["hello", "tools-1.0", "tools-1.1"]


def test_the_example_configuration_loads_and_needs_no_network() -> None:
    steps = loaded(str(EXAMPLE)).config.sync
    assert steps
    assert [step.source for step in steps if not step.source.startswith("ocidir://examples/layout")] == []
    assert [step.target for step in steps if not step.target.startswith("ocidir://demo-output/")] == []


def test_the_example_configuration_loads_with_every_block_taken_in(tmp_path: Path) -> None:
    everything = loaded(uncommented(tmp_path))
    assert everything.warnings == ()
    assert {step.type for step in everything.config.sync} == {"image", "repository", "registry"}


def test_the_example_configuration_shows_every_key_that_has_an_effect() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert sorted(key for key in documented() - WITHOUT_EFFECT if not re.search(rf"\b{key}:", text)) == []


def test_the_composed_service_is_given_longer_to_stop_than_it_gives_its_copies() -> None:
    service = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))["services"]["regsync"]
    grace = service["command"][service["command"].index("--grace") + 1]
    assert parse_duration(service["stop_grace_period"]) > parse_duration(grace)
    assert service["read_only"] is True


def test_the_composed_service_mounts_what_belongs_to_the_user_of_the_image_into_places_that_are_his() -> None:
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (home,) = re.findall(r"HOME=(\S+)", image)
    (work,) = re.findall(r"^WORKDIR (/var/\S+)$", image, re.MULTILINE)
    (user,) = re.findall(r"^USER (\d+):\d+$", image, re.MULTILINE)
    composed = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
    assert f":{home}/.docker/config.json:ro" in composed
    assert f":{work}/layouts" in composed
    assert set(re.findall(r"[Uu]ser (\d+)", composed)) == {user}
