"""What a profile says of a registry: its oddities, its logins, what people set for it, and what it will not do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.support.fake_registry import Features
from tests.support.odd.registry import Oddity

Direction = Literal["from", "to"]


@dataclass(frozen=True, slots=True)
class Login:
    """How it wants people to log in.

    `scheme` basic or bearer; tokens come from `path` of another origin, for `service`, and last `lifetime` seconds.
    `identity` is a token that takes the place of user and password (OAuth2). `challenge` replaces the header of its
    401; `{realm}` stands for where tokens are to be had. `anybody` may read without a login. `basic_too`: where
    tokens are wanted, user and password themselves will do.
    """

    scheme: Literal["basic", "bearer"] = "bearer"
    user: str = "robot"
    path: str = "/token"
    service: str = "registry.example"
    lifetime: int = 300
    identity: str = ""
    challenge: str = ""
    answers_post: bool = True
    answer_field: str = "token"
    anybody: bool = False
    basic_too: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """A profile as one end of a copy: `place` is the path its repositories lie below, as references have it.

    `grown` is by how many requests a run with nothing to do exceeds the one between healthy registries, and `forced_by`
    says which oddity takes them. `login` is that of this side alone, `made` are repositories that
    somebody has made before. `avoided` are oddities that regsync never meets, since it does not ask in
    such a way.
    """

    place: str
    oddities: Sequence[Oddity] = ()
    grown: int = 0
    forced_by: str = ""
    login: Login | None = None
    made: Sequence[str] = ()
    avoided: Sequence[Oddity] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that stays refused: with these oddities outside of the others, an image (or all tags) is not copied.

    `says` are parts of the one line that people get, `path` is what is copied. `spoiled`: the storage sends other
    bytes than were stored. `occupied`: the target has another image under that tag.
    """

    name: str
    direction: Direction
    says: Sequence[str]
    oddities: Sequence[Oddity] = ()
    path: str = "app:large"
    spoiled: bool = False
    occupied: bool = False
    login: Login | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A registry as public reports describe it; `sources` name them.

    `name` is the row of the table, `title` the section of the guide. `oddities` are those of both directions, outside
    of a side's own. `settings` are what people write in `creds`.
    """

    name: str
    title: str
    sources: Sequence[str]
    source: Side
    target: Side
    refusals: Sequence[Refusal]
    features: Features = field(default_factory=Features)
    oddities: Sequence[Oddity] = ()
    login: Login | None = None
    tls: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    def side(self, direction: Direction) -> Side:
        """Return it as the end that is copied from or to."""
        return self.source if direction == "from" else self.target
