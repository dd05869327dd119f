from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from regsync.watching import Watched, look


def configmap(folder: Path, generation: str, text: str) -> None:
    """Put a file there as the kubelet does: behind a link to a folder that is replaced as a whole."""
    (folder / generation).mkdir()
    (folder / generation / "regsync.yml").write_text(text)
    (folder / "new").symlink_to(generation)
    (folder / "new").rename(folder / "..data")
    if not (folder / "regsync.yml").is_symlink():
        (folder / "regsync.yml").symlink_to("..data/regsync.yml")


def rewrite_in_place(path: Path) -> None:
    """Write as much as before, and leave the times as they were."""
    stat = path.stat()
    path.write_text("b" * stat.st_size)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_by_lost_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


CHANGES: dict[str, Callable[[Path], object]] = {
    "written": lambda path: path.write_text("more than before"),
    "written with the same size and times": rewrite_in_place,
    "gone": Path.unlink,
    "a folder now": replace_by_folder,
    "a link that leads nowhere now": replace_by_lost_link,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_looks_otherwise_has_changed(change: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("a")
    watched = Watched()
    watched.note(str(path))
    assert not watched.changed()
    CHANGES[change](path)
    assert watched.changed()


def test_a_file_that_is_touched_or_replaced_by_its_like_has_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("a")
    watched = Watched()
    watched.note(str(path))
    path.touch()
    (tmp_path / "other").write_text("a")
    (tmp_path / "other").rename(path)
    assert not watched.changed()


def test_the_link_above_a_file_may_be_moved(tmp_path: Path) -> None:
    configmap(tmp_path, "..1", "a")
    watched = Watched()
    watched.note(str(tmp_path / "regsync.yml"))
    configmap(tmp_path, "..2", "a")
    assert not watched.changed()
    configmap(tmp_path, "..3", "b")
    assert watched.changed()


def test_a_folder_looks_otherwise_when_a_file_in_it_or_in_a_folder_of_it_does(tmp_path: Path) -> None:
    (tmp_path / "a.x").mkdir()
    (tmp_path / "a.x" / "ca.crt").write_text("one")
    looks = [look(str(tmp_path))]
    (tmp_path / "a.x" / "ca.crt").write_text("two")
    looks.append(look(str(tmp_path)))
    (tmp_path / "a.x" / "another.crt").write_text("two")
    looks.append(look(str(tmp_path)))
    (tmp_path / "b.x").mkdir()
    looks.append(look(str(tmp_path)))
    assert len(set(looks)) == 4


def test_what_was_not_there_has_changed_when_it_is(tmp_path: Path) -> None:
    watched = Watched()
    watched.note(str(tmp_path / "absent"))
    assert not watched.changed()
    (tmp_path / "absent").touch()
    assert watched.changed()


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert look(str(tmp_path / "pipe")) == "neither file nor folder"
    assert look("no\0name") == "ValueError"


def test_what_another_one_watched_is_watched_from_now_on(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text("first")
    before, after = Watched(), Watched()
    before.note(str(tmp_path / "a"))
    before.note(str(tmp_path / "b"))
    for name in ("a", "b"):
        (tmp_path / name).write_text("second")
    after.note(str(tmp_path / "a"))
    after.join(before)
    assert not after.changed()
    (tmp_path / "b").write_text("third")
    assert after.changed()
