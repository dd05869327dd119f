"""Answers that must mean something: a body that cannot be read as what was asked for is asked for again.

A proxy's HTML page with status 200, a flipped bit and a cut listing all come as successes. Whether an answer is one is
known only to whoever asked, so the reader decides, and this is the one place that asks again because of content.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from regsync.clock import Clock
from regsync.errors import IntegrityError, Malformed, RegsyncError, Unsupported
from regsync.oci import mediatype
from regsync.oci.document import refuse_crowd
from regsync.registry.http.encoding import coding_of, is_labelled, oddly_packed, unpacked
from regsync.registry.http.transport import Answer, Headers, Request, Transport

_ATTEMPTS = 3
_PAUSE = 0.5  # seconds, doubled per attempt
_LONG = 1 << 16  # bytes; what is longer is read in a thread, so that the loop goes on meanwhile
_T = TypeVar("_T")


async def ask(transport: Transport, request: Request, *, read: Callable[[Answer], _T], clock: Clock) -> _T:
    """Return what `read` makes of the answer to this request; an `IntegrityError` of it is worth two more tries.

    Unless the request itself is worth one alone.
    """
    attempts = min(_ATTEMPTS, request.attempts)
    for attempt in range(1, attempts):
        try:
            return await _read(await transport.send(request), read, request.cap, transport.warn)
        except IntegrityError:
            await clock.sleep(_PAUSE * 2 ** (attempt - 1))
    try:
        return await _read(await transport.send(request), read, request.cap, transport.warn)
    except RegsyncError as error:
        error.attempts = attempts
        raise


async def _read(answer: Answer, read: Callable[[Answer], _T], cap: int, warn: Callable[[str], None]) -> _T:
    """Read an answer as it came, and as what it holds if it is labelled as packed and cannot be read as it came."""
    try:
        return await _read_as_is(answer, read)
    except (IntegrityError, Malformed, Unsupported) as error:
        body = unpacked(answer.body, answer.headers, cap=cap)
        if body is None:
            raise _named(error, answer.headers) from error.__cause__
    found = await _read_as_is(replace(answer, body=body), read)
    warn(oddly_packed(answer.headers))
    return found


def _named(error: RegsyncError, headers: Headers) -> RegsyncError:
    """Return this error, with the coding beside it that we cannot undo, and that may be the reason."""
    coding = coding_of(headers)
    return error if not coding or is_labelled(headers) else type(error)(f"{error} (labelled as {coding}, unasked)")


async def _read_as_is(answer: Answer, read: Callable[[Answer], _T]) -> _T:
    return read(answer) if len(answer.body) <= _LONG else await asyncio.to_thread(read, answer)


def json_object(answer: Answer, what: str) -> dict[str, Any]:
    """Return the answer's body as a JSON object; anything else is an `IntegrityError`.

    Listings come as `application/json`, from some registries as `text/plain` or without any type; as another one (file
    storage) they have to list something. One of too many keys and values is `Unsupported`: asked again, it would be no
    shorter.
    """
    kind = mediatype.base(answer.headers.get("content-type", ""))
    told = kind in {"application/json", "text/plain", ""} or kind.endswith("+json")
    try:
        refuse_crowd(answer.body)
        body = json.loads(answer.body.decode("utf-8-sig"))
    except Malformed as error:
        raise Unsupported(f"{what}: {error}") from None
    except (ValueError, RecursionError) as error:
        came = "something that is not JSON" if told else f"{kind[:80]}, not as JSON"
        raise IntegrityError(f"{what} came as {came}") from error
    if not isinstance(body, dict):
        raise IntegrityError(f"{what} came as JSON, but not as an object")
    if not told and not any(isinstance(value, list) for value in body.values()):
        raise IntegrityError(f"{what} came as {kind[:80]}, not as JSON")
    return body
