from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from regsync.errors import AccessDenied
from regsync.registry.host import HostSettings
from regsync.registry.login.credentials import Credential, FixedCredential, HelperCredential, credentials_of
from regsync.secrets import Secrets
from tests.support.clock import FakeClock

HOST = HostSettings(name="r.example", hostname="r.example:5000")
HELPED = HOST.with_login(helper="docker-credential-test")
COUNT = 'echo . >> "$FOLDER/runs"; '
LOGIN = COUNT + 'n=$(wc -l < "$FOLDER/runs"); echo "{\\"Username\\": \\"u\\", \\"Secret\\": \\"s$((n))\\"}"'
FAIL = COUNT + "echo broken; exit 1"
NONE = COUNT + "echo credentials not found in native keychain; exit 1"


class Helper:
    """A helper program whose script can be exchanged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.environ = {"PATH": f"{folder}:/usr/bin:/bin", "FOLDER": str(folder)}
        self.secrets = Secrets()
        self.source = HelperCredential(HELPED, clock=self.clock, environ=self.environ, secrets=self.secrets)

    def becomes(self, script: str) -> None:
        path = self.folder / "docker-credential-test"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    @property
    def runs(self) -> int:
        return len((self.folder / "runs").read_text().splitlines())


@pytest.fixture
def helper(tmp_path: Path) -> Helper:
    return Helper(tmp_path)


async def test_a_host_without_a_login_is_anonymous() -> None:
    assert await credentials_of(HOST, clock=FakeClock(), environ={}, secrets=Secrets()).get() is None


@pytest.mark.parametrize("login", [{"user": "u", "password": "p"}, {"token": "T"}, {"user": "u"}])
async def test_a_stored_login_is_used_as_it_is(login: dict[str, str]) -> None:
    source = credentials_of(HOST.with_login(**login), clock=FakeClock(), environ={}, secrets=Secrets())
    assert await source.get() == Credential(**login)


async def test_a_helper_is_run_once_until_its_answer_is_too_old(helper: Helper) -> None:
    helper.becomes(LOGIN)
    answers = await asyncio.gather(*(helper.source.get() for _ in range(50)))
    assert {each.password for each in answers if each is not None} == {"s1"}
    await helper.clock.advance(3599)
    assert await helper.source.get() == Credential("u", "s1")
    await helper.clock.advance(1)
    assert await helper.source.get() == Credential("u", "s2")
    assert helper.runs == 2


async def test_a_helper_is_asked_for_the_credential_host_or_else_the_hostname(helper: Helper) -> None:
    helper.becomes('echo "{\\"Username\\": \\"u\\", \\"Secret\\": \\"$(cat)\\"}"')
    assert await helper.source.get() == Credential("u", "r.example:5000")
    hub = HostSettings.called("docker.io").with_login(helper="docker-credential-test")
    source = credentials_of(hub, clock=helper.clock, environ=helper.environ, secrets=helper.secrets)
    assert await source.get() == Credential("u", "https://index.docker.io/v1/")


async def test_a_helper_that_fails_later_is_forgiven_and_tried_again_soon(helper: Helper) -> None:
    helper.becomes(LOGIN)
    await helper.source.get()
    helper.becomes(FAIL)
    await helper.clock.advance(3600)
    assert await helper.source.get() == Credential("u", "s1")
    assert await helper.source.get() == Credential("u", "s1")
    assert helper.runs == 2
    helper.becomes(LOGIN)
    await helper.clock.advance(5)
    assert await helper.source.get() == Credential("u", "s3")


async def test_a_helper_that_never_worked_fails_the_host_and_is_not_run_for_each_request(helper: Helper) -> None:
    helper.becomes(FAIL)
    answers = await asyncio.gather(*(helper.source.get() for _ in range(50)), return_exceptions=True)
    assert {type(each) for each in answers} == {AccessDenied}
    assert str(answers[0]).startswith("cannot log in at r.example: credential helper docker-credential-test failed")
    assert helper.runs == 1
    helper.becomes(LOGIN)
    await helper.clock.advance(5)
    assert await helper.source.get() == Credential("u", "s2")


async def test_a_host_whose_helper_holds_no_login_is_anonymous_until_it_holds_one(helper: Helper) -> None:
    helper.becomes(NONE)
    assert set(await asyncio.gather(*(helper.source.get() for _ in range(50)))) == {None}
    assert helper.runs == 1
    helper.becomes(LOGIN)
    await helper.clock.advance(3600)
    assert await helper.source.get() == Credential("u", "s2")


async def test_a_helper_that_breaks_after_it_held_no_login_leaves_the_host_anonymous(helper: Helper) -> None:
    helper.becomes(NONE)
    await helper.source.get()
    helper.becomes(FAIL)
    await helper.clock.advance(3600)
    assert await helper.source.get() is None
    assert helper.runs == 2


async def test_a_refused_login_is_not_replaced_by_none(helper: Helper) -> None:
    helper.becomes(LOGIN)
    login = await helper.source.get()
    assert login is not None
    helper.becomes(NONE)
    assert await helper.source.instead_of(login) is None


async def test_a_helper_that_is_missing_never_means_anonymous(helper: Helper) -> None:
    with pytest.raises(AccessDenied, match=r"r\.example.*docker-credential-test is not on PATH"):
        await helper.source.get()


async def test_the_next_one_asks_when_the_first_is_cancelled(helper: Helper) -> None:
    helper.becomes(LOGIN)
    first, second = asyncio.ensure_future(helper.source.get()), asyncio.ensure_future(helper.source.get())
    await asyncio.sleep(0)
    first.cancel()
    assert (await second) is not None
    assert first.cancelled()


def test_a_login_with_a_helper_keeps_no_secret_in_repr(tmp_path: Path) -> None:
    host = HOST.with_login(user="u", password="canary", token="canary")
    fixed = credentials_of(host, clock=FakeClock(), environ={}, secrets=Secrets())
    assert isinstance(fixed, FixedCredential)
    shown: Callable[[object], str] = repr
    assert "canary" not in shown(fixed) + shown(host) + shown(fixed.credential)


async def test_a_helper_is_asked_at_once_when_its_login_is_refused(helper: Helper) -> None:
    helper.becomes(LOGIN)
    first = await helper.source.get()
    assert first is not None
    answers = await asyncio.gather(*(helper.source.instead_of(first) for _ in range(50)))
    assert set(answers) == {Credential("u", "s2")}
    assert await helper.source.get() == Credential("u", "s2")
    assert helper.runs == 2


async def test_a_helper_that_says_the_same_is_doubted_once_a_minute(helper: Helper) -> None:
    helper.becomes(COUNT + 'echo \'{"Username": "u", "Secret": "s"}\'')
    login = await helper.source.get()
    assert login is not None
    for _ in range(50):
        assert await helper.source.instead_of(login) is None
    await helper.clock.advance(59)
    assert await helper.source.instead_of(login) is None
    assert helper.runs == 2
    await helper.clock.advance(1)
    assert await helper.source.instead_of(login) is None
    assert helper.runs == 3


async def test_a_helper_that_fails_when_its_login_is_refused_has_no_other_one_yet(helper: Helper) -> None:
    helper.becomes(LOGIN)
    login = await helper.source.get()
    assert login is not None
    helper.becomes(FAIL)
    assert await helper.source.instead_of(login) is None
    assert await helper.source.get() == login
    helper.becomes(LOGIN)
    await helper.clock.advance(5)
    assert await helper.source.get() == Credential("u", "s3")
    assert await helper.source.instead_of(login) == Credential("u", "s3")


async def test_nothing_takes_the_place_of_a_login_that_was_written_down() -> None:
    login = Credential("u", "p")
    assert await FixedCredential(login).instead_of(login) is None


async def test_what_a_helper_hands_out_is_known_to_be_secret(helper: Helper) -> None:
    helper.becomes('echo "{\\"Username\\": \\"ann\\", \\"Secret\\": \\"canary-of-a-helper\\"}"')
    await helper.source.get()
    basic = b64encode(b"ann:canary-of-a-helper").decode()
    assert helper.secrets.clean(f"canary-of-a-helper {basic}") == "[censored] [censored]"
    helper.becomes('echo "{\\"Username\\": \\"<token>\\", \\"Secret\\": \\"canary-identity\\"}"')
    await helper.clock.advance(3600)
    await helper.source.get()
    assert helper.secrets.clean("it is canary-identity") == "it is [censored]"


def test_what_was_written_down_is_known_to_be_secret() -> None:
    secrets = Secrets()
    host = HOST.with_login(user="ann", password="canary-password", token="canary-identity")
    credentials_of(host, clock=FakeClock(), environ={}, secrets=secrets)
    basic = b64encode(b"ann:canary-password").decode()
    assert secrets.clean(f"canary-password canary-identity {basic}") == "[censored] [censored] [censored]"
