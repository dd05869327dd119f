"""The whole program in front of registries that claim what they have not got, and over lines that break."""

from __future__ import annotations

from pathlib import Path

import pytest

from regsync.app import App
from regsync.events import Event
from regsync.facts import Telling
from regsync.loading import load
from regsync.record.tally import Tally
from regsync.secrets import Secrets
from tests.support.built import Built, image_bytes, some_bytes
from tests.support.clock import FakeClock
from tests.support.exchange import Asked
from tests.support.fake_registry import FakeRegistry, Features
from tests.support.fake_words import done
from tests.support.faults import Fault, Reply, ResetRequest
from tests.support.proxy import Proxy
from tests.support.real import DockerRegistry

MIB = 1 << 20
LAYER = some_bytes(16 * MIB, "over a line that breaks")
IMAGE = image_bytes(LAYER)


class Liar(FakeRegistry):
    """Grants every anonymous mount and mounts nothing."""

    def answer(self, asked: Asked) -> Reply:
        if asked.method == "POST" and "mount" in asked.query and "from" not in asked.query:
            return done(201, {"Location": self.url})
        return super().answer(asked)


async def synced(source: str, target: str, folder: Path) -> Tally:
    config = folder / "regsync.yml"
    config.write_text(
        f"creds:\n- {{registry: '{source}', tls: disabled}}\n- {{registry: '{target}', tls: disabled}}\n"
        f"sync:\n- {{source: '{source}/app:v1', target: '{target}/app:v1', type: image}}\n"
    )
    seen: list[Event] = []
    clock = FakeClock(instant=True)
    tell = Telling([lambda fact: seen.append(fact.event)], clock)
    app = App(load(str(config), allow_unknown_keys=False), clock=clock, tell=tell, environ={}, secrets=Secrets())
    return await app.once("changed", abort_on_error=False)


def assert_arrived(fake: FakeRegistry, image: Built) -> None:
    arrived = fake.repositories["app"]
    assert arrived.tags == {"v1": image.digest}
    assert {digest: arrived.blobs[digest] for digest in image.blobs} == image.blobs


async def test_everything_is_sent_again_to_a_registry_that_only_claims_to_have_it(tmp_path: Path) -> None:
    image = image_bytes(b"one", b"two")
    async with FakeRegistry() as source, Liar() as target:
        source.seed("app", {"v1": image})
        target.seed("app", {}).phantoms.update({digest: len(data) for digest, data in image.blobs.items()})
        assert (await synced(source.host, target.host, tmp_path)).failures == []
        assert_arrived(target, image)


async def test_a_blob_goes_up_once_over_a_line_that_breaks_again_and_again(tmp_path: Path) -> None:
    async with FakeRegistry() as source, FakeRegistry(features=Features(keeps_partial=True)) as target:
        source.seed("app", {"v1": IMAGE})
        target.seed("app", {}).blobs.update({digest: data for digest, data in IMAGE.blobs.items() if data != LAYER})
        target.fail(Fault(ResetRequest(2 * MIB), kind="commit"))
        target.fail(Fault(ResetRequest(2 * MIB), kind="patch", times=6))
        assert (await synced(source.host, target.host, tmp_path)).failures == []
        assert not target.faults.waiting
        assert_arrived(target, IMAGE)
        assert sum(each.bytes_in for each in target.asked(path="/uploads/")) < len(LAYER) * 1.02


async def test_a_blob_comes_down_once_over_a_line_that_breaks_again_and_again(tmp_path: Path) -> None:
    async with FakeRegistry() as source, FakeRegistry() as target, Proxy(source.port) as line:
        source.seed("app", {"v1": IMAGE})
        for nth in range(1, 8):
            line.cut(nth, after=2 * MIB, trouble="close")
        assert (await synced(line.host, target.host, tmp_path)).failures == []
        assert_arrived(target, IMAGE)
        assert target.count(kind="commit", method="PUT") == len(IMAGE.blobs)


@pytest.mark.parametrize("breaks", [1, 2])
async def test_docker_registry_gets_the_blob_anew_when_a_request_broke_in_its_middle(
    docker_registry: DockerRegistry, tmp_path: Path, breaks: int
) -> None:
    async with FakeRegistry() as source, Proxy(docker_registry.port) as line:
        source.seed("app", {"v1": IMAGE})
        for nth in range(1, breaks * 2):
            line.cut(nth, after=4 * MIB, direction="up", trouble="reset")
        assert (await synced(source.host, line.host, tmp_path)).failures == []
        assert (await synced(source.host, line.host, tmp_path)).unchanged == 1
