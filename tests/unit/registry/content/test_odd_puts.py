"""Manifests into registries that answer a PUT with another success, another digest, a failure, or too early."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from regsync.errors import Failing, Forbidden, Incomplete, IntegrityError, RegsyncError, Unavailable, Unsupported
from tests.support.built import Built, image_bytes
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Action, Change, Fault, Reply, Status
from tests.support.images import manifest_of, put_blobs, put_built
from tests.unit.registry.content.lab import Lab, lab

OLD, NEW = image_bytes(b"old"), image_bytes(b"new")
OTHER = "sha256:" + "0" * 64
DIGESTS = "Registry is odd: manifests are answered for with another digest than they have; comparing their bytes"


def complaint(status: int, code: str, words: str = "") -> Status:
    body = f'{{"errors":[{{"code":"{code}","message":"{words}"}}]}}'
    return Status(status, {"Content-Type": "application/json"}, body.encode())


@dataclass(frozen=True, slots=True)
class StoresAndSays(Action):
    """Does what it is asked for, and answers like this."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)

    def answered(self, reply: Reply) -> Reply:
        reply.headers.pop("Docker-Content-Digest", None)
        reply.headers.update(self.headers)
        return Reply(self.status, reply.headers)


@pytest.fixture
def filled(fake_registry: FakeRegistry) -> FakeRegistry:
    fake_registry.seed("app", {"v1": OLD})
    return fake_registry


async def put(at: Lab, image: Built = NEW, tag: str = "v1") -> None:
    await put_built(at.repository(), image, tag=tag)


def puts(fake: FakeRegistry) -> int:
    return fake.count(method="PUT", kind="manifest")


@pytest.mark.parametrize("status", [200, 201, 202, 204, 404, 409, 412, 500, 502, 503])
async def test_what_is_stored_is_not_put_once_more_whatever_is_answered(filled: FakeRegistry, status: int) -> None:
    elsewhere = {"Location": "http://elsewhere.example/v2/app/manifests/x"}
    filled.fail(Fault(StoresAndSays(status, elsewhere), kind="manifest", method="PUT", times=9))
    async with lab(filled.host) as at:
        await put(at)
    assert filled.repositories["app"].tags["v1"] == NEW.digest
    assert puts(filled) == (6 if status >= 500 else 1)  # a 5xx is tried as often as any


@pytest.mark.parametrize("status", [200, 202, 204, 404, 409, 412])
async def test_what_stood_there_before_is_no_proof_that_it_was_put(filled: FakeRegistry, status: int) -> None:
    filled.fail(Fault(Status(status), kind="manifest", method="PUT", times=99))
    async with lab(filled.host) as at:
        with pytest.raises(RegsyncError):
            await put(at)
    assert filled.repositories["app"].tags["v1"] == OLD.digest
    assert puts(filled) == 3


async def test_a_registry_that_fails_at_a_manifest_it_does_not_store_is_failing(filled: FakeRegistry) -> None:
    filled.fail(Fault(Status(500), kind="manifest", method="PUT", times=99))
    async with lab(filled.host) as at:
        with pytest.raises(Failing):
            await put(at)
    assert puts(filled) == 6


@pytest.mark.parametrize("named", [OTHER, "sha256:xyz", ""])
async def test_another_digest_in_the_answer_does_no_harm_if_the_bytes_are_ours(
    filled: FakeRegistry, named: str
) -> None:
    filled.fail(Fault(StoresAndSays(201, {"Docker-Content-Digest": named}), kind="manifest", method="PUT", times=9))
    async with lab(filled.host) as at:
        await put(at)
        await put(at, tag="v2")
        assert [event.message for event in at.warned] == ([DIGESTS] if named == OTHER else [])
    assert puts(filled) == 2


async def test_another_digest_and_other_bytes_are_a_manifest_that_was_changed(filled: FakeRegistry) -> None:
    filled.fail(Fault(StoresAndSays(201, {"Docker-Content-Digest": OTHER}), kind="manifest", method="PUT", times=9))
    filled.fail(Fault(Change(body=OLD.raw), kind="manifest", method="GET", times=9))
    async with lab(filled.host) as at:
        with pytest.raises(IntegrityError, match="stored sha256:0000"):
            await put(at)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    "late",
    [
        complaint(404, "MANIFEST_BLOB_UNKNOWN"),
        complaint(400, "MANIFEST_BLOB_UNKNOWN"),
        complaint(400, "BLOB_UNKNOWN"),
        complaint(404, "MANIFEST_UNKNOWN"),
        complaint(404, "NAME_UNKNOWN"),
        complaint(409, "CONFLICT"),
        Status(404),
        Status(409),
        Status(412),
        Status(429),
    ],
)
async def test_what_is_only_too_early_is_put_again_after_a_while(
    filled: FakeRegistry, late: Action, times: int
) -> None:
    filled.fail(Fault(late, kind="manifest", method="PUT", times=times))
    async with lab(filled.host) as at:
        await put(at)
    assert filled.repositories["app"].tags["v1"] == NEW.digest
    assert puts(filled) == times + 1


async def test_what_stays_missing_is_said_to_be_missing(filled: FakeRegistry) -> None:
    filled.fail(Fault(complaint(404, "MANIFEST_BLOB_UNKNOWN"), kind="manifest", method="PUT", times=99))
    async with lab(filled.host) as at:
        with pytest.raises(Incomplete):
            await put(at)
    assert puts(filled) == 3


@pytest.mark.parametrize("status", [400, 403, 405, 422])
async def test_a_refusal_is_none_that_passes(filled: FakeRegistry, status: int) -> None:
    filled.fail(Fault(Status(status), kind="manifest", method="PUT", times=99))
    async with lab(filled.host) as at:
        with pytest.raises((Forbidden, Unsupported)):
            await put(at)
    assert puts(filled) == 1


@pytest.mark.parametrize(
    "refusing",
    [
        complaint(400, "TAG_INVALID", "The image tag 'v1' already exists and cannot be overwritten: it is immutable."),
        complaint(412, "PRECONDITION", "Failed to process request due to 'app:v1' configured as immutable."),
        complaint(409, "DENIED", "tag is immutable"),
        complaint(409, "CONFLICT", "tag already exists"),
        complaint(403, "DENIED", "Not enough permissions to overwrite artifact 'v1'"),
        complaint(400, "UNKNOWN", "Repository does not allow updating assets: app"),
        complaint(405, "UNSUPPORTED", "Immutable tag"),
    ],
)
async def test_a_tag_that_is_kept_is_said_to_be_immutable_and_put_once(filled: FakeRegistry, refusing: Action) -> None:
    filled.fail(Fault(refusing, kind="manifest", method="PUT", times=99))
    async with lab(filled.host) as at:
        with pytest.raises(Unsupported, match="app:v1 is immutable and stands for something else; let tags be over"):
            await put(at)
    assert puts(filled) == 1


@pytest.mark.parametrize("status", [400, 403, 409, 412])
async def test_an_immutable_tag_that_an_earlier_try_has_set_is_a_success(filled: FakeRegistry, status: int) -> None:
    kept = complaint(status, "TAG_INVALID", "The image tag 'v1' already exists and cannot be overwritten")
    filled.fail(Fault(StoresAndSays(502), kind="manifest", method="PUT"))
    filled.fail(Fault(kept, kind="manifest", method="PUT", times=9))
    async with lab(filled.host) as at:
        await put(at)
    assert filled.repositories["app"].tags["v1"] == NEW.digest
    assert puts(filled) == 2


async def test_a_repository_that_is_called_immutable_has_its_tags_put_like_any_other(
    fake_registry: FakeRegistry,
) -> None:
    async with lab(fake_registry.host) as at:
        there = at.repository("team/immutable")
        await put_blobs(there, NEW)
        fake_registry.fail(Fault(Status(409), kind="manifest", method="PUT"))
        await there.put_manifest(manifest_of(NEW), at="v1")
        assert puts(fake_registry) == 2
        fake_registry.fail(Fault(complaint(403, "DENIED", "no rights"), kind="manifest", method="PUT", times=9))
        with pytest.raises(Forbidden, match="no rights"):
            await there.put_manifest(manifest_of(NEW), at="v2")


async def test_a_manifest_put_by_digest_is_not_called_an_immutable_tag(filled: FakeRegistry) -> None:
    filled.fail(Fault(complaint(400, "UNKNOWN", "already exists"), kind="manifest", method="PUT"))
    async with lab(filled.host) as at:
        with pytest.raises(Unsupported) as caught:
            await put_built(at.repository(), NEW)
    assert "immutable" not in str(caught.value)


async def test_who_asks_to_be_left_alone_is_not_looked_at(filled: FakeRegistry) -> None:
    filled.fail(Fault(Status(503, {"Retry-After": "3000"}), kind="manifest", method="PUT"))
    async with lab(filled.host) as at:
        with pytest.raises(Unavailable) as caught:
            await put(at)
    assert caught.value.retry_after == 3000
    assert filled.count(method="HEAD", kind="manifest") == 0


async def test_a_healthy_registry_is_not_asked_once_more(filled: FakeRegistry) -> None:
    async with lab(filled.host) as at:
        await put(at)
        assert at.warned == []
    assert (puts(filled), filled.count(kind="manifest")) == (1, 1)
