"""The places a `Repository` may lie in, as one fixture: adding an endpoint is adding one name here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.places import PLACES, Place, alone_in, in_fake, in_layout, in_memory, in_real
from tests.support.fake_registry import MODERN, FakeRegistry, Features
from tests.support.registries import REAL, Distribution

_PAGED = replace(MODERN, page_size=3)


@pytest.fixture(scope="session")
def shared_distribution(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Distribution]:
    """One distribution for the whole run: use `repository_name` in it, and leave it as it is."""
    with Distribution(tmp_path_factory.mktemp("shared-distribution")) as registry:
        yield registry


@pytest.fixture(params=PLACES)
async def place(request: pytest.FixtureRequest, tmp_path: Path, repository_name: str) -> AsyncIterator[Place]:
    """A repository nobody has used yet, in each of the places there are."""
    match request.param:
        case "memory":
            opening = in_memory()
        case "modern memory":
            opening = in_memory(lists_referrers=True)
        case "layout":
            opening = in_layout(tmp_path)
        case "fake":
            opening = in_fake(Features())
        case "modern fake":
            opening = in_fake(_PAGED)
        case "mirrored fake":
            opening = in_fake(Features(), FakeRegistry(), FakeRegistry(features=MODERN))
        case "docker-registry":
            opening = in_real(request.getfixturevalue("shared_registry"), repository_name)
        case "distribution":
            opening = in_real(request.getfixturevalue("shared_distribution"), repository_name)
        case kind:  # whose repositories share their blobs, so that tests would meet each other's
            opening = alone_in(REAL[kind](tmp_path), repository_name)
    async with opening as found:
        yield found
