"""Texts in quotes and in other notations: those of Go, JSON, JavaScript and HTML."""

from __future__ import annotations

import json
import re
from typing import Final

from regsync.template.values import octets

_SIMPLE: Final = {
    "\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v", "\\": r"\\",
}  # fmt: skip
_HTML: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;", "\0": "\ufffd"}
_JAVASCRIPT: Final = {
    "\\": r"\\", "'": r"\'", '"': r"\"", "<": r"\u003C", ">": r"\u003E", "&": r"\u0026", "=": r"\u003D",
}  # fmt: skip
_JSON_ESCAPED: Final = re.compile("[\u2028\u2029\ud800-\udfff]")
_SURROGATES: Final = range(0xD800, 0xE000)


def quoted(text: str, *, ascii_only: bool = False) -> str:
    """Return a text in double quotes, as Go's `%q` writes it."""
    return '"' + "".join(_escaped(character, '"', ascii_only=ascii_only) for character in text) + '"'


def quoted_character(character: str, *, ascii_only: bool = False) -> str:
    """Return a character in single quotes."""
    return "'" + _escaped(character, "'", ascii_only=ascii_only) + "'"


def can_stand_in_backquotes(text: str) -> bool:
    """Say whether a text can be written as Go's raw one."""
    return all(
        character == "\t" or (character >= " " and character not in "`\x7f\ufeff" and ord(character) not in _SURROGATES)
        for character in text
    )


def _escaped(character: str, quote: str, *, ascii_only: bool) -> str:
    if character in {quote, "\\"}:
        return "\\" + character
    if character.isprintable() and (character.isascii() or not ascii_only):
        return character
    code = ord(character)
    if code in _SURROGATES:
        return f"\\x{code & 0xFF:02x}"
    if character in _SIMPLE:
        return _SIMPLE[character]
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def for_html(text: str) -> str:
    """Return a text as HTML shows it."""
    return "".join(_HTML.get(character, character) for character in text)


def for_javascript(text: str) -> str:
    """Return a text as it can stand in a string of JavaScript."""
    return "".join(
        _JAVASCRIPT.get(character) or (character if character.isprintable() else f"\\u{ord(character):04X}")
        for character in text
    )


def for_json(text: str) -> str:
    """Return a text as a string of JSON; what is no UTF-8 becomes the character that says so."""
    return _JSON_ESCAPED.sub(_in_json, json.dumps(text, ensure_ascii=False))


def _in_json(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\u{0xFFFD if code in _SURROGATES else code:04x}"


def in_hex(text: str, *, upper: bool, precision: int | None, sharp: bool, space: bool) -> str:
    """Return the bytes of a text in hexadecimal digits."""
    data = octets(text)[:precision]
    pairs = [f"{byte:02X}" if upper else f"{byte:02x}" for byte in data]
    prefix = ("0X" if upper else "0x") if sharp and data else ""
    return f" {prefix}".join(pairs).join((prefix, "")) if space else prefix + "".join(pairs)
