"""The man page and the scripts of shells, made from the program and its reference: `python -m tests.support.manual`.

They lie in the package's `share` folder, which a wheel installs below the prefix, where `man` and shells look.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from click import Command, Context, Option, Parameter

from regsync import __version__
from regsync.cli import program
from regsync.completion import script
from tests.support.pages import ROOT

SHARE: Final = ROOT / "regsync" / "share"
_REFERENCE: Final = ROOT / "docs" / "reference" / "command-line.md"
_LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_CODE: Final = re.compile(r"`([^`]*)`")


def files() -> Mapping[Path, str]:
    """Return what each file holds."""
    return {
        SHARE / "man" / "man1" / "regsync.1": "".join(f"{line}\n" for line in _page()),
        SHARE / "bash-completion" / "completions" / "regsync": script(program, "bash"),
        SHARE / "zsh" / "site-functions" / "_regsync": script(program, "zsh"),
        SHARE / "fish" / "vendor_completions.d" / "regsync.fish": script(program, "fish"),
    }


def _page() -> Iterator[str]:
    """The man page in the macros of man(7), line by line."""
    yield r".\" Made by `make man` from the program and docs/reference/command-line.md."
    yield f'.TH REGSYNC 1 "" "regsync {__version__}" "User Commands"'
    yield from (".SH NAME", rf"regsync \- {_roff(_first_lower(_help(program)).rstrip('.'))}")
    yield from (".SH SYNOPSIS", r".B regsync", r"[\fIOPTIONS\fR] \fICOMMAND\fR [\fIOPTIONS\fR]")
    yield from (".SH COMMANDS",)
    for name, command in program.commands.items():
        yield from _command(name, command)
    yield from (".SH OPTIONS OF EVERY COMMAND", "They may stand before or after the command.")
    for parameter in _parameters(program):
        yield from _parameter(parameter)
    yield from (".SH EXIT STATUS", *_table("Exit codes"))
    yield from (".SH ENVIRONMENT", *_table("Environment"))
    yield from (".SH SEE ALSO", r"\fBregsync config \-\-schema\fR prints the schema of configurations.")


def _command(name: str, command: Command) -> Iterator[str]:
    arguments = [parameter.make_metavar(Context(command)) for parameter in command.params if _is_argument(parameter)]
    yield f".SS regsync {_roff(' '.join([name, *arguments]))}"
    yield _words(_help(command))
    shared = {option.name for option in _parameters(program)}
    for parameter in _parameters(command):
        if parameter.name not in shared:
            yield from _parameter(parameter)


def _is_argument(parameter: Parameter) -> bool:
    return not isinstance(parameter, Option)


def _parameters(command: Command) -> list[Option]:
    return [parameter for parameter in command.params if isinstance(parameter, Option)]


def _parameter(option: Option) -> Iterator[str]:
    yield ".TP"
    names = ", ".join(rf"\fB{_roff(name)}\fR" for name in option.opts)
    yield names + (rf" \fI{_roff(option.metavar)}\fR" if option.metavar else "")
    yield _words(option.help or "")


def _table(heading: str) -> Iterator[str]:
    """The rows of the table below a heading of the reference."""
    section = _REFERENCE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ", 1) for line in section.splitlines() if line.startswith("| ")]
    for name, meaning in rows[2:]:
        yield from (".TP", rf"\fB{_words(name, inside='B')}\fR", _words(meaning))


def _words(text: str, inside: str = "R") -> str:
    """A line of Markdown: links are their texts, code is bold."""
    return _CODE.sub(rf"\\fB\1\\f{inside}", _roff(_LINK.sub(r"\1", text)))


def _help(command: Command) -> str:
    return " ".join((command.help or "").split())


def _first_lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _roff(text: str) -> str:
    """Text of which nothing is taken for a request or a hyphen where a minus is meant."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("…", "...")
    return rf"\&{text}" if text.startswith((".", "'")) else text


if __name__ == "__main__":
    for place, text in files().items():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
