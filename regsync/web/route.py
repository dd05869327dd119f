"""Who answers what: a method and a path, and what the OpenAPI document says of it."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp.typedefs import Handler

from regsync.web.operation import Operation


@dataclass(frozen=True, slots=True)
class Route:
    """`path` as the router reads it (`{name:.+}`); GET answers HEAD, too. What programs may ask has an operation."""

    path: str
    handler: Handler
    operation: Operation | None = None
    method: str = "GET"
