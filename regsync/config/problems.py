"""What is found wrong with a configuration, and how it is said: `file:line:column: path: what, expected`.

Findings are collected, never raised one by one: whoever edits a file wants to see all that is wrong with it. Each is
one line, and quotes nothing that stands under a key for secrets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from regsync.errors import ConfigError
from regsync.text import plain

_KEY_SHOWN: Final = 40  # characters
_NAME: Final = re.compile("[^:=@ ]*[:=@ ](?=.)")

HIDDEN: Final = "***"  # what stands for a secret that is not shown
SECRETS: Final = frozenset({"user", "pass", "token", "clientKey"})

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing to tell; line and column count from 1 and are 0 where there is none."""

    line: int
    column: int
    path: Path
    text: str

    def told(self, file: str) -> str:
        """Return the line people read."""
        place = f"{file}:{self.line}:{self.column}" if self.line else file
        line = ": ".join(filter(None, (place, path_text(self.path), self.text)))
        return plain(line)


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was found so far; errors forbid to use the configuration, warnings do not.

    `traps` are what regclient's regsync ignores or reads otherwise than it looks; None where nobody asks for them.
    """

    errors: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    traps: list[Finding] | None = None

    def trap(self, place: tuple[int, int], path: Path, theirs: str, here: str) -> None:
        """Tell what regclient's regsync makes of something, and what becomes of it here."""
        if self.traps is not None:
            self.traps.append(Finding(*place, path, f"regclient's regsync {theirs}; here {here}"))


@dataclass(frozen=True, slots=True)
class Report:
    """Where rules tell what they find. `place` finds a path in the file; `refused` paths were complained of already."""

    findings: Findings
    place: Callable[[Path], tuple[int, int]]
    refused: frozenset[Path] = frozenset()

    def error(self, path: Path, text: str) -> None:
        """Tell what makes the configuration unusable."""
        if path not in self.refused:
            self.findings.errors.append(Finding(*self.place(path), path, text))

    def warn(self, path: Path, text: str) -> None:
        """Tell what is probably not meant."""
        self.findings.warnings.append(Finding(*self.place(path), path, text))


def broken(file: str, what: str, line: int = 0, column: int = 0) -> ConfigError:
    """Return the error for a file in which nothing else can be looked for."""
    return ConfigError([Finding(line, column, (), what).told(file)])


def path_text(path: Path) -> str:
    """Return a path the way people write it: `sync[0].tags.allow[1]`; what is under a secret key is left out."""
    text = ""
    for position, part in enumerate(path):
        if position and path[position - 1] in SECRETS:
            break
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{shown_key(part)}" if text else shown_key(part)
    return text


def shown_key(key: str) -> str:
    """Return a key as a message may show it: short, and nothing behind what may divide a name from a secret."""
    name = _NAME.match(key)
    return key[:_KEY_SHOWN] if name is None else f"{name[0][:_KEY_SHOWN]}..."


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint at the known word that is nearest, or at all of them when none is near."""
    known = sorted(known)
    lowered = {name.lower(): name for name in known}
    near = get_close_matches(word[:40].lower(), lowered, n=1)
    if near:
        return f'did you mean "{lowered[near[0]]}"?'
    return f"expected one of {', '.join(known)}"
