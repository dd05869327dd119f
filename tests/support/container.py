"""The image as `.ci/image` left it, and containers of it without Docker: namespaces, a read-only root, user 65532."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import pytest

from tests.support.real import REQUIRE_REAL

IMAGE: Final = "REGSYNC_TEST_IMAGE"  # the folder `.ci/image` was given
_WITHIN: Final = 120.0  # seconds
_ENTER: Final = """
set -e
root=$1 work=$2 user=$3; shift 3
mount --bind "$root" "$root"
for volume in $VOLUMES; do mount --bind "${volume%%:*}" "$root${volume#*:}"; done
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777,size=16m tmpfs "$root/tmp"
mount -t tmpfs -o mode=755,size=64k tmpfs "$root/dev"
touch "$root/dev/null"
mount --bind /dev/null "$root/dev/null"
exec env -i "${SETTINGS[@]}" setpriv --clear-groups --no-new-privs \
  unshare --root="$root" --wd="$work" --setgid="${user#*:}" --setuid="${user%:*}" "$@"
"""


def built() -> Path:
    """Return where `.ci/image` left the image; without one the test is skipped, or fails where all must be there."""
    folder = os.environ.get(IMAGE)
    if folder and os.geteuid() == 0:
        return Path(folder)
    why = f"{IMAGE} names no image made by .ci/image" if not folder else "containers without Docker need root"
    if os.environ.get(REQUIRE_REAL) == "1":
        pytest.fail(f"{why}, and {REQUIRE_REAL}=1 asks for it")
    pytest.skip(why)


@dataclass(frozen=True, slots=True)
class Image:
    """What one tag of the layout says, and the file system it comes to."""

    root: Path
    manifest: Mapping[str, Any]
    config: Mapping[str, Any]

    @classmethod
    def of(cls, folder: Path, tag: str) -> Image:
        layout = folder / "layout"

        def blob(descriptor: Mapping[str, Any]) -> Any:
            return json.loads((layout / "blobs" / descriptor["digest"].replace(":", "/")).read_bytes())

        name = "org.opencontainers.image.ref.name"
        index = json.loads((layout / "index.json").read_bytes())
        (found,) = [each for each in index["manifests"] if each["annotations"][name] == tag]
        manifest = blob(found)
        return cls(folder / tag, manifest, blob(manifest["config"]))

    @property
    def settings(self) -> Mapping[str, Any]:
        """What a container of it is started with: `User`, `Env`, `Entrypoint`, `Labels` and the like."""
        return dict(self.config["config"])


def entered(
    image: Image, started: Sequence[str], *, volumes: Mapping[str, Path], environ: Mapping[str, str]
) -> list[str]:
    """Return the command that starts this as the first process of a container."""
    settings = image.settings
    environment = [*settings["Env"], *(f"{key}={value}" for key, value in environ.items())]
    quoted = " ".join(f"'{setting}'" for setting in environment)
    mounts = " ".join(f"{source}:{target}" for target, source in volumes.items())
    script = f"VOLUMES='{mounts}' SETTINGS=({quoted})\n{_ENTER}"
    return [
        *("unshare", "--mount", "--pid", "--fork", "--ipc", "--uts"),
        *("bash", "-c", script, "bash", str(image.root), settings["WorkingDir"], settings["User"], *started),
    ]


class Container:
    """A process of an image, the first of its own, which nothing but the volumes and a sized /tmp lets write."""

    def __init__(
        self,
        image: Image,
        *arguments: str,
        volumes: Mapping[str, Path],
        environ: Mapping[str, str] | None = None,
        entrypoint: Sequence[str] = (),
    ) -> None:
        started = [*(entrypoint or image.settings["Entrypoint"]), *arguments]
        self._process = subprocess.Popen(
            entered(image, started, volumes=volumes, environ=environ or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._children():  # the kernel forgets whom it should kill with us when they change their user
            os.kill(child, signal.SIGKILL)
        self._process.kill()
        self._process.communicate()

    @property
    def pid(self) -> int:
        """The number its first process has for us; 0 while it is not there, or is not what was asked for yet."""
        try:
            return next((each for each in self._children() if Path(f"/proc/{each}/comm").read_text() == "regsync\n"), 0)
        except OSError:
            return 0

    def _children(self) -> list[int]:
        try:
            return list(
                map(int, Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split())
            )
        except OSError:
            return []

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def inside(self, *arguments: str) -> tuple[int, str]:
        """Run a program beside the first process, as `docker exec` does; return its exit code and all it said."""
        entered = ("nsenter", f"--target={self.pid}", "--mount", "--pid", "--root", "--setgid=65532", "--setuid=65532")
        done = subprocess.run(
            [*entered, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_WITHIN,
            check=False,
        )
        return done.returncode, done.stdout

    def ended(self) -> tuple[int, str]:
        """Wait for its end; return its exit code and all it said."""
        said, _ = self._process.communicate(timeout=_WITHIN)
        return self._process.returncode, said


def ran(image: Image, *arguments: str, volumes: Mapping[str, Path], **more: Any) -> tuple[int, str]:
    """Run a container to its end; return its exit code and all it said."""
    with Container(image, *arguments, volumes=volumes, **more) as container:
        return container.ended()


def owned(folder: Path) -> Path:
    """Make a folder that the user of the image may write to, as a volume has to be."""
    folder.mkdir(parents=True, exist_ok=True)
    os.chown(folder, 65532, 65532)
    return folder
