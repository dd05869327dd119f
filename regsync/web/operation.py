"""One thing that can be asked of the daemon, as its OpenAPI document describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

Schema = Mapping[str, object]
JSON: Final = "application/json"
TEXT: Final = "text/plain"


@dataclass(frozen=True, slots=True)
class Parameter:
    """What may be said in the path, or else in the query; in the path it has to be."""

    name: str
    text: str
    schema: Schema
    example: object
    where: str = "query"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer means, and what its body is."""

    text: str
    schema: Schema
    kind: str = JSON


@dataclass(frozen=True, slots=True)
class Operation:
    """`name` is what generated clients call it; `answers` are by status. `secured`: not without the token."""

    name: str
    summary: str
    answers: Mapping[int, Answer]
    parameters: tuple[Parameter, ...] = field(default=())
    secured: bool = False
