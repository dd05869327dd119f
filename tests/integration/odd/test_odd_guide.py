"""The guide has a section for every profile, which names the profile's rows in the tables, and none besides."""

from __future__ import annotations

import re

import pytest

from tests.support.odd.profile import Profile
from tests.support.pages import ROOT
from tests.support.profiles import PROFILES

TEXT = (ROOT / "docs" / "guide" / "odd-registries.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+)\n((?:(?!## ).*\n)*)", TEXT, flags=re.MULTILINE))


def rows_of(profile: Profile) -> set[str]:
    return {f"from-{profile.name}", f"to-{profile.name}", *(f"{profile.name}: {one.name}" for one in profile.refusals)}


@pytest.mark.parametrize("profile", [pytest.param(each, id=each.name) for each in PROFILES])
def test_the_section_of_a_registry_names_all_of_its_rows_and_shows_what_to_set(profile: Profile) -> None:
    section = SECTIONS[profile.title]
    said = " ".join(section.split())
    named = set(re.findall(r"`((?:from|to)-\w+|\w+: [^`]+)`", said.partition("Rows: ")[2]))
    assert named == rows_of(profile)
    assert "Refused: " in said
    assert "```yaml\ncreds:\n" in section


def test_there_is_no_section_without_a_profile() -> None:
    assert [*SECTIONS] == [profile.title for profile in PROFILES]
