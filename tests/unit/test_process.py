from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from regsync import around


def test_without_uvloop_pythons_own_event_loop_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert around.loop_factory() is None


def test_where_uvloop_exists_it_is_used() -> None:
    factory = around.loop_factory()
    assert factory is not None
    loop = factory()
    assert isinstance(loop, asyncio.AbstractEventLoop)
    assert type(loop).__module__.startswith("uvloop")
    loop.close()


_AT_EXIT = """
import atexit, gc, sys
from regsync import cli
atexit.register(lambda: print(gc.isenabled(), gc.get_freeze_count() > 10_000, *sorted({NAMES} & sys.modules.keys())))
sys.argv = ["regsync", *sys.argv[1:], "-c", "-"]
cli.main()
"""


def at_exit(*arguments: str, config: str, names: set[str]) -> str:
    """Whether garbage is looked for at a program's end, whether what was imported is left out, and what of it was."""
    code = _AT_EXIT.replace("{NAMES}", repr(names))
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], input=config, capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout.strip()


def test_a_run_looks_for_garbage_but_not_among_what_the_start_has_made() -> None:
    assert at_exit("once", config="version: 1\n", names=set()) == "True True"


def test_a_run_loads_what_reads_cron_lines_and_layouts_only_where_there_are_some() -> None:
    heavy = {"croniter", "regsync.layout.repository"}
    assert at_exit("once", config="version: 1\n", names=heavy) == "True True"
    entry = "{type: image, source: 'ocidir://nowhere/at-all', target: 'ocidir://nowhere/either', schedule: '1 1 * * *'}"
    code = "True True croniter regsync.layout.repository"
    assert at_exit("check", config=f"sync: [{entry}]\n", names=heavy) == code


def test_what_draws_on_terminals_is_loaded_only_where_there_is_one() -> None:
    assert at_exit("once", config="version: 1\n", names={"rich", "regsync.observe.progress"}) == "True True"
