"""Twelve registries as public reports describe them; each module's docstring says what it is known for."""

from __future__ import annotations

from tests.support.odd.profile import Profile
from tests.support.profiles import (
    acr,
    artifactory,
    distribution,
    ecr,
    gar,
    ghcr,
    gitlab,
    harbor,
    nexus,
    pulp,
    quay,
    zot,
)

PROFILES: tuple[Profile, ...] = (
    artifactory.PROFILE,
    nexus.PROFILE,
    quay.PROFILE,
    gitlab.PROFILE,
    harbor.PROFILE,
    ecr.PROFILE,
    acr.PROFILE,
    gar.PROFILE,
    ghcr.PROFILE,
    pulp.PROFILE,
    zot.PROFILE,
    distribution.PROFILE,
)
