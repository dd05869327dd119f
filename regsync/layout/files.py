"""The border to the operating system: one small operation each, `OSError` translated (with `opened.py`, its values).

Everything here blocks and is called in the threads of `layout/threads.py`. `Files` takes a hook that is called before
each operation; a test uses it to fail, or to kill the process, at the k-th one.

Reading follows links to directories, so that layouts may share a store and be sources, and links to plain files where
the caller says so: layouts of bazel are made of them, and who reads one proves what it got. What creates, renames,
links, locks or removes goes down from the layout's root by directory descriptors and through no link: somebody else's
blobs must not be taken for ours and removed.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from itertools import count
from pathlib import Path
from typing import Final, Self

from regsync.errors import StorageError
from regsync.layout.opened import Lock, OpenFile, Stat
from regsync.layout.trouble import NO_DIRECTORY_SYNC, NO_LINK, translated

_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_LOCK: Final = os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_LONGEST_STAMP: Final = 11  # digits: a date has to be left of it

Hook = Callable[[str, Path], None]


def _nothing(operation: str, path: Path) -> None:
    """The hook of every day."""


class Files:
    """The file system. `before` is told each operation and its path, and may raise `OSError` in its place."""

    def __init__(self, before: Hook = _nothing) -> None:
        self._before = before
        self._token = secrets.token_hex(6)  # process ids repeat, in containers above all
        self._serial = count()
        self._root = Path("/")

    def below(self, root: Path) -> Self:
        """Return the same file system, in which a link to this root may be followed and none below it."""
        confined = copy(self)
        confined._root = root  # noqa: SLF001  # a copy of our own, not yet seen by anyone
        return confined

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

    def stat(self, path: Path, *, follow: bool = False) -> Stat | None:
        """Return what a name stands for, None for nothing; a link is one unless it is to be followed."""
        with self.doing("look at", path):
            try:
                return Stat.of(path.stat(follow_symlinks=follow))
            except FileNotFoundError:
                return None

    def open(self, path: Path, *, follow: bool = False) -> OpenFile:
        """Open a plain file to read; a FIFO, device or directory is refused and never waited for.

        So is a link, unless it is to be followed and leads to a plain file.
        """
        with self.doing("read", path):
            if follow:  # for some devices do something when they are opened
                _refuse_all_but_files(path, Stat.of(path.stat()))
            file = OpenFile(path, os.open(path, _READ & ~os.O_NOFOLLOW if follow else _READ), doing=self.doing)
        with contextlib.ExitStack() as undo:
            undo.callback(file.close)
            _refuse_all_but_files(path, file.stat())
            undo.pop_all()
        return file

    def read(self, path: Path, *, limit: int, follow: bool = False) -> bytes:
        """Return the whole of a small file; one above `limit` bytes is refused."""
        with contextlib.closing(self.open(path, follow=follow)) as file:
            pieces, size = [], 0
            while piece := file.read(1 << 20):
                size += len(piece)
                if size > limit:
                    raise StorageError(f"cannot read {path}: it has more than {limit} bytes")
                pieces.append(piece)
        return b"".join(pieces)

    def create(self, path: Path) -> OpenFile:
        """Open a new file to write, its mode left to the umask."""
        with self.doing("create", path), self._above(path) as above:
            return OpenFile(path, os.open(path.name, _CREATE, 0o666, dir_fd=above), doing=self.doing)

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
            with contextlib.suppress(FileExistsError):
                self._root.mkdir(parents=True)
            os.close(self._directory(path, make=True))

    def rename(self, path: Path, new: Path) -> None:
        """Give a file its new name in one step, in place of whatever file had it."""
        with self.doing("rename to", new), self._above(path) as above, self._above(new) as above_new:
            os.replace(path.name, new.name, src_dir_fd=above, dst_dir_fd=above_new)

    def link(self, path: Path, new: Path) -> bool:
        """Give a file a second name; False where the file system or its rules do not allow that."""
        with self.doing("link to", new), self._above(new) as above:
            try:
                os.link(path, new.name, dst_dir_fd=above, follow_symlinks=False)
            except OSError as error:
                if error.errno in NO_LINK:
                    return False
                raise
        return True

    def remove(self, path: Path) -> None:
        """Remove a file; one that is gone is fine."""
        with self.doing("remove", path), contextlib.suppress(FileNotFoundError), self._above(path) as above:
            os.unlink(path.name, dir_fd=above)

    def remove_directory(self, path: Path) -> None:
        """Remove a directory; one that is gone is fine, and one that holds something stays."""
        with self.doing("remove", path), contextlib.suppress(FileNotFoundError), self._above(path) as above:
            try:
                os.rmdir(path.name, dir_fd=above)
            except OSError as error:
                if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                    raise

    def sync_directory(self, path: Path) -> None:
        """Return when the names in this directory survive a power cut."""
        with self.doing("sync", path):
            descriptor = self._directory(path)
            try:
                os.fsync(descriptor)
            except OSError as error:
                if error.errno not in NO_DIRECTORY_SYNC:
                    raise
            finally:
                os.close(descriptor)

    def lock(self, path: Path, *, exclusive: bool) -> Lock | None:
        """Lock this file against other holders, here and in other processes, without waiting; None when it is held.

        Whoever holds it alone may remove it. So a lock counts only if the name still stands for the file locked; else
        it is taken anew.
        """
        how = (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB
        with self.doing("lock", path), self._above(path) as above:
            while True:
                descriptor = _lockable(path, above)
                try:
                    fcntl.flock(descriptor, how)
                    if _is_named(descriptor, path.name, above):
                        return Lock(descriptor)
                except BlockingIOError:
                    os.close(descriptor)
                    return None
                except BaseException:
                    os.close(descriptor)
                    raise
                os.close(descriptor)

    def stamp(self) -> int | None:
        """Return the time of creation the environment asks for, in seconds since 1970 (reproducible-builds.org)."""
        for name in ("SOURCE_DATE_EPOCH", "SOURCE_DATE_EPOC"):  # the second is how the Go regsync spells it
            value = os.environ.get(name, "")
            if value.isascii() and value.isdigit() and len(value) <= _LONGEST_STAMP:
                return int(value)
        return None

    @contextmanager
    def _above(self, path: Path) -> Iterator[int]:
        """Open the directory a path lies in."""
        descriptor = self._directory(path.parent)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _directory(self, path: Path, *, make: bool = False) -> int:
        """Open a directory, through no link below the root; what lies outside of that is not ours to judge."""
        if not path.is_relative_to(self._root):
            return os.open(path, _DIRECTORY)
        here = self._root
        descriptor = os.open(here, _DIRECTORY)
        for part in path.relative_to(here).parts:
            here /= part
            try:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(part, dir_fd=descriptor)
                below = _entered(here, descriptor)
            finally:
                os.close(descriptor)
            descriptor = below
        return descriptor


def _refuse_all_but_files(path: Path, seen: Stat) -> None:
    if seen.directory:
        raise StorageError(f"cannot read {path}: a directory stands where a file belongs: move it away")
    if not seen.regular:
        raise StorageError(f"cannot read {path}: it is no plain file: remove it")


def _entered(path: Path, above: int) -> int:
    try:
        return os.open(path.name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=above)
    except OSError as error:
        seen = os.stat(path.name, dir_fd=above, follow_symlinks=False)
        if stat.S_ISLNK(seen.st_mode):
            raise StorageError(
                f"{path} is a symbolic link, and nothing is written or removed through one: put a directory in its "
                "place, or use this layout as a source only"
            ) from error
        if not stat.S_ISDIR(seen.st_mode):
            raise StorageError(f"{path} is no directory: remove it") from error
        raise


def _lockable(path: Path, above: int) -> int:
    """Open a lock file; anything else under its name is refused before it is opened, since a FIFO would wait."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(os.stat(path.name, dir_fd=above, follow_symlinks=False).st_mode):
            raise StorageError(f"cannot lock {path}: it is no plain file: remove it")
    return os.open(path.name, _LOCK, 0o666, dir_fd=above)


def _is_named(descriptor: int, name: str, above: int) -> bool:
    try:
        named = os.stat(name, dir_fd=above, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(named, os.fstat(descriptor))
