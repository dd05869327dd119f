"""What a token is to be good for (distribution: "Token Scope"): how it is written, and what a challenge may say of it.

A registry knows a repository by the path it is asked under or by another one (Harbor's proxy projects, a front that
rewrites paths), and its challenge tells. All that is taken from a challenge is such a name: actions are ours alone, so
nobody makes us buy a token to push where we only read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

_LONGEST = 4096  # characters of a challenge's scope that are looked at
_MOST = 8  # scopes of one challenge
_NAME = re.compile(r"[A-Za-z0-9._:/-]{1,512}")


@dataclass(frozen=True, slots=True)
class Scope:
    """Actions on one thing of a registry; its text is `kind:name:action,action`."""

    kind: str
    name: str
    actions: tuple[str, ...]

    @classmethod
    def of_repository(cls, path: str, *, push: bool) -> Scope:
        """Return the scope to read a repository, or to read and write it."""
        return cls("repository", path, ("pull", "push") if push else ("pull",))

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}:{','.join(self.actions)}"

    def called(self, name: str) -> Scope:
        """Return the same actions on what goes by this name."""
        return replace(self, name=name)

    def wider(self) -> Scope | None:
        """Return the scope whose tokens serve this one, too."""
        return replace(self, actions=("pull", "push")) if self.actions == ("pull",) else None


Scopes = tuple[Scope, ...]
CATALOGUE = Scope("registry", "catalog", ("*",))


def names_in(challenge: str, known: Mapping[str, str]) -> dict[str, str]:
    """Return what a challenge's scope calls our repositories, by our own names for them.

    `known` says by what name each of them goes so far, which one keeps that the challenge does not speak of.
    """
    named = dict.fromkeys(_repositories(challenge))
    told = {ours: theirs for ours, theirs in known.items() if theirs in named}
    mute = [ours for ours in known if ours not in told]
    free = [name for name in named if name not in told.values()]
    if len(mute) == len(free) == 1:
        return {**known, mute[0]: free[0]}
    return {**known, **{ours: name for ours in mute for name in free if _is_end_of(ours, name)}}


def _is_end_of(one: str, other: str) -> bool:
    """Say whether one path is the other without its first components: a prefix came or went on the way."""
    return one.endswith(f"/{other}") or other.endswith(f"/{one}")


def _repositories(challenge: str) -> Iterator[str]:
    for text in challenge[:_LONGEST].split()[:_MOST]:
        kind, _, rest = text.partition(":")
        name, colon, _ = rest.rpartition(":")
        if kind == "repository" and colon and _NAME.fullmatch(name):
            yield name


def in_words(scopes: Scopes) -> str:
    """Return what an error calls these scopes."""
    return " ".join(map(str, scopes))[:300] or "this request"
