"""The places a `Repository` may lie in, as one fixture: adding an endpoint is adding one name here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.places import Place, in_docker_registry, in_fake, in_layout, in_memory
from tests.support.fake_registry import MODERN, Features
from tests.support.real import DockerRegistry

_PAGED = replace(MODERN, page_size=3)


@pytest.fixture(params=["memory", "modern memory", "layout", "fake", "modern fake", "docker-registry"])
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
        case _:
            registry: DockerRegistry = request.getfixturevalue("shared_registry")
            opening = in_docker_registry(registry, repository_name)
    async with opening as found:
        yield found
