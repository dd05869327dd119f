"""What the operating system's errors mean to somebody who has to do something about them.

The table behind the border in `layout/files.py`; nothing else turns an `OSError` into one of ours.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

from regsync.errors import NotFound, RegsyncError, StorageError

_REMEDIES: Final = {
    errno.ENOSPC: "disk full: make room (or free inodes) and run again",
    errno.EDQUOT: "disk full: the quota is used up",
    errno.EFBIG: "the file system takes no file of this size",
    errno.EROFS: "the file system is read-only: mount it writable",
    errno.EACCES: "not permitted: give user {user}, whom regsync runs as, access to it",
    errno.EPERM: "not permitted: give user {user}, whom regsync runs as, access to it",
    errno.EIO: "the device failed: check the disk and its kernel messages",
    errno.ELOOP: "a symbolic link stands where a plain file belongs: remove it",
    errno.ENAMETOOLONG: "the path is too long for this file system",
    errno.ENOTDIR: "a file stands where a directory belongs",
    errno.EISDIR: "a directory stands where a file belongs",
    errno.ESTALE: "the network file system lost it: mount it again",
    errno.EXDEV: "parts of the layout lie on different file systems: keep one layout on one",
    errno.EMFILE: "too many open files: raise the limit (ulimit -n)",
    errno.ENFILE: "too many open files on this machine",
    errno.ENOLCK: "this file system has no locks: mount it with locking, or use another one",
    errno.EOPNOTSUPP: "this file system cannot do that: use another one",
}

NO_LINK: Final = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EACCES, errno.EOPNOTSUPP, errno.ENOSYS})
"""Why a file system may refuse a hard link that nobody needs: the bytes can be copied instead."""

NO_DIRECTORY_SYNC: Final = frozenset({errno.EINVAL, errno.EOPNOTSUPP})
"""What file systems say whose directories are durable by other means, or never."""


def translated(error: OSError, *, doing: str, path: Path) -> RegsyncError:
    """Return our error for one of the operating system's: what was done, to which path, and what helps."""
    if error.errno == errno.ENOENT:
        return NotFound(f"{path} is not there")
    why = _REMEDIES.get(error.errno or 0, error.strerror or str(error)).replace("{user}", str(os.geteuid()))
    return StorageError(f"cannot {doing} {path}: {why}")
