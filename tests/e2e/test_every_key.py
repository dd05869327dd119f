"""Every key does something: a table with one row for each, which sets it and observes its effect.

The rows stand in `tests/e2e/keys/rows_of_*.py`.
"""

from __future__ import annotations

import os
import pkgutil
from contextlib import AsyncExitStack
from importlib import import_module
from pathlib import Path

import pytest

from tests.e2e import keys
from tests.e2e.keys.lab import ROWS, Lab, Row, keys_of

for _module in pkgutil.iter_modules(keys.__path__, f"{keys.__name__}."):
    import_module(_module.name)

KEYS = frozenset(keys_of())


DISTINCT = {row: " ".join(key for key, its in ROWS.items() if its is row) for row in ROWS.values()}


@pytest.mark.parametrize("row", [*DISTINCT], ids=[*DISTINCT.values()])
async def test_the_key_has_its_effect(row: Row, tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    async with AsyncExitStack() as stack:
        await row(Lab(tmp_path, stack, environ))


def test_every_key_of_the_model_has_a_row() -> None:
    assert KEYS - ROWS.keys() == set()


def test_every_row_is_about_a_key_of_the_model() -> None:
    assert ROWS.keys() - KEYS == set()
