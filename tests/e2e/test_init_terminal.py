"""`regsync init` on a terminal: it asks, shows what there is, and takes what is typed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path

from regsync.loading import load
from tests.e2e.program import wait_for
from tests.e2e.terminal import AtTerminal
from tests.support.built import image_bytes, some_bytes
from tests.support.fake_registry import FakeRegistry

IMAGE = image_bytes(some_bytes(100))
TAGS = ("2.0.0", "2.1.0", "2.2.0", "2.3.0", "2.3.0-alpine", "2.2.0-alpine", "latest")


class Asked(AtTerminal):
    """The program with its streams on a terminal, and somebody who answers."""

    def __init__(self, *arguments: str, cwd: Path) -> None:
        super().__init__("init", *arguments, cwd=cwd, environ={"TERM": "xterm"}, types=True)
        self._answered = 0

    def wait_for(self, question: str) -> None:
        """Wait for a question behind what was answered last."""
        wait_for(lambda: question in self.sent[self._answered :] and self.sent.rstrip("\r\n").endswith(": "), within=60)

    def answer(self, question: str, text: str) -> None:
        """Wait for a question and type."""
        self.wait_for(question)
        self._answered = len(self.sent)
        self.type(text)


def answered(cwd: Path, answers: Sequence[tuple[str, str]], *arguments: str) -> tuple[int, str]:
    """Answer these questions, and return the exit code and all that was on the terminal."""
    asked = Asked(*arguments, cwd=cwd)
    for question, text in answers:
        asked.answer(question, text)
    code = asked.ended()
    return code, asked.sent.replace("\r\n", "\n")


async def test_whoever_answers_with_return_gets_what_is_proposed(fake_registry: FakeRegistry, tmp_path: Path) -> None:
    fake_registry.seed("team/app", dict.fromkeys(TAGS, IMAGE))
    answers = [
        ("Source", f"http://{fake_registry.host}/team/app"),
        ("What to copy", ""),
        ("Target", ""),
        ("How often", ""),
    ]
    code, shown = await asyncio.to_thread(answered, tmp_path, answers)
    assert code == 0, shown
    assert (
        "  1  the newest versions 2.3, 2.2, 2.1, and what follows below 3: 4 tags (2.1.0, 2.2.0, 2.3.0, latest)"
        in shown
    )
    assert "as -alpine: 2 tags (2.2.0-alpine, 2.3.0-alpine)" in shown
    assert "everything: 7 tags\n" in shown
    (step,) = load(str(tmp_path / "regsync.yml"), allow_unknown_keys=False).config.sync
    assert (step.target, step.interval) == ("ocidir://images/app", 3600)
    assert step.tag_sets[0].semver_range == (">=2.1 <3",)


async def test_an_answer_that_cannot_be_used_is_asked_for_again(fake_registry: FakeRegistry, tmp_path: Path) -> None:
    fake_registry.seed("team/app", dict.fromkeys(TAGS, IMAGE))
    answers = [
        ("Source", "NO"),
        ("must be lowercase", f"http://{fake_registry.host}/none"),
        ("looking", f"http://{fake_registry.host}/team/app"),
        ("What to copy", "["),
        ("not RE2", "2.3.*"),
        ("Target", f"{fake_registry.host}/team/app"),
        ("the target is the source", "ocidir://x"),
        ("How often", "often"),
        ("a cron line", "@daily"),
    ]
    code, shown = await asyncio.to_thread(answered, tmp_path, answers)
    assert code == 0, shown
    (step,) = load(str(tmp_path / "regsync.yml"), allow_unknown_keys=False).config.sync
    assert (step.tag_sets[0].allow, step.target, step.schedule) == (("2.3.*",), "ocidir://x", "@daily")


async def test_only_what_flags_leave_open_is_asked(fake_registry: FakeRegistry, tmp_path: Path) -> None:
    fake_registry.seed("team/app", dict.fromkeys(TAGS, IMAGE))
    flags = ["--source", f"http://{fake_registry.host}", "--every", "never", "--target", "ocidir://x"]
    code, shown = await asyncio.to_thread(answered, tmp_path, [("Which repositories", "team/.*")], *flags)
    assert code == 0, shown
    assert "  team/app\n" in shown
    (step,) = load(str(tmp_path / "regsync.yml"), allow_unknown_keys=False).config.sync
    assert (step.type, step.repos.allow) == ("registry", ("team/.*",))


def test_an_interrupt_leaves_no_file_and_no_traceback(tmp_path: Path) -> None:
    asked = Asked("--offline", "--source", "alpine", cwd=tmp_path)
    asked.wait_for("What to copy")
    asked.process.send_signal(signal.SIGINT)
    assert asked.ended() == 130, asked.sent
    assert "Traceback" not in asked.sent
    assert [*tmp_path.iterdir()] == []
