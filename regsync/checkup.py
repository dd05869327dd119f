"""Whether the server that is a container's first process is well: it is asked, where it answers at all."""

from __future__ import annotations

from pathlib import Path

from regsync.asking import Server
from regsync.errors import ConfigError
from regsync.loading import Source


def arguments_of(process: int) -> list[str]:
    """Return what a process was started with, behind the name of the program; nothing where that cannot be known."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_text(encoding="utf-8", errors="surrogateescape").split("\0")[:-1]
    except OSError:
        return []
    names = [Path(word).name for word in words]
    return words[names.index("regsync") + 1 :] if "regsync" in names else []


def is_well(source: Source, listen: str) -> bool:
    """Say whether a server of this configuration, told to listen there, answers, or need not.

    What it was started with may be gone by now, or be another configuration that it refuses; it works on all the same.
    """
    try:
        place = listen or source.load(lambda _: None).config.server.listen
    except ConfigError:
        return True
    return not place or not (server := Server(place)).known or server.lives()
