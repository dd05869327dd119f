"""Containers that cannot work: whoever started them reads one line that says what is wrong; they exit with 2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.image.test_running import one_layout
from tests.support.container import Image, ran

FILE: Final = "/etc/regsync/regsync.yml"
A_FILE: Final = "name a file (docker mounts a directory where the file it is to mount is not there)"
SECRET: Final = "creds: [{registry: registry.example, user: somebody, pass: '{{ file \"/run/secrets/token\" }}'}]\n"


def reads(image: Image, volumes: dict[str, Path], *commands: tuple[str, ...]) -> str:
    """Return the one line that all of these commands end with, and with exit code 2."""
    ends = {ran(image, *command, "-c", FILE, volumes=volumes) for command in commands}
    ((code, said),) = ends
    assert code == 2, said
    assert said.count("\n") == 1
    return said.rstrip("\n")


ALL: Final = (("once",), ("check",), ("server",), ("config",))
WRITERS: Final = (("once",), ("server",))


def rights(path: Path) -> None:
    path.chmod(0o600)


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def of_a_config_map_gone(path: Path) -> None:
    path.unlink()
    path.symlink_to("..data/regsync.yml")


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (rights, "permission denied: user 65532, whom this runs as, has to be able to read it"),
        (Path.unlink, "no such file or directory"),
        (a_directory, f"is a directory: {A_FILE}"),
        (of_a_config_map_gone, "no such file or directory: it is a link that leads nowhere, to ..data/regsync.yml"),
    ],
)  # fmt: skip
def test_a_configuration_that_cannot_be_read(
    spoil: Callable[[Path], None], complaint: str, image: Image, tmp_path: Path
) -> None:
    volumes = one_layout(tmp_path)
    spoil(volumes["/etc/regsync"] / "regsync.yml")
    assert reads(image, volumes, *ALL) == f"{FILE}: {complaint}"


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        (0, "no such file or directory"),
        (0o600, "permission denied: user 65532, whom this runs as, has to be able to read it"),
    ],
)
def test_a_secret_that_is_missing_or_for_root_alone(mode: int, why: str, image: Image, tmp_path: Path) -> None:
    volumes = one_layout(tmp_path, top=SECRET.replace("/run/secrets", "/etc/regsync"))
    if mode:
        (volumes["/etc/regsync"] / "token").touch(mode=mode)
    place = f"{FILE}:2:60: creds[0].pass: template, line 1, column 4: the file cannot be read"
    assert reads(image, volumes, *ALL) == f"{place} ({why}): /etc/regsync/token"


def test_a_target_on_the_images_own_root(image: Image, tmp_path: Path) -> None:
    volumes = one_layout(tmp_path)
    file = volumes["/etc/regsync"] / "regsync.yml"
    file.write_text(file.read_text().replace("ocidir://out", "ocidir:///opt/mirror/out"))
    assert reads(image, volumes, *WRITERS) == (
        "/opt, where layouts are to be written, is on a read-only file system: mount a volume there that can be "
        "written to"
    )
    code, said = ran(image, "check", "-c", FILE, volumes=volumes)  # which writes nothing
    assert code == 0, said


@pytest.mark.parametrize("layout", ["absent", "empty"])
def test_a_target_on_a_volume_that_is_roots(layout: str, image: Image, tmp_path: Path) -> None:
    volumes = one_layout(tmp_path)
    file = volumes["/etc/regsync"] / "regsync.yml"
    file.write_text(file.read_text().replace("ocidir://out", "ocidir://mirror/out"))
    (folder := tmp_path / "work" / "mirror").mkdir()
    if layout == "empty":
        (folder := folder / "out").mkdir()
    where = f"/var/lib/regsync/{folder.relative_to(tmp_path / 'work')}"
    assert reads(image, volumes, *WRITERS) == (
        f"{where}, where layouts are to be written, is not writable for user 65532: give it to that user (chown "
        "65532), or run as its owner"
    )


def test_one_target_of_several_that_cannot_be_written_to_keeps_no_other_from_its_images(
    image: Image, tmp_path: Path
) -> None:
    other = "- source: ocidir://in:v1\n  target: ocidir:///opt/out:v1\n  type: image\n"
    volumes = one_layout(tmp_path, more=other)
    code, said = ran(image, "once", "-c", FILE, volumes=volumes)
    assert code == 1
    assert 'msg="Some entries cannot be mirrored" err="/opt, where layouts are to be written, is on a read-only' in said
    assert "copied=1 unchanged=0 skipped=0 failed=1" in said


@pytest.mark.parametrize("place", ["/opt/state.db", "/etc/none/state.db"])
def test_a_state_that_cannot_be_kept(place: str, image: Image, tmp_path: Path) -> None:
    volumes = one_layout(tmp_path, interval=f"1h, state: {place}")
    said = reads(image, volumes, ("server",))
    assert said.startswith(f"defaults.state: {place} cannot be used (")
    assert said.endswith("); name a file in a directory that user 65532 can write to")


def test_a_report_that_cannot_be_written(image: Image, tmp_path: Path) -> None:
    commands = [(command, "--report", "/opt/report.json") for command in ("once", "check")]
    assert reads(image, one_layout(tmp_path), *commands) == (
        "--report /opt/report.json: cannot be written: Read-only file system; name a file that user 65532 can write"
    )


def test_a_hook_whose_program_is_not_in_the_image(image: Image, tmp_path: Path) -> None:
    hooks = "1h, hooks: {pre: {type: exec, params: [sh, -c, 'true']}}"
    assert reads(image, one_layout(tmp_path, interval=hooks), *WRITERS) == (
        "the program sh of a hook is not there: mount one that can be run, or change the hook"
    )


def test_a_receiver_that_takes_a_library_which_is_not_there(image: Image, tmp_path: Path) -> None:
    notify = "1h, notify: [{url: 'ntfys://ntfy.example/mirrors'}]"
    said = reads(image, one_layout(tmp_path, interval=notify), *ALL)
    assert said.endswith("pip install regsync[notify], or for an image --build-arg EXTRAS=notify")
