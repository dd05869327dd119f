"""What templates under test are about: the data that the recorded answers of Go were made with, and a world."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from regsync.backups.template import data_of
from regsync.config.model import Config, SyncStep
from regsync.config.stepdata import step_data
from regsync.errors import BadTemplate
from regsync.oci.reference import parse_reference
from regsync.template.engine import Template
from regsync.template.values import Value
from regsync.template.world import World

NOW: Final = datetime(2024, 3, 4, 5, 6, 7, tzinfo=UTC)
ENTRY: Final[Mapping[str, Any]] = {
    "source": "gcr.io/distroless/static",
    "target": "registry:5000/hub/static",
    "type": "repository",
    "tags": {"allow": ["v1.*", "latest"]},
    "tagSets": [{"deny": ["old"]}],
    "referrerFilters": [{"artifactType": "application/x", "annotations": {"b": "2", "a": "1"}}],
    "referrerSource": "a.example/r",
    "backup": "old-{{.Ref.Tag}}",
    "interval": "90m",
    "mediaTypes": ["application/vnd.oci.image.index.v1+json"],
    "hooks": {"pre": {"type": "exec", "params": ["a"]}},
}


def step(entry: Mapping[str, Any] = ENTRY) -> SyncStep:
    """An entry filled from its defaults, as Go's was."""
    config = Config.model_validate({"sync": [dict(entry)]})
    filled = config.sync[0].filled_from(config.defaults.settled(), place="regsync.yml:1")
    limit = filled.ratelimit.model_copy(update={"min": 5})
    return filled.model_copy(update={"ratelimit": limit, "referrers": True})


DATA: Final = data_of(parse_reference("registry.example:5000/hub/static:v1.2-alpine"), step_data(step()))


def world(
    env: Mapping[str, str] | None = None, files: Mapping[str, str] | None = None, unset: list[str] | None = None
) -> World:
    """A world with these variables and files, which notes what is not set."""
    missing = [] if unset is None else unset

    def read(path: str) -> str:
        if path not in (files or {}):
            raise BadTemplate("cannot be read", path)
        return (files or {})[path]

    return World(now=lambda: NOW, env=(env or {}).get, file=read, unset=missing.append)


def rendered(text: str, data: Value = DATA, **around: Any) -> str:
    """What a template comes to."""
    return Template.parse(text).render(data, world(**around))


def refusal(text: str, data: Value = DATA, **around: Any) -> str:
    """What is said of a template that does not work."""
    try:
        made = rendered(text, data, **around)
    except BadTemplate as error:
        return str(error)
    raise AssertionError(f"{text!r} gave {made!r}")
