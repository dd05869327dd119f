"""Every layout of the process: one object per directory, one set of threads and proofs for all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakValueDictionary

from regsync.clock import Clock
from regsync.layout.files import Files
from regsync.layout.proofs import Proofs
from regsync.layout.repository import LayoutRepository
from regsync.layout.threads import Threads

GRACE: Final = 3600.0  # seconds an unlisted blob lives, since tools that know no lock of ours write blobs first


class Layouts:
    """Opens layouts. `grace` is how many seconds unlisted content is left alone; `files` is the file system."""

    def __init__(self, clock: Clock, *, grace: float = GRACE, files: Files | None = None) -> None:
        self._clock = clock
        self._grace = grace
        self._files = Files() if files is None else files
        self._threads = Threads()
        self._proofs = Proofs()
        self._open: WeakValueDictionary[str, LayoutRepository] = WeakValueDictionary()

    def open(self, path: str) -> LayoutRepository:
        """Return the layout in this directory, to read from; the same object for the same real directory."""
        root = self._files.real(path)
        repository = self._open.get(str(root))
        if repository is None:
            repository = self._open[str(root)] = LayoutRepository(
                root,
                name=f"ocidir://{path}",
                files=self._files,
                clock=self._clock,
                threads=self._threads,
                proofs=self._proofs,
                grace=self._grace,
            )
        return repository

    @asynccontextmanager
    async def writing(self, path: str) -> AsyncIterator[LayoutRepository]:
        """Return the layout to write into; when its last writer leaves in peace, its garbage is collected."""
        repository = self.open(path)
        repository.lease.enter()
        try:
            yield repository
        except BaseException:
            repository.lease.leave()
            raise
        if repository.lease.leave():
            await repository.tidy()

    def close(self) -> None:
        """End the threads; commits under way are waited for."""
        self._threads.close()
