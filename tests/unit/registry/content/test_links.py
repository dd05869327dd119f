"""The next page as registries name it, behind fronts and redirects, and where it is never looked for."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from regsync.errors import Refused, RegsyncError, Unsupported
from regsync.registry.content.links import ODD_LINK
from tests.unit.registry.content.lab import Lab, lab
from tests.unit.registry.raw import Asked, RawServer, Step, in_turn, says

JSON = ("Content-Type", "application/json")
PATH = "/v2/docker/team/app/tags/list"


def page(*tags: str, link: str = "", key: str = "tags") -> Step:
    links = (("Link", link),) if link else ()
    return says(200, json.dumps({"name": "app", key: tags}).encode(), JSON, *links)


def two_pages(link: str) -> Callable[[Asked], Step]:
    """A list whose second page is had by its cursor, at its own path alone."""

    def answer(asked: Asked) -> Step:
        path, _, query = asked.target.partition("?")
        if path != PATH:
            return says(404)
        return page("c") if "last=b" in query else page("a", "b", link=link.replace("HOST", asked.headers["host"]))

    return answer


async def tags_of(at: Lab, path: str = "docker/team/app") -> list[str]:
    return [tag async for tag in at.repository(path).tags()]


@pytest.mark.parametrize(
    "link",
    [
        '<?last=b>; rel="next"',
        '<list?last=b&n=2>; rel="next"',
        f'<{PATH}?last=b>; rel="next"',
        f'<http://HOST{PATH}?last=b>; rel="next"',
        f'<//HOST{PATH}?last=b>; rel="next"',
        '</v2/team/app/tags/list?last=b>; rel="next"',
        '</v2/app/tags/list?last=b>; rel="next"',
        '</team/app/tags/list?last=b>; rel="next"',
        f'</artifactory/api/docker{PATH}?last=b>; rel="next"',
        f'<http://127.0.0.1:8081/artifactory/api{PATH}?last=b>; rel="next"',
        f'<https://127.0.0.1{PATH}?last=b>; rel="next"',
        f"<{PATH}?last=b>; rel=next",
        f"<{PATH}?last=b>; rel='next'",
        f'<{PATH}?last=b>; REL = "Next"',
        f'<{PATH}?last=b>; rel="prev next"',
        f'<{PATH}?last=b>; title="a, b"; rel="next"',
        f'<{PATH}>; rel="first", <{PATH}?last=b>; rel="next"',
        f'<{PATH}?last=b>;rel="next",<{PATH}?last=z>;rel="last"',
        f"{PATH}?last=b; rel=next",
    ],
)
async def test_the_next_page_is_found_however_it_is_named(link: str) -> None:
    async with RawServer(two_pages(link)) as server, lab(server.host) as at:
        assert await tags_of(at) == ["a", "b", "c"]
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "link",
    [
        f'<{PATH}?last=b>; rel="prev"',
        f'<{PATH}?last=b>; rel="nextish"',
        f"{PATH}?last=b",
    ],
)
async def test_another_relation_is_no_next_page(link: str) -> None:
    async with RawServer(two_pages(link)) as server, lab(server.host) as at:
        assert await tags_of(at) == ["a", "b"]
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.2:1/v2/docker/team/other/tags/list",
        f"https://elsewhere.example/inner{PATH}",
        "http://registry:5000/v2/other/docker/team/app/tags/list",
        "http://registry:5000/v2/docker/team/app/referrers/list",
        "http://registry:5000/v2/tags/list",
        "http://registry:5000/v2/_catalog",
        f"ftp://registry:5000{PATH}",
        f"http://user:secret@registry:5000{PATH}",
        "/v2/docker/team/other/tags/list",
        "/v2/docker/team/app/manifests/list",
        "/tags/list",
        "/v2/_catalog",
        "/",
        f"http://user:secret@127.0.0.1{PATH}",
        f"ftp://127.0.0.1{PATH}",
    ],
)
async def test_a_page_of_another_list_at_whatever_host_is_refused(link: str) -> None:
    async with RawServer(two_pages(f'<{link}?last=b>; rel="next"')) as server, lab(server.host) as at:
        with pytest.raises(Refused, match="names a next page that"):
            await tags_of(at)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "link",
    [
        f"http://registry:5000{PATH}",
        f"http://127.0.0.2:1{PATH}",
        f"http://169.254.169.254{PATH}",
        f"https://elsewhere.example{PATH}",
        "http://registry:5000/v2/team/app/tags/list",
        "http://registry:5000/v2/app/tags/list",
        "http://registry:5000/team/app/tags/list",
    ],
)
async def test_a_page_of_this_list_at_the_host_the_registry_knows_itself_by_is_asked_of_the_registry(link: str) -> None:
    answer = two_pages(f'<{link}?last=b&n=2>; rel="next"')
    async with RawServer(answer) as server, lab(server.host, user="u", password="p") as at:
        assert await tags_of(at) == ["a", "b", "c"]
        assert [event.message for event in at.warned] == [f"Registry is odd: {ODD_LINK}"]
        assert await tags_of(at) == ["a", "b", "c"]
        assert len(at.warned) == 1
    assert [asked.target for asked in server.asked] == [PATH, f"{PATH}?last=b&n=2"] * 2


async def test_a_cursor_at_the_host_the_registry_knows_itself_by_has_to_move_too() -> None:
    link = f"<http://registry:5000{PATH}?last=a>; rel=next"
    async with RawServer(lambda _: page("a", link=link)) as server, lab(server.host) as at:
        with pytest.raises(Unsupported, match="do not end"):
            await tags_of(at)


@pytest.mark.parametrize("link", [f"<{PATH}>; rel=next", "</v2/app/tags/list>; rel=next", "<?last=a>; rel=next"])
async def test_a_cursor_that_does_not_move_is_an_error(link: str) -> None:
    async with RawServer(lambda _: page("a", link=link)) as server, lab(server.host) as at:
        with pytest.raises(Unsupported, match="pages do not end"):
            await tags_of(at)
    assert len(server.asked) <= 2


BEHIND = "/v2/project/images/app/tags/list"


def front(back: str) -> Callable[[Asked], Step]:
    """A front that redirects the first page of its list, with whatever query, and knows nothing else."""

    def answer(asked: Asked) -> Step:
        path, _, query = asked.target.partition("?")
        if path != "/v2/app/tags/list":
            return says(404)
        return says(307, b"", ("Location", f"{back}{BEHIND}{'?' if query else ''}{query}"))

    return answer


def behind(link: str) -> Callable[[Asked], Step]:
    def answer(asked: Asked) -> Step:
        path, _, query = asked.target.partition("?")
        if path != BEHIND:
            return says(404)
        return page("c") if "last=b" in query else page("a", "b", link=link)

    return answer


@pytest.mark.parametrize(
    "link",
    [
        f"<{BEHIND}?last=b>; rel=next",
        "<?last=b>; rel=next",
        "</v2/images/app/tags/list?last=b>; rel=next",
        "</v2/app/tags/list?last=b>; rel=next",
    ],
)
async def test_behind_a_redirect_the_next_page_is_where_the_first_one_came_from_without_a_login(link: str) -> None:
    async with (
        RawServer(behind(link)) as back,
        RawServer(front(back.url)) as server,
        lab(server.host, user="u", password="p") as at,
    ):
        assert await tags_of(at, "app") == ["a", "b", "c"]
    assert not any(back.sent("authorization"))
    assert len(back.asked) == 2


async def test_behind_a_redirect_no_third_host_is_asked() -> None:
    link = f'<http://127.0.0.2:1{BEHIND}?last=b>; rel="next"'
    async with RawServer(behind(link)) as back, RawServer(front(back.url)) as server, lab(server.host) as at:
        with pytest.raises(Refused, match="not its own"):
            await tags_of(at, "app")


@pytest.mark.parametrize("status", [400, 403, 404, 405, 422])
async def test_a_registry_that_does_not_know_our_cursor_has_sent_all_its_repositories(status: int) -> None:
    def answer(asked: Asked) -> Step:
        return says(status) if "last=" in asked.target else page("one", "two", key="repositories")

    async with RawServer(answer) as server, lab(server.host) as at:
        assert [each async for each in at.registries.catalogue(server.host)] == ["one", "two"]


@pytest.mark.parametrize("status", [400, 404])
async def test_a_page_the_registry_named_itself_and_does_not_give_fails_the_list(status: int) -> None:
    def answer(asked: Asked) -> Step:
        link = "</v2/_catalog?last=two>; rel=next"
        return says(status) if "last=" in asked.target else page("one", "two", key="repositories", link=link)

    async with RawServer(answer) as server, lab(server.host) as at:
        with pytest.raises(RegsyncError):
            [each async for each in at.registries.catalogue(server.host)]


def numbered(count: int) -> list[str]:
    return [f"v{number:05d}" for number in range(count)]


@pytest.mark.parametrize("size", [100, 1000])
@pytest.mark.parametrize("known", [True, False])
async def test_tags_that_end_at_a_round_number_are_gone_on_with_where_the_registry_knows_how(
    size: int, *, known: bool
) -> None:
    tags = numbered(size * 2 + 1)

    def answer(asked: Asked) -> Step:
        last = asked.target.partition("last=")[2]
        start = tags.index(last) + 1 if known and last else 0
        return page(*tags[start : start + size])

    async with RawServer(answer) as server, lab(server.host) as at:
        assert await tags_of(at) == (tags if known else tags[:size])
    assert len(server.asked) == (3 if known else 2)


async def test_round_numbers_of_a_registry_that_refuses_our_cursor_are_all_there_is() -> None:
    def answer(asked: Asked) -> Step:
        return says(400) if "last=" in asked.target else page(*numbered(100))

    async with RawServer(answer) as server, lab(server.host) as at:
        assert await tags_of(at) == numbered(100)
    assert len(server.asked) == 2


@pytest.mark.parametrize("count", [0, 1, 3, 99, 101, 250])
async def test_a_list_without_a_link_that_ends_anywhere_else_costs_one_request(count: int) -> None:
    async with RawServer(lambda _: page(*numbered(count))) as server, lab(server.host) as at:
        assert await tags_of(at) == numbered(count)
    assert len(server.asked) == 1


@pytest.mark.parametrize("link", [f"<{PATH}?last=b>", f"<{PATH}?last=b&n=2>; title=x", "</v2/app/tags/list?last=b>"])
async def test_a_page_of_the_same_list_is_the_next_one_even_if_nothing_says_so(link: str) -> None:
    async with RawServer(two_pages(link)) as server, lab(server.host) as at:
        assert await tags_of(at) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "link",
    [
        "<https://docs.example/registry?x=1>",
        f"<https://docs.example{PATH}?last=b>",
        "</v2/other/blobs/list?last=b>; type=text/html",
        f"<{PATH}>",
        f"<{PATH}?last=b>; rel=prev",
        f"<{PATH}?last=b>, <{PATH}?last=z>",
        "nothing",
    ],
)
async def test_what_is_related_in_no_way_and_is_no_page_of_the_list_is_passed_over(link: str) -> None:
    async with RawServer(two_pages(link)) as server, lab(server.host) as at:
        assert await tags_of(at) == ["a", "b"]
        assert len(server.asked) == 1


@pytest.mark.parametrize("key", ["Tags", "TAGS"])
async def test_the_key_of_a_list_has_no_case(key: str) -> None:
    async with RawServer(lambda _: page("a", "b", key=key)) as server, lab(server.host) as at:
        assert await tags_of(at) == ["a", "b"]


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_who_has_no_catalogue_is_told_how_to_do_without(status: int) -> None:
    async with RawServer(lambda _: says(status)) as server, lab(server.host) as at:
        with pytest.raises(RegsyncError, match="without a catalogue is mirrored by entries of type: repository"):
            [path async for path in at.registries.catalogue(at.host)]


async def test_a_list_under_a_key_that_was_damaged_is_asked_for_again() -> None:
    steps = in_turn(page("a", "b", key="tagr"), page("a", "b"))
    async with RawServer(steps) as server, lab(server.host) as at:
        assert await tags_of(at) == ["a", "b"]
