"""The only module of the layout that touches the operating system: one small operation each, `OSError` translated.

Everything here blocks and is called in the threads of `layout/threads.py`. `Files` takes a hook that is called before
each operation; a test uses it to fail, or to kill the process, at the k-th one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Lock as Mutex
from typing import Final

from regsync.errors import StorageError
from regsync.layout.trouble import NO_DIRECTORY_SYNC, NO_LINK, translated

_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_LONGEST_STAMP: Final = 11  # digits: a date has to be left of it
_LOCK: Final = os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW

Hook = Callable[[str, Path], None]


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

    def __init__(self, files: Files, path: Path, descriptor: int) -> None:
        self.path = path
        self._files = files
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

    def seek(self, offset: int) -> None:
        """Go to this byte."""
        with self._using("read") as descriptor:
            os.lseek(descriptor, offset, os.SEEK_SET)

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
            with self._files.doing("close", self.path):
                os.close(descriptor)

    @contextmanager
    def _using(self, operation: str) -> Iterator[int]:
        with self._mutex:
            if self._descriptor < 0:
                raise StorageError(f"cannot {operation} {self.path}: it was closed meanwhile")
            with self._files.doing(operation, self.path):
                yield self._descriptor


def _nothing(operation: str, path: Path) -> None:
    """The hook of every day."""


class Files:
    """The file system. `before` is told each operation and its path, and may raise `OSError` in its place."""

    def __init__(self, before: Hook = _nothing) -> None:
        self._before = before
        self._token = secrets.token_hex(6)  # process ids repeat, in containers above all
        self._serial = count()

    @contextmanager
    def doing(self, operation: str, path: Path) -> Iterator[None]:
        """Tell the hook, and turn the operating system's error into ours."""
        try:
            self._before(operation, path)
            yield
        except OSError as error:
            raise translated(error, doing=operation, path=path) from error

    def real(self, path: str) -> Path:
        """Return the absolute path without links, so that one directory has one name."""
        return Path(os.path.realpath(path))

    def unique(self, directory: Path) -> Path:
        """Return a name in this directory that nobody has used."""
        return directory / f"{os.getpid()}-{self._token}-{next(self._serial)}"

    def stat(self, path: Path) -> Stat | None:
        """Return what a name stands for, None for nothing; links are not followed."""
        with self.doing("look at", path):
            try:
                return Stat.of(path.lstat())
            except FileNotFoundError:
                return None

    def open(self, path: Path) -> OpenFile:
        """Open a plain file to read; a link, FIFO, device or directory is refused and never waited for."""
        with self.doing("read", path):
            file = OpenFile(self, path, os.open(path, _READ))
        with contextlib.ExitStack() as undo:
            undo.callback(file.close)
            if not file.stat().regular:
                raise StorageError(f"cannot read {path}: it is no plain file: remove it")
            undo.pop_all()
        return file

    def read(self, path: Path, *, limit: int) -> bytes:
        """Return the whole of a small file; one above `limit` bytes is refused."""
        with contextlib.closing(self.open(path)) as file:
            pieces, size = [], 0
            while piece := file.read(1 << 20):
                size += len(piece)
                if size > limit:
                    raise StorageError(f"cannot read {path}: it has more than {limit} bytes")
                pieces.append(piece)
        return b"".join(pieces)

    def create(self, path: Path) -> OpenFile:
        """Open a new file to write, its mode left to the umask."""
        with self.doing("create", path):
            return OpenFile(self, path, os.open(path, _CREATE, 0o666))

    def names(self, directory: Path) -> list[str] | None:
        """Return what a directory holds, None when it is not there."""
        with self.doing("list", directory):
            try:
                return [each.name for each in directory.iterdir()]
            except FileNotFoundError:
                return None

    def make_directory(self, path: Path) -> None:
        """Make a directory and those above it, modes left to the umask; one that is there is fine."""
        with self.doing("create", path):
            path.mkdir(parents=True, exist_ok=True)

    def rename(self, path: Path, new: Path) -> None:
        """Give a file its new name in one step, in place of whatever file had it."""
        with self.doing("rename to", new):
            path.replace(new)

    def link(self, path: Path, new: Path) -> bool:
        """Give a file a second name; False where the file system or its rules do not allow that."""
        with self.doing("link to", new):
            try:
                os.link(path, new, follow_symlinks=False)
            except OSError as error:
                if error.errno in NO_LINK:
                    return False
                raise
        return True

    def remove(self, path: Path) -> None:
        """Remove a file; one that is gone is fine."""
        with self.doing("remove", path), contextlib.suppress(FileNotFoundError):
            path.unlink()

    def sync_directory(self, path: Path) -> None:
        """Return when the names in this directory survive a power cut."""
        with self.doing("sync", path):
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            except OSError as error:
                if error.errno not in NO_DIRECTORY_SYNC:
                    raise
            finally:
                os.close(descriptor)

    def lock(self, path: Path, *, exclusive: bool) -> Lock | None:
        """Lock this file against other holders, here and in other processes, without waiting; None when it is held."""
        with self.doing("lock", path):
            descriptor = os.open(path, _LOCK, 0o666)
            try:
                fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            except BaseException as error:
                os.close(descriptor)
                if isinstance(error, BlockingIOError):
                    return None
                raise
            return Lock(descriptor)

    def stamp(self) -> int | None:
        """Return the time of creation the environment asks for, in seconds since 1970 (reproducible-builds.org)."""
        for name in ("SOURCE_DATE_EPOCH", "SOURCE_DATE_EPOC"):  # the second is how the Go regsync spells it
            value = os.environ.get(name, "")
            if value.isascii() and value.isdigit() and len(value) <= _LONGEST_STAMP:
                return int(value)
        return None
