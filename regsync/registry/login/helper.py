"""Running a credential helper: a program that hands out the login of a server (docker-credential-helpers protocol).

The program is found on PATH by a plain name, started without a shell in a session of its own, given ten seconds and
64 KiB, and what it prints is never quoted: it may be a secret. Its environment is ours, because helpers of clouds
find their own login there.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field

from regsync.errors import AccessDenied
from regsync.program import run_program

PATIENCE = 10.0  # seconds a helper may take
_MOST = 64 << 10  # bytes a helper may print
_PREFIX = "docker-credential-"
_NAME = re.compile(r"docker-credential-[a-z0-9][a-z0-9._-]*")
_OBJECT = re.compile(rb"^(?:\xef\xbb\xbf)?[ \t]*\{", re.MULTILINE)
_SERVER = re.compile(r"[!-~]{1,1024}")  # printable ASCII: a line break would be a second question
NO_USER = ("", "<token>")  # what stands for a user name where the secret is a token
_NOT_THERE = (
    re.compile(  # what is said last with exit 1: the protocol's own words, and those of helpers that have others
        rb"(?:error getting credentials\b.*\bout: [`'\"])?credentials not found(?: in native keychain)?[`'\"]?"
        rb"|the specified item could not be found in the keychain"  # osxkeychain
        rb"|element not found"  # wincred
        rb"|(?:error: )?\S+ is not in the password store"  # pass
        rb"|no (?:matching )?credentials?(?: (?:found|stored))?(?: (?:for|in) \S+)?"
        rb"|credentials? for \S+ not found",
        re.IGNORECASE,
    )
)


class _TooMuch(Exception):
    """The output has no end in sight."""


@dataclass(frozen=True, slots=True)
class HelperAnswer:
    """What a helper hands out: user and password, or an identity token (its user name is then `<token>`)."""

    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


async def ask_helper(
    program: str, server: str, *, environ: Mapping[str, str], patience: float = PATIENCE
) -> HelperAnswer | None:
    """Return the login this helper holds for a server, None when it says that it holds none.

    `AccessDenied` when that cannot be had. A secret without a user name is a token, as with the name `<token>`; neither
    of them is no login (old versions of the helper for pass).
    """
    if not _SERVER.fullmatch(server):
        raise AccessDenied(f"{server[:80]!r} is no server name to ask a credential helper about")
    answer = await _run(program, "get", server.encode(), environ=environ, patience=patience)
    if answer is None:
        return None
    fields = {key.lower(): value for key, value in answer.items()}  # docker does not mind the case
    user, secret = fields.get("username", ""), fields.get("secret")
    if user == secret == "":
        return None
    if not isinstance(user, str) or not isinstance(secret, str) or not secret:
        raise AccessDenied(f"credential helper {program} answered without a user name and a secret for {server}")
    return HelperAnswer(token=secret) if user in NO_USER else HelperAnswer(user, secret)


def has_helper(program: str, environ: Mapping[str, str]) -> bool:
    """Say whether this helper is there to be run."""
    try:
        return bool(_find(program, environ))
    except AccessDenied:
        return False


async def list_helper(program: str, *, environ: Mapping[str, str], patience: float = PATIENCE) -> Mapping[str, str]:
    """Return the servers this helper holds logins for, with their user names."""
    answer = await _run(program, "list", b"", environ=environ, patience=patience) or {}
    return {server: user for server, user in answer.items() if isinstance(user, str)}


async def _run(
    program: str, action: str, question: bytes, *, environ: Mapping[str, str], patience: float
) -> dict[str, object] | None:
    """Run the helper once and return the JSON object it printed, None when it says that it holds no login."""
    path = _find(program, environ)
    about = question.decode() or action
    try:
        code, output = await run_program(
            (path, action), question, environ=environ, patience=patience, listen="output", hear=_bounded
        )
    except _TooMuch:
        raise AccessDenied(f"credential helper {program} printed more than {_MOST >> 10} KiB for {about}") from None
    except TimeoutError:
        raise AccessDenied(f"credential helper {program} did not answer within {patience:g} s") from None
    except OSError as error:
        raise AccessDenied(f"credential helper {program} cannot be run: {error.strerror}") from error
    if code != 0:
        said = output.strip() or await _complaint((path, action), question, environ, patience)
        if _says_none(said):
            return None
        by_hand = f"; `echo {about} | {program} get` shows why" if question else ""
        raise AccessDenied(f"credential helper {program} failed for {about} (exit {code}){by_hand}")
    return _parse(program, output)


async def _complaint(command: tuple[str, str], question: bytes, environ: Mapping[str, str], patience: float) -> bytes:
    """Return what a helper that fails says beside its output, run once more: it may keep that open when it works."""
    try:
        _, errors = await run_program(
            command, question, environ=environ, patience=patience, listen="errors", hear=_bounded
        )
    except (_TooMuch, TimeoutError, OSError):
        return b""
    return errors


def _find(program: str, environ: Mapping[str, str]) -> str:
    """Return the program's path, looked up in the absolute directories of PATH."""
    if not _NAME.fullmatch(program):
        raise AccessDenied(f"{program[:80]!r} is no credential helper: expected {_PREFIX} and a plain name")
    folders = [folder for folder in environ.get("PATH", os.defpath).split(os.pathsep) if folder.startswith(os.sep)]
    path = shutil.which(program, path=os.pathsep.join(folders))
    if path is None:
        raise AccessDenied(f"credential helper {program} is not on PATH or cannot be executed")
    return path


async def _bounded(reader: asyncio.StreamReader) -> bytes:
    try:
        await reader.readexactly(_MOST + 1)
    except asyncio.IncompleteReadError as end:
        return end.partial
    raise _TooMuch


def _says_none(said: bytes) -> bool:
    """Say whether the last line of this means that a helper holds no login."""
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), b"")
    return _NOT_THERE.fullmatch(last.rstrip(b".")) is not None


def _parse(program: str, output: bytes) -> dict[str, object]:
    """Read the object; lines before it are warnings, and what comes after it is nothing, as for docker."""
    start = _OBJECT.search(output)
    try:
        document, _ = json.JSONDecoder().raw_decode(output[start.end() - 1 :].decode()) if start else (None, 0)
    except (ValueError, RecursionError):
        document = None  # and not the cause: it would quote the output
    if not isinstance(document, dict):
        raise AccessDenied(f"credential helper {program} printed something that is no JSON object")
    return document
