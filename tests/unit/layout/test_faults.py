"""One file operation fails, each in its turn: what was there stays, nothing half is seen, the next run completes."""

from __future__ import annotations

import errno
import os
import shutil
from itertools import count
from pathlib import Path

import pytest

from regsync.errors import NotFound, RegsyncError, StorageError
from regsync.layout.files import Files
from regsync.layout.trouble import translated
from tests.support.images import assert_whole, image_bytes, put_built, read_layout, some_bytes, write_layout
from tests.unit.layout.conftest import Opener
from tests.unit.layout.looking import staged

OLD = {f"v{number}": image_bytes(f"old {number}".encode()) for number in range(3)}
NEW = image_bytes(b"a small layer", some_bytes((1 << 20) + 70_000))


class Failing:
    """Fails the k-th operation, or all from the k-th on; counts those of each kind."""

    def __init__(self, at: int, code: int, *, lasting: bool) -> None:
        self.failed = False
        self._left = at
        self._code = code
        self._lasting = lasting

    def __call__(self, operation: str, path: Path) -> None:
        self._left -= 1
        if self._left == 0 or (self._lasting and self._left < 0):
            self.failed = True
            raise OSError(self._code, os.strerror(self._code))


def assert_sound(folder: Path) -> dict[str, str]:
    """Fail unless every file is what its name says, every tag whole, and every old tag as it was."""
    tags, contents = read_layout(folder)
    for digest in tags.values():
        assert_whole(digest, contents)
    assert {tag: tags.get(tag) for tag in OLD} == {tag: image.digest for tag, image in OLD.items()}
    return tags


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "for-good"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO], ids=["full", "broken"])
async def test_whatever_operation_fails_the_layout_is_sound(
    opener: Opener, tmp_path: Path, code: int, lasting: bool
) -> None:
    write_layout(tmp_path / "origin", OLD)
    for at in count(1):
        folder = tmp_path / f"{at}"
        shutil.copytree(tmp_path / "origin", folder)
        failing = Failing(at, code, lasting=lasting)
        layouts = opener(files=Files(failing), grace=-1.0)
        error: RegsyncError | None = None
        try:
            async with layouts.writing(str(folder)) as layout:
                await put_built(layout, NEW, tag="new")
        except RegsyncError as raised:
            error = raised
        layouts.close()
        if not failing.failed:
            assert at > 30
            assert error is None
            break
        tags = assert_sound(folder)
        assert error is None or isinstance(error, StorageError)
        assert error is not None or "new" in tags
        async with opener().writing(str(folder)) as layout:  # there is room again
            await put_built(layout, NEW, tag="new")
        assert assert_sound(folder)["new"] == NEW.digest
        if not lasting:
            assert staged(folder) == []
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (errno.ENOSPC, "disk full"),
        (errno.EDQUOT, "disk full"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, f"not permitted: give user {os.geteuid()}, whom regsync runs as, access to it"),
        (errno.EIO, "check the disk"),
        (errno.ENAMETOOLONG, "too long"),
        (errno.ESTALE, "mount it again"),
        (errno.ENOLCK, "no locks"),
        (errno.ETXTBSY, "busy"),
    ],
)
def test_an_error_names_the_path_and_what_helps(code: int, says: str) -> None:
    error = translated(OSError(code, os.strerror(code)), doing="write", path=Path("/a/b"))
    assert isinstance(error, StorageError)
    assert not error.retryable
    assert "cannot write /a/b: " in str(error)
    assert says in str(error)


def test_what_is_missing_is_not_found() -> None:
    error = translated(FileNotFoundError(errno.ENOENT, "gone"), doing="read", path=Path("/a/b"))
    assert isinstance(error, NotFound)
