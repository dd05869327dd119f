"""What a template can learn of its surroundings: the time, the environment, files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from regsync.errors import BadTemplate
from regsync.template.values import LARGEST, text_of
from regsync.text import why_unreadable

_UNREADABLE: Final = "the file cannot be read"


@dataclass(frozen=True, slots=True)
class World:
    """Where the functions `time`, `env` and `file` get their answers.

    `env` returns None for a variable that is not set; `unset` hears of one that was asked for and for which nothing
    stands in. `file` returns a file's content and raises `BadTemplate` if it cannot.
    """

    now: Callable[[], datetime]
    env: Callable[[str], str | None]
    file: Callable[[str], str]
    unset: Callable[[str], None]


def world_of(environ: Mapping[str, str], now: Callable[[], datetime]) -> World:
    """Return the world as it is, where nobody hears of variables that are not set."""
    return World(now=now, env=environ.get, file=read_file, unset=lambda _: None)


def read_file(path: str) -> str:
    """Return the content of a file."""
    try:
        with open(path, "rb") as stream:  # noqa: PTH123  # a name as typed
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise BadTemplate(f"{_UNREADABLE} ({why_unreadable(error, path)})", path) from None
    except ValueError:
        raise BadTemplate(f"{_UNREADABLE} (this is not a name)", path) from None
    if len(content) > LARGEST:
        raise BadTemplate(f"{_UNREADABLE} (larger than {LARGEST} bytes)", path)
    return text_of(content)
