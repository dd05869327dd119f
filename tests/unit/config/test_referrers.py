"""Where referrers may lie and go: a repository, and a place in the file for what is none."""

from __future__ import annotations

import pytest

from tests.unit.config.loading import STEP, problems_of


@pytest.mark.parametrize("key", ["referrerSource", "referrerTarget"])
@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("r.example/signatures:v1", '"r.example/signatures:v1" names a tag or digest; expected a repository alone'),
        (f"r.example/s@sha256:{'0' * 64}", "names a tag or digest; expected a repository alone"),
        ("ocidir://signatures:v1", '"ocidir://signatures:v1" names a tag or digest; expected a repository alone'),
        ("ocifile://x.tar", 'nothing can open "ocifile://x.tar"'),
        ("http://r.example/s", "unknown scheme 'http'"),
        ("r.example/Signatures", "repo must be lowercase"),
        ("r.example:99999/s", "the port 99999 is not in 1 to 65535"),
        ("u:p@r.example/s", "after @ must come a digest"),
        ("'a b'", "a repository has parts of a-z and 0-9"),
    ],
)
def test_a_place_for_referrers_that_is_no_repository_is_an_error_with_its_place(key: str, place: str, why: str) -> None:
    for text, start in (
        (f"{STEP}    {key}: {place}\n", f"5:{7 + len(key)}: sync[0].{key}: "),
        (f"defaults:\n  {key}: {place}\n", f"2:{5 + len(key)}: defaults.{key}: "),
    ):
        told = [problem for problem in problems_of(text) if problem.startswith(start) and why in problem]
        assert len(told) == 1, problems_of(text)
