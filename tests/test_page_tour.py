"""The tour of the page leads past all of it, with pictures that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from regsync.pages.survey import STATES

ROOT = Path(__file__).parent.parent
TOUR = (ROOT / "docs" / "guide" / "page.md").read_text(encoding="utf-8")
TEMPLATE = (ROOT / "regsync" / "pages" / "templates" / "index.html").read_text(encoding="utf-8")
PICTURES = sorted((ROOT / "docs" / "pictures").glob("*.png"))
LARGEST = 150_000  # bytes


def parts(pattern: str) -> list[str]:
    """What stands in the template where this pattern has its group."""
    found = re.findall(pattern, TEMPLATE)
    assert found
    return found


def test_the_tour_has_a_section_for_each_part_of_the_page() -> None:
    headings = re.findall(r"^## (.*)$", TOUR, flags=re.MULTILINE)
    assert [part for part in parts(r"<h2 id=\"[\w-]+\">([A-Z][\w ]*?) ?(?:<|\{)") if part not in headings] == []


def test_the_tour_explains_every_number_and_every_column() -> None:
    columns = [column for column in parts(r"<th scope=\"col\"[^>]*>([^<]+)</th>") if column not in FAMILIAR]
    assert [word for word in (*STATES.values(), *columns) if f"**{word}**" not in TOUR] == []


FAMILIAR = {"Entry", "Tag and its digests", "When", "Host"}


def test_pictures_are_shown_somewhere_and_are_small() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "(docs/pictures/copying.png)" in readme
    for picture in PICTURES:
        assert f"(../pictures/{picture.name})" in TOUR
        assert picture.stat().st_size < LARGEST, picture.name


@pytest.mark.parametrize("name", re.findall(r"!\[[^\]]+\]\(\.\./pictures/([\w-]+)\.png\)", TOUR))
def test_pictures_of_the_tour_are_made_by_the_test_of_the_page(name: str) -> None:
    assert (ROOT / "docs" / "pictures" / f"{name}.png").is_file()
    assert f'"{name}"' in (ROOT / "tests" / "e2e" / "test_page.py").read_text(encoding="utf-8")
