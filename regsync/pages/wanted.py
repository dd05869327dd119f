"""What a visitor of the page wants to see. Nothing in a query is an error here: what is no use counts for nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlencode

from regsync.pages.survey import STATES

_LONGEST = 200  # characters
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Wanted:
    """Entries in whose names or ends these words stand (`text`), in this state (empty: any), and which page of them."""

    text: str = ""
    state: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """Read a query."""
        state = query.get("state", "")
        return cls(query.get("q", "").strip()[:_LONGEST], state if state in STATES else "", number(query))

    def at(self, page: int) -> str:
        """Return where another page of the same is."""
        return replace(self, page=page).path

    def in_state(self, state: str) -> str:
        """Return where the entries in another state are."""
        return replace(self, state=state, page=1).path

    @property
    def path(self) -> str:
        """Where this is."""
        said = {"q": self.text, "state": self.state, "page": str(self.page) if self.page > 1 else ""}
        query = urlencode({key: value for key, value in said.items() if value})
        return f"/?{query}" if query else "/"


def number(query: Mapping[str, str]) -> int:
    """Return which page is wanted."""
    given = query.get("page", "")
    return max(int(given), 1) if given.isascii() and given.isdecimal() and len(given) <= _DIGITS else 1


def pages_for(count: int, size: int) -> int:
    """Return how many pages so many items fill; there is always one."""
    return max(-(-count // size), 1)
