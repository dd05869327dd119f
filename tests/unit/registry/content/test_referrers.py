"""Listing referrers at a registry: the API and its pages, the tag in its stead, lists not to be believed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from regsync.errors import IntegrityError, Malformed, NotFound, Refused, RegsyncError, Unavailable, Unsupported
from regsync.oci.digest import Digest
from regsync.oci.referrers import fallback_tag
from tests.support.built import INDEX, MANIFEST, artifact_bytes, compact, digest_of, image_bytes, index_bytes
from tests.support.fake_registry import FakeRegistry, Features
from tests.support.fake_store import FakeRepository
from tests.support.faults import Action, Change, Fault, Html200, ResetBefore, Status
from tests.unit.registry.content.lab import Lab, lab

IMAGE = image_bytes(b"a layer")
ABOUT = Digest.parse(IMAGE.digest)
TAG = fallback_tag(ABOUT)
SIGNATURE = artifact_bytes(b"signature", subject=IMAGE)
MINUTES = 60.0


def listed(*nodes: object) -> bytes:
    return compact({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(nodes)})


def node(number: int) -> dict[str, Any]:
    return {"mediaType": MANIFEST, "digest": digest_of(f"{number}".encode()), "size": 3}


@pytest.fixture
async def modern() -> AsyncIterator[FakeRegistry]:
    """A registry with the API, and an image that somebody signed."""
    async with FakeRegistry(features=Features(referrers=True, page_size=2)) as fake:
        fake.seed("app", {"v1": IMAGE}, untagged=(SIGNATURE,))
        yield fake


def tag_list(fake: FakeRegistry) -> FakeRepository:
    """Give the image a list of referrers under its tag, too."""
    return fake.seed("app", {"v1": IMAGE, TAG: index_bytes(SIGNATURE)})


async def found(at: Lab, subject: Digest = ABOUT) -> list[str]:
    return [str(each.digest) for each in await at.repository().referrers(subject)]


async def test_what_the_api_lists_costs_one_request(modern: FakeRegistry) -> None:
    async with lab(modern.host) as at:
        assert await found(at) == [SIGNATURE.digest]
    (asked,) = modern.journal
    assert asked.path == f"/v2/app/referrers/{ABOUT}"


async def test_pages_are_followed_to_the_last(modern: FakeRegistry) -> None:
    more = [artifact_bytes(f"{number}".encode(), subject=IMAGE) for number in range(6)]
    modern.seed("app", {}, untagged=tuple(more))
    async with lab(modern.host) as at:
        assert await found(at) == [SIGNATURE.digest, *(each.digest for each in more)]
    assert modern.count(kind="referrers") == 4


@pytest.mark.parametrize("status", [400, 403, 404, 405, 410, 406, 501])
async def test_a_registry_without_the_api_is_asked_once_in_five_minutes_and_then_its_tag(
    fake_registry: FakeRegistry, status: int
) -> None:
    tag_list(fake_registry)
    fake_registry.fail(Fault(Status(status), kind="referrers", times=99))
    async with lab(fake_registry.host) as at:
        for _ in range(3):
            assert await found(at) == [SIGNATURE.digest]
            await at.clock.sleep(MINUTES)
        assert (fake_registry.count(kind="referrers"), fake_registry.count(kind="manifest")) == (1, 3)
        await at.clock.sleep(3 * MINUTES)
        assert await found(at) == [SIGNATURE.digest]
        assert (fake_registry.count(kind="referrers"), fake_registry.count(kind="manifest")) == (2, 4)


async def test_a_subject_that_an_api_does_not_know_does_not_make_it_unknown(modern: FakeRegistry) -> None:
    async with lab(modern.host) as at:
        assert await found(at) == [SIGNATURE.digest]
        modern.fail(Fault(Status(404), kind="referrers"))
        assert await found(at, Digest.of(b"nobody's")) == []
        assert await found(at) == [SIGNATURE.digest]
    assert modern.count(kind="referrers") == 3


async def test_while_nobody_knows_one_asks_for_the_api_and_the_others_wait(fake_registry: FakeRegistry) -> None:
    tag_list(fake_registry)
    async with lab(fake_registry.host) as at:
        assert await asyncio.gather(*(found(at) for _ in range(10))) == [[SIGNATURE.digest]] * 10
    assert (fake_registry.count(kind="referrers"), fake_registry.count(kind="manifest")) == (1, 10)


async def test_those_who_waited_ask_themselves_where_the_first_found_nothing_out(modern: FakeRegistry) -> None:
    modern.fail(Fault(Change({"Content-Type": INDEX}, body=b"{"), kind="referrers", times=3))
    async with lab(modern.host) as at:
        first, *others = await asyncio.gather(*(found(at) for _ in range(5)), return_exceptions=True)
    assert isinstance(first, IntegrityError)
    assert others == [[SIGNATURE.digest]] * 4


async def test_whether_there_is_an_api_is_known_of_each_repository_by_itself(modern: FakeRegistry) -> None:
    modern.seed("other", {"v1": IMAGE}, untagged=(SIGNATURE,))
    modern.fail(Fault(Status(404), kind="referrers", path="/app/", times=99))
    async with lab(modern.host) as at:
        assert await found(at) == []
        assert [str(each.digest) for each in await at.repository("other").referrers(ABOUT)] == [SIGNATURE.digest]
        assert await found(at) == []
    assert modern.count(kind="referrers") == 2


PAGES = [
    Html200(),
    Change({"Content-Type": "application/json"}, body=b'{"errors": []}'),
    Change({"Content-Type": "application/json"}, body=b"[]"),
    Change({"Content-Type": "text/plain"}, body=b"not here"),
    Change({"Content-Type": MANIFEST}, body=IMAGE.raw),
    Change({"Content-Type": ""}, body=b""),
]


@pytest.mark.parametrize("page", PAGES)
async def test_an_answer_that_is_no_index_means_that_there_is_no_api(modern: FakeRegistry, page: Action) -> None:
    tag_list(modern)
    modern.fail(Fault(page, kind="referrers"))
    async with lab(modern.host) as at:
        assert await found(at) == [SIGNATURE.digest]
        assert await found(at) == [SIGNATURE.digest]
    assert (modern.count(kind="referrers"), modern.count(kind="manifest")) == (1, 2)


@pytest.mark.parametrize("page", PAGES)
async def test_once_the_api_was_there_such_an_answer_is_asked_for_again(modern: FakeRegistry, page: Action) -> None:
    async with lab(modern.host) as at:
        assert await found(at) == [SIGNATURE.digest]
        modern.fail(Fault(page, kind="referrers"))
        assert await found(at) == [SIGNATURE.digest]
        modern.fail(Fault(page, kind="referrers", times=9))
        with pytest.raises(IntegrityError, match=f"referrers of .*/app@{ABOUT}: "):
            await found(at)
    assert modern.count(kind="manifest") == 0


@pytest.mark.parametrize("kind", ["application/json", "text/plain; charset=utf-8", "", f"{INDEX}; charset=utf-8"])
async def test_an_index_is_one_whatever_it_is_served_as(modern: FakeRegistry, kind: str) -> None:
    modern.fail(Fault(Change({"Content-Type": kind}), kind="referrers"))
    async with lab(modern.host) as at:
        assert await found(at) == [SIGNATURE.digest]


@pytest.mark.parametrize("body", [b"", b"{", listed(node(1))[:-1], listed({**node(1), "size": "3"}), listed("x")])
async def test_a_list_that_cannot_be_read_is_an_error_and_not_an_empty_list(modern: FakeRegistry, body: bytes) -> None:
    tag_list(modern)
    modern.fail(Fault(Change({"Content-Type": INDEX}, body=body), kind="referrers", times=9))
    async with lab(modern.host) as at:
        with pytest.raises(RegsyncError, match=f"referrers of .*/app@{ABOUT}: "):
            await found(at)
    assert modern.count(kind="manifest") == 0


@pytest.mark.parametrize("failing", [Status(429), Status(503, {"Retry-After": "900"}), ResetBefore()])
async def test_a_registry_in_trouble_is_not_one_without_the_api(modern: FakeRegistry, failing: Action) -> None:
    modern.fail(Fault(failing, kind="referrers", times=99))
    async with lab(modern.host) as at:
        with pytest.raises(Unavailable):
            await found(at)
    assert modern.count(kind="manifest") == 0


async def test_a_later_page_that_fails_is_a_list_that_failed(modern: FakeRegistry) -> None:
    modern.seed("app", {}, untagged=tuple(artifact_bytes(f"{n}".encode(), subject=IMAGE) for n in range(4)))
    modern.fail(Fault(Status(404), kind="referrers", nth=2))
    async with lab(modern.host) as at:
        with pytest.raises(NotFound):
            await found(at)
    assert modern.count(kind="manifest") == 0


async def test_a_next_page_elsewhere_is_not_followed(modern: FakeRegistry) -> None:
    modern.fail(Fault(Change({"Link": '<http://127.0.0.2:1/v2/app/referrers/x?page=2>; rel="next"'}), kind="referrers"))
    async with lab(modern.host) as at:
        with pytest.raises(Refused, match="not its own"):
            await found(at)


@pytest.mark.parametrize(
    "link",
    [
        "/app/referrers/{}?page=2",
        "/inner/v2/app/referrers/{}?page=2",
        "?page=2",
        "http://registry:5000/v2/app/referrers/{}?page=2",
    ],
)
async def test_a_next_page_without_the_fronts_path_is_asked_for_below_it(modern: FakeRegistry, link: str) -> None:
    modern.fail(Fault(Change({"Link": f"<{link.format(ABOUT)}>; rel=next"}, body=listed(node(1))), kind="referrers"))
    modern.fail(Fault(Change(body=listed(node(2))), kind="referrers"))
    async with lab(modern.host) as at:
        assert len(await found(at)) == 2


async def test_pages_that_lead_back_are_cut(modern: FakeRegistry) -> None:
    link = {"Link": f'</v2/app/referrers/{ABOUT}>; rel="next"'}
    modern.fail(Fault(Change(link), kind="referrers", times=99))
    async with lab(modern.host) as at:
        with pytest.raises(Unsupported, match="pages do not end"):
            await found(at)
    assert modern.count(kind="referrers") == 1


@pytest.mark.parametrize("fresh", [True, False])
async def test_pages_that_never_end_are_cut(modern: FakeRegistry, *, fresh: bool) -> None:
    for number in range(1, 1100):
        link = {"Link": f'</v2/app/referrers/{ABOUT}?page={number}>; rel="next"'}
        body = listed(node(number)) if fresh else listed()
        modern.fail(Fault(Change(link, body=body), kind="referrers"))
    async with lab(modern.host) as at:
        with pytest.raises(Unsupported, match="pages do not end"):
            await found(at)
    assert modern.count(kind="referrers") == (1000 if fresh else 10)


@pytest.mark.parametrize("pages", [1, 2])
async def test_more_than_anybody_can_follow_is_an_error(modern: FakeRegistry, pages: int) -> None:
    half = 5001
    for page in range(2):
        numbers = range(page * half, (page + 1) * half) if pages == 2 else range(10_001)
        link = {"Link": f'</v2/app/referrers/{ABOUT}?page={page}>; rel="next"'}
        modern.fail(
            Fault(Change(link, body=listed(*map(node, numbers))), kind="referrers", times=1 if pages == 2 else 9)
        )
    async with lab(modern.host) as at:
        with pytest.raises(RegsyncError, match=r"more than 10,?000"):
            await found(at)


async def test_a_tag_that_holds_something_else_is_no_list(fake_registry: FakeRegistry) -> None:
    fake_registry.seed("app", {"v1": IMAGE, TAG: image_bytes(b"squats here")})
    async with lab(fake_registry.host) as at:
        with pytest.raises(Malformed, match="instead of an index"):
            await found(at)


async def test_a_list_under_the_tag_is_read_as_strictly(fake_registry: FakeRegistry) -> None:
    repository = tag_list(fake_registry)
    raw = json.loads(index_bytes(SIGNATURE).raw)
    raw["manifests"][0]["size"] = -1
    repository.lies[index_bytes(SIGNATURE).digest] = compact(raw)
    async with lab(fake_registry.host) as at:
        with pytest.raises(RegsyncError):
            await found(at)


async def test_a_repository_that_is_not_there_has_no_referrers(modern: FakeRegistry) -> None:
    modern.fail(Fault(Status(404), kind="referrers"))
    async with lab(modern.host) as at:
        assert await at.repository("nowhere").referrers(ABOUT) == ()
