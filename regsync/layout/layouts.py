"""Every layout of the process: one object per directory, one set of threads and proofs for all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from regsync.clock import Clock
from regsync.errors import RegsyncError
from regsync.events import Tell, Warned, ignore
from regsync.layout.files import Files
from regsync.layout.proofs import Proofs
from regsync.layout.threads import Threads

if TYPE_CHECKING:  # only who has a layout pays for it at the program's start
    from regsync.layout.repository import LayoutRepository

GRACE: Final = 3600.0  # seconds an unlisted blob lives, since tools that know no lock of ours write blobs first

_ROOT_FOR: Final = 60.0  # seconds for which a path is taken to lead where it led
_MOST_ROOTS: Final = 10_000  # paths remembered


class Layouts:
    """Opens layouts. `grace` is how many seconds unlisted content is left alone; `files` is the file system."""

    def __init__(self, clock: Clock, *, grace: float = GRACE, files: Files | None = None, tell: Tell = ignore) -> None:
        self._clock = clock
        self._grace = grace
        self._files = Files() if files is None else files
        self._tell = tell
        self._threads = Threads()
        self._proofs = Proofs()
        self._open: WeakValueDictionary[Path, LayoutRepository] = WeakValueDictionary()
        self._roots: dict[str, tuple[Path, float]] = {}

    def open(self, path: str) -> LayoutRepository:
        """Return the layout in this directory, to read from; the same object for the same real directory.

        Where links lead is looked at again after a minute, and by every writer: the event loop is not to wait for a
        disk at each image.
        """
        root, until = self._roots.get(path, (None, 0.0))
        if root is None or self._clock.monotonic() > until:
            root = self._resolved(path, self._files.real(path))
        return self._at(root, path)

    @asynccontextmanager
    async def writing(self, path: str) -> AsyncIterator[LayoutRepository]:
        """Return the layout to write into; when its last writer leaves in peace, its garbage is collected.

        What goes wrong with that is told and harms nobody: what was written is not touched by it.
        """
        root = await self._threads.run(partial(self._files.real, path))
        repository = self._at(self._resolved(path, root), path)
        repository.lease.enter()
        in_peace = False
        try:
            yield repository
            in_peace = True
        finally:
            try:
                await repository.leave(sweep=in_peace)
            except RegsyncError as error:
                self._tell(Warned("Failed to tidy a target", {"target": repository.name, "error": str(error)}))

    def _resolved(self, path: str, root: Path) -> Path:
        if len(self._roots) >= _MOST_ROOTS:
            self._roots.clear()
        self._roots[path] = root, self._clock.monotonic() + _ROOT_FOR
        return root

    def _at(self, root: Path, path: str) -> LayoutRepository:
        repository = self._open.get(root)
        if repository is None:
            from regsync.layout.repository import LayoutRepository  # noqa: PLC0415

            repository = self._open[root] = LayoutRepository(
                root,
                name=f"ocidir://{path}",
                files=self._files,
                clock=self._clock,
                threads=self._threads,
                proofs=self._proofs,
                grace=self._grace,
                tell=self._tell,
            )
        return repository

    def close(self) -> None:
        """End the threads; commits under way are waited for."""
        self._threads.close()
