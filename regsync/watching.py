"""What a configuration was read from, and whether any of it is otherwise by now.

By content, as often as somebody asks: a ConfigMap or Secret is replaced by moving a link far above the file, which no
watch on the file itself tells of, and on network file systems nothing is told at all.
"""

from __future__ import annotations

import hashlib
import os
import stat
from typing import BinaryIO

_READ = (16 << 20) + 1  # bytes: as much as is read of a configuration, the largest file there is
_AT_ONCE = 64 << 10  # bytes; more would be set aside for each of hundreds of small certificates
_BELOW = 2  # folders in folders: docker's certificates lie in one for each registry


class Watched:
    """Files and folders, and how each looked when it was read; whoever reads one has to note it first."""

    def __init__(self) -> None:
        self._looks: dict[str, str] = {}

    def note(self, path: str) -> None:
        """Take note of a file or folder that is about to be read, be it there or not. Looks at the disk."""
        self._looks[path] = look(path)

    def now(self) -> dict[str, str]:
        """Return how all of them look at the moment. Looks at the disk."""
        return {path: look(path) for path in [*self._looks]}

    def changed(self) -> bool:
        """Say whether any of them looks otherwise than when it was noted. Looks at the disk."""
        return any(look(path) != before for path, before in [*self._looks.items()])

    def join(self, other: Watched) -> None:
        """Watch what another one does, too, as it looks now. Looks at the disk."""
        for path in other._looks.keys() - self._looks.keys():
            self.note(path)


def look(path: str, *, below: int = _BELOW) -> str:
    """Return what tells contents apart: of a file, of the files in a folder, of nothing at all."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116  # a name as typed
        if stat.S_ISREG(mode):
            with open(path, "rb") as stream:  # noqa: PTH123
                return _digest(stream)
        if stat.S_ISDIR(mode) and below:
            names = sorted(os.listdir(path))  # noqa: PTH208
            seen = "\n".join(f"{name!r} {look(os.path.join(path, name), below=below - 1)}" for name in names)  # noqa: PTH118
            return hashlib.sha256(seen.encode()).hexdigest()
    except (OSError, ValueError) as error:
        return type(error).__name__
    return "neither file nor folder"


def _digest(stream: BinaryIO) -> str:
    found, left = hashlib.sha256(), _READ
    while left and (piece := stream.read(min(left, _AT_ONCE))):
        found.update(piece)
        left -= len(piece)
    return found.hexdigest()
