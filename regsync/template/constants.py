"""Constants as Go writes them: texts in quotes, characters, numbers."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final

from regsync.errors import BadTemplate
from regsync.template.nodes import Number
from regsync.template.values import octets, text_of

_ESCAPE: Final = re.compile(
    rb"""\\(?:(?P<byte>[0-7]{3}|x[0-9a-fA-F]{2})|(?P<point>u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})|(?P<other>.))""", re.DOTALL
)
_SIMPLE: Final = {"a": b"\a", "b": b"\b", "f": b"\f", "n": b"\n", "r": b"\r", "t": b"\t", "v": b"\v", "\\": b"\\"}
_INT_MAX: Final = (1 << 63) - 1
_MANY: Final = 19  # digits, which may be more than 64 bits
_OCTAL: Final = re.compile(r"([+-]?)0_?([0-7_]+)")


def quoted(token: str, at: int) -> str:
    """Return the text that a token in quotes stands for."""
    body = token[1:-1]
    if token[0] == "`":
        return body.replace("\r", "")
    return text_of(_unescaped(body, token[0], at)) if "\\" in body else body


def character(token: str, at: int) -> Number:
    """Return the number of a character."""
    body = quoted(token, at)
    if len(body) != 1:
        raise BadTemplate("not one character", at=at)
    return Number(at, ord(body), ord(body))


def number(token: str, at: int) -> Number:
    """Return a number, which is whole if it has nothing behind its point, however it is written."""
    if token.isdecimal() and token.isascii() and token[0] != "0" and len(token) < _MANY:
        return Number(at, int(token), int(token))
    with suppress(ValueError):
        octal = _OCTAL.fullmatch(token)
        whole = int(f"{octal[1]}0o{octal[2]}" if octal else token, 0)
        if not -_INT_MAX - 1 <= whole <= _INT_MAX:
            raise BadTemplate("a number of more than 64 bits", at=at)
        return Number(at, whole, whole)
    try:
        value = float.fromhex(token) if "x" in token.lower() else float(token)
    except (ValueError, OverflowError):
        raise BadTemplate("not a number", at=at) from None
    if value - value or not re.search("[.eEpP]", token):
        raise BadTemplate("not a number", at=at)
    whole = int(value)
    return Number(at, whole if whole == value and abs(whole) <= _INT_MAX else None, value)


def _unescaped(body: str, quote: str, at: int) -> bytes:
    """Return the bytes of a text with escapes; such a byte need not be UTF-8."""

    def byte(match: re.Match[bytes]) -> bytes:
        if match["byte"]:
            digits = match["byte"].decode()
            code = int(digits[1:], 16) if digits[0] == "x" else int(digits, 8)
            return bytes([code]) if code < 256 else _refused(at)
        if match["point"]:
            code = int(match["point"][1:], 16)
            return chr(code).encode() if code < 0xD800 or 0xDFFF < code <= 0x10FFFF else _refused(at)
        other = match["other"].decode(errors="replace")
        return other.encode() if other == quote else _SIMPLE.get(other) or _refused(at)

    return _ESCAPE.sub(byte, octets(body))


def _refused(at: int) -> bytes:
    raise BadTemplate("not an escape that Go knows", at=at)
