"""What a token is to be good for (distribution: "Token Scope"): how it is written, and what a challenge may say of it.

A registry knows a repository by the path it is asked under, by another one (Harbor's proxy projects, a front that
rewrites paths) or by several, as a plugin, or wants an action or a word besides (ACR's `metadata_read`, ECR Public's
`aws`), and its challenge tells. That is taken, and of actions only those that read: to push is ours alone to ask for,
so nobody makes us buy a token to push where we only read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

_LONGEST = 4096  # characters of a challenge's scope that are looked at
_MOST = 8  # scopes of one challenge
_NAME = re.compile(r"[A-Za-z0-9._:/-]{1,512}")
_KIND = re.compile(r"repository(?:\([a-z0-9_-]{1,64}\))?")
_WORD = re.compile(r"(?!(?:pull|push|delete|write|admin)$)[a-z0-9._-]{1,64}")
_READING = ("read", "list", "metadata_read", "metadata/read", "content/read")


@dataclass(frozen=True, slots=True)
class Scope:
    """Actions on one thing of a registry; its text is `kind:name:action,action`, or a mere word without a name."""

    kind: str
    name: str
    actions: tuple[str, ...]

    @classmethod
    def of_repository(cls, path: str, *, push: bool) -> Scope:
        """Return the scope to read a repository, or to read and write it."""
        return cls("repository", path, ("pull", "push") if push else ("pull",))

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}:{','.join(self.actions)}" if self.name else self.kind

    def called(self, other: Scope) -> Scope:
        """Return the same actions on what goes by this other name, and those that are wanted there besides.

        A mere word stays one, and so does what is wanted to be pulled from, whatever is done to ours.
        """
        if not other.name or "pull" in other.actions:
            return other
        return replace(other, actions=tuple(dict.fromkeys((*self.actions, *other.actions))))

    def pushes(self) -> bool:
        """Say whether this is to write."""
        return "push" in self.actions

    def wider(self) -> Scope | None:
        """Return the scope whose tokens serve this one, too."""
        return replace(self, actions=("pull", "push")) if self.actions == ("pull",) else None


Scopes = tuple[Scope, ...]
CATALOGUE = Scope("registry", "catalog", ("*",))


def itself(name: str) -> Scopes:
    """Return what a registry calls a repository that goes by its own name there."""
    return (Scope("repository", name, ()),)


def names_in(challenge: str, known: Mapping[str, Scopes]) -> dict[str, Scopes]:
    """Return what a challenge's scope calls our repositories, by our own names for them.

    `known` says by what name each of them goes so far, which one keeps that the challenge does not speak of. Where one
    repository is asked for, the whole challenge is about it: the first that can be it is, others are pulled from. Of
    several, each goes by what has its name or ends in it.
    """
    named = _merged(_named(challenge))
    words = tuple(scope for scope in named if not scope.name)
    repositories = tuple(scope for scope in named if scope.name)
    heard = {ours: _matching(ours, theirs, repositories) for ours, theirs in known.items()}
    mute = [ours for ours, theirs in heard.items() if not theirs]
    free = tuple(one for one in repositories if not any(one in theirs for theirs in heard.values()))
    if len(known) == 1:
        heard = {ours: _leading(theirs or free, repositories) for ours, theirs in heard.items()}
    elif len(mute) == len(free) == 1:
        heard[mute[0]] = free
    return {ours: _with(known[ours], theirs, words) for ours, theirs in heard.items()}


def _matching(ours: str, known: Scopes, repositories: Scopes) -> Scopes:
    names = {scope.name for scope in known}
    same = tuple(one for one in repositories if one.name in names)
    return same or tuple(one for one in repositories if _is_end_of(ours, one.name))


def _leading(possible: Scopes, named: Scopes) -> Scopes:
    """Return what is named with the first of what may be ours first, and all others to be pulled from."""
    if not possible:
        return ()
    others = (replace(one, actions=("pull", *one.actions)) for one in named if one != possible[0])
    return (possible[0], *others)


def _with(known: Scopes, heard: Scopes, words: Scopes) -> Scopes:
    """Return what was heard, with what was known to be wanted at the same names."""
    there = {(one.kind, one.name) for one in heard}
    kept = [scope for scope in known if not heard or not scope.name or (scope.kind, scope.name) in there]
    return _merged((*heard, *kept, *words))


def _merged(scopes: Iterable[Scope]) -> Scopes:
    """Return each name once, with all that is wanted of it."""
    found: dict[tuple[str, str], Scope] = {}
    for scope in scopes:
        known = found.get((scope.kind, scope.name), scope)
        found[scope.kind, scope.name] = replace(known, actions=tuple(dict.fromkeys((*known.actions, *scope.actions))))
    return tuple(found.values())


def _is_end_of(one: str, other: str) -> bool:
    """Say whether one path is the other without its first components: a prefix came or went on the way."""
    return one.endswith(f"/{other}") or other.endswith(f"/{one}")


def _named(challenge: str) -> Iterator[Scope]:
    """Each scope of a challenge that we may ask for, without actions we did not ask for ourselves, but to read."""
    for text in challenge[:_LONGEST].split()[:_MOST]:
        kind, colon, rest = text.partition(":")
        name, second, actions = rest.rpartition(":")
        if not colon and _WORD.fullmatch(kind):
            yield Scope(kind, "", ())
        elif second and _KIND.fullmatch(kind) and _NAME.fullmatch(name):
            yield Scope(kind, name, tuple(action for action in actions.split(",") if action in _READING))


def in_words(scopes: Scopes) -> str:
    """Return what an error calls these scopes."""
    return " ".join(map(str, scopes))[:300] or "this request"
