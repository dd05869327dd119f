"""Whom messages go to, as the configuration says, and by which name that may be shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from regsync.notify.message import Kind

WEB: Final = ("http", "https")


@dataclass(frozen=True, slots=True)
class Receiver:
    """One item of `notify`, the `position`th from 0, that is told of these `kinds`; its URL is shown to nobody."""

    position: int
    kinds: frozenset[Kind]
    url: str = field(repr=False)

    @property
    def is_web(self) -> bool:
        """Whether it is a webhook of the operator's, and not something only apprise knows how to speak to."""
        return scheme_of(self.url) in WEB

    @property
    def place(self) -> str:
        """What it is called where something is said of it: of other URLs than the web's any part may be a secret."""
        shown = urlsplit(self.url).hostname if self.is_web else scheme_of(self.url)
        return f"defaults.notify[{self.position}] ({shown})"


def scheme_of(url: str) -> str:
    """Return the scheme of a URL in lower case, empty where there is none."""
    scheme, found, _ = url.partition("://")
    return scheme.lower() if found else ""
