"""What shells can complete: click knows how, and is told which words a switch never takes for its value."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Final

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

SHELLS: Final = ("bash", "zsh", "fish")
VARIABLE: Final = "_REGSYNC_COMPLETE"
_ASKED: Final = ("COMP_WORDS", "COMP_CWORD")  # by zsh and fish, too


def script(program: click.Command, shell: str) -> str:
    """Return the script that makes a shell ask the program."""
    return ShellComplete.source(_completing(program, shell)) + "\n"  # bash's own looks whether there is one here


def proposals(program: click.Command, shell: str, spelt_out: Callable[[Sequence[str]], list[str]]) -> str | None:
    """Return what could stand where somebody types, as the shell wants to read it; None if it asks for nothing.

    `spelt_out` gives every switch the value it stands for.
    """
    if shell not in SHELLS or any(name not in os.environ for name in _ASKED):
        return None
    completing = _completing(program, shell)
    arguments, begun = completing.get_completion_args()
    found = completing.get_completions(spelt_out(arguments), begun)
    return "".join(f"{completing.format_completion(one)}\n" for one in found)


def files(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem[str]]:
    """Have the shell complete names of files."""
    return [CompletionItem(begun, type="file")]


def commands(context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem[str]]:
    """Return the program's commands that begin so."""
    program = context.find_root().command
    names = program.list_commands(context) if isinstance(program, click.Group) else []
    return [CompletionItem(name) for name in names if name.startswith(begun)]


def _completing(program: click.Command, shell: str) -> ShellComplete:
    kind = get_completion_class(shell)
    if kind is None:
        raise LookupError(shell)
    return kind(program, {}, "regsync", VARIABLE)
