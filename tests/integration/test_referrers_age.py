"""How often a daemon asks its source for referrers, with and without an age that lists of them are good for."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.integration.test_first_pass import Life
from tests.support.built import image_bytes
from tests.support.fake_registry import MODERN, FakeRegistry

TAGS = ("v1", "v2")
MINUTES = 12


async def asked(folder: Path, age: str) -> list[int]:
    """Have two images looked at each minute; return how many lists were asked for by then, at each third of the time.

    The first pass of a daemon looks for names, and finds them.
    """
    async with FakeRegistry(features=MODERN) as registry:
        images = {tag: image_bytes(tag.encode()) for tag in TAGS}
        registry.seed("src", images)
        registry.seed("dst", images)
        steps = "".join(
            f"- {{source: '{registry.host}/src:{tag}', target: '{registry.host}/dst:{tag}', type: image}}\n"
            for tag in TAGS
        )
        (folder / "regsync.yml").write_text(
            f"creds: [{{registry: '{registry.host}', tls: disabled}}]\n"
            f"defaults: {{interval: 1m, referrers: true, skipDockerConfig: true{age}}}\nsync:\n{steps}"
        )
        life, counts = Life(folder / "regsync.yml"), list[int]()
        serving = asyncio.create_task(life.serve())
        for minute in range(MINUTES + 1):
            for _ in TAGS:
                assert (await life.finished.get()).failed == 0
            if minute and minute % (MINUTES // 3) == 0:
                counts.append(registry.count(kind="referrers", path="/src/"))
            await life.clock.advance(60)
        life.stops[0]()
        await serving
        return counts


@pytest.mark.parametrize(
    ("age", "counts"),
    [
        ("", [8, 16, 24]),
        (", cacheTime: 4m, cacheCount: 100", [2, 4, 6]),
        (", cacheTime: 1h, cacheCount: 100", [2, 2, 2]),
    ],
)
async def test_a_list_of_referrers_is_asked_for_as_often_as_its_age_says(
    age: str, counts: list[int], tmp_path: Path
) -> None:
    assert await asked(tmp_path, age) == counts


async def test_a_list_that_is_one_too_many_is_asked_for_again(tmp_path: Path) -> None:
    assert (await asked(tmp_path, ", cacheTime: 1h, cacheCount: 1"))[-1] > len(TAGS)
