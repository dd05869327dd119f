"""What a repository knows of how many manifests its registry lets us fetch."""

from __future__ import annotations

import asyncio

from regsync.events import ignore
from regsync.limits import Limits
from regsync.oci.reference import RegistryReference
from regsync.registry.host import HostSettings
from regsync.registry.registries import Registries
from regsync.sync.lookups import Lookups
from tests.support.built import image_bytes
from tests.support.clock import FakeClock
from tests.support.fake_registry import MANNER, FakeRegistry
from tests.support.faults import Change, Fault
from tests.support.mirrors import world

IMAGE = image_bytes(b"a layer")


def counting(registry: FakeRegistry, *remaining: int) -> None:
    """Let the answers about manifests say this in turn, and nothing afterwards."""
    registry.seed("app", {"v1": IMAGE, "v2": IMAGE})
    for number in remaining:
        headers = {"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": f"{number};w=21600"}
        registry.fail(Fault(Change(headers), kind="manifest"))


def registries(registry: FakeRegistry, clock: FakeClock, *, disable_head: bool = False) -> Registries:
    host = HostSettings(name=registry.host, hostname=registry.host, tls="disabled", disable_head=disable_head)
    return Registries({registry.host: host}, MANNER, limits=Limits(lambda name: None), clock=clock, tell=ignore)


async def test_looking_at_a_manifest_and_fetching_one_both_tell_and_only_the_last_counts(
    fake_registry: FakeRegistry,
) -> None:
    counting(fake_registry, 50, 49)
    async with registries(fake_registry, FakeClock(instant=True)) as hosts:
        source = hosts.repository(RegistryReference(fake_registry.host, "app"))
        said = [source.quota]
        for look in (source.head_manifest, source.get_manifest, source.head_manifest):
            await look("v1")
            said.append(source.quota)
    assert [one.remaining for one in said] == [None, 50, 49, None]
    assert [one.limit for one in said] == [None, 100, 100, None]


async def test_what_was_said_a_moment_ago_is_not_asked_for_and_an_answer_serves_the_decision_too(
    fake_registry: FakeRegistry,
) -> None:
    counting(fake_registry, 50, 40)
    clock = FakeClock()
    async with registries(fake_registry, clock) as hosts:
        source, lookups = hosts.repository(RegistryReference(fake_registry.host, "app")), Lookups(clock)
        assert (await lookups.quota(source, "v1", since=0)).remaining == 50
        assert (await lookups.quota(source, "v2", since=0)).remaining == 50
        assert (await lookups.head(source, "v1", since=0)).digest.hex in IMAGE.digest
        assert fake_registry.count(kind="manifest") == 1
        await clock.advance(2)
        assert (await lookups.quota(source, "v1", since=clock.monotonic())).remaining == 40
    assert fake_registry.count(kind="manifest", method="HEAD") == 2


async def test_a_registry_that_must_be_asked_by_fetching_is_asked_for_its_quota_once_in_a_quarter_of_an_hour(
    fake_registry: FakeRegistry,
) -> None:
    """Never would be for ever: whoever waits for more to be left fetches nothing meanwhile."""
    counting(fake_registry, 50, 80)
    clock = FakeClock(instant=True)
    async with registries(fake_registry, clock, disable_head=True) as hosts:
        source, lookups = hosts.repository(RegistryReference(fake_registry.host, "app")), Lookups(clock)
        assert (await lookups.quota(source, "v1", since=0)).remaining is None
        await source.head_manifest("v1")
        await clock.sleep(800)
        assert (await lookups.quota(source, "v1", since=clock.monotonic())).remaining == 50
        assert fake_registry.count(kind="manifest") == 1
        await clock.sleep(100)
        now = clock.monotonic()
        found = await asyncio.gather(*(lookups.quota(source, tag, since=now) for tag in ("v1", "v2", "v1")))
    assert [quota.remaining for quota in found] == [80, 80, 80]
    assert fake_registry.count(kind="manifest") == 2


async def test_of_a_registry_with_mirrors_it_is_whoever_answered_last_that_counts() -> None:
    async with world(0) as ours:
        (mirror,) = ours.mirrors
        mirror.seed("app", {"v2": IMAGE})
        ours.upstream.fail(Fault(Change({"RateLimit-Remaining": "7"}), kind="manifest"))
        repository = ours.repository
        said = []
        for tag in ("v1", "v2"):
            await repository.head_manifest(tag)
            said.append(repository.quota.remaining)
    assert said == [7, None]


async def test_a_mirror_counts_where_the_registry_itself_is_never_looked_at() -> None:
    async with world(0, disable_head=True) as ours:
        (mirror,) = ours.mirrors
        mirror.seed("app", {"v1": IMAGE})
        mirror.fail(Fault(Change({"RateLimit-Remaining": "7"}), kind="manifest"))
        await ours.repository.head_manifest("v1")
        assert ours.repository.quota.remaining == 7
