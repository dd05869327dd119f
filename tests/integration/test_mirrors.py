"""Reading from mirrors: who is asked, in which order, with what, and what becomes of it when one of them fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from regsync.errors import IntegrityError, NotFound, Unavailable
from regsync.oci.digest import Digest
from regsync.oci.reference import RegistryReference
from regsync.registry.host import HostSettings
from tests.support.built import artifact_bytes
from tests.support.fake_registry import MANNER, Basic, FakeRegistry
from tests.support.faults import BitFlip, Fault, ResetInside, Status
from tests.support.mirrors import IMAGE, LAYER, UPSTREAM, bytes_of, digest_of_layer, layer, proved_bytes_of, world
from tests.support.slots import is_free


async def test_all_that_is_read_comes_from_a_mirror_that_has_it_and_is_told_in_whose_place_it_is_asked() -> None:
    async with world(0) as ours:
        (mirror,) = ours.mirrors
        note = artifact_bytes(b"a note", subject=IMAGE)
        mirror.seed("app", {"v1": IMAGE, "v2": IMAGE}, untagged=(note,))
        repository = ours.repository
        head = await repository.head_manifest("v1")
        assert head is not None
        assert str((await repository.get_manifest(head.digest)).digest) == IMAGE.digest
        assert await bytes_of(repository) == LAYER
        assert await repository.has_blob(layer())
        assert [tag async for tag in repository.tags()] == ["v1", "v2"]
        assert [str(one.digest) for one in await repository.referrers(head.digest)] == [note.digest]
        assert ours.upstream.journal == []
        assert {each.kind for each in mirror.journal} == {"manifest", "blob", "tags", "referrers"}
        assert {each.query.get("ns") for each in mirror.journal} == {ours.upstream.host}


async def test_what_a_mirror_lacks_is_asked_of_the_registry_which_hears_nothing_of_mirrors() -> None:
    async with world(0) as ours:
        (mirror,) = ours.mirrors
        head = await ours.repository.head_manifest("v1")
        assert head is not None
        assert str((await ours.repository.get_manifest("v1")).digest) == IMAGE.digest
        assert await bytes_of(ours.repository) == LAYER
        assert [tag async for tag in ours.repository.tags()] == ["v1"]
        assert await ours.repository.referrers(head.digest) == ()
        assert {each.status for each in mirror.journal if each.kind != "referrers"} == {404}
        assert all(not each.query for each in ours.upstream.journal)
        assert ours.complaints == []


async def test_that_nothing_refers_to_an_image_is_believed_of_the_registry_alone() -> None:
    async with world(0) as ours:
        (mirror,) = ours.mirrors
        mirror.seed("app", {"v1": IMAGE})
        note = artifact_bytes(b"a signature", subject=IMAGE)
        ours.upstream.seed("app", {}, untagged=(note,))
        found = await ours.repository.referrers(Digest.parse(IMAGE.digest))
        assert [str(each.digest) for each in found] == [note.digest]
        assert [each.status for each in mirror.asked(kind="referrers")] == [200], "an empty list"
        ours.upstream.fail(Fault(Status(503), kind="referrers", times=99))
        with pytest.raises(Unavailable):
            await ours.repository.referrers(Digest.parse(IMAGE.digest))


async def test_what_nobody_has_is_not_there() -> None:
    async with world(0) as ours:
        assert await ours.repository.head_manifest("v9") is None
        with pytest.raises(NotFound):
            await ours.repository.get_manifest("v9")
        assert not await ours.repository.has_blob(replace(layer(), digest=Digest.parse("sha256:" + 64 * "0")))
        assert await ours.repository.referrers(Digest.parse("sha256:" + 64 * "0")) == ()
        with pytest.raises(NotFound):
            async with ours.repository.open_blob(replace(layer(), digest=Digest.parse("sha256:" + 64 * "0"))):
                pass


async def test_lower_priorities_come_first_and_of_equals_the_mirrors() -> None:
    async with world(7, 5, own=7) as ours:
        ours.mirrors[1].seed("app", {"v1": IMAGE})
        ours.mirrors[0].seed("app", {"v2": IMAGE})
        await ours.repository.head_manifest("v1")
        assert ours.asked() == [("m1", "HEAD")]
        await ours.repository.head_manifest("v2")
        assert ours.asked() == [("m0", "HEAD"), ("m1", "HEAD"), ("m1", "HEAD")]
    async with world(5, own=3) as ours:
        ours.mirrors[0].seed("app", {"v1": IMAGE})
        await ours.repository.head_manifest("v1")
        assert ours.asked() == [("upstream", "HEAD")]


async def test_a_mirror_behind_the_registry_helps_out_when_that_fails_and_never_says_what_is_not_there() -> None:
    async with world(5) as ours:
        ours.mirrors[0].seed("app", {"v1": IMAGE, "gone": IMAGE})
        assert await ours.repository.head_manifest("gone") is None
        ours.upstream.fail(Fault(Status(403), times=9))
        assert await ours.repository.head_manifest("gone") is not None


@pytest.mark.parametrize("status", [401, 403, 429, 500, 502, 503])
async def test_a_mirror_that_fails_is_asked_once_told_of_once_and_the_registry_answers(status: int) -> None:
    async with world(0) as ours:
        (mirror,) = ours.mirrors
        mirror.fail(Fault(Status(status), times=99))
        assert await ours.repository.head_manifest("v1") is not None
        assert len(mirror.journal) == 1
        assert str((await ours.repository.get_manifest("v1")).digest) == IMAGE.digest
        assert ours.complaints == [mirror.host]
        mirror.faults.clear()
        mirror.seed("app", {"v1": IMAGE})
        asked = len(ours.upstream.journal)
        for _ in range(3):
            assert await ours.repository.head_manifest("v1") is not None
        assert len(ours.upstream.journal) <= asked + 3


async def test_when_nobody_answers_it_is_the_registrys_failure_that_counts() -> None:
    async with world(0) as ours:
        for one in (*ours.mirrors, ours.upstream):
            one.fail(Fault(Status(503), times=99))
        with pytest.raises(Unavailable, match=f"at {UPSTREAM}"):
            await ours.repository.head_manifest("v1")
        assert len(ours.mirrors[0].journal) == 1
        assert [each.method for each in ours.upstream.journal] == ["HEAD"] * 3 + ["GET"] * 6


async def test_a_mirror_that_stays_away_is_hardly_asked_any_more() -> None:
    async with world(0) as ours:
        (mirror,) = ours.mirrors
        mirror.fail(Fault(Status(502), times=999))
        for _ in range(40):
            assert await ours.repository.head_manifest("v1") is not None
        assert len(ours.upstream.journal) == 40
        assert len(mirror.journal) < 15


async def test_a_blob_that_breaks_at_a_mirror_goes_on_where_it_stands() -> None:
    async with world(0) as ours:
        (mirror,) = ours.mirrors
        mirror.seed("app", {"v1": IMAGE})
        mirror.fail(Fault(ResetInside(100_000), kind="blob"))
        mirror.fail(Fault(Status(500), kind="blob", nth=2, times=99))
        assert await bytes_of(ours.repository) == LAYER
        first, second = mirror.asked(kind="blob")
        assert first.headers.get("Range") is None
        assert second.headers["Range"].startswith("bytes=")
        (rest,) = ours.upstream.asked(kind="blob")
        assert rest.headers["Range"] == second.headers["Range"]
        assert rest.bytes_out < len(LAYER)


async def test_a_mirror_that_gave_wrong_bytes_of_a_blob_is_not_asked_for_it_again() -> None:
    async with world(0) as ours:
        (mirror,) = ours.mirrors
        mirror.seed("app", {"v1": IMAGE}).lies[digest_of_layer()] = LAYER[::-1]
        repository = ours.repository
        with pytest.raises(IntegrityError):
            await proved_bytes_of(repository)
        assert ours.complaints == [mirror.host]
        assert await proved_bytes_of(repository) == LAYER
        assert ours.upstream.count(kind="blob") == 1


async def test_a_manifest_that_is_damaged_at_a_mirror_comes_from_the_registry() -> None:
    async with world(0) as ours:
        (mirror,) = ours.mirrors
        mirror.seed("app", {"v1": IMAGE})
        mirror.fail(Fault(BitFlip(), method="GET", kind="manifest"))
        assert (await ours.repository.get_manifest(Digest.parse(IMAGE.digest))).raw == IMAGE.raw
        assert len(mirror.journal) == 1


async def test_a_copy_holds_a_slot_at_whoever_it_reads_from_and_at_no_other() -> None:
    async with world(0, slots=1) as ours:
        (mirror,) = ours.mirrors
        mirror.seed("app", {"v1": IMAGE})
        async with ours.limits.hold(ours.repository.host, "target", "transfers"):
            async with ours.repository.open_blob(layer()):
                assert not await is_free(ours.limits, mirror.host)
                assert await is_free(ours.limits, UPSTREAM)
            del mirror.repositories["app"].blobs[digest_of_layer()]
            async with ours.repository.open_blob(layer()):
                assert await is_free(ours.limits, mirror.host)
                assert not await is_free(ours.limits, UPSTREAM)
        assert await is_free(ours.limits, mirror.host, UPSTREAM, "target")


async def test_a_list_that_breaks_off_at_a_mirror_is_read_anew_at_the_registry() -> None:
    many = {f"t{number:03}": IMAGE for number in range(150)}
    async with world(0) as ours:
        (mirror,) = ours.mirrors
        mirror.seed("app", many)
        mirror.fail(Fault(Status(503), kind="tags", nth=2))
        assert [tag async for tag in ours.repository.tags()] == ["v1"]
        assert len(mirror.asked(kind="tags")) == 2


async def test_a_mirror_has_a_path_prefix_and_a_login_of_its_own() -> None:
    guarded = FakeRegistry(auth=Basic("ann", "of the mirror"))
    async with world(0, mirrors=(guarded,)) as ours:
        assert ours.registries is not None
        guarded.seed("hub/app", {"v1": IMAGE})
        login = HostSettings(
            guarded.host, guarded.host, tls="disabled", user="ann", password="of the mirror", path_prefix="hub"
        )
        upstream = HostSettings(UPSTREAM, ours.upstream.host, tls="disabled", mirrors=(guarded.host,))
        ours.registries.apply({guarded.host: login, UPSTREAM: upstream}, MANNER)
        assert await ours.repository.head_manifest("v1") is not None
        assert ours.upstream.journal == []
        assert {each.path for each in guarded.journal} == {"/v2/hub/app/manifests/v1"}
        assert await ours.repository.head_manifest("v2") is None
        assert all("Authorization" not in each.headers for each in ours.upstream.journal)


async def test_a_mirror_at_the_same_address_is_not_told_in_whose_place_it_is_asked() -> None:
    async with world(0) as ours:
        assert ours.registries is not None
        host = ours.upstream.host
        cache = HostSettings("cache.example", host, tls="disabled", path_prefix="cache")
        upstream = HostSettings(UPSTREAM, host, tls="disabled", mirrors=("cache.example",))
        ours.registries.apply({"cache.example": cache, UPSTREAM: upstream}, MANNER)
        assert await ours.repository.head_manifest("v1") is not None
        assert [each.target for each in ours.upstream.journal] == ["/v2/cache/app/manifests/v1", "/v2/app/manifests/v1"]


async def test_a_mirrors_own_mirrors_are_not_asked() -> None:
    async with world(0) as ours:
        assert ours.registries is not None
        (mirror,) = ours.mirrors
        hosts = {
            mirror.host: HostSettings(mirror.host, mirror.host, tls="disabled", mirrors=(UPSTREAM,)),
            UPSTREAM: HostSettings(UPSTREAM, ours.upstream.host, tls="disabled", mirrors=(mirror.host,)),
        }
        ours.registries.apply(hosts, MANNER)
        assert await ours.repository.head_manifest("v9") is None
        assert ours.asked() == [("m0", "HEAD"), ("upstream", "HEAD")]


async def test_the_catalogue_and_targets_are_the_registrys_own() -> None:
    async with world(0) as ours:
        assert ours.registries is not None
        ours.mirrors[0].seed("app", {"v7": IMAGE})
        assert [path async for path in ours.registries.catalogue(UPSTREAM)] == ["app"]
        target = ours.registries.repository(RegistryReference(UPSTREAM, "app"), push=True)
        assert await target.head_manifest("v7") is None
        assert ours.mirrors[0].journal == []


async def test_a_target_mounts_what_its_own_registry_has_though_that_is_read_from_a_mirror() -> None:
    async with world(0) as ours:
        assert ours.registries is not None
        target = ours.registries.repository(RegistryReference(UPSTREAM, "copy"), push=True)
        assert await target.adopt_blob(layer(), ours.repository)
        assert ours.upstream.asked(method="POST")[0].query["from"] == "app"
