"""What the objects look like that `regsync/record/objects.py` makes, in JSON Schema; tests hold every answer to it.

Fields may be added at any time, so others than these are not ruled out; these are always there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

from regsync.record.values import ImageOutcome, RunOutcome, Scope
from regsync.web.operation import Schema

_Shape = dict[str, Any]


def string(text: str, **more: object) -> _Shape:
    """Return the schema of a text."""
    return {"type": "string", "description": text, **more}


def number(text: str, **more: object) -> _Shape:
    """Return the schema of a whole number that is not negative."""
    return {"type": "integer", "minimum": 0, "description": text, **more}


def flag(text: str) -> _Shape:
    """Return the schema of what is true or false."""
    return {"type": "boolean", "description": text}


def moment(text: str, *, known: bool = True) -> _Shape:
    """Return the schema of a moment, which is null where it is not `known`."""
    kind: object = "string" if known else ["string", "null"]
    return {"type": kind, "format": "date-time", "description": text, "examples": ["2026-01-31T12:00:00.000Z"]}


def items(text: str, schema: Schema) -> _Shape:
    """Return the schema of a list."""
    return {"type": "array", "items": schema, "description": text}


def fields(text: str, **of: Schema) -> _Shape:
    """Return the schema of an object with these fields."""
    return {"type": "object", "description": text, "required": [*of], "properties": of}


def ref(name: str) -> _Shape:
    """Return the schema that goes by this name."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Schema) -> _Shape:
    """Return the schema of what may be null as well; the values of an enumeration, too."""
    values = schema.get("enum")
    choices = {"enum": [*values, None]} if isinstance(values, list) else {}
    return {**schema, "type": [schema["type"], "null"], **choices}


def choice(text: str, kind: object) -> _Shape:
    """Return the schema of a text that is one of a Literal's."""
    return string(text, enum=[*get_args(kind)])


SECONDS: Final = {"type": "number", "minimum": 0, "description": "how long it took, in seconds"}
NEXT: Final = nullable(string("what to ask for to get what follows; null at the end"))
RUN_ID: Final = string("the run's `id`", examples=["20260131T120000.123-r1"])
_ENDS: Final = {
    "entry": string("the entry's name"),
    "source": string("what is copied", examples=["docker.io/library/alpine:3.22"]),
    "target": string("where it is copied to", examples=["registry.example/mirror/alpine:3.22"]),
}
_PAST: Final = {
    "outcome": nullable(choice("what its last run came to; null before the first one has ended", RunOutcome)),
    "succeeded": moment("when a run last ended without failure", known=False),
    "equal": moment("when a run began that found or made source and target equal", known=False),
}
_IMAGE: Final = {
    **_ENDS,
    "outcome": choice("what became of it", ImageOutcome),
    "at": moment("when that was known"),
    "before": string("the digest that the target's name stood for; empty if none or not known"),
    "digest": string("the digest it stands for now; empty if not known"),
    "moved": number("bytes that came from the source"),
    "spared": number("bytes that were at the target already, or came by mounts and links"),
    "seconds": SECONDS,
    "message": string("what failed"),
    "error": string("why it failed"),
    "attempts": number("after how many attempts it failed"),
}
_COUNTS: Final = {
    **{name: number(f"images: {name}") for name in ("copied", "unchanged", "skipped", "needed", "failed")},
    "moved": number("bytes that came from sources"),
    "spared": number("bytes that were at targets already, or came by mounts and links"),
}
_RUN: Final = {
    "id": RUN_ID,
    "entry": string("the entry's name"),
    "scope": choice("`missing`: a first visit, which copies only what is missing by name", Scope),
    "began": moment("when it began"),
    "ended": moment("when it ended; null while it goes on", known=False),
    "seconds": SECONDS,
    "outcome": choice("the worst that happened", RunOutcome),
    "counts": fields("images by what became of them, and bytes", **_COUNTS),
}
_BLOB: Final = {
    "digest": string("its digest"),
    "source": string("the repository it is read from"),
    "targets": items("the repositories it goes to", {"type": "string"}),
    "offset": number("how many of its bytes have been read"),
    "size": number("how many there are"),
}
SCHEMAS: Final[Mapping[str, Schema]] = {
    "Error": fields("Why there is no such answer.", error=string("what is wrong, and what was expected")),
    "Entry": fields(
        "An entry and what became of it.",
        name=string("its name"),
        source=_ENDS["source"],
        target=_ENDS["target"],
        type=string("what it copies", enum=["image", "repository", "registry"]),
        schedule=string("its cron line, or empty"),
        interval=string("its interval, where it has no cron line, or empty", examples=["1h0m0s"]),
        due=moment("when it is visited next; null if it never is, and while the server stops", known=False),
        paused=flag("its due times pass until it is resumed"),
        waiting=flag("a run of it waits for its turn"),
        running=nullable(string("the `id` of its run that is going on")),
        **_PAST,
        overdue=flag("whether three of its due times have passed since it was equal, or could first have been visited"),
    ),
    "Done": fields(
        "What was done.",
        entry=string("the entry's name"),
        result=string(
            "what became of it", enum=["queued", "cancelled", "paused", "already paused", "resumed", "not paused"]
        ),
        paused=flag("its due times pass until it is resumed; a run that was asked for is begun all the same"),
    ),
    "Host": fields(
        "A registry; all layouts are `ocidir`, all transfers `transfers`, hosts beyond the first 200 `other`.",
        name=string("its name, with its port"),
        used=number("requests and transfers under way"),
        limit=nullable(number("how many may be; null where only others are counted")),
        waiting=number("how many wait for one to end"),
        remaining=nullable(number("manifests that may still be fetched; null where it does not say")),
        allowed=nullable(number("of how many; null where it does not say")),
        until=moment("until when it is not asked; null while it is", known=False),
        why=string("why it is not asked"),
        requests=number("requests that were answered"),
        answers={**fields("their number by class of status, such as `2xx`"), "additionalProperties": number("so many")},
        retries=number("requests that were tried again"),
        read=number("bytes of blobs read"),
        written=number("bytes of blobs written"),
        spared=number("bytes of blobs that were mounted or linked there"),
        mounts=number("blobs that were mounted or linked there"),
    ),
    "Run": fields("A run over an entry.", **_RUN),
    "RunWithImages": fields("A run and its images.", **_RUN, images=items("but for those unchanged", ref("Image"))),
    "Image": fields("What became of an image, or of a listing that failed.", **_IMAGE),
    "Noted": fields("An image, and the run it is of.", run=RUN_ID, **_IMAGE),
    "ImageInFlight": fields(
        "An image that is being copied, or waits.",
        run=RUN_ID,
        **_ENDS,
        since=moment("when it was found to be needed"),
        digest=string("the source's digest; empty if not known"),
        size=number("bytes to be dealt with; 0 until that is known"),
        done=number("how many of them are dealt with"),
        blobs=items("blobs under way", fields("A blob.", **_BLOB)),
        until=moment("until when it waits; null if it does not", known=False),
        why=string("what it waits for"),
    ),
}
