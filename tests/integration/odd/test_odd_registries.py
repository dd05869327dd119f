"""Registries as people really have them: everything is copied from each and to each, whole, and then not again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.odd.content import LARGE, assert_arrived, seed, seed_partly
from tests.integration.odd.world import AS_WRITTEN, Meeting, meeting
from tests.support.odd.profile import Direction, Profile, Side
from tests.support.profiles import PROFILES

NOTHING_TO_DO = 529  # requests of a run between healthy registries
HEALTHY = Profile("healthy", "", (), source=Side("odd"), target=Side("odd"), refusals=(), features=AS_WRITTEN)
ROWS = [pytest.param(each, way, id=f"{way}-{each.name}") for each in (HEALTHY, *PROFILES) for way in ("from", "to")]
LISTED = [
    pytest.param(each, id=each.name)
    for each in PROFILES
    if "pathPrefix" not in each.settings and all(refusal.path for refusal in each.refusals)
]


def arrange(met: Meeting, direction: Direction) -> None:
    """Fill the source, and have all of it copied."""
    odd, healthy = (met.odd, met.below), (met.healthy, "healthy")
    source, target = (odd, healthy) if direction == "from" else (healthy, odd)
    seed(*source)
    seed_partly(*target)
    met.entry(direction, "app", referrers=True, digestTags=True, tags={"deny": ["sha256-.*"]})
    met.entry(direction, "many")


@pytest.mark.parametrize(("profile", "direction"), ROWS)
async def test_all_arrives_whole_and_a_second_run_asks_for_no_more_than_the_oddities_force(
    profile: Profile, direction: Direction, tmp_path: Path
) -> None:
    side = profile.side(direction)
    async with meeting(profile, direction, tmp_path) as met:
        arrange(met, direction)
        first = await met.run()
        assert first.failed == []
        assert met.odd.idle == [str(each) for each in side.avoided], "what makes no difference proves nothing"
        assert len(first.warned) == len(set(first.warned)), "an oddity is told once"
        met.assert_logins_stay_at_home()
        second = await met.run()
        met.assert_logins_stay_at_home()
        assert_arrived(*((met.healthy, "healthy") if direction == "from" else (met.odd, met.below)))
    assert (second.tally.copied, second.tally.moved, second.failed) == (0, 0, [])
    grown = len(second.answered) - NOTHING_TO_DO
    assert grown <= side.grown, f"forced are {side.grown}: {side.forced_by}"


@pytest.mark.parametrize("profile", LISTED)
async def test_all_repositories_are_copied_where_they_are_listed_and_one_without_tags_is_nothing_to_copy(
    profile: Profile, tmp_path: Path
) -> None:
    async with meeting(profile, "from", tmp_path) as met:
        met.odd.seed(f"{met.below}/app", {"large": LARGE})
        met.odd.store.make(f"{met.below}/emptied").blobs.update(LARGE.blobs)
        met.sync.append({"source": met.odd.host, "target": f"{met.healthy.host}/healthy", "type": "registry"})
        ran = await met.run()
        met.assert_logins_stay_at_home()
        tags = {name: each.tags for name, each in met.healthy.repositories.items()}
    assert (ran.failed, ran.tally.copied) == ([], 1)
    assert tags == {f"healthy/{met.below}/app": {"large": LARGE.digest}}
