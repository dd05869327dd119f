"""Hooks of the program as it is run: programs and URLs that are told what becomes of images, and how they fail."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.program import Started, once, regsync, wait_for
from tests.support.built import image_bytes, read_layout, write_layout
from tests.support.listener import Heard, listening

IMAGES = {"v1": image_bytes(b"one"), "v2": image_bytes(b"two")}
CANARY = "canary-7f3a91"
ALL = ("pre", "post", "unchanged", "entryPre", "entryPost", "entryUnchanged")


def config(work: Path, hooks: Mapping[str, object]) -> str:
    """Return a configuration that copies a repository, with these hooks in its defaults."""
    write_layout(work / "source", IMAGES)
    entry = f"{{name: all, source: 'ocidir://{work}/source', target: 'ocidir://{work}/target', type: repository}}"
    return f"defaults: {{hooks: {json.dumps(hooks)}}}\nsync:\n- {entry}\n"


def program(work: Path, text: str) -> dict[str, object]:
    """Return the hook that is this shell script."""
    path = work / f"hook-{len(list(work.glob('hook-*')))}"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return {"type": "exec", "params": [str(path)], "timeout": "60s"}


def events(work: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (work / "events").read_text().splitlines()]


def url_of(heard: Heard) -> str:
    """Return the URL of a webhook with secrets in it."""
    return f"http://ann:{CANARY}@{heard.host}/in?token={CANARY}"


def test_a_program_is_told_of_each_image_and_of_the_entry_in_both_runs(tmp_path: Path) -> None:
    hook = program(tmp_path, f"cat >> '{tmp_path}/events'")
    text = config(tmp_path, dict.fromkeys(ALL, hook))
    for _ in range(2):
        ended = once(text, cwd=tmp_path)
        assert ended.code == 0, ended.err
    told = [(one["hook"], one["outcome"]) for one in events(tmp_path)]
    assert told[0] == ("entryPre", "needed")
    assert sorted(told[1:5]) == [("post", "copied")] * 2 + [("pre", "needed")] * 2
    assert told[5:] == [("entryPost", "copied"), *[("unchanged", "unchanged")] * 2, ("entryUnchanged", "unchanged")]
    post = next(one for one in events(tmp_path) if one["hook"] == "post" and one["target"].endswith(":v1"))
    assert (post["entry"], post["digestBefore"], post["digestAfter"]) == ("all", None, IMAGES["v1"].digest)


def test_a_pre_that_fails_skips_its_image_alone_and_the_run_exits_with_1(tmp_path: Path) -> None:
    refuses_one = program(tmp_path, "grep -q target:v1 || exit 0; echo unheard; echo 'v1 is not wanted' >&2; exit 4")
    ended = once(config(tmp_path, {"pre": refuses_one}), cwd=tmp_path)
    assert ended.code == 1
    assert set(read_layout(tmp_path / "target")[0]) == {"v2"}
    (line,) = [line for line in ended.lines if line["level"] == "ERROR"]
    assert (line["msg"], line["target"]) == ("Failed to run hook", f"ocidir://{tmp_path}/target:v1")
    assert line["error"].endswith("ended with exit code 4: v1 is not wanted")
    assert (ended.figures["copied"], ended.figures["failed"]) == (1, 1)
    assert "unheard" not in ended.err


def test_a_program_that_is_not_there_is_one_line_before_anything_is_begun(tmp_path: Path) -> None:
    text = config(tmp_path, {"post": {"type": "exec", "params": ["no-such-program"]}})
    (tmp_path / "regsync.yml").write_text(text)
    for command in ("once", "server"):
        ended = regsync(command, "-c", "regsync.yml", cwd=tmp_path)
        assert (ended.code, ended.err.count("\n")) == (2, 1)
        assert ended.err.startswith("the program no-such-program of a hook is not there: ")
    assert regsync("check", "-c", "regsync.yml", cwd=tmp_path).code == 0
    assert not (tmp_path / "target").exists()


def test_a_program_that_one_entry_lacks_keeps_no_other_from_its_images(tmp_path: Path) -> None:
    other = f"- {{source: 'ocidir://{tmp_path}/source', target: 'ocidir://{tmp_path}/other', type: repository"
    lacking = f"{other}, hooks: {{pre: {{type: exec, params: [no-such-program]}}}}}}\n"
    ended = once(config(tmp_path, {}) + lacking, cwd=tmp_path)
    assert (ended.code, ended.figures["copied"], ended.figures["failed"]) == (1, 2, 2)
    assert [line["msg"] for line in ended.lines if line["level"] == "WARN"] == ["Some entries cannot be mirrored"]


def test_a_post_that_fails_leaves_what_was_copied_and_the_run_exits_with_1(tmp_path: Path) -> None:
    ended = once(config(tmp_path, {"post": program(tmp_path, "exit 1")}), cwd=tmp_path)
    assert (ended.code, set(read_layout(tmp_path / "target")[0])) == (1, set(IMAGES))
    assert (ended.figures["copied"], ended.figures["failed"]) == (2, 2)


def test_a_hook_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    hangs = program(tmp_path, f"sleep 600 & echo $! >> '{tmp_path}/children'; wait") | {"timeout": "1s"}
    ended = once(config(tmp_path, {"pre": hangs}), cwd=tmp_path)
    assert ended.code == 1
    assert [line["error"] for line in ended.lines if line["level"] == "ERROR"] == [
        f"hook pre: {tmp_path}/hook-0 did not end within 1s"
    ] * 2
    for child in (tmp_path / "children").read_text().split():
        wait_for(lambda child=child: not Path(f"/proc/{child}/stat").exists(), within=30)  # type: ignore[misc]


def test_a_check_runs_no_hook(tmp_path: Path) -> None:
    hook = program(tmp_path, f"touch '{tmp_path}/ran'")
    (tmp_path / "regsync.yml").write_text(config(tmp_path, dict.fromkeys(ALL, hook)))
    assert regsync("check", "-c", "regsync.yml", cwd=tmp_path).code == 0
    assert not (tmp_path / "ran").exists()


def test_a_run_that_is_interrupted_ends_its_hook(tmp_path: Path) -> None:
    stays = program(tmp_path, f"echo $$ > '{tmp_path}/pid'; exec sleep 600")
    text = config(tmp_path, {"entryPre": stays})
    (tmp_path / "regsync.yml").write_text(text)
    with Started("once", "-c", "regsync.yml", cwd=tmp_path) as run:
        pid = wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip(), within=60)
        run.signal(signal.SIGINT)
        assert run.ended().code == 130
    wait_for(lambda: not Path(f"/proc/{pid}/stat").exists(), within=30)


@pytest.mark.parametrize("statuses", [(200,), (503, 200)])
def test_a_url_is_sent_the_event_again_after_trouble_with_its_login(tmp_path: Path, statuses: tuple[int, ...]) -> None:
    with listening(*statuses) as heard:
        ended = once(config(tmp_path, {"entryPost": {"type": "webhook", "params": [url_of(heard)]}}), cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert len(heard.bodies) == len(statuses)
    assert heard.bodies[0] == heard.bodies[-1]
    assert heard.bodies[0]["images"] == {"copied": 2, "unchanged": 0, "skipped": 0, "failed": 0}
    assert all(login is not None and login.startswith("Basic ") for login in heard.logins)


def test_a_url_that_refuses_is_a_failure_that_shows_only_its_host(tmp_path: Path) -> None:
    with listening(403) as heard:
        text = config(tmp_path, {"entryPost": {"type": "webhook", "params": [url_of(heard)]}})
        ended = once(text, "-v", "trace", cwd=tmp_path)
        shown = regsync("config", "-c", "regsync.yml", cwd=tmp_path)
    assert (ended.code, len(heard.bodies)) == (1, 1)
    (line,) = [line for line in ended.lines if line["level"] == "ERROR"]
    assert line["error"] == "hook entryPost: webhook at 127.0.0.1 answered 403"
    assert CANARY not in ended.err + shown.out + shown.err


def test_hooks_beside_many_copies_into_a_layout_leave_its_files_alone(tmp_path: Path) -> None:
    images = {f"t{number}": image_bytes(str(number).encode()) for number in range(150)}
    text = config(tmp_path, {"pre": {"type": "exec", "params": ["true"]}, "post": {"type": "exec", "params": ["true"]}})
    write_layout(tmp_path / "source", images)
    ended = once(text, cwd=tmp_path)
    assert (ended.code, set(read_layout(tmp_path / "target")[0])) == (0, set(images)), ended.err
