"""On a terminal: progress while it runs, one line for an image, words at the end. Elsewhere: lines, and no escape."""

from __future__ import annotations

import asyncio
import re
import signal
from pathlib import Path

import pytest

from tests.e2e.program import creds, regsync, wait_for
from tests.e2e.terminal import TERMINAL, AtTerminal
from tests.support.built import image_bytes, some_bytes
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Fault, Stall

ROOT = Path(__file__).parents[2]
FAILING = """sync:
- {source: 'ocidir://examples/layout:no-1', target: 'ocidir://out/a:v1', type: image}
- {source: 'ocidir://examples/layout:no-1', target: 'ocidir://out/a:v2', type: image}
- {source: 'ocidir://examples/layout:hello', target: 'ocidir://out/a:v3', type: image}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the example runs, and one that fails."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "example.yml").write_text((ROOT / "config.example.yaml").read_text())
    (tmp_path / "failing.yml").write_text(FAILING)
    return tmp_path


def test_a_copy_has_one_line_for_an_image_and_a_sentence_at_its_end(folder: Path) -> None:
    code, screen = AtTerminal("once", "-c", "example.yml", cwd=folder).screen()
    assert code == 0, screen.text
    *lines, last = screen.text.splitlines()
    assert last.startswith("5 images copied, ")
    assert "came by links" in last
    assert len(re.findall(r"^\d\d:\d\d:\d\d Image copied: ocidir://examples/layout:", screen.text, re.MULTILINE)) == 5
    assert not any("level=" in line or "digest=" in line for line in lines)
    code, screen = AtTerminal("check", "-c", "example.yml", cwd=folder).screen()
    assert screen.text.startswith("5 images unchanged in ")


def test_with_debug_every_line_comes(folder: Path) -> None:
    _, screen = AtTerminal("once", "-c", "example.yml", "-v", "debug", cwd=folder).screen()
    for message in ("Copy layer", "Image sync needed", "Run finished"):
        assert f'msg="{message}"' in screen.text.replace("\n", "")


def test_failures_are_grouped_by_cause_behind_the_sentence(folder: Path) -> None:
    code, screen = AtTerminal("once", "-c", "failing.yml", cwd=folder).screen()
    assert code == 1
    text = screen.text
    assert text.count(" ERROR Failed to ") == 2, "each is told when it fails"
    _summary, cause, *images = text[text.index("1 image copied, 2 failed") :].splitlines()
    assert cause.startswith("2 failed: ")
    assert sorted(images) == [f"  ocidir://examples/layout:no-1 -> ocidir://out/a:v{n}" for n in (1, 2)], text


@pytest.mark.parametrize(
    ("arguments", "environ"), [(["--no-progress"], {}), ([], {"TERM": "dumb"}), (["--no-progress=true"], {})]
)
def test_without_progress_nothing_but_lines_is_sent_and_the_sentence_stays(
    arguments: list[str], environ: dict[str, str], folder: Path
) -> None:
    run = AtTerminal("once", "-c", "example.yml", *arguments, cwd=folder, environ=environ)
    _, screen = run.screen()
    assert "\x1b" not in run.sent
    assert screen.text.splitlines()[-1].startswith("5 images copied, ")


def test_json_for_a_terminal_is_what_it_is_elsewhere(folder: Path) -> None:
    run = AtTerminal("once", "-c", "example.yml", "--logopt", "json", cwd=folder)
    run.screen()
    assert {line[:1] for line in run.sent.splitlines()} == {"{"}
    assert '"Copy layer"' in run.sent


def test_where_no_terminal_is_every_line_comes_and_no_escape(folder: Path) -> None:
    ended = regsync("once", "-c", "failing.yml", cwd=folder, environ=TERMINAL)
    assert "\x1b" not in ended.err
    assert 'msg="Copy layer"' in ended.err
    assert 'msg="Run finished"' in ended.err
    assert len([line for line in ended.plain if " -> " in line and line.endswith("(tried once)")]) == 2


@pytest.mark.parametrize("no_color", ["", "1"])
async def test_progress_is_shown_below_the_lines_and_an_interrupt_leaves_nothing_of_it(
    no_color: str, fake_registry: FakeRegistry, tmp_path: Path
) -> None:
    fake_registry.seed("a", {"v1": image_bytes(some_bytes(4 << 20))})
    fake_registry.fail(Fault(Stall(1 << 20), kind="blob", method="GET", times=2))
    config = f"sync:\n- {{source: '{fake_registry.host}/a:v1', target: 'ocidir://out', type: image}}\n"
    config += f"- {{source: '{fake_registry.host}/a:none', target: 'ocidir://out:none', type: image}}\n"
    (tmp_path / "regsync.yml").write_text(creds(fake_registry.host) + config)
    run = AtTerminal("once", "-c", "regsync.yml", cwd=tmp_path, environ={"NO_COLOR": no_color})
    await asyncio.to_thread(wait_for, lambda: "1 of 2 images" in run.sent and "MiB" in run.sent, within=60)
    run.process.send_signal(signal.SIGINT)
    code, screen = await asyncio.to_thread(run.screen)
    assert code == 130
    assert (screen.colours == 0) == bool(no_color)
    assert "1 of 2" not in screen.text
    assert " ERROR Failed to lookup source manifest: " in screen.text
    assert screen.text.endswith("interrupted; what was copied is complete, the rest is as it was")
    assert "not all was done" in screen.text


@pytest.mark.parametrize(
    ("written", "more"), [("parallel: 1, skipDockerConfig: false", ""), ("", "; listed above is ")]
)
def test_whoever_checks_a_configuration_at_a_terminal_reads_that_it_is_fine(
    written: str, more: str, tmp_path: Path
) -> None:
    entry = "{source: 'ocidir://a:1', target: 'ocidir://b:1', type: image}"
    (tmp_path / "regsync.yml").write_text(f"defaults: {{{written}}}\nsync: [{entry}]\n")
    code, screen = AtTerminal("config", "--check", "-c", "regsync.yml", cwd=tmp_path).screen()
    assert code == 0
    assert screen.text.startswith(f"regsync.yml is fine{more}")
