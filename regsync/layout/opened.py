"""What the layout's file system hands out: what a name stands for, a lock, and an open file."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock as Mutex

from regsync.errors import StorageError

Doing = Callable[[str, Path], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Stat:
    """What a name stands for now, links not followed; times in nanoseconds since 1970."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int
    regular: bool
    directory: bool

    @property
    def content(self) -> tuple[int, int, int, int]:
        """Return what stays the same as long as nobody writes, whatever names the file gets or loses."""
        return self.device, self.inode, self.size, self.mtime_ns

    @classmethod
    def of(cls, seen: os.stat_result) -> Stat:
        """Keep what we need of the operating system's answer."""
        return cls(
            size=seen.st_size,
            mtime_ns=seen.st_mtime_ns,
            ctime_ns=seen.st_ctime_ns,
            inode=seen.st_ino,
            device=seen.st_dev,
            regular=stat.S_ISREG(seen.st_mode),
            directory=stat.S_ISDIR(seen.st_mode),
        )


class Lock:
    """A lock this process holds until it closes it, or dies."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def close(self) -> None:
        """Give the lock back; twice is once."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


class OpenFile:
    """An open file whose operations exclude each other, so that closing waits for a thread that still uses it.

    A cancelled task cannot stop its thread; without this its descriptor could be closed, and its number used again,
    under a write.
    """

    def __init__(self, path: Path, descriptor: int, *, doing: Doing) -> None:
        self.path = path
        self._doing = doing
        self._descriptor = descriptor
        self._mutex = Mutex()

    def stat(self) -> Stat:
        """Return what is open here."""
        with self._using("look at") as descriptor:
            return Stat.of(os.fstat(descriptor))

    def read(self, size: int) -> bytes:
        """Return up to this many bytes, none at the end."""
        with self._using("read") as descriptor:
            return os.read(descriptor, size)

    def seek(self, start: int) -> None:
        """Go on at this byte."""
        with self._using("read") as descriptor:
            os.lseek(descriptor, start, os.SEEK_SET)

    def write(self, pieces: Iterable[bytes]) -> None:
        """Append all of this."""
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                with self._using("write") as descriptor:
                    rest = rest[os.write(descriptor, rest) :]

    def sync(self) -> None:
        """Return when the bytes survive a power cut; after an error throw the file away, a second sync would lie."""
        with self._using("sync") as descriptor:
            os.fsync(descriptor)

    def close(self) -> None:
        """Close, once nobody uses it; twice is once."""
        with self._mutex:
            descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with self._doing("close", self.path):
                os.close(descriptor)

    @contextmanager
    def _using(self, operation: str) -> Iterator[int]:
        with self._mutex:
            if self._descriptor < 0:
                raise StorageError(f"cannot {operation} {self.path}: it was closed meanwhile")
            with self._doing(operation, self.path):
                yield self._descriptor
