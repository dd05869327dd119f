"""`defaults.notify`: who is told what. Its URLs are secrets as a whole, and nothing of them is quoted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Final, Literal, get_args
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BeforeValidator, Field

from regsync.config.fields import Secret, Section, refusal
from regsync.config.problems import Path, Report, did_you_mean
from regsync.config.scalars import kind_of
from regsync.errors import Malformed
from regsync.oci.reference import valid_host

About = Literal["failure", "recovered", "changed", "stale"]
_USUAL: Final[tuple[About, ...]] = ("failure", "recovered", "stale")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[!-~]*")
_EXPECTED: Final = "expected a URL: https://… for a webhook, or one of apprise's such as mailto://…"
_TELLING: Final = 8  # characters from which on a part with a digit in it may be a token
_LONG: Final = 20  # and any other part


def _about(value: object) -> object:
    if not isinstance(value, str):
        raise refusal(f"expected one of {', '.join(get_args(About))}, found {kind_of(value)}")
    if value not in get_args(About):
        raise refusal(f"not an event; {did_you_mean(value, get_args(About))}")
    return value


class Notify(Section):
    """One item of `notify`: a URL, and what is told there."""

    on: tuple[Annotated[About, BeforeValidator(_about)], ...] = _USUAL
    url: Secret = Field(default="", repr=False)


def check_notify(items: tuple[Notify, ...], report: Report, service: Callable[[str], None]) -> None:
    """Tell all that is wrong with `defaults.notify`; `service` raises `Malformed` for what apprise cannot tell."""
    for position, item in enumerate(items):
        path: Path = ("defaults", "notify", position)
        if path in report.refused:
            continue
        if not item.on and (*path, "on") not in report.refused:
            report.error((*path, "on"), f"empty; expected some of {', '.join(get_args(About))}, or no `on` at all")
        fault = _fault(item.url, service)
        if fault:
            report.error((*path, "url"), fault)


def _fault(url: str, service: Callable[[str], None]) -> str:
    """Return what is wrong with a URL, nothing if it is fine."""
    if not url:
        return f"missing; {_EXPECTED}"
    if not _SCHEME.fullmatch(url):
        return (
            f"{'a space or another character that is no part of a URL' if '://' in url else 'no scheme'}; {_EXPECTED}"
        )
    try:
        if urlsplit(url).scheme not in {"http", "https"}:
            service(url)
        elif not valid_host(urlsplit(url).netloc.rpartition("@")[2]):
            return f"no host; {_EXPECTED}"
    except Malformed as error:
        return str(error)
    except ValueError:
        return f"not a URL; {_EXPECTED}"
    return ""


def secrets_of(item: Notify) -> Iterator[str]:
    """Yield the URL, and what of it may be a secret wherever it is met: logins, and whatever looks like a token."""
    yield item.url
    try:
        parts = urlsplit(item.url)
    except ValueError:
        return
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    yield from filter(None, (unquote(password or user),))
    host = [] if parts.scheme in {"http", "https"} else [parts.netloc.rpartition("@")[2]]
    values = [value for _, value in parse_qsl(parts.query)]
    for part in (*host, *parts.path.split("/"), *values, parts.fragment):
        if len(part) >= _LONG or (len(part) >= _TELLING and any(map(str.isdecimal, part))):
            yield unquote(part)
