"""Logging in, at docker-registries that want it: every way to write a login down, and every way to have it wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.logins import (
    HELPER,
    IDENTITY,
    PASSWORD,
    PASSWORDS,
    TOKENS,
    USER,
    Kind,
    Login,
    assert_discreet,
    guarded,
    run,
    with_creds,
)
from tests.e2e.program import Ended, creds, wait_for
from tests.support.built import image_bytes, platforms_index, read_layout, write_layout
from tests.support.exchange import Asked
from tests.support.fake_registry import Basic, Bearer, FakeRegistry
from tests.support.faults import Reply
from tests.support.token_server import Policy, TokenServer

IMAGES = {"plain": image_bytes(b"a layer"), "platforms": platforms_index("linux/amd64", "linux/arm64")}
DIGESTS = {tag: image.digest for tag, image in IMAGES.items()}
MANY = {f"t{number}": image_bytes(b"of all", str(number).encode()) for number in range(50)}
A_HANDFUL = 6
WRONG = "canary-wrong-password"

Way = Callable[[str], Login]


def entry(source: str, target: str) -> str:
    return f"- {{source: '{source}', target: '{target}', type: repository}}\n"


def there_and_back(host: str, folder: Path) -> str:
    """Return entries that push a layout to a registry and pull it from there."""
    write_layout(folder / "origin", IMAGES)
    repository = f"{host}/team/app"
    return "sync:\n" + entry(f"ocidir://{folder}/origin", repository) + entry(repository, f"ocidir://{folder}/back")


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        *(("basic", way) for way in PASSWORDS),
        *(("bearer", way) for way in (*PASSWORDS, *TOKENS)),
    ],
)
async def test_a_login_serves_to_push_and_to_pull_and_is_never_shown(kind: Kind, way: Way, tmp_path: Path) -> None:
    async with guarded(kind, tmp_path / "registry") as registry:
        login = way(registry.host)
        environ = login.prepare(tmp_path / "docker")
        config = creds(registry.host, extra=login.lines) + there_and_back(registry.host, tmp_path)
        ended = await run(config, cwd=tmp_path, environ=environ)
        issued = list(registry.tokens._granted) if registry.tokens is not None else []
    assert ended.code == 0, ended.err
    assert read_layout(tmp_path / "back")[0] == DIGESTS
    assert kind == "basic" or issued
    assert_discreet(ended, *issued)


async def test_each_registry_gets_its_own_login(tmp_path: Path) -> None:
    async with guarded("basic", tmp_path / "one") as one, guarded("bearer", tmp_path / "two") as two:
        environ = Login(docker={"auths": {two.host: {"username": USER, "password": PASSWORD}}}).prepare(tmp_path / "d")
        logins = creds(one.host, extra=with_creds(one.host).lines) + creds(two.host).removeprefix("creds:\n")
        write_layout(tmp_path / "origin", IMAGES)
        first, second = f"{one.host}/a", f"{two.host}/deep/b"
        chain = (f"ocidir://{tmp_path}/origin", first, second, f"ocidir://{tmp_path}/end")
        config = logins + "sync:\n" + "".join(map(entry, chain, chain[1:]))
        ended = await run(config, cwd=tmp_path, environ=environ)
    assert ended.code == 0, ended.err
    assert read_layout(tmp_path / "end")[0] == DIGESTS
    assert_discreet(ended)


async def test_without_a_login_a_token_for_anybody_is_enough_to_pull(tmp_path: Path) -> None:
    async with guarded("bearer", tmp_path / "registry", anonymous=True) as registry:
        there = f"{registry.host}/team/app"
        with_login = creds(registry.host, extra=with_creds(registry.host).lines)
        pushed = await run(with_login + there_and_back(registry.host, tmp_path), cwd=tmp_path / "push")
        assert pushed.code == 0, pushed.err
        config = creds(registry.host) + "sync:\n" + entry(there, f"ocidir://{tmp_path}/anonymous")
        ended = await run(config, cwd=tmp_path / "pull")
        assert ended.code == 0, ended.err
        assert read_layout(tmp_path / "anonymous")[0] == DIGESTS
        refused = await run(
            creds(registry.host) + "sync:\n" + entry(f"ocidir://{tmp_path}/origin", f"{registry.host}/other"),
            cwd=tmp_path / "refused",
        )
    assert_refused(refused, registry.host, failures=len(IMAGES))


def assert_refused(ended: Ended, host: str, *, failures: int) -> None:
    """Exit 1, one line for each failure when it happens and one at the end, each naming the host."""
    assert ended.code == 1, ended.err
    assert ended.figures["failed"] == failures
    told = [line for line in ended.lines if line["level"] == "ERROR"]
    listed = ended.plain
    assert (len(told), len(listed)) == (failures, failures), ended.err
    for line in (*(f"{each['error']}" for each in told), *(each.partition(": ")[2] for each in listed)):
        assert host in line
        assert "creds" in line, "what to look at"
    assert_discreet(ended, WRONG)


WRONG_LOGIN = (f"user: {USER}", f"pass: {WRONG}")


@pytest.mark.parametrize("kind", ["basic", "bearer"])
async def test_a_wrong_password_is_one_line_at_a_docker_registry(kind: Kind, tmp_path: Path) -> None:
    async with guarded(kind, tmp_path / "registry") as registry:
        write_layout(tmp_path / "origin", MANY)
        logins = creds(registry.host, extra=WRONG_LOGIN)
        pull = await run(logins + "sync:\n" + entry(f"{registry.host}/a", f"ocidir://{tmp_path}/b"), cwd=tmp_path / "1")
        push = await run(
            logins + "sync:\n" + entry(f"ocidir://{tmp_path}/origin", f"{registry.host}/a"), cwd=tmp_path / "2"
        )
        asked = 0 if registry.tokens is None else len(registry.tokens.journal)
    assert_refused(pull, registry.host, failures=1)
    assert_refused(push, registry.host, failures=len(MANY))
    assert not (tmp_path / "b").exists()
    assert asked <= A_HANDFUL


@pytest.mark.parametrize("kind", ["basic", "bearer"])
@pytest.mark.parametrize("side", ["source", "target"])
async def test_fifty_tags_with_a_wrong_password_make_no_storm(kind: Kind, side: str, tmp_path: Path) -> None:
    write_layout(tmp_path / "origin", MANY)
    async with (
        TokenServer(Policy(users={USER: PASSWORD}, anonymous=False)) as tokens,
        FakeRegistry(auth=Basic(USER, PASSWORD) if kind == "basic" else Bearer(tokens)) as registry,
    ):
        registry.seed("a", MANY)
        ends = {
            "source": [(f"{registry.host}/a:{tag}", f"ocidir://{tmp_path}/copy:{tag}") for tag in MANY],
            "target": [(f"ocidir://{tmp_path}/origin:{tag}", f"{registry.host}/b:{tag}") for tag in MANY],
        }[side]
        config = creds(registry.host, extra=WRONG_LOGIN) + "sync:\n"
        config += "".join(entry(*both).replace("repository", "image") for both in ends)
        ended = await run(config, cwd=tmp_path)
        asked, tokens_asked = len(registry.journal), len(tokens.journal)
        assert "b" not in registry.repositories
    assert_refused(ended, registry.host, failures=len(MANY))
    assert asked <= A_HANDFUL
    assert tokens_asked <= A_HANDFUL


class Forgetful(FakeRegistry):
    """A registry whose token server loses its memory once so many requests were answered."""

    def __init__(self, tokens: TokenServer, *, after: int) -> None:
        super().__init__(auth=Bearer(tokens))
        self._tokens = tokens
        self._left = after

    def answer(self, asked: Asked) -> Reply:
        self._left -= 1
        if not self._left:
            self._tokens.revoke_all()
        return super().answer(asked)


@pytest.mark.parametrize("after", [1, 2, 25, 120])
async def test_a_token_revoked_early_is_fetched_once_more(after: int, tmp_path: Path) -> None:
    async with TokenServer(Policy(users={USER: PASSWORD})) as tokens, Forgetful(tokens, after=after) as registry:
        registry.seed("a", MANY)
        config = creds(registry.host, extra=with_creds("").lines)
        config += "sync:\n" + entry(f"{registry.host}/a", f"ocidir://{tmp_path}/b")
        ended = await run(config, cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert read_layout(tmp_path / "b")[0] == {tag: image.digest for tag, image in MANY.items()}
    assert len(tokens.journal) == 2
    assert_discreet(ended)


BROKEN_HELPERS = {
    "fails": f"echo {PASSWORD}; echo {PASSWORD} >&2; exit 1",
    "prints no JSON": f"echo {PASSWORD}",
    "has no secret": f'echo \'{{"Username": "{PASSWORD}", "Secret": ""}}\'',
}


@pytest.mark.parametrize("what", BROKEN_HELPERS)
async def test_a_helper_that_does_not_work_fails_its_host_and_is_not_quoted(what: str, tmp_path: Path) -> None:
    async with TokenServer(Policy()) as tokens, FakeRegistry(auth=Bearer(tokens)) as registry:
        registry.seed("a", MANY)
        login = Login((f"credHelper: {HELPER}",), helper=BROKEN_HELPERS[what])
        config = creds(registry.host, extra=login.lines)
        config += "sync:\n" + entry(f"{registry.host}/a", f"ocidir://{tmp_path}/b")
        ended = await run(config, cwd=tmp_path, environ=login.prepare(tmp_path / "helper"))
        assert tokens.journal == []  # it does not become nobody
    assert ended.code == 1
    assert HELPER in ended.err
    assert registry.host in ended.err
    assert_discreet(ended)


async def test_a_helper_that_hangs_is_ended_and_fails_its_own_registry_alone(tmp_path: Path) -> None:
    hanging = f"echo $$ >> {tmp_path}/pids\nsleep 3600 &\necho $! >> {tmp_path}/pids\nwait"
    login = Login((f"credHelper: {HELPER}",), helper=hanging)
    async with FakeRegistry(auth=Basic(USER, PASSWORD)) as registry, FakeRegistry() as other:
        for one in (registry, other):
            one.seed("a", IMAGES)
        config = creds(registry.host, extra=login.lines) + creds(other.host).removeprefix("creds:\n") + "sync:\n"
        config += "".join(entry(f"{one.host}/a", f"ocidir://{tmp_path}/{one.port}") for one in (registry, other))
        ended = await run(config, cwd=tmp_path, environ=login.prepare(tmp_path / "helper"))
        assert {each.status for each in registry.journal} == {401}, "nobody asks as nobody in its place"
    assert ended.code == 1
    assert f"cannot log in at {registry.host}: credential helper {HELPER} did not answer within 10 s" in ended.err
    assert read_layout(tmp_path / str(other.port))[0] == DIGESTS
    running = [Path("/proc", pid) for pid in (tmp_path / "pids").read_text().split()]
    assert len(running) == 2
    await asyncio.to_thread(wait_for, lambda: not any(process.exists() for process in running), within=30)


async def test_docker_logins_are_left_alone_when_told_so(tmp_path: Path) -> None:
    async with guarded("basic", tmp_path / "registry") as registry:
        environ = Login(docker={"auths": {registry.host: {"username": USER, "password": PASSWORD}}}).prepare(tmp_path)
        config = creds(registry.host) + "defaults: {skipDockerConfig: true}\n"
        config += "sync:\n" + entry(f"{registry.host}/a", f"ocidir://{tmp_path}/b")
        ended = await run(config, cwd=tmp_path, environ=environ)
    assert_refused(ended, registry.host, failures=1)
    assert IDENTITY not in ended.err
