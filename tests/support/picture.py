"""A picture of a terminal: what a program sent becomes an SVG that needs no font and nothing else from elsewhere."""

from __future__ import annotations

import re
from collections import defaultdict
from io import StringIO
from typing import Final
from xml.etree import ElementTree as ET

from rich.ansi import AnsiDecoder
from rich.console import Console

_PIECE: Final = re.compile(r"\x1b\[2K|\x1b\[A|\r|\n|\x1b\[[0-9;]*m|[^\x1b\r\n]+")
_ERASED: Final = "\r\x1b[2K"  # how a region below the lines begins to be drawn anew
_SVG: Final = "{http://www.w3.org/2000/svg}"
_FORMAT: Final = """<svg role="img" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<title>A run of regsync on a terminal</title>
<style>
.{unique_id}-matrix {{ font: {char_height}px/{line_height}px ui-monospace, Menlo, Consolas, monospace }}
.{unique_id}-title {{ font: bold 18px sans-serif }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def standing(sent: str) -> list[str]:
    """Return the lines of a terminal, colours and all, as they were when what stands below them was last drawn whole.

    They have to be shorter than it is wide.
    """
    lines, at = [""], 0
    for piece in _PIECE.findall(sent[: max(sent.rfind(_ERASED), 0)]):
        if piece == "\n":
            at += 1
            lines[at:] = lines[at:] or [""]
        elif piece == "\x1b[A":
            at -= 1
        elif piece == "\x1b[2K":
            lines[at] = ""
        elif piece != "\r":
            lines[at] += piece
    return lines


def drawn(lines: list[str], *, columns: int, title: str) -> str:
    """Return the picture of these lines."""
    console = Console(record=True, width=columns, file=StringIO(), force_terminal=True, color_system="truecolor")
    for line in AnsiDecoder().decode("\n".join(lines)):
        console.print(line, no_wrap=True, crop=True)
    picture = console.export_svg(title=title, code_format=_FORMAT, unique_id="run")
    return "\n".join(line.rstrip() for line in picture.splitlines() if line.strip()) + "\n"


def read(picture: str) -> list[str]:
    """Return the lines of a picture, without blanks."""
    rows: dict[str, str] = defaultdict(str)
    for text in ET.fromstring(picture).iter(f"{_SVG}text"):  # noqa: S314  # one of our own
        if "clip-path" in text.attrib:
            rows[text.attrib["y"]] += text.text or ""
    return ["".join(row.split()) for row in rows.values() if row.strip()]


def lasting(lines: list[str]) -> list[str]:
    """Return what is the same in every such run: lines without blanks, and no order, no number, no length of a bar."""
    said = ("".join(re.sub(r"\x1b\[[0-9;]*m", "", line).split()) for line in lines)
    return sorted(re.sub("[━╸╺]+", "━", re.sub(r"[0-9][0-9.:]*([KMG]?iB|B)?", "#", line)) for line in said if line)
