"""How one verb of `printf` is to be written: its flags, width and precision, and the padding they ask for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Spec:
    """What stands between `%` and the verb; `full` is `%+v`, `source` is `%#v`."""

    plus: bool = False
    minus: bool = False
    sharp: bool = False
    space: bool = False
    zero: bool = False
    width: int | None = None
    precision: int | None = None
    full: bool = False
    source: bool = False

    def padded(self, text: str, *, zero: bool | None = None) -> str:
        """Return a text filled up to the width."""
        if self.width is None or len(text) >= self.width:
            return text
        if self.minus:
            return text.ljust(self.width)
        return text.rjust(self.width, "0" if (self.zero if zero is None else zero) else " ")


PLAIN = Spec()
