"""Copies onto mirrors of their source, which would never be brought up to date."""

from __future__ import annotations

import pytest

from tests.unit.config.loading import warnings_of

CREDS = """creds:
- {registry: docker.io, mirrors: [cache.example:5000, other.example]}
- {registry: 'cache.example:5000', pathPrefix: /hub/}
- {registry: a.example, mirrors: [a.example]}
"""


def told(source: str, target: str, kind: str, creds: str = CREDS) -> list[str]:
    text = f"{creds}sync:\n- source: {source}\n  target: {target}\n  type: {kind}\n"
    return [warning for warning in warnings_of(text) if "sync[0]" in warning]


@pytest.mark.parametrize(
    ("source", "target", "kind"),
    [
        ("alpine:3", "cache.example:5000/hub/library/alpine:3", "image"),
        ("docker.io/library/alpine", "cache.example:5000/hub/library/alpine", "repository"),
        ("index.docker.io/team/app:v1", "other.example/team/app:v2", "image"),
        ("docker.io", "cache.example:5000/hub", "registry"),
        ("docker.io", "other.example", "registry"),
    ],
)
def test_a_copy_onto_a_mirror_of_its_source_is_warned_of(source: str, target: str, kind: str) -> None:
    (warning,) = told(source, target, kind)
    assert warning.startswith("7:11: sync[0].target: a mirror of the source, which then always looks up to date here;")
    assert told(source, target, kind, creds="") == []


@pytest.mark.parametrize(
    ("source", "target", "kind"),
    [
        ("alpine:3", "cache.example:5000/library/alpine:3", "image"),
        ("alpine:3", "other.example/mirror/alpine:3", "image"),
        ("docker.io/library/alpine", "ocidir://out", "repository"),
        ("a.example/app", "cache.example:5000/hub/app", "repository"),
        ("quay.io", "other.example", "registry"),
    ],
)
def test_a_copy_to_elsewhere_is_not(source: str, target: str, kind: str) -> None:
    assert told(source, target, kind) == []
