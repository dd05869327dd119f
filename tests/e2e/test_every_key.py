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
from tests.e2e.keys.lab import ROWS, Lab, keys_of

for _module in pkgutil.iter_modules(keys.__path__, f"{keys.__name__}."):
    import_module(_module.name)

KEYS = frozenset(keys_of())
WITHOUT_A_ROW = frozenset(
    {
        "defaults.backup",
        "defaults.cacheCount",
        "defaults.cacheTime",
        "defaults.digestTags",
        "defaults.fastCheck",
        "defaults.fastCopy",
        "defaults.forceRecursive",
        "defaults.hooks.entryPost.params",
        "defaults.hooks.entryPost.timeout",
        "defaults.hooks.entryPost.type",
        "defaults.hooks.entryPre.params",
        "defaults.hooks.entryPre.timeout",
        "defaults.hooks.entryPre.type",
        "defaults.hooks.entryUnchanged.params",
        "defaults.hooks.entryUnchanged.timeout",
        "defaults.hooks.entryUnchanged.type",
        "defaults.hooks.post.params",
        "defaults.hooks.post.timeout",
        "defaults.hooks.post.type",
        "defaults.hooks.pre.params",
        "defaults.hooks.pre.timeout",
        "defaults.hooks.pre.type",
        "defaults.hooks.unchanged.params",
        "defaults.hooks.unchanged.timeout",
        "defaults.hooks.unchanged.type",
        "defaults.includeExternal",
        "defaults.interval",
        "defaults.mediaTypes",
        "defaults.parallel",
        "defaults.referrerFilters.annotations",
        "defaults.referrerFilters.artifactType",
        "defaults.referrerSlow",
        "defaults.referrerSource",
        "defaults.referrerTarget",
        "defaults.referrers",
        "defaults.schedule",
        "sync.backup",
        "sync.digestTags",
        "sync.fastCheck",
        "sync.fastCopy",
        "sync.forceRecursive",
        "sync.hooks.entryPost.params",
        "sync.hooks.entryPost.timeout",
        "sync.hooks.entryPost.type",
        "sync.hooks.entryPre.params",
        "sync.hooks.entryPre.timeout",
        "sync.hooks.entryPre.type",
        "sync.hooks.entryUnchanged.params",
        "sync.hooks.entryUnchanged.timeout",
        "sync.hooks.entryUnchanged.type",
        "sync.hooks.post.params",
        "sync.hooks.post.timeout",
        "sync.hooks.post.type",
        "sync.hooks.pre.params",
        "sync.hooks.pre.timeout",
        "sync.hooks.pre.type",
        "sync.hooks.unchanged.params",
        "sync.hooks.unchanged.timeout",
        "sync.hooks.unchanged.type",
        "sync.includeExternal",
        "sync.interval",
        "sync.mediaTypes",
        "sync.name",
        "sync.platform",
        "sync.platforms",
        "sync.referrerFilters.annotations",
        "sync.referrerFilters.artifactType",
        "sync.referrerSlow",
        "sync.referrerSource",
        "sync.referrerTarget",
        "sync.referrers",
        "sync.schedule",
        "sync.source",
        "sync.target",
        "sync.type",
        "version",
    }
)


@pytest.mark.parametrize("key", sorted(ROWS))
async def test_the_key_has_its_effect(key: str, tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    async with AsyncExitStack() as stack:
        await ROWS[key](Lab(tmp_path, stack, environ))


def test_every_key_of_the_model_has_a_row() -> None:
    assert KEYS - ROWS.keys() - WITHOUT_A_ROW == set()


def test_every_row_is_about_a_key_of_the_model() -> None:
    assert ROWS.keys() - KEYS == set()
