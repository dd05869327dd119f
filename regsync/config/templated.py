"""Where templates may stand in a configuration, and what they can learn when it is read.

A module of its own because most files have none: then nothing of the template engine is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from regsync.config.model import Config, Cred, Inherited

CRED_TEXTS: Final = (
    "registry", "hostname", "regcert", "client_cert", "client_key", "user", "password", "token", "cred_helper",
    "cred_host", "path_prefix",
)  # fmt: skip
STEP_TEXTS: Final = ("source", "referrer_source", "target", "referrer_target")  # in the order of their expansion
_OPENED: Final = "{{"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What templates can learn when a file is read.

    `keep` is given what must never be shown, `note` the name of each file that is about to be read.
    """

    environ: Mapping[str, str]
    now: Callable[[], datetime]
    keep: Callable[[str], None]
    note: Callable[[str], None] = lambda _: None


NOWHERE: Final = Surroundings({}, now=lambda: datetime.now(UTC), keep=lambda _: None)


def is_template(text: str) -> bool:
    """Say whether a text has to be expanded."""
    return _OPENED in text


def has_templates(config: Config) -> bool:
    """Say whether anything in a configuration has to be expanded."""
    return any(map(is_template, _texts(config)))


def _texts(config: Config) -> Iterator[str]:
    for cred in config.creds:
        yield from texts_of(cred).values()
    yield config.server.token
    yield from _shared(config.defaults)
    yield from (item.url for item in config.defaults.notify)
    for step in config.sync:
        yield step.source
        yield step.target
        yield from _shared(step)


def texts_of(cred: Cred) -> dict[str, str]:
    """Return the texts of a login in which a template may stand."""
    return {name: getattr(cred, name) for name in CRED_TEXTS}


def _shared(section: Inherited) -> tuple[str, str, str]:
    return section.backup, section.referrer_source, section.referrer_target
