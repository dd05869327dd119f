"""Credential helpers whose password is rotated hours before `credExpire`."""

from __future__ import annotations

from pathlib import Path

import pytest

from regsync.errors import AccessDenied
from regsync.registry.host import HostSettings
from regsync.registry.http.transport import Request
from regsync.registry.login.scope import Scope
from tests.support.built import image_bytes
from tests.support.fake_registry import Basic, Bearer, FakeRegistry
from tests.support.token_server import Policy, TokenServer
from tests.unit.registry.speaking import Speaking, speaking

HEAD = Request("HEAD", "/v2/a/manifests/v", scopes=(Scope.of_repository("a", push=False),))
SCRIPT = """#!/bin/sh
cd "$(dirname "$0")"
echo . >> runs
printf '{"Username":"ann","Secret":"%s"}' "$(cat secret)"
"""


class Helper:
    """A helper program that hands out what `secret` says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {"PATH": f"{folder}:/usr/bin:/bin"}
        program = folder / "docker-credential-test"
        program.write_text(SCRIPT)
        program.chmod(0o755)
        self.says("old-canary")

    def says(self, secret: str) -> None:
        (self.folder / "secret").write_text(secret)

    @property
    def runs(self) -> int:
        return len((self.folder / "runs").read_text().splitlines())

    def host(self, fake: FakeRegistry) -> HostSettings:
        program = "docker-credential-test"
        return HostSettings(fake.host, fake.host, tls="disabled", helper=program, credential_expiry=43200.0)


async def refused_for_hours(to: Speaking) -> None:
    for _ in range(3):
        await to.clock.advance(3600)
        with pytest.raises(AccessDenied):
            await to.transport.send(HEAD)


async def test_a_password_rotated_early_is_fetched_at_the_first_refusal(tmp_path: Path) -> None:
    helper = Helper(tmp_path)
    async with FakeRegistry(auth=Basic("ann", "old-canary")) as fake:
        fake.seed("a", {"v": image_bytes(b"layer")})
        async with speaking(helper.host(fake), environ=helper.environ) as to:
            await to.transport.send(HEAD)
            helper.says("new-canary")
            fake.auth = Basic("ann", "new-canary")
            await to.transport.send(HEAD)
            assert helper.runs == 2
            fake.auth = Basic("ann", "unknown to the helper")
            await refused_for_hours(to)
            assert helper.runs == 5
            fake.auth = Basic("ann", "new-canary")
            await to.clock.advance(60)
            await to.transport.send(HEAD)


async def test_a_password_rotated_early_is_fetched_when_the_token_server_refuses_it(tmp_path: Path) -> None:
    helper = Helper(tmp_path)
    policy = Policy(users={"ann": "old-canary"}, anonymous=False)
    async with TokenServer(policy) as tokens, FakeRegistry(auth=Bearer(tokens)) as fake:
        fake.seed("a", {"v": image_bytes(b"layer")})
        async with speaking(helper.host(fake), environ=helper.environ) as to:
            await to.transport.send(HEAD)
            helper.says("new-canary")
            policy.users["ann"] = "new-canary"
            tokens.revoke_all()
            await to.transport.send(HEAD)
    assert helper.runs == 2
    assert len(tokens.journal) == 3
