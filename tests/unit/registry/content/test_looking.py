"""Looking at what is there, at registries where HEAD leads nowhere or looking is forbidden."""

from __future__ import annotations

import pytest

from regsync.errors import AccessDenied, Forbidden, IntegrityError, NotFound, Unavailable
from regsync.events import Warned
from regsync.oci import mediatype
from regsync.oci.digest import Digest
from tests.support.built import image_bytes
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Change, Fault, Redirect, Status
from tests.support.images import described
from tests.unit.registry.content.lab import Lab, lab
from tests.unit.registry.raw import Answering, Asked, RawServer, Step, says

BLOB = described(b"layer")
IMAGE = image_bytes(b"layer")


@pytest.fixture
def filled(fake_registry: FakeRegistry) -> FakeRegistry:
    fake_registry.seed("app", {"v1": IMAGE})
    return fake_registry


def signed_for_get(status: int, body: bytes = b"layer") -> Answering:
    """Storage that has one thing and refuses HEAD."""

    def answer(asked: Asked) -> Step:
        return says(200, body) if asked.method == "GET" else Step(says(status).data)

    return answer


def warnings(at: Lab) -> list[str]:
    return [event.message for event in at.told if isinstance(event, Warned)]


@pytest.mark.parametrize("status", [400, 401, 403, 405, 501])
@pytest.mark.parametrize("code", [302, 307])
async def test_a_head_that_storage_refuses_is_asked_by_get_from_then_on(
    filled: FakeRegistry, status: int, code: int
) -> None:
    async with RawServer(signed_for_get(status)) as storage, lab(filled.host) as at:
        filled.fail(Fault(Redirect(f"{storage.url}/x?sig=1", code), kind="blob", times=9))
        assert await at.repository().has_blob(BLOB)
        assert await at.repository("app").blob_size(BLOB.digest) == BLOB.size
        said = warnings(at)
    assert all("authorization" not in asked.headers for asked in storage.asked)
    methods = [asked.method for asked in storage.asked]
    assert methods == (["HEAD", "GET", "GET"] if status in {400, 401, 403} else ["HEAD", "GET"] * 2)
    assert len(said) == (status in {400, 401, 403})


async def test_a_manifest_whose_head_leads_to_storage_that_forbids_it_is_asked_by_get(filled: FakeRegistry) -> None:
    async with RawServer(signed_for_get(403)) as storage, lab(filled.host) as at:
        filled.fail(Fault(Redirect(f"{storage.url}/x"), kind="manifest", method="HEAD"))
        found = await at.repository().head_manifest("v1")
    assert found is not None
    assert str(found.digest) == IMAGE.digest


async def test_a_blob_that_storage_gives_in_no_way_counts_as_missing(filled: FakeRegistry) -> None:
    async with RawServer(lambda _: says(403)) as storage, lab(filled.host) as at:
        filled.fail(Fault(Redirect(f"{storage.url}/x"), kind="blob", times=9))
        assert not await at.repository().has_blob(BLOB)


async def test_a_blob_of_another_length_behind_the_redirect_counts_as_missing(filled: FakeRegistry) -> None:
    async with RawServer(signed_for_get(403, b"longer than that")) as storage, lab(filled.host) as at:
        filled.fail(Fault(Redirect(f"{storage.url}/x"), kind="blob", times=9))
        assert not await at.repository().has_blob(BLOB)


async def test_what_is_taken_is_said_in_one_line_since_some_registries_read_no_second() -> None:
    async with RawServer(lambda _: says(404)) as server, lab(server.host) as at:
        assert await at.repository().head_manifest("v1") is None
    (accepted,) = {asked.headers.lines("accept") for asked in server.asked}
    assert accepted == (", ".join(mediatype.ACCEPT),)


PACKED = Change({"Content-Encoding": "gzip", "Content-Length": "11"})


async def test_the_length_of_what_is_called_packed_is_no_length_of_a_manifest(filled: FakeRegistry) -> None:
    filled.fail(Fault(PACKED, kind="manifest", method="HEAD"))
    async with lab(filled.host) as at:
        found = await at.repository().head_manifest("v1")
    assert found is not None
    assert (str(found.digest), found.size) == (IMAGE.digest, len(IMAGE.raw))


async def test_a_blob_that_is_called_packed_is_there_whatever_its_length(filled: FakeRegistry) -> None:
    filled.fail(Fault(PACKED, kind="blob", method="HEAD"))
    async with lab(filled.host) as at:
        assert await at.repository().has_blob(BLOB)


async def test_a_manifest_whose_type_is_told_by_two_is_known_without_fetching_it(filled: FakeRegistry) -> None:
    filled.fail(Fault(Change({"Content-Type": f"application/json, {IMAGE.media_type}"}), kind="manifest"))
    async with lab(filled.host) as at:
        found = await at.repository().head_manifest("v1")
    assert found is not None
    assert found.media_type == IMAGE.media_type
    assert len(filled.journal) == 1


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_a_blob_that_may_not_be_looked_at_counts_as_missing(filled: FakeRegistry, status: int) -> None:
    filled.fail(Fault(Status(status), kind="blob", times=9))
    async with lab(filled.host) as at:
        assert not await at.repository().has_blob(BLOB)
        assert warnings(at) == []


async def test_a_blob_behind_a_redirect_into_the_dark_counts_as_missing_and_nobody_goes_there(
    filled: FakeRegistry,
) -> None:
    async with lab(filled.host) as at:
        for place in ("http://169.254.169.254/x", "file:///etc/passwd", "https://user@127.0.0.1/x"):
            filled.fail(Fault(Redirect(place), kind="blob"))
            assert not await at.repository().has_blob(BLOB)
    assert filled.count(method="GET") == 0


async def test_the_registry_itself_is_in_trouble_when_it_says_so(filled: FakeRegistry) -> None:
    filled.fail(Fault(Status(503), kind="blob", times=9))
    async with lab(filled.host) as at:
        with pytest.raises(Unavailable):
            await at.repository().has_blob(BLOB)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_manifest_that_may_not_be_looked_at_is_no_missing_one_to_a_reader(
    filled: FakeRegistry, status: int
) -> None:
    filled.fail(Fault(Status(status), kind="manifest", times=9))
    async with lab(filled.host) as at:
        with pytest.raises(AccessDenied):
            await at.repository().head_manifest("v1")


async def test_get_has_what_head_calls_missing_and_is_asked_alone_from_then_on(filled: FakeRegistry) -> None:
    filled.fail(Fault(Status(404), kind="manifest", method="HEAD", times=9))
    async with lab(filled.host) as at:
        assert await at.repository().head_manifest("v1") is None
        assert str((await at.repository().get_manifest("v1")).digest) == IMAGE.digest
        assert await at.repository().head_manifest("v1") is not None
        said = warnings(at)
    assert [each.method for each in filled.journal] == ["HEAD", "GET", "GET"]
    assert said == ["Registry is odd: HEAD does not find manifests that GET has; asking by GET for an hour"]


@pytest.mark.parametrize("status", [404, 500, 503])
async def test_a_manifest_that_cannot_be_had_by_digest_comes_by_its_tag(filled: FakeRegistry, status: int) -> None:
    filled.fail(Fault(Status(status), kind="manifest", path="sha256:", times=9))
    async with lab(filled.host) as at:
        found = await at.repository().head_manifest("v1")
        assert found is not None
        assert (await at.repository().get_manifest(found.digest)).raw == IMAGE.raw
        assert [message for message in warnings(at) if "by digest" in message]


async def test_what_head_does_not_tell_is_fetched_once_by_tag_and_not_again_by_digest(filled: FakeRegistry) -> None:
    filled.fail(Fault(Change(without=("Docker-Content-Digest",)), kind="manifest", times=2))
    async with lab(filled.host) as at:
        repository = at.repository()
        found = await repository.head_manifest("v1")
        assert found is not None
        assert (await repository.get_manifest(found.digest)).raw == IMAGE.raw
    assert [each.method for each in filled.journal] == ["HEAD", "GET"]


async def test_a_tag_that_has_moved_is_not_what_was_wanted_by_digest(filled: FakeRegistry) -> None:
    async with lab(filled.host) as at:
        repository = at.repository()
        found = await repository.head_manifest("v1")
        assert found is not None
        filled.seed("app", {"v1": image_bytes(b"another")})
        filled.fail(Fault(Status(404), kind="manifest", path="sha256:", times=9))
        with pytest.raises(NotFound):
            await repository.get_manifest(found.digest)


async def test_wrong_bytes_by_digest_are_not_excused_by_a_tag(filled: FakeRegistry) -> None:
    filled.fail(Fault(Change(body=IMAGE.raw + b" "), kind="manifest", path="sha256:", times=9))
    async with lab(filled.host) as at:
        repository = at.repository()
        await repository.head_manifest("v1")
        with pytest.raises(IntegrityError):
            await repository.get_manifest(Digest.parse(IMAGE.digest))


async def test_a_refusal_by_digest_is_not_evaded_by_tag(filled: FakeRegistry) -> None:
    filled.fail(Fault(Status(403), kind="manifest", path="sha256:"))
    async with lab(filled.host) as at:
        repository = at.repository()
        await repository.head_manifest("v1")
        with pytest.raises(Forbidden):
            await repository.get_manifest(Digest.parse(IMAGE.digest))
