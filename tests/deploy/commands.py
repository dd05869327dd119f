"""Command lines in deploy/: the program's own parser reads them."""

from __future__ import annotations

from collections.abc import Sequence

import click

from regsync.cli import program
from regsync.flags import spelt_out
from regsync.loading import load


def parsed(arguments: Sequence[str]) -> tuple[str, dict[str, object]]:
    """Return the command and its options; `click.UsageError` if regsync would not take them."""
    name = next((word for word in arguments if word in program.commands), None)
    if name is None:
        raise click.UsageError(f"{arguments}: there is no command in it")
    rest = [word for word in arguments if word != name]  # common options stand before or after it
    with program.commands[name].make_context(name, spelt_out(rest)) as context:
        return name, context.params


def check_configuration(path: str) -> None:
    """Load a configuration as regsync would; whatever it would warn of is wrong, too."""
    assert load(path, allow_unknown_keys=False).warnings == ()
