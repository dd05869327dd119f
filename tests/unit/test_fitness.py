from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any, Literal

import pytest

from regsync.errors import ConfigError
from regsync.fitness import lacks
from regsync.hooks.hook import Exec, Hooks, Webhook
from regsync.sync.entry import SyncEntry

USER = os.geteuid()


def entry(
    target: str, *, kind: Literal["image", "repository", "registry"] = "image", hooks: Hooks | None = None
) -> SyncEntry:
    return SyncEntry(target, kind, "a.example/app:v1", target, (), hooks=hooks)


def runs(*programs: str) -> Hooks:
    return Hooks(*(Exec((program, "argument"), 1.0) for program in programs))


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory nobody may write to: not even root, whom modes do not keep out. tests/image has another user."""
    closed, access = tmp_path / "closed", os.access
    closed.mkdir()

    def without_rights(path: Path, mode: int, **how: bool) -> bool:
        return not Path(path).is_relative_to(closed) and access(path, mode, **how)

    monkeypatch.setattr(os, "access", without_rights)
    return closed


def refused(*entries: SyncEntry) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        lacks(entries, os.environ)
    return caught.value.problems


def test_nothing_is_lacked_by_registries_and_by_layouts_that_can_be_made_or_changed(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    targets = ("b.example/app:v1", f"ocidir://{tmp_path}/there:v1", f"ocidir://{tmp_path}/not/yet:v1")
    assert lacks([entry(target) for target in targets], os.environ) == []
    assert [*tmp_path.iterdir()] == [tmp_path / "there"]
    assert lacks([], os.environ) == []


def test_where_no_target_can_be_written_to_each_directory_is_refused_on_one_line(closed: Path) -> None:
    (closed / "there").mkdir()
    remedy = f"give it to that user (chown {USER}), or run as its owner"
    below = [entry(f"ocidir://{closed}/a/b:{tag}") for tag in ("v1", "v2")]
    assert refused(*below, entry(f"ocidir://{closed}/there", kind="repository")) == (
        f"{closed}, where layouts are to be written, is not writable for user {USER}: {remedy}",
        f"{closed}/there, where layouts are to be written, is not writable for user {USER}: {remedy}",
    )
    assert refused(entry(f"ocidir://{closed}/there", kind="registry")) == (
        f"{closed}/there, where layouts are to be written, is not writable for user {USER}: {remedy}",
    )


@pytest.mark.parametrize("kind", ["image", "repository", "registry"])
def test_what_lies_there_already_may_be_all_that_is_wanted(
    kind: Literal["image", "repository", "registry"], closed: Path
) -> None:
    (closed / "there").mkdir()
    (closed / "there" / "index.json").touch()
    assert lacks([entry(f"ocidir://{closed}/there", kind=kind)], os.environ) == []
    assert refused(entry(f"ocidir://{closed}/not-there", kind=kind))


def test_a_directory_nobody_may_look_into_is_refused_on_one_line(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stat = os.stat

    def without_rights(path: Path, **how: Any) -> os.stat_result:
        if closed in Path(path).parents:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **how)

    monkeypatch.setattr(os, "stat", without_rights)
    (problem,) = refused(entry(f"ocidir://{closed}/a/b:v1"))
    assert problem.startswith(f"{closed}, where")


def test_where_a_link_leads_is_what_counts(closed: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(closed)
    (problem,) = refused(entry(f"ocidir://{tmp_path}/link:v1"))
    assert problem.startswith(f"{closed}, where")


@pytest.mark.parametrize("other", ["b.example/app:v1", "ocidir://{tmp_path}/open:v1"])
def test_one_target_that_can_be_written_to_is_enough_to_begin_and_the_others_are_told(
    other: str, closed: Path, tmp_path: Path
) -> None:
    entries = [entry(f"ocidir://{closed}:v1"), entry(other.format(tmp_path=tmp_path))]
    (line,) = lacks(entries, os.environ)
    assert line.startswith(f"{closed}, where")


def test_a_file_in_a_targets_place_and_a_name_that_is_none_are_told_when_their_turn_comes(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert lacks([entry(f"ocidir://{tmp_path}/file:v1"), entry("ocidir://:::")], os.environ) == []


def test_a_program_of_a_hook_that_is_not_there_or_may_not_be_run_is_one_line_for_all(tmp_path: Path) -> None:
    (tmp_path / "program").touch(mode=0o644)
    remedy = "mount one that can be run, or change the hook"
    hooks = runs("no-such", f"{tmp_path}/program", "no-such")
    assert refused(entry("b.example/a", hooks=hooks), entry("b.example/b", hooks=hooks)) == (
        f"the program no-such of a hook is not there: {remedy}",
        f"the program {tmp_path}/program of a hook cannot be run by user {USER}: {remedy}",
    )


def test_a_hook_of_one_entry_stops_no_other_and_programs_are_looked_for_on_the_path(tmp_path: Path) -> None:
    (tmp_path / "ours").touch(mode=0o755)
    entries = [entry("b.example/a", hooks=runs("no-such")), entry("b.example/b", hooks=runs("ours"))]
    (line,) = lacks(entries, {"PATH": str(tmp_path)})
    assert "no-such" in line
    assert lacks([entry("b.example/c", hooks=Hooks(pre=Webhook("https://hooks.example", 1.0)))], {}) == []
