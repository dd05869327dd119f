"""Text that others chose, made fit to be shown: the one home of escaping."""

from __future__ import annotations


def plain(text: str) -> str:
    """Return the text on one line, with whatever could steer a terminal or forge a line of a log escaped as Go does."""
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character in "\r\n\t" else character.encode("unicode_escape").decode("ascii")
