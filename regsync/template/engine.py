"""A template: a text read once, and run as often as there is something to say with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from regsync.errors import BadTemplate
from regsync.template.functions import FUNCTIONS
from regsync.template.nodes import Block
from regsync.template.parser import parse
from regsync.template.run import Run
from regsync.template.values import Value
from regsync.template.world import World

TEXT_MAX: Final = 1 << 18  # characters; each costs time, whatever stands there


@dataclass(frozen=True, slots=True)
class Template:
    """What a text says; the same one may be run any number of times."""

    text: str
    blocks: Mapping[str, Block]

    @classmethod
    def parse(cls, text: str) -> Template:
        """Read a text; `BadTemplate` with line and column if it is no template."""
        if len(text) > TEXT_MAX:
            raise BadTemplate(f"longer than {TEXT_MAX} characters").placed(text)
        try:
            return cls(text, parse(text, FUNCTIONS))
        except BadTemplate as error:
            raise error.placed(text) from None

    def render(self, data: Value, world: World) -> str:
        """Return what comes out for this data; `BadTemplate` if that fails, does not end, or grows too large."""
        try:
            text = Run(self.blocks, data, world).text
            text.encode()
        except BadTemplate as error:
            raise error.placed(self.text) from None
        except UnicodeEncodeError:
            raise BadTemplate("what comes out is not UTF-8", by_value=True) from None
        return text
