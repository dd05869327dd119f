"""Uploads into registries that count in a way of their own, or name their sessions so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import trustme

from regsync.errors import IntegrityError, Refused, RegsyncError, Unavailable
from regsync.events import Warned
from regsync.registry.repository import RegistryRepository
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Action, BitFlip, Change, Fault, Reply, Status
from tests.support.images import bytes_of, described, put_bytes, some_bytes
from tests.unit.registry.content.lab import lab

DATA = some_bytes(250_000, "odd")
BLOB = described(DATA)
TRIES = 4  # as often as the copier begins a blob
PIECES: dict[str, Any] = {"blob_max": 1000, "blob_chunk": 50_000}


async def stored(repository: RegistryRepository) -> None:
    """Push as the copier does: again while that may help."""
    for attempt in range(TRIES):
        try:
            await put_bytes(repository, DATA)
        except (Unavailable, IntegrityError):
            if attempt == TRIES - 1:
                raise
        else:
            break
    assert await bytes_of(repository, BLOB) == DATA


def miscounted(host: str) -> Warned:
    what = "Range of uploads is miscounted; relying on our own count and the digest"
    return Warned(f"Registry is odd: {what}", {"host": host})


@pytest.mark.parametrize(
    "said",
    [
        lambda _start, end: f"0-{end + 1}",
        lambda _start, end: f"bytes=0-{end + 1}",
        lambda start, end: f"0-{end - start}" if start != 50_000 else f"0-{end}",
        lambda start, end: f"{start}-{end}",
        lambda _start, end: f"0-{end - 1}",
        lambda _start, _end: "0-0",
        lambda start, end: f"0-{end - start}",
        lambda start, end: f"bytes 0-{end - start + 1}/*",
        lambda _start, _end: "0-99999999999",
    ],
)
async def test_a_range_that_is_miscounted_is_told_once_and_not_believed(
    fake_registry: FakeRegistry, said: Callable[[int, int], str]
) -> None:
    for start in range(0, len(DATA), 50_000):
        odd = Change({"Range": said(start, min(start + 50_000, len(DATA)) - 1)})
        fake_registry.fail(Fault(odd, kind="patch", nth=start // 50_000 + 1))
    async with lab(fake_registry.host, **PIECES) as at:
        await stored(at.repository())
        told = at.warned
    assert fake_registry.count(method="PATCH") == 5
    assert len(told) <= 1


@pytest.mark.parametrize("said", ["0-{}", "bytes=0-{}", "BYTES 0-{}", "bytes: 0-{}", "bytes 0-{}/250000", None])
async def test_a_range_is_read_in_any_spelling_or_done_without(fake_registry: FakeRegistry, said: str | None) -> None:
    for number in range(5):
        odd = Change(without=("Range",)) if said is None else Change({"Range": said.format(50_000 * (number + 1) - 1)})
        fake_registry.fail(Fault(odd, kind="patch"))
    async with lab(fake_registry.host, **PIECES) as at:
        await stored(at.repository())
        assert at.warned == []
    assert (fake_registry.count(method="PATCH"), fake_registry.count(kind="status")) == (5, 0)


async def test_a_range_that_may_mean_that_less_was_kept_is_gone_on_from_and_then_asked_about(
    fake_registry: FakeRegistry,
) -> None:
    fake_registry.fail(Fault(Change({"Range": "0-79999"}), kind="patch", nth=2))
    async with lab(fake_registry.host, **PIECES) as at:
        await stored(at.repository())
    assert fake_registry.count(kind="status") == 1


@dataclass(frozen=True, slots=True)
class KeepsLess(Action):
    """The last byte of a chunk is lost on its way."""

    def asked(self, body: bytes) -> bytes:
        return body[:-1]


async def test_a_byte_that_is_lost_shows_at_the_next_chunk_and_is_sent_again(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(Fault(KeepsLess(), kind="patch", nth=2))
    async with lab(fake_registry.host, **PIECES) as at:
        await stored(at.repository())
        assert at.warned == [miscounted(at.host)]


async def test_a_byte_that_is_lost_at_the_end_shows_by_the_digest(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(Fault(KeepsLess(), kind="patch", nth=5))
    async with lab(fake_registry.host, **PIECES) as at:
        with pytest.raises(IntegrityError):
            await put_bytes(at.repository(), DATA)
        await stored(at.repository())


async def test_what_is_miscounted_is_refused_by_its_digest_if_bytes_are_missing(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(Fault(BitFlip(), kind="patch", times=99))
    fake_registry.fail(Fault(Change({"Range": "0-50000"}), kind="patch"))
    async with lab(fake_registry.host, **PIECES) as at:
        with pytest.raises(IntegrityError):
            await stored(at.repository())
        assert not await at.repository().has_blob(BLOB)


@pytest.mark.parametrize("status", [405, 501])
async def test_a_session_that_cannot_be_asked_about_is_gone_on_with_where_the_refusal_says(
    fake_registry: FakeRegistry, status: int
) -> None:
    fake_registry.fail(Fault(Status(status), kind="status", times=9))
    fake_registry.fail(Fault(Status(416, {"Range": "0-49999"}), kind="patch", nth=2))
    async with lab(fake_registry.host, **PIECES) as at:
        await put_bytes(at.repository(), DATA)
    assert fake_registry.count(method="PATCH") == 6


async def test_a_session_nobody_says_anything_of_is_begun_anew(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(Fault(Status(405), kind="status", times=9))
    fake_registry.fail(Fault(Status(416), kind="patch", nth=2))
    async with lab(fake_registry.host, **PIECES) as at:
        await stored(at.repository())
    assert fake_registry.count(kind="upload") == 2


@dataclass(frozen=True, slots=True)
class Named(Action):
    """Names a session in another way: by this, made of its path and its name."""

    spell: Callable[[str, str], dict[str, str]]

    def answered(self, reply: Reply) -> Reply:
        place = reply.headers.pop("Location", "").partition("?")[0]
        path = "/" + place.partition("//")[2].partition("/")[2]
        del reply.headers["Docker-Upload-UUID"]
        reply.headers.update(self.spell(path, path.rpartition("/")[2]))
        return reply


SPELLINGS: list[Callable[[str, str], dict[str, str]]] = [
    lambda path, _: {"Location": path},
    lambda path, _: {"Location": path[1:]},
    lambda path, _: {"Location": f" {path}?_state=a%2Fb&x=1 "},
    lambda path, _: {"Location": f"{path}#part"},
    lambda path, _: {"Location": f"{path}?"},
    lambda _, name: {"Location": name},
    lambda _, name: {"Location": f"{name}?_state=x"},
    lambda _, name: {"Location": f"uploads/{name}"},
    lambda _, name: {"Location": f"blobs/uploads/{name}"},
    lambda _, name: {"Docker-Upload-UUID": name},
]


@pytest.mark.parametrize("spell", SPELLINGS)
@pytest.mark.parametrize("settings", [{}, PIECES])
async def test_a_session_is_found_however_it_is_named(
    fake_registry: FakeRegistry, spell: Callable[[str, str], dict[str, str]], settings: dict[str, Any]
) -> None:
    fake_registry.fail(Fault(Named(spell), kind="upload", times=9))
    async with lab(fake_registry.host, **settings) as at:
        await put_bytes(at.repository("team/app"), DATA)
        assert await bytes_of(at.repository("team/app"), BLOB) == DATA
    assert fake_registry.count(kind="upload") == 1


@pytest.mark.parametrize("spell", [lambda _, name: {"Docker-Upload-UUID": name}, lambda _path, _name: {}])
async def test_a_session_stays_where_it_is_if_a_chunk_is_answered_without_a_place(
    fake_registry: FakeRegistry, spell: Callable[[str, str], dict[str, str]]
) -> None:
    fake_registry.fail(Fault(Named(spell), kind="patch", times=9))
    async with lab(fake_registry.host, **PIECES) as at:
        await put_bytes(at.repository(), DATA)


@pytest.mark.parametrize("name", ["../../other/blobs/uploads/1", "a/b", "a?b", "//elsewhere.example/", "", "a b"])
async def test_a_sessions_name_that_is_no_name_leads_nowhere(fake_registry: FakeRegistry, name: str) -> None:
    fake_registry.fail(Fault(Named(lambda _path, _name: {"Docker-Upload-UUID": name}), kind="upload", times=9))
    async with lab(fake_registry.host) as at:
        with pytest.raises(IntegrityError, match="without saying where"):
            await put_bytes(at.repository(), DATA)
    assert {each.kind for each in fake_registry.journal} == {"upload"}


@pytest.mark.parametrize("place", ["http://169.254.169.254/x", "ftp://127.0.0.1/x", "http://u@127.0.0.1/x"])
async def test_a_session_where_nobody_goes_ends_the_upload_with_one_line(
    fake_registry: FakeRegistry, place: str
) -> None:
    fake_registry.fail(Fault(Named(lambda _path, _name: {"Location": place}), kind="upload", times=9))
    async with lab(fake_registry.host) as at:
        with pytest.raises(Refused) as caught:
            await put_bytes(at.repository(), DATA)
    assert "\n" not in str(caught.value)


async def test_a_session_at_another_origin_gets_the_bytes_and_no_login(fake_registry: FakeRegistry) -> None:
    async with FakeRegistry() as other:
        place = f"{other.url}/v2/app/blobs/uploads/{other.store.upload_in('app')}"
        fake_registry.fail(Fault(Status(401, {"WWW-Authenticate": "Basic realm=x"})))
        fake_registry.fail(Fault(Named(lambda _path, _name: {"Location": place}), kind="upload"))
        async with lab(fake_registry.host, user="ann", password="secret") as at:
            await put_bytes(at.repository(), DATA)
    assert other.asked(method="PUT")
    assert all("Authorization" not in each.headers for each in other.journal)


async def test_a_session_at_another_origin_that_wants_a_login_is_refused_with_both_hosts_named(
    fake_registry: FakeRegistry,
) -> None:
    async with FakeRegistry() as other:
        other.fail(Fault(Status(401, {"WWW-Authenticate": "Basic realm=x"}), times=99))
        fake_registry.fail(Fault(Named(lambda _path, _name: {"Location": f"{other.url}/x"}), kind="upload", times=9))
        async with lab(fake_registry.host, user="ann", password="secret") as at:
            with pytest.raises(RegsyncError) as caught:
                await put_bytes(at.repository(), DATA)
    assert other.host in str(caught.value)
    assert fake_registry.host in str(caught.value)


def in_the_clear(port: str) -> Callable[[str, str], dict[str, str]]:
    return lambda path, _: {"Location": f"http://127.0.0.1{port}{path}"}


@pytest.mark.parametrize("port", ["", ":80", ":5000"])
async def test_sessions_in_plain_http_of_a_registry_behind_tls_stay_in_tls_and_that_is_told_once(port: str) -> None:
    authority = trustme.CA()
    async with FakeRegistry(authority=authority) as behind:
        behind.fail(Fault(Named(in_the_clear(port)), kind="upload", times=9))
        async with lab(behind.host, tls="enabled", ca=authority.cert_pem.bytes().decode()) as at:
            for path in ("app", "other"):
                await put_bytes(at.repository(path), DATA)
            what = "it names places of its own in plain http; asking for them in https"
            assert at.warned == [Warned(f"Registry is odd: {what}", {"host": behind.host})]


async def test_sessions_in_plain_http_of_somebody_else_are_refused_behind_tls() -> None:
    authority = trustme.CA()
    async with FakeRegistry() as other, FakeRegistry(authority=authority) as behind:
        place = f"http://127.0.0.2:{other.port}/v2/app/blobs/uploads/1"
        behind.fail(Fault(Named(lambda _path, _name: {"Location": place}), kind="upload", times=9))
        async with lab(behind.host, tls="enabled", ca=authority.cert_pem.bytes().decode()) as at:
            with pytest.raises(Refused, match=r"sends us from https to plain http at 127\.0\.0\.2"):
                await put_bytes(at.repository(), DATA)
            assert at.warned == []
    assert other.journal == []
