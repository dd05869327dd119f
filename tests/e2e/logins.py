"""Ways to log in at a registry, as people write them down, and registries that ask for it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.e2e.program import Ended, once
from tests.support.real import DockerRegistry, TokenAuth
from tests.support.token_server import Policy, Signer, TokenServer

USER = "canary-user"
PASSWORD = "canary-password-8d0f"
IDENTITY = "canary-identity-77b2"
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
SECRETS = (PASSWORD, IDENTITY, BASIC, base64.b64encode(PASSWORD.encode()).decode())
HELPER = "docker-credential-canary"

Kind = Literal["basic", "bearer"]


@dataclass(frozen=True, slots=True)
class Login:
    """What a way to log in takes: lines of an item of `creds`, docker's configuration, a helper's script."""

    lines: tuple[str, ...] = ()
    docker: Mapping[str, object] = field(default_factory=dict)
    helper: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)

    def prepare(self, folder: Path) -> dict[str, str]:
        """Write its files and return the environment in which they are found."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(self.docker))
        if self.helper:
            program = folder / HELPER
            program.write_text(f"#!/bin/sh\n{self.helper}\n")
            program.chmod(0o755)
        (folder / "password").write_text(f"{PASSWORD}\n")
        (folder / "identity").write_text(f"{IDENTITY}\n")
        found = {"DOCKER_CONFIG": str(folder), "LOGIN_FILES": str(folder), "PATH": f"{folder}:{os.environ['PATH']}"}
        return {**found, **self.variables}


def _answering(user: str, secret: str) -> str:
    """Return a helper that answers `get` with a login, for whatever server it is asked."""
    answer = f'{{"ServerURL":"%s","Username":"{user}","Secret":"{secret}"}}'
    return f'test "$1" = get || exit 1\nread -r server\nprintf \'{answer}\' "$server"'


def with_creds(host: str) -> Login:
    return Login((f"user: {USER}", f"pass: {PASSWORD}"))


def with_variables(host: str) -> Login:
    lines = ("user: '{{ env `LOGIN_USER` }}'", "pass: '{{ env `LOGIN_PASSWORD` }}'")
    return Login(lines, variables={"LOGIN_USER": USER, "LOGIN_PASSWORD": PASSWORD})


def with_part_of_a_variable(host: str) -> Login:
    part = "{{ index (split (env `LOGIN`) `:`) %d }}"
    return Login((f"user: '{part % 0}'", f"pass: '{part % 1}'"), variables={"LOGIN": f"{USER}:{PASSWORD}"})


def with_file(host: str) -> Login:
    return Login((f"user: {USER}", "pass: '{{ file (print (env `LOGIN_FILES`) `/password`) }}'"))


def with_file_of_token(host: str) -> Login:
    return Login(("token: '{{ file (print (env `LOGIN_FILES`) `/identity`) }}'",))


def with_auths(host: str) -> Login:
    return Login(docker={"auths": {host: {"auth": BASIC}}})


def with_auths_of_a_url(host: str) -> Login:
    return Login(docker={"auths": {f"http://{host}/": {"username": USER, "password": PASSWORD}}})


def with_docker_helper(host: str) -> Login:
    return Login(docker={"credHelpers": {host: "canary"}}, helper=_answering(USER, PASSWORD))


def with_docker_store(host: str) -> Login:
    listing = f'if test "$1" = list; then echo \'{{"http://{host}":"{USER}"}}\'; exit; fi\n'
    return Login(docker={"auths": {host: {}}, "credsStore": "canary"}, helper=listing + _answering(USER, PASSWORD))


def with_helper(host: str) -> Login:
    return Login((f"credHelper: {HELPER}",), helper=_answering(USER, PASSWORD))


def with_helper_of_tokens(host: str) -> Login:
    return Login((f"credHelper: {HELPER}",), helper=_answering("<token>", IDENTITY))


def with_identity_token(host: str) -> Login:
    return Login(docker={"auths": {host: {"auth": f"{BASIC}", "identitytoken": IDENTITY}}})


def with_token(host: str) -> Login:
    return Login((f"token: {IDENTITY}",))


PASSWORDS: tuple[Callable[[str], Login], ...] = (
    with_creds,
    with_auths,
    with_auths_of_a_url,
    with_docker_helper,
    with_docker_store,
    with_helper,
    with_variables,
    with_part_of_a_variable,
    with_file,
)
TOKENS: tuple[Callable[[str], Login], ...] = (
    with_helper_of_tokens,
    with_identity_token,
    with_token,
    with_file_of_token,
)


@dataclass(frozen=True, slots=True)
class Guarded:
    """A docker-registry that wants a login, and the token server it sends people to, if any."""

    registry: DockerRegistry
    tokens: TokenServer | None

    @property
    def host(self) -> str:
        return self.registry.host


def _written(folder: Path, bundle: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokens.pem").write_bytes(bundle)
    return folder / "tokens.pem"


@asynccontextmanager
async def guarded(kind: Kind, folder: Path, *, anonymous: bool = False) -> AsyncIterator[Guarded]:
    """Start a docker-registry that wants basic or bearer authentication."""
    if kind == "basic":
        with DockerRegistry(folder, basic=(USER, PASSWORD)) as registry:
            yield Guarded(registry, None)
        return
    signer = Signer()
    bundle = _written(folder, signer.bundle)
    policy = Policy(users={USER: PASSWORD}, refresh_tokens={IDENTITY: USER}, anonymous=anonymous)
    async with TokenServer(policy, signer=signer) as tokens:
        auth = TokenAuth(tokens.realm, tokens.service, tokens.issuer, bundle)
        with DockerRegistry(folder, token=auth) as registry:
            yield Guarded(registry, tokens)


async def run(config: str, *arguments: str, cwd: Path, environ: Mapping[str, str] | None = None) -> Ended:
    """Run `once` as loud as it goes while the fakes of this event loop answer it."""
    return await asyncio.to_thread(once, config, "-v", "trace", *arguments, cwd=cwd, environ=environ)


def assert_discreet(ended: Ended, *more: str) -> None:
    """Fail if anything secret was said, or a traceback."""
    said = ended.out + ended.err
    assert "Traceback" not in said
    for secret in (*SECRETS, *more):
        assert secret not in said
