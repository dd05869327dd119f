"""The image, if it was built: see `.ci/image`."""

from __future__ import annotations

import pytest

from tests.support.container import Image, built


@pytest.fixture
def image() -> Image:
    return Image.of(built(), "regsync")


@pytest.fixture
def cloud() -> Image:
    return Image.of(built(), "cloud")
