"""Loading a configuration that is written inside a test."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from regsync.config.load import Checks, Loaded, load_config
from regsync.config.model import Config, SyncStep
from regsync.config.templated import Surroundings
from regsync.daemon.schedule import parse_schedule
from regsync.errors import ConfigError
from regsync.notify.others import check_service
from regsync.registry.login.name import check_registry_name
from regsync.sync.patterns import check_pattern
from regsync.sync.semver import check_range


def _check_schedule(text: str) -> None:
    parse_schedule(text)


CHECKS = Checks(
    pattern=check_pattern,
    semver_range=check_range,
    schedule=_check_schedule,
    registry=check_registry_name,
    service=check_service,
)
STEP = "sync:\n  - source: a.example/x\n    target: b.example/x\n    type: repository\n"


NOW = datetime(2024, 3, 4, 5, 6, 7, tzinfo=UTC)


def loaded(
    text: str | bytes,
    *,
    allow_unknown_keys: bool = False,
    skip_invalid_entries: bool = False,
    traps: list[str] | None = None,
    environ: Mapping[str, str] | None = None,
    kept: list[str] | None = None,
) -> Loaded:
    return load_config(
        "-",
        checks=CHECKS,
        allow_unknown_keys=allow_unknown_keys,
        skip_invalid_entries=skip_invalid_entries,
        stdin=io.BytesIO(text.encode() if isinstance(text, str) else text),
        traps=traps,
        surroundings=Surroundings(environ or {}, lambda: NOW, ([] if kept is None else kept).append),
    )


def config_of(text: str | bytes) -> Config:
    return loaded(text).config


def step_of(*lines: str, defaults: str = "") -> SyncStep:
    """The only step of a file whose step also says these lines."""
    head = f"defaults: {defaults}\n" if defaults else ""
    return config_of(head + STEP + "".join(f"    {line}\n" for line in lines)).sync[0]


def warnings_of(text: str, *, allow_unknown_keys: bool = False) -> list[str]:
    told = loaded(text, allow_unknown_keys=allow_unknown_keys).warnings
    return [warning.removeprefix("<stdin>:") for warning in told]


def problems_of(
    text: str | bytes, *, allow_unknown_keys: bool = False, skip_invalid_entries: bool = False
) -> list[str]:
    """What is refused, without the name of the file."""
    with pytest.raises(ConfigError) as caught:
        loaded(text, allow_unknown_keys=allow_unknown_keys, skip_invalid_entries=skip_invalid_entries)
    return [problem.removeprefix("<stdin>:") for problem in caught.value.problems]
