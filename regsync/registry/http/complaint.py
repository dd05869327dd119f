"""What the body of an error says, in whatever shape it comes: for people to read.

Registries send the document of the distribution-spec ("Error Codes"); what stands before them (gateways, token servers,
storage, proxies) sends JSON of its own, XML, a page or a line of text. All of that is a stranger's text: it is
shortened and stripped of control characters, and nothing but the spec's codes is acted upon.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from regsync.text import plain

_LONGEST = 4096  # characters of what a registry says that are shown
_LONGEST_LINE = 300  # characters of what others say
_KEYS = ("message", "error_description", "error", "detail", "details", "errors", "errorMessage")
_ELEMENTS = re.compile(r"<(Message|title|h1)\b[^>]{0,200}>([^<]{1,1000})<", re.IGNORECASE)
_READ = 16 << 10  # bytes of a page that are looked at
_DEPTH = 3  # levels of JSON


@dataclass(frozen=True, slots=True)
class Complaint:
    """What an OCI error body says: code (empty where there is none) and words of its first error, codes of them all.

    docker-registry names the true reason second: while somebody else writes the link of a blob, a manifest with that
    blob is DIGEST_INVALID and MANIFEST_BLOB_UNKNOWN.
    """

    code: str
    words: str
    codes: frozenset[str] = frozenset()


def complaint_of(body: bytes) -> Complaint:
    """Read an error body (distribution-spec: Error Codes); what is no such document says nothing here."""
    if not body:  # as of every HEAD
        return Complaint("", "")
    try:
        errors = json.loads(body)["errors"]
        first = errors[0]
        code, message, detail = first.get("code"), first.get("message"), first.get("detail")
        codes = frozenset(each["code"] for each in errors if isinstance(each.get("code"), str))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return Complaint("", "")
    words = [text for text in (message, detail) if isinstance(text, str) and text]
    shown = plain(": ".join(dict.fromkeys(words))[:_LONGEST])
    return Complaint(plain(code[:_LONGEST]) if isinstance(code, str) else "", shown, codes)


def words_of(body: bytes, *, pages: bool = True) -> str:
    """Return what an error body of any shape says, on one line; empty where nothing can be made out.

    Without `pages` it has to be JSON: other text of a token server may be anything, a token, too.
    """
    if not body:
        return ""
    said = complaint_of(body)
    if said.code or said.words:
        return " ".join(part for part in (said.code, said.words) if part)
    return plain(" ".join(_made_out(body, pages=pages).split())[:_LONGEST_LINE])


def _made_out(body: bytes, *, pages: bool) -> str:
    try:
        return next(_in_json(json.loads(body), depth=_DEPTH), "")
    except (ValueError, RecursionError):
        text = body[:_READ].decode(errors="replace").strip().lstrip("\ufeff") if pages else ""
    if text.startswith("<"):
        found = _ELEMENTS.search(text)
        return unescape(found[2]) if found else ""
    line = text.partition("\n")[0]
    return "" if not text[:1].isalnum() or "\ufffd" in line else line


def _in_json(value: object, *, depth: int) -> Iterator[str]:
    """Each text of a JSON document that may be meant for people, the likeliest first."""
    if isinstance(value, str) and value.strip() and depth < _DEPTH:
        yield value
    elif isinstance(value, list) and depth:
        for one in value[:1]:
            yield from _in_json(one, depth=depth - 1)
    elif isinstance(value, dict) and depth:
        for key in _KEYS:
            yield from _in_json(value.get(key), depth=depth - 1)
