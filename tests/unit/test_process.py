from __future__ import annotations

import asyncio
import sys

import pytest

from regsync import process


def test_without_uvloop_pythons_own_event_loop_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert process._loop_factory() is None


def test_where_uvloop_exists_it_is_used() -> None:
    factory = process._loop_factory()
    assert factory is not None
    loop = factory()
    assert isinstance(loop, asyncio.AbstractEventLoop)
    assert type(loop).__module__.startswith("uvloop")
    loop.close()
