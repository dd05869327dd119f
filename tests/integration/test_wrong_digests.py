"""Sources that answer for tags with digests their manifests do not have: copied once, and then not again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from regsync.record.tally import Tally
from tests.integration.runs import ran
from tests.support.built import image_bytes, index_bytes, platforms_index
from tests.support.fake_registry import FakeRegistry
from tests.support.odd.looking import NamesWrongly
from tests.support.odd.registry import OddRegistry

ONE, TWO = image_bytes(b"one"), image_bytes(b"two")
INDEX = index_bytes(ONE, TWO)
ODD = "tags are answered for with digests"
BY = pytest.mark.parametrize("methods", [("HEAD",), ("GET",), ("GET", "HEAD")], ids=str)


def entry(source: FakeRegistry, target: str, *, tag: str = "v1", more: str = "") -> str:
    return f"source: '{source.host}/app:{tag}', target: '{target}', type: image{more}"


def came_to(tally: Tally) -> tuple[int, int, list[str]]:
    return tally.copied, tally.unchanged, [str(each.error) for each in tally.failures]


@BY
@pytest.mark.parametrize("layout", [False, True])
@pytest.mark.parametrize("more", ["", ", referrers: true", ", backup: 'old-{{.Ref.Tag}}'"])
async def test_what_comes_by_tag_is_copied_and_not_again(
    fake_registry: FakeRegistry, tmp_path: Path, methods: Sequence[str], more: str, *, layout: bool
) -> None:
    async with OddRegistry((NamesWrongly(methods=methods),)) as odd:
        odd.seed("app", {"v1": INDEX, "v2": ONE})
        base = f"ocidir://{tmp_path}/layout" if layout else f"{fake_registry.host}/app"
        entries = [entry(odd, f"{base}:{tag}", tag=tag, more=more) for tag in ("v1", "v2")]
        hosts = (odd.host, fake_registry.host)
        first, told = await ran(tmp_path, *entries, hosts=hosts)
        assert came_to(first) == (2, 0, [])
        assert sum(ODD in str(event) for event in told) == ("HEAD" in methods)
        second, _ = await ran(tmp_path, *entries, hosts=hosts)
        assert came_to(second) == (0, 2, [])
        assert second.moved == 0
    if not layout:
        assert fake_registry.repositories["app"].tags == {"v1": INDEX.digest, "v2": ONE.digest}


@BY
async def test_a_platform_of_an_index_is_found_by_what_comes_by_tag(
    fake_registry: FakeRegistry, tmp_path: Path, methods: Sequence[str]
) -> None:
    index = platforms_index("linux/amd64", "linux/arm64")
    async with OddRegistry((NamesWrongly(methods=methods),)) as odd:
        odd.seed("app", {"v1": index})
        one = entry(odd, f"{fake_registry.host}/app:v1", more=", platform: linux/arm64")
        first, _ = await ran(tmp_path, one, hosts=(odd.host, fake_registry.host))
        second, _ = await ran(tmp_path, one, hosts=(odd.host, fake_registry.host))
    assert (came_to(first), came_to(second)) == ((1, 0, []), (0, 1, []))
    assert fake_registry.repositories["app"].tags == {"v1": index.children[1].digest}


@pytest.mark.parametrize(("disabled", "needed"), [("false", 1), ("true", 0)])
async def test_a_check_which_fetches_nothing_believes_head_unless_that_is_not_asked(
    fake_registry: FakeRegistry, tmp_path: Path, disabled: str, needed: int
) -> None:
    async with OddRegistry((NamesWrongly(),)) as odd:
        for registry in (odd, fake_registry):
            registry.seed("app", {"v1": INDEX})
        creds = f"- {{registry: '{odd.host}', tls: disabled, apiOpts: {{disableHead: '{disabled}'}}}}\n"
        one = entry(odd, f"{fake_registry.host}/app:v1")
        tally, _ = await ran(tmp_path, one, hosts=(fake_registry.host,), creds=creds, scope="check")
        assert (tally.needed, tally.unchanged) == (needed, 1 - needed)


async def test_a_pinned_source_is_never_another_image(fake_registry: FakeRegistry, tmp_path: Path) -> None:
    wrong = NamesWrongly()
    async with OddRegistry((wrong,)) as odd:
        odd.seed("app", {"v1": INDEX})
        tagged = entry(odd, f"{fake_registry.host}/app:v1")
        pinned = f"source: '{odd.host}/app@{wrong.digest}', target: '{fake_registry.host}/app:pinned', type: image"
        tally, _ = await ran(tmp_path, tagged, pinned, hosts=(odd.host, fake_registry.host))
    assert (tally.copied, len(tally.failures)) == (1, 1)
    assert fake_registry.repositories["app"].tags == {"v1": INDEX.digest}
