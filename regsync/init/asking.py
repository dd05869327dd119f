"""Answers: those given as flags, and on a terminal those that are typed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from typing import TypeVar

import click

from regsync.errors import ConfigError, Malformed, RegsyncError

_T = TypeVar("_T")


class Answers:
    """Where answers come from. What is typed and cannot be used is asked for again; a flag ends the program."""

    def __init__(self, say: Callable[[str], None], *, terminal: bool) -> None:
        self._say = say
        self.terminal = terminal

    def get(self, flag: str, given: str, question: str, read: Callable[[str], _T], *, proposed: str = "") -> _T:
        """Return what `read` makes of a flag's value or, where it is empty, of what somebody types."""
        if given:
            try:
                return read(given)
            except Malformed as error:
                raise ConfigError([f"{flag}: {error}"]) from error
        if not self.terminal:
            raise ConfigError([lacking([flag])])
        while True:
            try:
                return read(_typed(question, proposed))
            except RegsyncError as error:
                self._say(str(error))


def lacking(flags: Sequence[str]) -> str:
    """Return what is said where there is nobody to ask."""
    verb = "is" if len(flags) == 1 else "are"
    return f"init: {' and '.join(flags)} {verb} missing, and there is no terminal to ask on"


def _typed(question: str, proposed: str) -> str:
    with redirect_stdout(sys.stderr):  # what is printed may be the configuration
        try:
            return str(click.prompt(question, default=proposed or None, err=True))
        except click.Abort:  # an interrupt, or the end of what is typed
            raise KeyboardInterrupt from None
