"""What may be asked for in a query, and answers in JSON: one object each, and one `error` where there is none."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from aiohttp import web

MOST: Final = 1000
USUAL: Final = 100
_SHOWN: Final = 40  # characters of what was asked for


@dataclass(frozen=True, slots=True)
class Page:
    """How many items are wanted at most, and which one they follow (empty: none)."""

    limit: int
    mark: str = ""


class Refused(Exception):
    """Why there is no such answer, and the status and headers that say so."""

    def __init__(self, status: int, why: str, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(why)
        self.status = status
        self.headers = headers


def page_of(query: Mapping[str, str], mark: str = "") -> Page:
    """Read `limit`, and the parameter `mark` if one is named; `Refused` for any other, and for what is no number."""
    known = {"limit", mark} - {""}
    refuse_unknown(query, known)
    limit = query.get("limit", str(USUAL))
    if not (limit.isascii() and limit.isdecimal() and len(limit) <= len(str(MOST)) and 1 <= int(limit) <= MOST):
        raise Refused(400, f"limit: expected a number from 1 to {MOST}, found {_quoted(limit)}")
    return Page(int(limit), query.get(mark, "") if mark else "")


def no_parameters(query: Mapping[str, str]) -> None:
    """Raise `Refused` if there are any."""
    refuse_unknown(query, frozenset())


def answer(
    content: Mapping[str, object], *, status: int = 200, headers: Mapping[str, str] = MappingProxyType({})
) -> web.Response:
    """Return an answer with this object."""
    text = json.dumps(content) + "\n"
    return web.Response(status=status, headers=headers, text=text, content_type="application/json")


def refuse_unknown(query: Mapping[str, str], known: Collection[str]) -> None:
    """Raise `Refused` if there are others than these."""
    for name in sorted(query.keys() - set(known)):
        there = f"there is {' and '.join(sorted(known))}" if known else "there are none here"
        raise Refused(400, f"unknown parameter {_quoted(name)}: {there}")


def _quoted(text: str) -> str:
    return json.dumps(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
