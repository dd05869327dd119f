from __future__ import annotations

import pytest

from regsync.errors import Malformed
from regsync.init.ends import source_of, target_of

DIGEST = f"sha256:{'a' * 64}"
REPOSITORY = "registry.example.org/team/app"


@pytest.mark.parametrize(
    ("typed", "text", "kind"),
    [
        ("alpine", "docker.io/library/alpine", "repository"),
        (" prom/prometheus ", "docker.io/prom/prometheus", "repository"),
        ("node:20", "docker.io/library/node:20", "image"),
        (f"alpine@{DIGEST}", f"docker.io/library/alpine@{DIGEST}", "image"),
        ("index.docker.io/library/alpine", "docker.io/library/alpine", "repository"),
        ("https://quay.io/prometheus/node-exporter", "quay.io/prometheus/node-exporter", "repository"),
        ("ghcr.io", "ghcr.io", "registry"),
        ("https://ghcr.io/", "ghcr.io", "registry"),
        ("localhost:5000", "localhost:5000", "registry"),
        ("https://cache:5000", "cache:5000", "registry"),
        ("[::1]:5000", "[::1]:5000", "registry"),
        ("ocidir://images/a b", "ocidir://images/a b", "repository"),
        ("ocidir://images/a:v1", "ocidir://images/a:v1", "image"),
    ],
)
def test_a_source_is_completed_as_everywhere_and_its_kind_is_seen(typed: str, text: str, kind: str) -> None:
    source = source_of(typed)
    assert (source.text, source.kind, source.plain) == (text, kind, False)


def test_an_address_with_http_says_that_its_registry_speaks_that() -> None:
    source = source_of("http://localhost:5000/a")
    assert (source.text, source.registry, source.plain) == ("localhost:5000/a", "localhost:5000", True)
    target = target_of("HTTP://127.0.0.1:5000", source)
    assert (target.text, target.plain) == ("127.0.0.1:5000/a", True)


@pytest.mark.parametrize(
    ("source", "typed", "text"),
    [
        ("alpine", "registry.example.org", "registry.example.org/library/alpine"),
        ("alpine", "localhost:5000/", "localhost:5000/library/alpine"),
        ("alpine", "ocidir://images/alpine", "ocidir://images/alpine"),
        ("alpine:3.22", "registry.example.org", "registry.example.org/library/alpine:3.22"),
        ("alpine:3.22", "ocidir://images/alpine", "ocidir://images/alpine:3.22"),
        ("alpine:3.22", f"{REPOSITORY}:old", f"{REPOSITORY}:old"),
        (f"alpine:3.22@{DIGEST}", REPOSITORY, f"{REPOSITORY}:3.22"),
        (f"alpine@{DIGEST}", f"{REPOSITORY}:v1", f"{REPOSITORY}:v1"),
        ("ocidir://a/b/", "registry.example.org", "registry.example.org/b"),
        ("quay.io", "registry.example.org/quay", "registry.example.org/quay"),
        ("quay.io", "ocidir://images", "ocidir://images"),
    ],
)
def test_a_target_gets_what_the_source_says(source: str, typed: str, text: str) -> None:
    assert target_of(typed, source_of(source)).text == text


@pytest.mark.parametrize("typed", ["", "ALPINE", '{{ env "A" }}', "docker://alpine", "alpine:", "a b"])
def test_what_names_nothing_is_no_source(typed: str) -> None:
    with pytest.raises(Malformed):
        source_of(typed)


@pytest.mark.parametrize("typed", ["https://me:secret@ghcr.io", "http://me:secret@ghcr.io/a/b", "me:secret@ghcr.io/a"])
def test_a_login_in_an_address_is_refused_and_not_repeated(typed: str) -> None:
    with pytest.raises(Malformed, match="credentials belong under creds") as refused:
        source_of(typed)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("source", "target", "why"),
    [
        ("alpine", "docker.io/library/alpine", "the target is the source"),
        ("alpine:3", "docker.io/library/alpine:3", "the target is the source"),
        ("alpine:3", "docker.io", "the target is the source"),
        ("ocidir://a", "ocidir://./a", "the target is the source"),
        ("alpine", f"{REPOSITORY}:v1", "expected a repository alone"),
        (f"alpine@{DIGEST}", REPOSITORY, "named by digest alone"),
        ("quay.io", "quay.io/copies", "the target is in the source"),
        ("quay.io", f"{REPOSITORY}:v1", "no prefix"),
        ("ghcr.io", "", "no prefix"),
    ],
)
def test_a_target_that_cannot_be_one_is_refused(source: str, target: str, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        target_of(target, source_of(source))
