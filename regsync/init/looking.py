"""A look at both ends before anything is written: are they there, is there a login for them, what do they hold.

It goes the way a run goes, with its settings, logins and certificates, and changes nothing.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from regsync.errors import AccessDenied, NotFound, Refused, RegsyncError, Unavailable
from regsync.hosts import logins_of
from regsync.init.ends import End
from regsync.init.text import counted, creds_text
from regsync.loading import load_text
from regsync.oci.reference import LayoutReference, Reference, parse_reference, valid_tag
from regsync.repository import Endpoints
from regsync.setup import Common, Setup, set_up
from regsync.text import plain

_PATIENCE: Final = 30.0  # seconds for one end, its tries again included
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen at an end, in words; `names` are its tags, or of a whole registry the repositories.

    `has_login`: there is one for it.
    """

    words: str
    names: tuple[str, ...] = ()
    has_login: bool = False


async def look_at_source(source: End, common: Common) -> Seen:
    """Return what there is to copy; `RegsyncError` says in one line why that cannot be seen, and what may help."""
    async with _reaching(source, common) as (endpoints, has_login):
        try:
            found, names = await _within(_found(source, endpoints), source)
        except RegsyncError as error:
            raise _hinted(error, source, has_login=has_login) from error
    how = f"reached {'with the login found for it' if has_login else 'without a login'}; " if source.registry else ""
    return Seen(f"{how}{found}", names, has_login)


async def look_at_target(target: End, common: Common) -> Seen:
    """Return what is there already; whether it may be written can be said of directories only."""
    if not target.registry:
        return Seen(_directory(target))
    async with _reaching(target, common) as (endpoints, has_login):
        login = f"{'with the login found for it' if has_login else 'and no login was found for it'}"
        written = "whether it may be written shows at the first copy"
        try:
            reference = target.reference or parse_reference(f"{target.text}/x")
            there = len(await _within(_listed(endpoints, reference), target))
            return Seen(f"reached, {login}; {counted(there, 'tag', 'tags')} there; {written}", has_login=has_login)
        except NotFound:
            return Seen(f"reached, {login}; nothing there yet; {written}", has_login=has_login)
        except RegsyncError as error:
            return Seen(f"{_hinted(error, target, has_login=has_login)}", has_login=has_login)


async def _found(source: End, endpoints: Endpoints) -> tuple[str, tuple[str, ...]]:
    """Return in words what a source is, and the names it holds."""
    if source.reference is None:
        names = tuple([path async for path in endpoints.repositories(source.registry)])
        return counted(len(names), "repository", "repositories"), names
    if source.kind == "repository":
        names = await _listed(endpoints, source.reference)
        return counted(len(names), "tag", "tags"), names
    image = await endpoints.open(source.reference).head_manifest(source.reference.ref)
    if image is None:
        raise NotFound(f"{source.text} is not there")
    return f"the image is {image.digest}", ()


async def _listed(endpoints: Endpoints, reference: Reference) -> tuple[str, ...]:
    """Return the tags of a repository; a layout may hold other names, too."""
    repository = endpoints.open(reference)
    return tuple([tag async for tag in repository.tags() if valid_tag(tag)])


async def _within(work: Awaitable[_T], end: End) -> _T:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await work
    except TimeoutError as error:
        raise Unavailable(f"{end.text}: no answer within {_PATIENCE:g} s") from error


@asynccontextmanager
async def _reaching(end: End, common: Common) -> AsyncIterator[tuple[Endpoints, bool]]:
    """Open the way to an end, and say whether there is a login for it."""
    setup = await set_up(load_text(creds_text([end]), "regsync.yml"), common, _at_once, lambda _: None)
    for warning in setup.told():
        common.tell(warning)
    async with setup.connections(common) as connections:
        yield connections.engine.endpoints, _has_login(setup, end.registry)


def _has_login(setup: Setup, registry: str) -> bool:
    host = setup.hosts.get(registry)
    return host is not None and any(login.has_login for login in logins_of({"": host}))


async def _at_once(call: Callable[[], _T]) -> _T:
    return call()


def _hinted(error: RegsyncError, end: End, *, has_login: bool) -> RegsyncError:
    """Return a failure with what whoever asks for a first configuration can do about it."""
    text = str(error)
    if isinstance(error, Refused) and "tls: disabled" in text:
        return Refused(f"{end.registry}: speaks no TLS; if it speaks plain HTTP, write http://{end.text}")
    if isinstance(error, AccessDenied) and not has_login and end.registry:
        return AccessDenied(f"{text}; no login was found: `docker login {end.registry}`, then try again")
    return error


def _directory(target: End) -> str:
    path = Path(target.reference.path if isinstance(target.reference, LayoutReference) else target.text[10:])
    exists = path.exists()
    above = next((folder for folder in (path, *path.absolute().parents) if folder.exists()), Path("/"))
    may = "can" if os.access(above, os.W_OK | os.X_OK) and above.is_dir() else f"cannot ({plain(str(above))})"
    return f"a directory that {'is there' if exists else 'is made by the first copy'} and {may} be written"
