"""Hooks that are programs: no shell, little of our environment, and of what they print one line, where they fail."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from regsync.duration import format_duration
from regsync.errors import HookFailed
from regsync.hooks.hook import Exec
from regsync.program import run_program
from regsync.text import plain

_PASSED_ON: Final = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LANG", "LC_ALL", "LC_CTYPE"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    }
)
_READ: Final = 64 << 10  # bytes
_TAIL: Final = 4 << 10  # bytes of standard error that are kept
_LINE: Final = 500  # characters of its last line that are told


async def run_exec(hook: Exec, event: bytes, environ: Mapping[str, str]) -> None:
    """Run a program with the event on its standard input; `HookFailed` unless it ends with 0, and in time."""
    name = hook.arguments[0]
    passed_on = {key: value for key, value in environ.items() if key in _PASSED_ON}
    try:
        code, errors = await run_program(
            hook.arguments, event, environ=passed_on, patience=hook.timeout, listen="errors", hear=_tail
        )
    except TimeoutError:
        raise HookFailed(f"{name} did not end within {format_duration(hook.timeout)}") from None
    except OSError as error:
        raise HookFailed(f"{name} cannot be run: {(error.strerror or type(error).__name__).lower()}") from error
    if code:
        how = f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"
        said = _last_line(errors)
        raise HookFailed(f"{name} {how}{f': {said}' if said else ''}")


async def _tail(reader: asyncio.StreamReader) -> bytes:
    kept = b""
    while chunk := await reader.read(_READ):
        kept = (kept + chunk)[-_TAIL:]
    return kept


def _last_line(errors: bytes) -> str:
    lines = errors.decode(errors="replace").strip().splitlines()
    return plain(lines[-1].strip())[:_LINE] if lines else ""
