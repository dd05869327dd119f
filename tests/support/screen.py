"""A terminal of 80 columns that knows no more than what the program may send, and fails at anything else."""

from __future__ import annotations

import re

COLUMNS = 80
_PIECE = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])|(\r)|(\n)|([^\x00-\x1f\x7f]+)")


class Screen:
    """What stands on it, scrolled-off lines included; `colours` counts the sequences that set any."""

    def __init__(self, sent: str = "") -> None:
        self.lines = [""]
        self.colours = 0
        self._row = self._column = 0
        self.feed(sent)

    def feed(self, sent: str) -> None:
        """Take what was sent."""
        at = 0
        while at < len(sent):
            piece = _PIECE.match(sent, at)
            assert piece, f"unknown to a terminal: {sent[at : at + 20]!r}"
            at = piece.end()
            numbers, command, back, down, text = piece.groups()
            if command:
                self._do(numbers, command)
            elif back:
                self._column = 0
            elif down:
                self._column = 0
                self._down()
            else:
                self._write(text)

    def _do(self, numbers: str, command: str) -> None:
        match command, numbers:
            case "m", _:
                self.colours += 1
            case "A", "":
                self._row = max(self._row - 1, 0)
            case "K", "2":
                self.lines[self._row] = ""
            case _:
                raise AssertionError(f"unknown to a terminal: {numbers}{command}")

    def _write(self, text: str) -> None:
        for character in text:
            if self._column == COLUMNS:
                self._column = 0
                self._down()
            line = self.lines[self._row].ljust(self._column)
            self.lines[self._row] = line[: self._column] + character + line[self._column + 1 :]
            self._column += 1

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self.lines):
            self.lines.append("")

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(line.rstrip() for line in self.lines).rstrip()
