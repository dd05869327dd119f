"""What a new configuration leaves as it is: connections, logins and slots of hosts of which it says the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from regsync.connections import Connections, place_of
from regsync.errors import AccessDenied
from regsync.events import ignore
from regsync.oci.reference import parse_reference
from regsync.registry.host import HostSettings
from regsync.repository import Repository
from regsync.secrets import Secrets
from tests.support.built import image_bytes
from tests.support.clock import FakeClock, settle
from tests.support.fake_registry import MANNER, Basic, Bearer, FakeRegistry
from tests.support.token_server import Policy, TokenServer

IMAGE = image_bytes(b"layer")
OTHER = image_bytes(b"another")


@pytest.fixture
async def registry() -> AsyncIterator[FakeRegistry]:
    """One that wants tokens of its own token server."""
    async with TokenServer(Policy({"user": "secret"})) as tokens, FakeRegistry(auth=Bearer(tokens)) as registry:
        registry.seed("app", {"v1": IMAGE})
        yield registry


def settings(registry: FakeRegistry, **said: object) -> dict[str, HostSettings]:
    host = HostSettings(registry.host, registry.host, tls="disabled", user="user", password="secret")
    return {registry.host: replace(host, **said)}  # type: ignore[arg-type]  # a test's own words


def connections(hosts: dict[str, HostSettings]) -> Connections:
    return Connections(
        hosts, MANNER, images=8, clock=FakeClock(instant=True), tell=ignore, environ={}, secrets=Secrets()
    )


async def look(connections: Connections, registry: FakeRegistry) -> None:
    """Look at the image, as a command without entries does."""
    repository = connections.engine.endpoints.open(parse_reference(f"{registry.host}/app:v1"))
    await found(repository)


async def found(repository: Repository) -> None:
    image = await repository.head_manifest("v1")
    assert image is not None
    assert str(image.digest) == IMAGE.digest


def refusals(registry: FakeRegistry) -> int:
    """How often the registry has asked for a login."""
    return registry.count(status=401)


async def test_a_host_of_which_the_same_is_said_keeps_its_connections_and_tokens(registry: FakeRegistry) -> None:
    async with connections(settings(registry)) as ours:
        await look(ours, registry)
        assert refusals(registry) == 1
        repository = ours.engine.endpoints.open(parse_reference(f"{registry.host}/app"))
        ours.apply(settings(registry) | {"other": HostSettings.called("other")}, MANNER, images=2)
        assert ours.engine.endpoints.open(parse_reference(f"{registry.host}/app")) is repository
        await look(ours, registry)
        assert refusals(registry) == 1


async def test_a_changed_password_is_a_new_login(registry: FakeRegistry) -> None:
    async with connections(settings(registry, password="wrong")) as ours:
        with pytest.raises(AccessDenied):
            await look(ours, registry)
        ours.apply(settings(registry), MANNER, images=8)
        await look(ours, registry)
        ours.apply(settings(registry, password="wrong"), MANNER, images=8)
        with pytest.raises(AccessDenied):
            await look(ours, registry)


async def test_a_host_nothing_is_said_of_any_more_has_no_login(registry: FakeRegistry) -> None:
    registry.auth = Basic("user", "secret")
    plain = HostSettings(registry.host, registry.host, tls="disabled")
    async with connections(settings(registry)) as ours:
        await look(ours, registry)
        ours.apply({registry.host: plain}, MANNER, images=8)
        with pytest.raises(AccessDenied):
            await look(ours, registry)


async def test_what_is_under_way_ends_on_what_it_began_with(registry: FakeRegistry) -> None:
    async with connections(settings(registry)) as ours:
        await look(ours, registry)
        repository = ours.engine.endpoints.open(parse_reference(f"{registry.host}/app"))
        ours.apply(settings(registry, password="wrong"), MANNER, images=8)
        await found(repository)


async def test_another_manner_holds_for_every_host(registry: FakeRegistry) -> None:
    async with connections(settings(registry)) as ours:
        await look(ours, registry)
        ours.apply(settings(registry), replace(MANNER, user_agent="another/1"), images=8)
        await look(ours, registry)
        assert {asked.headers["User-Agent"] for asked in registry.journal[:1]} == {"regsync/test"}
        assert registry.journal[-1].headers["User-Agent"] == "another/1"


async def test_other_certificates_cost_a_host_its_connections_and_its_login(registry: FakeRegistry) -> None:
    async with connections(settings(registry)) as ours:
        limits = ours.engine.shared.limits
        limits.went_badly(registry.host)
        await look(ours, registry)
        asked = len(registry.journal)
        for renewed, requests in (("another.x", 1), (registry.host, 2)):  # one that is refused for want of a token
            ours.apply(settings(registry), MANNER, images=8, renewed=renewed.__eq__)
            await look(ours, registry)
            assert len(registry.journal) - asked == requests
            asked = len(registry.journal)
        assert limits.limit_of(registry.host) < 8  # its slots are kept


async def test_a_host_of_which_the_same_is_said_keeps_its_limit_and_its_slots(registry: FakeRegistry) -> None:
    async with connections(settings(registry)) as ours:
        limits = ours.engine.shared.limits
        limits.went_badly(registry.host)
        assert limits.limit_of(registry.host) == 4
        ours.apply(settings(registry), MANNER, images=8)
        assert ours.engine.shared.limits is limits
        assert limits.limit_of(registry.host) == 4


async def test_a_new_cap_holds_at_once_and_slots_in_use_count_on(registry: FakeRegistry) -> None:
    async with connections(settings(registry, concurrent=1)) as ours:
        limits = ours.engine.shared.limits
        taken: list[int] = []

        async def take(number: int) -> None:
            async with limits.hold(registry.host):
                taken.append(number)
                await asyncio.Event().wait()

        tasks = [asyncio.create_task(take(number)) for number in range(3)]
        await settle()
        assert taken == [0]
        ours.apply(settings(registry, concurrent=2), MANNER, images=8)
        await settle()
        assert taken == [0, 1]
        ours.apply(settings(registry, concurrent=1), MANNER, images=8)
        for task in tasks[:2]:
            task.cancel()
            await settle()
        assert taken == [0, 1, 2]
        tasks[2].cancel()
        await asyncio.wait(tasks)


async def test_what_was_seen_under_a_name_is_not_believed_of_another_server(registry: FakeRegistry) -> None:
    async def seen(connections: Connections) -> str:
        source = connections.engine.endpoints.open(parse_reference("alias.x/app"))
        return str((await connections.engine.lookups.head(source, "v1", since=0.0)).digest)

    async with FakeRegistry() as another:
        another.seed("app", {"v1": OTHER})
        alias = HostSettings("alias.x", registry.host, tls="disabled", user="user", password="secret")
        async with connections({"alias.x": alias}) as ours:
            assert await seen(ours) == IMAGE.digest
            ours.apply({"alias.x": replace(alias, hostname=another.host)}, MANNER, images=8)
            assert await seen(ours) == OTHER.digest


async def test_how_many_images_are_copied_at_once_is_kept_while_the_number_is(registry: FakeRegistry) -> None:
    async with connections(settings(registry)) as ours:
        images = ours.engine.images
        ours.apply(settings(registry), MANNER, images=8)
        assert ours.engine.images is images
        ours.apply(settings(registry), MANNER, images=1)
        assert ours.engine.images is not images


async def test_names_stand_for_places_as_the_last_settings_say(registry: FakeRegistry) -> None:
    async with connections({}) as ours:
        assert ours.engine.place_of("alias.x/a") == "alias.x/a"
        ours.apply({"alias.x": HostSettings("alias.x", registry.host)}, MANNER, images=8)
        assert ours.engine.place_of("alias.x/a") == f"{registry.host}/a"


def test_a_place_is_the_server_and_the_path_behind_a_name(tmp_path: Path) -> None:
    found = {"alias.x:80": HostSettings("alias.x:80", "10.0.0.1:5000", path_prefix="p")}
    assert place_of("alias.x:80/a/b", found) == "10.0.0.1:5000/p/a/b"
    assert place_of("alias.x:80", found) == "10.0.0.1:5000/p"
    assert place_of("b.x/a", found) == "b.x/a"
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert place_of(f"ocidir://{tmp_path}/link/../real", found) == f"ocidir://{tmp_path}/real"
