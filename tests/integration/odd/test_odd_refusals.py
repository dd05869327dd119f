"""Whatever a registry is known for: what would be unsafe is refused, and what it refuses stays refused, in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.odd.content import MANY, seed
from tests.integration.odd.world import PASSWORD, Meeting, meeting
from tests.support.built import image_bytes
from tests.support.fake_registry import FakeRegistry
from tests.support.odd.profile import Profile, Refusal
from tests.support.profiles import PROFILES

DOCKER = image_bytes(b"as docker builds", docker=True)
ROWS = [
    pytest.param(profile, refusal, id=f"{profile.name}: {refusal.name}")
    for profile in PROFILES
    for refusal in profile.refusals
]


def ends(met: Meeting, refusal: Refusal) -> tuple[tuple[FakeRegistry, str], tuple[FakeRegistry, str]]:
    """Return source and target, each with the path its repositories lie below."""
    both = ((met.odd, met.below), (met.healthy, "healthy"))
    return both if refusal.direction == "from" else (both[1], both[0])


def arrange(met: Meeting, refusal: Refusal) -> None:
    """Have one image copied, all of a repository, or all repositories there are."""
    if refusal.path:
        met.entry(refusal.direction, refusal.path, kind="image" if ":" in refusal.path else "repository")
    else:
        met.sync.append({"source": met.odd.host, "target": f"{met.healthy.host}/healthy", "type": "registry"})


def tags(registry: FakeRegistry) -> dict[str, dict[str, str]]:
    return {name: dict(each.tags) for name, each in registry.repositories.items() if each.tags}


@pytest.mark.parametrize(("profile", "refusal"), ROWS)
async def test_it_stays_refused_in_one_line_and_nothing_is_tagged(
    profile: Profile, refusal: Refusal, tmp_path: Path
) -> None:
    async with meeting(profile, refusal.direction, tmp_path, outside=refusal.oddities, login=refusal.login) as met:
        (source, below), (target, place) = ends(met, refusal)
        seed(source, below)
        source.seed(f"{below}/app", {"docker": DOCKER})
        source.seed(f"{below}/elsewhere", {"large": DOCKER})
        met.odd.storage.spoiled = refusal.spoiled
        if refusal.occupied:
            target.seed(f"{place}/app", {"large": MANY["v000"]})
        before = tags(target)
        arrange(met, refusal)
        ran = await met.run()
        met.assert_logins_stay_at_home()
        assert tags(target) == before
    (line,) = ran.failed
    assert [words for words in (*refusal.says, met.odd.host) if words not in line] == []
    assert PASSWORD not in line
    assert "\n" not in line


@pytest.mark.parametrize("profile", [pytest.param(each, id=each.name) for each in PROFILES])
def test_every_profile_names_its_sources_and_has_something_that_stays_refused(profile: Profile) -> None:
    assert len(profile.sources) >= 5
    assert all("#" in source or source.startswith("https://") for source in profile.sources)
    assert profile.refusals
