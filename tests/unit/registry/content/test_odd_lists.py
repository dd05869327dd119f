"""Lists that say too little, too much, or it in their own way: taken where that can mean one thing alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from regsync.errors import IntegrityError, NotFound, Refused, RegsyncError, Unsupported
from regsync.events import Warned
from tests.unit.registry.content.lab import Lab, lab
from tests.unit.registry.raw import Asked, RawServer, Step, says

JSON = ("Content-Type", "application/json")
CUT = "Registry is odd: lists of tags are cut without naming a next page; going on after the last tag"
ODD_LINK = "Registry is odd: the next page of a list is named where it is not; asking for it where the list came from"


def listed(body: object, *links: str) -> Step:
    return says(200, json.dumps(body).encode(), JSON, *(("Link", link) for link in links))


async def tags_of(at: Lab, path: str = "app") -> list[str]:
    return [tag async for tag in at.repository(path).tags()]


async def catalogue_of(at: Lab) -> list[str]:
    return [path async for path in at.registries.catalogue(at.host)]


def warned(at: Lab) -> list[str]:
    return [event.message for event in at.told if isinstance(event, Warned)]


@pytest.mark.parametrize(
    "answer",
    [
        listed({}),
        listed({"name": "app"}),
        listed({"tags": None}),
        listed({"tags": []}),
        listed({"name": "app", "tags": None, "errors": None}),
        listed(None),
        says(204),
    ],
)
async def test_a_list_that_names_nothing_is_an_empty_one(answer: Step) -> None:
    async with RawServer(lambda _: answer) as server, lab(server.host) as at:
        assert await tags_of(at) == []
        assert len(server.asked) == 1


@pytest.mark.parametrize("body", [{}, {"repositories": None}, {"repositories": []}, None])
async def test_a_catalogue_that_names_nothing_is_an_empty_one(body: object) -> None:
    async with RawServer(lambda _: listed(body)) as server, lab(server.host) as at:
        assert await catalogue_of(at) == []


@pytest.mark.parametrize("body", [{"errors": [{"code": "UNKNOWN", "message": "try later"}]}, {"errors": "no"}])
async def test_a_complaint_that_comes_as_a_success_is_no_empty_list(body: object) -> None:
    async with RawServer(lambda _: listed(body)) as server, lab(server.host) as at:
        with pytest.raises(IntegrityError, match="came as a complaint"):
            await tags_of(at)


@pytest.mark.parametrize("body", [{"tagt": ["v1"]}, {"name": "app", "results": []}, {"message": "log in"}])
async def test_a_list_that_says_something_else_instead_is_no_empty_one(body: object) -> None:
    async with RawServer(lambda _: listed(body)) as server, lab(server.host) as at:
        with pytest.raises(IntegrityError, match="came without tags"):
            await tags_of(at)


async def test_an_empty_body_is_no_empty_list() -> None:
    async with RawServer(lambda _: says(200, b"", JSON)) as server, lab(server.host) as at:
        with pytest.raises(IntegrityError, match="not JSON"):
            await tags_of(at)


async def test_what_is_listed_beside_the_tags_is_not_read() -> None:
    more = {"child": ["sub"], "manifest": {"sha256:1": {"tag": ["x"]}}, "name": 3, "tags": ["a", "a", "b"]}
    async with RawServer(lambda _: listed(more)) as server, lab(server.host) as at:
        assert await tags_of(at) == ["a", "b"]
        assert warned(at) == []


@pytest.mark.parametrize("item", [3, None, {"name": "v1"}, ["v1"], True])
async def test_a_tag_that_is_no_text_is_an_error_that_shows_it(item: object) -> None:
    async with RawServer(lambda _: listed({"tags": ["v1", item]})) as server, lab(server.host) as at:
        with pytest.raises(Unsupported) as caught:
            await tags_of(at)
    assert f"tags came with something that is no name: {json.dumps(item)}" in str(caught.value)
    assert len(server.asked) == 1


@pytest.mark.parametrize("tags", ["v1", {"v1": {}}, 7])
async def test_tags_that_are_no_list_are_an_error(tags: object) -> None:
    async with RawServer(lambda _: listed({"tags": tags})) as server, lab(server.host) as at:
        with pytest.raises(IntegrityError, match="not a list"):
            await tags_of(at)


async def test_what_can_be_no_tag_is_left_out_and_that_is_told_once_for_the_host() -> None:
    body = {"tags": ["v1", "../etc\n", "x" * 200, "v2"]}
    async with RawServer(lambda _: listed(body)) as server, lab(server.host) as at:
        for path in ("app", "other"):
            assert await tags_of(at, path) == ["v1", "v2"]
        (told,) = [event for event in at.told if isinstance(event, Warned)]
    assert told.message == "Registry is odd: tags are listed that can be none; leaving them out"
    assert told.fields == {"host": server.host, "example": "../etc "}


async def test_what_can_be_no_repository_is_told_apart_from_tags() -> None:
    async with RawServer(lambda _: listed({"repositories": ["Up/Per", "app"]})) as server, lab(server.host) as at:
        assert await catalogue_of(at) == ["app"]
        assert warned(at) == ["Registry is odd: repositories are listed that can be none; leaving them out"]


Pages = Callable[[Asked], Step]


def paged(*pages: Sequence[str], link: Callable[[int], Sequence[str]]) -> Pages:
    """Pages by their number in `last`."""

    def answer(asked: Asked) -> Step:
        number = int(asked.target.partition("last=")[2].partition("&")[0] or 0)
        links = link(number + 1) if number + 1 < len(pages) else ()
        return listed({"tags": pages[number]}, *links)

    return answer


LIST = "/v2/app/tags/list"


@pytest.mark.parametrize(
    "link",
    [
        lambda n: (f"<{LIST}?n=9&amp;last={n}>; rel=next",),
        lambda n: (f"<{LIST}?n=9\\u0026last={n}>; rel=next",),
        lambda n: (f"<{LIST}?n=0>; rel=prev", f"<{LIST}?last={n}&n=2>; rel=next"),
        lambda n: (f"<{LIST}?last={n}>; rel=next", "<https://docs.example/>; rel=help"),
        lambda n: (f'<https://docs.example/a,b>; rel="help", <{LIST}?last={n}>; title="x"; rel="NEXT"',),
        lambda n: (f"<{LIST}?last={n}>; type=x; n=1; rel = next ; title=y",),
    ],
)
async def test_a_next_page_is_found_in_other_spellings(link: Callable[[int], Sequence[str]]) -> None:
    async with RawServer(paged(["a"], ["b"], ["c"], link=link)) as server, lab(server.host) as at:
        assert await tags_of(at) == ["a", "b", "c"]
    assert len(server.asked) == 3


@pytest.mark.parametrize("middle", [[], ["a"], ["a", "b"]])
async def test_a_page_in_the_middle_that_brings_nothing_new_is_gone_past(middle: Sequence[str]) -> None:
    pages = paged(["a", "b"], middle, ["b", "c"], link=lambda n: (f"<{LIST}?last={n}>; rel=next",))
    async with RawServer(pages) as server, lab(server.host) as at:
        assert await tags_of(at) == ["a", "b", "c"]
        assert warned(at) == []


async def test_an_odd_link_is_told_of_once_for_the_host_and_a_proper_one_not_at_all() -> None:
    def answer(asked: Asked) -> Step:
        path, _, query = asked.target.partition("?")
        inner = "http://127.0.0.1:8081/inner" if "odd" in path else ""
        return listed({"tags": ["b"]}) if query else listed({"tags": ["a"]}, f"<{inner}{path}?last=a>; rel=next")

    async with RawServer(answer) as server, lab(server.host) as at:
        assert await tags_of(at, "fine") == ["a", "b"]
        assert warned(at) == []
        for path in ("odd", "odd/too"):
            assert await tags_of(at, path) == ["a", "b"]
        assert warned(at) == [ODD_LINK]


async def test_behind_a_redirect_the_next_page_may_be_named_at_the_registry_itself() -> None:
    def back(asked: Asked) -> Step:
        return listed({"tags": ["a"]}, f"<{front.url}{LIST}?last=a>; rel=next")

    def ahead(asked: Asked) -> Step:
        if "last=" in asked.target:
            return listed({"tags": ["b"]})
        return says(302, b"", ("Location", f"{behind.url}/lists/app/tags/list"))

    async with RawServer(back) as behind, RawServer(ahead) as front, lab(front.host) as at:
        assert await tags_of(at) == ["a", "b"]
    assert len(behind.asked) == 1


async def test_a_page_that_names_the_registry_for_another_list_is_refused_behind_a_redirect_too() -> None:
    def back(_: Asked) -> Step:
        return listed({"tags": ["a"]}, f"<{front.url}/v2/other/tags/list?last=a>; rel=next")

    async with RawServer(back) as behind:
        place = f"{behind.url}/lists/app/tags/list"
        async with RawServer(lambda _: says(302, b"", ("Location", place))) as front, lab(front.host) as at:
            with pytest.raises(Refused, match="not its own"):
                await tags_of(at)


async def test_a_list_that_was_cut_silently_is_gone_on_with_and_that_is_told_once() -> None:
    tags = [f"v{number:04}" for number in range(230)]

    def answer(asked: Asked) -> Step:
        last = asked.target.partition("last=")[2]
        start = tags.index(last) if last else 0  # the last one once more, as some do
        return listed({"tags": tags[start : start + 100]})

    async with RawServer(answer) as server, lab(server.host) as at:
        for path in ("app", "other"):
            assert await tags_of(at, path) == tags
        assert warned(at) == [CUT]


@pytest.mark.parametrize("status", [404, 410])
async def test_a_repository_whose_list_is_not_there_is_not_found(status: int) -> None:
    async with RawServer(lambda _: says(status)) as server, lab(server.host) as at:
        with pytest.raises(NotFound):
            await tags_of(at)


@pytest.mark.parametrize("status", [401, 403, 500])
async def test_a_list_that_is_refused_or_fails_is_no_empty_list(status: int) -> None:
    async with RawServer(lambda _: says(status)) as server, lab(server.host) as at:
        with pytest.raises(RegsyncError) as caught:
            await tags_of(at)
        assert not isinstance(caught.value, NotFound)
