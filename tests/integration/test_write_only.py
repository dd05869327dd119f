"""Targets whose login may write and not read (write-only robots, deploy tokens)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.runs import ran
from tests.support import fake_registry
from tests.support.built import artifact_bytes, image_bytes, index_bytes
from tests.support.fake_api import scope_of
from tests.support.fake_registry import MODERN, Bearer, FakeRegistry
from tests.support.token_server import Policy, TokenServer

IMAGE = index_bytes(*(image_bytes(b"layer %d" % number) for number in range(4)))
SIGNATURE = artifact_bytes(b"signature", subject=IMAGE)
WRITER = Policy(users={"robot": "canary-password"}, denied={("robot", "pull")}, anonymous=False)


@pytest.fixture(autouse=True)
def _writing_takes_no_right_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unlike docker-registry, which lets nobody write who may not read."""
    monkeypatch.setattr(fake_registry, "scope_of", lambda asked: scope_of(asked).replace("pull,push", "push"))


@pytest.mark.parametrize("more", ["", ", referrers: true"])
async def test_an_image_is_copied_with_what_refers_to_it_by_a_login_that_may_not_read(
    tmp_path: Path, more: str
) -> None:
    async with (
        TokenServer(WRITER) as tokens,
        FakeRegistry(auth=Bearer(tokens), features=MODERN) as target,
        FakeRegistry(features=MODERN) as source,
    ):
        source.seed("app", {"v1": IMAGE}, untagged=(SIGNATURE,))
        entry = f"source: '{source.host}/app:v1', target: '{target.host}/app:v1', type: image{more}"
        creds = f"- {{registry: '{target.host}', tls: disabled, user: robot, pass: canary-password}}\n"
        tally, _ = await ran(tmp_path, entry, hosts=[source.host], creds=creds)
        assert (tally.failures, tally.copied) == ([], 1)
        there = target.repositories["app"]
        assert there.tags == {"v1": IMAGE.digest}
        assert (SIGNATURE.digest in there.manifests) == bool(more)
