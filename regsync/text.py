"""Text that others chose, made fit to be shown: the one home of escaping, and of the system's words for a refusal."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def plain(text: str) -> str:
    """Return the text on one line, with whatever could steer a terminal or forge a line of a log escaped as Go does."""
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character in "\r\n\t" else character.encode("unicode_escape").decode("ascii")


def why_unreadable(error: OSError, path: str) -> str:
    """Return in a few words why a file that was named cannot be read, and what helps where that is not said by them.

    Containers are where people meet these: with a user of their own, mounts, and links that lead outside of a mount.
    """
    reason = error.strerror or type(error).__name__
    words = reason[0].lower() + reason[1:]
    match error.errno:
        case errno.EACCES | errno.EPERM:
            return f"{words}: user {os.geteuid()}, whom this runs as, has to be able to read it"
        case errno.EISDIR:
            return f"{words}: name a file (docker mounts a directory where the file it is to mount is not there)"
        case errno.ENOENT if Path(path).is_symlink():
            return f"{words}: it is a link that leads nowhere, to {plain(str(Path(path).readlink()))}"
        case _:
            return words
