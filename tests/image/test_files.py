"""What is in the image, and what is not (H1, H3, H5, H6 and H15 of our list for containers)."""

from __future__ import annotations

import json
import os
import re
import stat
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

from packaging.markers import Marker

from tests.support.container import Image, built
from tests.support.pages import ROOT

PYTHON = re.compile(r"usr/(local/)?bin/python3\.\d+")
LIBRARIES = {
    *("libc.so.6", "libm.so.6", "libdl.so.2", "librt.so.1", "libpthread.so.0", "libgcc_s.so.1", "libstdc++.so.6"),
    *("libcrypto.so.3", "libssl.so.3", "libz.so.1", "libzstd.so.1", "libbz2.so.1.0", "liblzma.so.5", "libexpat.so.1"),
    *("libffi.so.8", "libsqlite3.so.0", "libuuid.so.1"),
}
SETTINGS = {
    "passwd",
    "group",
    "nsswitch.conf",
    "ld.so.cache",
    "ld.so.conf",
    "os-release",
    "ssl/certs/ca-certificates.crt",
}
PLACES = re.compile(
    r"opt/regsync/(?:pyvenv\.cfg|bin/|lib/python3\.\d+/site-packages/)|usr/lib/python3\.\d+/|usr/share/zoneinfo/"
    r"|usr/share/doc/[^/]+/copyright$|usr/share/common-licenses/|usr/share/sbom/regsync\.cdx\.json$|var/lib/dpkg/status\.d/|usr/lib/ssl/cert\.pem$|lib\d*$"
)
FORBIDDEN = re.compile(
    r"(ba|da|z|fi|a)?sh|busybox|(pip|easy_install|ensurepip)\S*|apt\S*|dpkg\S*|apk|rpm|g?cc|[cg]\+\+|ld|as|make|perl|curl|wget|idle\S*"
)
MOST = 120 << 20  # bytes


def files(root: Path) -> Iterator[Path]:
    """Yield whatever is no folder."""
    for folder, _, names in os.walk(root):
        yield from (Path(folder, name) for name in names)


def requirements() -> set[str]:
    """Return the names of the wheels that Linux gets."""
    lines = re.findall(
        r"^([A-Za-z0-9._-]+)==\S+(?: ; (.+?))? \\$", (ROOT / "requirements.txt").read_text(), re.MULTILINE
    )
    assert lines
    return {name for name, marker in lines if not marker or Marker(marker).evaluate()}


def test_no_file_gives_whoever_runs_it_other_rights(image: Image) -> None:
    found = list(files(image.root))
    assert len(found) > 1000
    assert [path for path in found if path.lstat().st_mode & (stat.S_ISUID | stat.S_ISGID)] == []
    assert [path for path in found if os.listxattr(path, follow_symlinks=False)] == []


def test_its_user_is_a_number_that_is_not_roots(image: Image) -> None:
    assert image.settings["User"] == "65532:65532"


def test_nothing_but_a_home_and_a_workplace_is_its_users_and_nothing_is_everybodys_but_tmp(image: Image) -> None:
    everything = [image.root, *image.root.rglob("*")]
    owned = {str(path.relative_to(image.root)) for path in everything if path.lstat().st_uid or path.lstat().st_gid}
    assert owned == {"home/appuser", "var/lib/regsync"}
    loose = [path for path in everything if not path.is_symlink() and path.stat().st_mode & 0o022]
    assert loose == [image.root / "tmp"]


def test_every_file_is_one_that_running_regsync_takes(image: Image) -> None:
    unexpected = []
    for path in files(image.root):
        name = str(path.relative_to(image.root))
        is_library = path.name in LIBRARIES or path.name.startswith(("ld-linux", "libpython3."))
        is_setting = name.removeprefix("etc/") in SETTINGS
        if not (is_library or is_setting or PLACES.match(name) or PYTHON.fullmatch(name)):
            unexpected.append(name)
    assert unexpected == []


def test_there_is_no_shell_no_package_manager_and_no_compiler(image: Image) -> None:
    everything = list(files(image.root))
    assert [path for path in everything if FORBIDDEN.fullmatch(path.name) and path.parent.name in {"bin", "sbin"}] == []
    programs = [path for path in everything if not path.is_symlink() and path.stat().st_mode & 0o111]
    names = {str(path.relative_to(image.root)) for path in programs if not re.search(r"\.so(\.|$)", path.name)}
    assert {name for name in names if not PYTHON.fullmatch(name)} == {"opt/regsync/bin/regsync"}


def test_the_wheels_are_those_of_the_requirements_and_every_file_is_of_one(image: Image) -> None:
    (site,) = image.root.glob("opt/regsync/lib/python3.*/site-packages")
    found = list(distributions(path=[str(site)]))
    assert {each.metadata["Name"].lower().replace("_", "-") for each in found} == requirements() | {"regsync"}
    recorded = {Path(os.path.normpath(site / str(file))) for each in found for file in each.files or ()}
    assert [path for path in files(site) if path not in recorded and path.parent.name != "__pycache__"] == []


def test_wheels_are_installed_by_hash_and_nothing_is_built_but_ours() -> None:
    installs = re.findall(r"install ([^&]*?requirements\S*)", (ROOT / "Dockerfile").read_text())
    assert len(installs) == 2
    assert [one for one in installs if "--require-hashes --only-binary :all:" not in one] == []


def test_every_extra_has_its_pins_and_whatever_is_copied_into_a_build_is_let_into_it() -> None:
    recipe = (ROOT / "Dockerfile").read_text()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert '-r "requirements${EXTRAS:+-$EXTRAS}.txt"' in recipe
    copied = [name for names in re.findall(r"^COPY ([^-].*) \S+$", recipe, re.MULTILINE) for name in names.split()]
    assert {f"requirements-{extra}.txt" for extra in extras} <= set(copied)
    let_in = (ROOT / ".dockerignore").read_text().splitlines()
    assert [name for name in copied if f"!{name.removeprefix('./')}" not in let_in] == []


def test_whatever_it_is_built_upon_can_be_given_by_digest() -> None:
    bases = re.findall(r"^FROM (\S+)(?: AS (\S+))?", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    stages = {stage for _, stage in bases}
    assert {base for base, _ in bases} - stages == {"${BASE}", "${GO_BASE}", "scratch"}


def test_two_builds_have_the_same_layers(image: Image, cloud: Image) -> None:
    assert image.manifest["layers"] == cloud.manifest["layers"][: len(image.manifest["layers"])]
    assert len(cloud.manifest["layers"]) == len(image.manifest["layers"]) + 1


def test_no_bytecode_depends_on_the_time_it_was_made_and_all_python_is_compiled(image: Image) -> None:
    flags = {path: int.from_bytes(path.read_bytes()[4:8], "little") for path in image.root.rglob("*.pyc")}
    assert len(flags) > 1000
    assert set(flags.values()) == {1}  # by hash, and unchecked: PEP 552
    sources = [path for path in files(image.root) if path.suffix == ".py"]
    assert [path for path in sources if not list((path.parent / "__pycache__").glob(f"{path.stem}.*"))] == []


def test_it_is_small(image: Image) -> None:
    assert sum(path.lstat().st_size for path in files(image.root)) < MOST


def test_its_labels_say_what_it_is_and_what_it_was_built_of(image: Image) -> None:
    prefix = "org.opencontainers.image."
    labels = {key.removeprefix(prefix): value for key, value in image.settings["Labels"].items()}
    assert labels["licenses"] == "Apache-2.0"
    assert labels["source"] == "https://example.org/regsync"
    assert (labels["version"], labels["revision"]) == ("0.0.0", "0000000")


def test_it_is_told_to_stop_by_the_signal_it_heeds(image: Image) -> None:
    docker = json.loads((built() / "docker.json").read_bytes())["Docker"]["config"]
    assert docker["Entrypoint"] == image.settings["Entrypoint"] == ["regsync"]
    assert docker["StopSignal"] == "SIGTERM"
    assert docker["Healthcheck"]["Test"] == ["CMD", "regsync", "healthcheck"]
