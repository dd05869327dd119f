"""A referrers API that fails whenever it is asked: the tags that list referrers are read, and not without a word."""

from __future__ import annotations

import pytest

from regsync.errors import Failing, Unavailable
from regsync.events import Warned
from regsync.oci.digest import Digest
from regsync.oci.referrers import fallback_tag
from tests.support.built import artifact_bytes, image_bytes, index_bytes
from tests.support.fake_registry import FakeRegistry, Features
from tests.support.faults import Fault, Status
from tests.support.images import put_built
from tests.unit.registry.content.lab import Lab, lab

IMAGE = image_bytes(b"a layer")
ABOUT = Digest.parse(IMAGE.digest)
FAILS = (
    "Registry is odd: the referrers API fails; reading the tags that list referrers, what it alone lists is not copied"
)
SIGNATURE = artifact_bytes(b"signature", subject=IMAGE)


def filled(fake: FakeRegistry, *paths: str) -> None:
    for path in paths:
        fake.seed(path, {"v1": IMAGE, fallback_tag(ABOUT): index_bytes(SIGNATURE)}, untagged=(SIGNATURE,))


async def found(at: Lab, path: str = "app") -> list[str]:
    return [str(each.digest) for each in await at.repository(path).referrers(ABOUT)]


def warned(at: Lab) -> list[str]:
    return [event.message for event in at.told if isinstance(event, Warned)]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_an_api_that_always_fails_is_none_and_that_is_told_once_for_the_host(
    fake_registry: FakeRegistry, status: int
) -> None:
    filled(fake_registry, "app", "other")
    fake_registry.fail(Fault(Status(status), kind="referrers", times=99))
    async with lab(fake_registry.host) as at:
        for path in ("app", "other", "app"):
            assert await found(at, path) == [SIGNATURE.digest]
        assert warned(at) == [FAILS]
    assert fake_registry.count(kind="referrers") == 7  # six times to be sure, once for the other repository


async def test_an_api_that_fails_where_no_tag_lists_anything_lists_nothing(fake_registry: FakeRegistry) -> None:
    fake_registry.seed("app", {"v1": IMAGE})
    fake_registry.fail(Fault(Status(500), kind="referrers", times=99))
    async with lab(fake_registry.host) as at:
        assert await found(at) == []
        assert len(warned(at)) == 1


@pytest.mark.parametrize("times", [1, 3, 5])
async def test_an_api_that_fails_for_a_while_is_asked_again_and_nothing_is_said(times: int) -> None:
    async with FakeRegistry(features=Features(referrers=True)) as modern:
        modern.seed("app", {"v1": IMAGE}, untagged=(SIGNATURE,))
        modern.fail(Fault(Status(503), kind="referrers", times=times))
        async with lab(modern.host) as at:
            assert await found(at) == [SIGNATURE.digest]
            assert warned(at) == []


async def test_an_api_that_was_seen_to_work_and_fails_is_in_trouble() -> None:
    async with FakeRegistry(features=Features(referrers=True)) as modern:
        filled(modern, "app")
        async with lab(modern.host) as at:
            assert await found(at) == [SIGNATURE.digest]
            modern.fail(Fault(Status(500), kind="referrers", times=99))
            with pytest.raises(Failing):
                await found(at)


async def test_a_registry_that_fails_at_everything_has_no_referrers_to_tell(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(Fault(Status(503), times=999))
    async with lab(fake_registry.host) as at:
        with pytest.raises(Unavailable):
            await found(at)


@pytest.mark.parametrize("status", [204, 401])
async def test_no_content_and_a_401_that_asks_for_nothing_are_no_api(fake_registry: FakeRegistry, status: int) -> None:
    filled(fake_registry, "app")
    fake_registry.fail(Fault(Status(status), kind="referrers", times=99))
    async with lab(fake_registry.host) as at:
        assert await found(at) == [SIGNATURE.digest]


async def test_what_is_put_where_the_api_fails_is_listed_under_its_tag(fake_registry: FakeRegistry) -> None:
    fake_registry.seed("app", {"v1": IMAGE})
    fake_registry.fail(Fault(Status(500), kind="referrers", times=99))
    async with lab(fake_registry.host) as at:
        assert await found(at) == []
        await put_built(at.repository(), SIGNATURE)
        assert await found(at) == [SIGNATURE.digest]
    assert fallback_tag(ABOUT) in fake_registry.repositories["app"].tags
