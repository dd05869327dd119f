from __future__ import annotations

import errno
from pathlib import Path
from typing import IO, Any

import pytest

from regsync.errors import ConfigError
from regsync.init.files import check_place, write


def test_a_file_that_exists_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "a.yml"
    file.write_text("mine")
    with pytest.raises(ConfigError, match="exists and is left as it is"):
        check_place(str(file), force=False)
    with pytest.raises(ConfigError, match="exists and is left as it is"):
        write(str(file), "text", force=False)
    assert file.read_text() == "mine"
    check_place(str(file), force=True)
    write(str(file), "text", force=True)
    assert file.read_text() == "text"
    assert [path.name for path in tmp_path.iterdir()] == ["a.yml"]


def test_a_link_to_nothing_is_something_too(tmp_path: Path) -> None:
    (tmp_path / "a.yml").symlink_to("elsewhere")
    with pytest.raises(ConfigError, match="exists"):
        check_place(str(tmp_path / "a.yml"), force=False)
    write(str(tmp_path / "a.yml"), "text", force=True)
    assert (tmp_path / "elsewhere").read_text() == "text"


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOTSUP])
def test_where_no_links_can_be_made_the_file_is_renamed(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*_: object) -> None:
        raise OSError(code, "no links")

    monkeypatch.setattr(Path, "hardlink_to", refusing)
    write(str(tmp_path / "a.yml"), "text", force=False)
    with pytest.raises(ConfigError, match="exists"):
        write(str(tmp_path / "a.yml"), "other", force=False)
    assert (tmp_path / "a.yml").read_text() == "text"
    assert [path.name for path in tmp_path.iterdir()] == ["a.yml"]


def test_an_interrupt_while_it_is_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    def interrupted(path: Path, *arguments: Any, **named: Any) -> IO[Any]:
        with opened(path, *arguments, **named) as file:
            file.write("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "open", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(str(tmp_path / "a.yml"), "text", force=False)
    assert [path.name for path in tmp_path.iterdir()] == []


def test_a_place_where_nothing_can_be_written_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        check_place(str(tmp_path / "none" / "a.yml"), force=False)
    with pytest.raises(ConfigError, match="cannot be written"):
        write(str(tmp_path / "none" / "a.yml"), "text", force=False)
    check_place("-", force=False)


def test_a_disk_that_is_full_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "hardlink_to", full)
    with pytest.raises(ConfigError, match="No space left on device"):
        write(str(tmp_path / "a.yml"), "text", force=False)
    assert [path.name for path in tmp_path.iterdir()] == []
