"""Files of the kinds people have load here as they do in regclient's regsync, and are read as the same settings."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from regsync.errors import ConfigError
from regsync.loading import load
from tests.support.schema import schema
from tests.support.validation import faults
from tests.support.wild import ENVIRON, FILES, FOLDER, differences, printed, recorded, values_in

NOTE = re.compile(r"^# Refused here: ", re.MULTILINE)
OUR_DEFAULTS = {  # what the two make of the same words on purpose: docs/reference/from-regclient.md
    "defaults.parallel: 0 there, 8 here",
    "creds[0].credExpire: 1800000000000 there, '30m0s' here",
}
LOADS = [path for path in FILES if not NOTE.search(path.read_text(encoding="utf-8"))]
REFUSED = [path for path in FILES if path not in LOADS]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their directory and environment."""
    monkeypatch.chdir(FOLDER)
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)


def ours(path: Path) -> Any:
    config = load(path.name, allow_unknown_keys=False).config
    return json.loads(config.model_dump_json(by_alias=True))


def disagreements(theirs: Any, path: Path) -> list[str]:
    found = differences(theirs, ours(path), values_in(path.read_text(encoding="utf-8")))
    return [one for one in found if one not in OUR_DEFAULTS]


@pytest.mark.parametrize("path", LOADS, ids=lambda path: path.name)
def test_a_file_is_read_as_regclient_s_regsync_read_it(path: Path) -> None:
    assert disagreements(recorded(path), path) == []


@pytest.mark.parametrize("path", LOADS, ids=lambda path: path.name)
def test_a_file_is_read_as_regclient_s_regsync_reads_it(path: Path) -> None:
    assert disagreements(printed(path), path) == []


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.name)
def test_a_file_that_is_refused_says_why_and_is_read_there(path: Path) -> None:
    with pytest.raises(ConfigError):
        load(path.name, allow_unknown_keys=False)
    assert recorded(path)["sync"]


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.name)
def test_of_a_file_that_is_refused_the_rest_runs_where_that_is_asked_for(path: Path) -> None:
    relaxed = load(path.name, allow_unknown_keys=True, skip_invalid_entries=True)
    assert len(relaxed.config.sync) + relaxed.left_out == len(recorded(path)["sync"])


@pytest.mark.parametrize("path", LOADS, ids=lambda path: path.name)
def test_a_file_that_loads_is_as_the_schema_says(path: Path) -> None:
    found = schema()
    assert list(faults(values_in(path.read_text(encoding="utf-8")), found, found)) == []


def test_there_are_thirty_of_them() -> None:
    assert len(LOADS) >= 30
