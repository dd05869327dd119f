"""What lies in a layout directory, looked at without any help of ours."""

from __future__ import annotations

from pathlib import Path

from regsync.oci.descriptor import Descriptor
from regsync.repository import Repository


def names(folder: Path) -> list[str]:
    """What a directory holds."""
    return [each.name for each in folder.iterdir()]


def staged(folder: Path) -> list[str]:
    """What lies on our stage."""
    stage = folder / ".regsync" / "stage"
    return names(stage) if stage.exists() else []


def blob_files(folder: Path) -> list[Path]:
    """Every file among the blobs, whatever its name."""
    return list(folder.glob("blobs/*/*"))


def place_of(folder: Path, blob: Descriptor) -> Path:
    """Where a blob belongs."""
    return folder / "blobs" / blob.digest.algorithm / blob.digest.hex


def modes(folder: Path, *, directories: bool) -> set[str]:
    """The modes of all files, or of all directories, below this one."""
    return {oct(path.stat().st_mode & 0o777) for path in folder.rglob("*") if path.is_dir() == directories}


def open_files() -> int:
    """How many files this process has open."""
    return len(names(Path("/proc/self/fd")))


def everything(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file, with its content and time."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


async def tags_of(layout: Repository) -> list[str]:
    return [tag async for tag in layout.tags()]
