"""A folder that is no layout yet, and what opens it: two openers stand for two processes, locks tell them apart."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from regsync.clock import SystemClock
from regsync.events import Tell, ignore
from regsync.layout.files import Files
from regsync.layout.layouts import Layouts

Opener = Callable[..., Layouts]


@pytest.fixture(autouse=True)
def _no_power_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What syncs is told as an operation like any other; the disk need not be waited for."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "layout"


@pytest.fixture
def opener() -> Iterator[Opener]:
    opened: list[Layouts] = []

    def make(*, grace: float = 3600.0, files: Files | None = None, tell: Tell = ignore) -> Layouts:
        opened.append(Layouts(SystemClock(), grace=grace, files=files, tell=tell))
        return opened[-1]

    yield make
    for layouts in opened:
        layouts.close()


@pytest.fixture
def layouts(opener: Opener) -> Layouts:
    return opener()
