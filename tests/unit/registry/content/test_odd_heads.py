"""HEAD that is refused, fails, or sends us where we do not go: GET has the last word, and nobody's login suffers."""

from __future__ import annotations

import pytest

from regsync.errors import (
    AccessDenied,
    Failing,
    Forbidden,
    Malformed,
    Misled,
    RegsyncError,
    Unavailable,
    Unreadable,
    Unsupported,
)
from regsync.events import Warned
from regsync.oci.digest import Digest
from tests.support.built import image_bytes
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Action, Change, Fault, Redirect, Status
from tests.support.images import described, put_built
from tests.unit.registry.content.lab import Lab, lab

BLOB = described(b"layer")
IMAGE = image_bytes(b"layer")
MANIFESTS = "Registry is odd: HEAD does not find manifests that GET has; asking by GET for an hour"
BLOBS = "Registry is odd: HEAD does not find blobs that GET has; asking by GET for an hour"
NOBODY = "http://127.0.0.1:1/"  # port 1: nobody listens there


@pytest.fixture
def filled(fake_registry: FakeRegistry) -> FakeRegistry:
    for path in ("app", "other"):
        fake_registry.seed(path, {"v1": IMAGE})
    return fake_registry


def warnings(at: Lab) -> list[str]:
    return [event.message for event in at.told if isinstance(event, Warned)]


@pytest.mark.parametrize("failing", [Status(500), Status(502), Status(503), Redirect(NOBODY)])
async def test_a_manifest_whose_head_fails_is_looked_at_by_get_and_that_is_told_once_for_the_host(
    filled: FakeRegistry, failing: Action
) -> None:
    filled.fail(Fault(failing, kind="manifest", method="HEAD", times=99))
    async with lab(filled.host) as at:
        for path in ("app", "other"):
            found = await at.repository(path).head_manifest("v1")
            assert found is not None
            assert str(found.digest) == IMAGE.digest
        assert warnings(at) == [MANIFESTS]
    assert filled.count(method="HEAD") == 3  # of one question, and none of the next


@pytest.mark.parametrize("failing", [Status(500), Status(502), Redirect(NOBODY)])
async def test_a_blob_whose_head_fails_is_looked_at_by_get(filled: FakeRegistry, failing: Action) -> None:
    filled.fail(Fault(failing, kind="blob", method="HEAD", times=99))
    async with lab(filled.host) as at:
        assert await at.repository().has_blob(BLOB)
        assert await at.repository("other").has_blob(BLOB)
        assert warnings(at) == [BLOBS]
    assert (filled.count(method="HEAD"), filled.count(method="GET")) == (3, 2)


@pytest.mark.parametrize("action", [Status(500), Redirect(NOBODY)])
async def test_a_blob_that_fails_by_get_as_well_counts_as_missing_and_teaches_nothing(
    filled: FakeRegistry, action: Action
) -> None:
    filled.fail(Fault(action, kind="blob", times=9))
    async with lab(filled.host) as at:
        assert not await at.repository().has_blob(BLOB)
        assert warnings(at) == []
        assert await at.repository().has_blob(BLOB)
    assert filled.asked(kind="blob")[-1].method == "HEAD"


async def test_an_outage_is_no_oddity_of_head(filled: FakeRegistry) -> None:
    filled.fail(Fault(Status(503), kind="manifest", times=9))
    async with lab(filled.host) as at:
        with pytest.raises(Failing) as caught:
            await at.repository().head_manifest("v1")
        assert caught.value.is_outage
        assert warnings(at) == []
        assert await at.repository().head_manifest("v1") is not None
    assert filled.journal[-1].method == "HEAD"


async def test_who_asks_to_be_left_alone_is_not_asked_by_get(filled: FakeRegistry) -> None:
    filled.fail(Fault(Status(503, {"Retry-After": "3000"}), kind="manifest", times=9))
    async with lab(filled.host) as at:
        with pytest.raises(Unavailable):
            await at.repository().head_manifest("v1")
    assert [each.method for each in filled.journal] == ["HEAD"]


@pytest.mark.parametrize(
    ("refusing", "kind"),
    [
        (Status(400), Unsupported),
        (Status(401), Forbidden),
        (Status(403), Forbidden),
        (Status(406), Unsupported),
        (Redirect("http://169.254.169.254/x"), Misled),
        (Redirect("ftp://127.0.0.1/x"), Misled),
        (Redirect("https://somebody@127.0.0.1/x"), Misled),
        (Status(307), Malformed),
    ],
)
async def test_what_head_refuses_and_get_has_is_asked_by_get_from_then_on(
    filled: FakeRegistry, refusing: Action, kind: type[RegsyncError]
) -> None:
    filled.fail(Fault(refusing, kind="manifest", method="HEAD", times=99))
    async with lab(filled.host) as at:
        with pytest.raises(kind):
            await at.repository().head_manifest("v1")
        assert str((await at.repository().get_manifest("v1")).digest) == IMAGE.digest
        assert await at.repository("other").head_manifest("v1") is not None
        assert warnings(at) == [MANIFESTS]
    assert [each.method for each in filled.asked(kind="manifest")] == ["HEAD", "GET", "GET"]


async def test_what_was_missing_before_it_was_put_teaches_nothing(fake_registry: FakeRegistry) -> None:
    async with lab(fake_registry.host) as at:
        assert await at.repository().head_manifest("v1") is None
        await put_built(at.repository(), IMAGE, tag="v1")
        await at.repository().get_manifest("v1")
        assert warnings(at) == []
        await at.repository().head_manifest("v1")
    assert fake_registry.journal[-1].method == "HEAD"


@pytest.mark.parametrize("status", [400, 403, 404, 500])
async def test_the_size_of_a_blob_that_a_manifest_names_is_asked_by_get_where_head_does_not_tell(
    filled: FakeRegistry, status: int
) -> None:
    filled.fail(Fault(Status(status), kind="blob", method="HEAD", times=99))
    async with lab(filled.host) as at:
        assert await at.repository().blob_size(BLOB.digest) == BLOB.size
        assert warnings(at) == [BLOBS]


async def test_a_401_that_asks_for_no_login_refuses_what_was_asked_for_and_nothing_else(filled: FakeRegistry) -> None:
    filled.fail(Fault(Status(401), method="HEAD", times=99))
    async with lab(filled.host) as at:
        with pytest.raises(Forbidden, match="without a word of how to log in"):
            await at.repository().head_manifest("v2")
        assert not await at.repository().has_blob(BLOB)
        await put_built(at.repository(), IMAGE, tag="v2")
    assert "v2" in filled.repositories["app"].tags


async def test_a_401_to_a_password_that_never_worked_is_about_the_password_challenge_or_none(
    filled: FakeRegistry,
) -> None:
    filled.fail(Fault(Status(401, {"WWW-Authenticate": 'Basic realm="x"'})))
    filled.fail(Fault(Status(401), times=99))
    async with lab(filled.host, user="ann", password="wrong") as at:
        for _ in range(3):
            with pytest.raises(AccessDenied) as caught:
                await at.repository().head_manifest("v1")
            assert not isinstance(caught.value, Forbidden)
    assert len(filled.journal) == 2  # and no third failed login, which locks accounts


async def test_a_password_that_works_is_not_doubted_for_a_401_that_asks_for_nothing(filled: FakeRegistry) -> None:
    filled.fail(Fault(Status(401, {"WWW-Authenticate": 'Basic realm="x"'})))
    filled.fail(Fault(Status(401), kind="blob", times=9))
    async with lab(filled.host, user="ann", password="right") as at:
        assert await at.repository().head_manifest("v1") is not None
        for _ in range(9):
            assert not await at.repository().has_blob(BLOB)
        await at.repository().get_manifest(Digest.parse(IMAGE.digest))


S1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"


@pytest.mark.parametrize("kind", [S1, f"{S1}; charset=utf-8", "application/vnd.docker.distribution.manifest.v1+json"])
@pytest.mark.parametrize("given", [Status(404), Status(403), Status(500), Change(body=b"<html>"), Change(body=b"{}")])
async def test_a_manifest_of_schema_1_that_cannot_be_had_is_known_by_its_type(
    filled: FakeRegistry, kind: str, given: Action
) -> None:
    odd = Change({"Content-Type": kind}, without=("Docker-Content-Digest",))
    filled.fail(Fault(odd, kind="manifest", method="HEAD", times=9))
    filled.fail(Fault(given, kind="manifest", method="GET", times=9))
    async with lab(filled.host) as at:
        with pytest.raises(Unreadable) as caught:
            await at.repository().head_manifest("v1")
    assert caught.value.media_type == kind.partition(";")[0]
    assert isinstance(caught.value.__cause__, RegsyncError)


async def test_a_manifest_of_today_that_cannot_be_had_fails_as_what_it_is(filled: FakeRegistry) -> None:
    filled.fail(Fault(Change(without=("Docker-Content-Digest",)), kind="manifest", method="HEAD"))
    filled.fail(Fault(Status(403), kind="manifest", method="GET"))
    async with lab(filled.host) as at:
        with pytest.raises(Forbidden):
            await at.repository().head_manifest("v1")
