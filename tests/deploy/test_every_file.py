"""Nothing lies in deploy/ that no test looks at."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.files import DEPLOY, KINDS, name_of, of_kind
from tests.support.pages import ROOT


def test_every_file_is_of_a_kind() -> None:
    known = {path for kind in KINDS for path in of_kind(kind)}
    assert [name_of(path) for path in sorted(DEPLOY.rglob("*")) if path.is_file() and path not in known] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_files_and_tests_that_ask_for_them(kind: str) -> None:
    assert of_kind(kind)
    tests = "".join(path.read_text() for path in ROOT.glob("tests/**/test_*.py") if path.name != Path(__file__).name)
    assert f'of_kind("{kind}")' in tests
