"""Flags that several commands have, and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from regsync.completion import files
from regsync.duration import parse_duration
from regsync.errors import Malformed
from regsync.options import Options

_F = TypeVar("_F", bound=Callable[..., Any])


_SWITCHES: set[str] = set()
_NOTHING: dict[str, Any] = {
    "config": "",
    "verbosity": "",
    "logopt": (),
    "allow_unknown_keys": False,
    "skip_invalid_entries": False,
}
_COMMON = tuple(_NOTHING)


def switch(name: str, text: str) -> Callable[[_F], _F]:
    """An option that is on when named, and takes `=false` as the Go regsync's do (see `spelt_out`)."""
    _SWITCHES.add(name)
    return click.option(name, type=click.BOOL, default=False, metavar="", help=text)


def spelt_out(arguments: Sequence[str]) -> list[str]:
    """Give every bare switch the value it stands for, so that it never takes the word behind it for one."""
    return [f"{argument}=true" if argument in _SWITCHES else argument for argument in arguments]


def common(command: _F) -> _F:
    """The options every command has, and the program itself."""
    for option in (
        click.option(
            "-c",
            "--config",
            metavar="FILE",
            default="",
            shell_complete=files,
            help="Configuration file; - is standard input.",
        ),
        click.option("-v", "--verbosity", metavar="LEVEL", default="", help="debug, info, warn, error or trace."),
        click.option("--logopt", multiple=True, metavar="OPT", help="How log lines look: text or json."),
        switch("--allow-unknown-keys", "Warn of unknown and duplicate keys instead of refusing them."),
        switch("--skip-invalid-entries", "Leave out entries that cannot be used, run the others, and exit with 1."),
    ):
        command = option(command)
    return command


def with_report(command: _F) -> _F:
    """The option that has a run described in files."""
    text = "Write what became of every image there: .json, .html, else Markdown; - prints it. May be repeated."
    return click.option("--report", multiple=True, metavar="FILE", shell_complete=files, help=text)(command)


with_no_progress = switch("--no-progress", "Do not show on a terminal how far the run is.")


def options_of(given: dict[str, Any]) -> Options:
    """Take the common options out of a command's arguments and return what was said at both places."""
    context = click.get_current_context()
    options: Options = context.obj if context.obj is not None else Options()
    context.obj = options
    options.add({key: given.pop(key) for key in _COMMON})
    return options


def seconds(_context: click.Context, _parameter: click.Parameter, value: str) -> float:
    """Read a duration; a wrong one is a wrong command line."""
    try:
        return parse_duration(value)
    except Malformed as error:
        raise click.BadParameter(f"{error}") from error


def address(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Read where HTTP is to be answered, if anywhere; a wrong place is a wrong command line."""
    from regsync.listen import Address  # noqa: PLC0415

    try:
        return str(Address.parse(value)) if value else ""
    except Malformed as error:
        raise click.BadParameter(f"{error}") from error


def place(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Read where a server is to be asked, if anywhere; a wrong place is a wrong command line."""
    from regsync.asking import Server  # noqa: PLC0415

    try:
        return Server(value).place if value else ""
    except Malformed as error:
        raise click.BadParameter(f"{error}") from error


def words_of(program: click.Group, name: str, arguments: list[str]) -> tuple[Options, dict[str, Any]] | None:
    """Return what somebody says who runs this command of the program, before and behind its name; None for another."""
    if name not in arguments:
        return None
    at = arguments.index(name)
    options = Options()

    def said(command: click.Command, words: list[str]) -> dict[str, Any]:
        given = command.make_context(name, spelt_out(words), resilient_parsing=True).params
        options.add({key: given.get(key) or _NOTHING[key] for key in _COMMON})
        return given

    said(click.Command(program.name, params=program.params), arguments[:at])
    return options, said(program.commands[name], arguments[at + 1 :])
