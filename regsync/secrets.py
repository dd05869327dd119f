"""What must never be shown, and the one filter in front of everything that shows something.

Registries, token servers and proxies echo what they were sent: in error messages, warnings, names of tags, places they
redirect to. No reader of their answers can know all of these, so what is known to be secret is taken out where text
leaves the process, whatever brought it there.
"""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from collections import Counter, OrderedDict
from collections.abc import Iterable

CENSORED = "[censored]"
_GRAM = 4  # characters: a secret shorter than that is taken out only where it stands as a word of its own
_CORE = 6  # characters of base64 that are not met by chance
_ENOUGH = 33  # characters that tell one token from any other text; a multiple of three, so base64 can be cut there
_LEARNT = 1000  # tokens and helpers' answers that are remembered
_URL_SAFE = str.maketrans("+/", "-_")
_UNIT = re.compile("%[0-9A-Fa-f]{2}|.", re.DOTALL)
_ESCAPED = re.compile("%[0-9A-Fa-f]{2}")
_REST = re.compile(r"[\w.~+/=%-]*")
_Span = tuple[int, int]


class Secrets:
    """Everything that is secret at the moment, and `clean`, which takes it out of a text.

    A secret is found whole, URL-encoded in whatever way, in base64 (both alphabets, with and without padding, at any
    place of what was encoded, so within a Basic pair, too), and as JSON, Python and HTML quote it.
    """

    def __init__(self) -> None:
        self._uses: Counter[str] = Counter()
        self._starts: dict[str, tuple[str, ...]] = {}  # what is looked for by its first characters, longest first
        self._words: set[str] = set()
        self._word: re.Pattern[str] | None = None
        self._kept: set[tuple[str, str]] = set()
        self._learnt: OrderedDict[tuple[str, str], frozenset[str]] = OrderedDict()

    def keep(self, secret: str, *, user: str = "") -> None:
        """Take note of a secret that stays one, as those of a configuration do; of several lines, each is one."""
        lines = secret.split("\n")
        for line in lines if len(lines) == 1 else [one.strip() for one in lines if not one.startswith("-----")]:
            if line and (line, user) not in self._kept:
                self._kept.add((line, user))
                self._look_for(_forms(line, user))
                self._look_for_word(line)

    def add(self, secret: str, *, user: str = "") -> None:
        """Take note of a secret that was learnt, a token or a helper's answer; the oldest are forgotten in the end."""
        known = (secret[:_ENOUGH], user)
        if not secret:
            return
        if known in self._learnt:
            self._learnt.move_to_end(known)
            return
        if len(self._learnt) >= _LEARNT:
            self._forget(self._learnt.popitem(last=False)[1])
        self._learnt[known] = _forms(*known)
        self._look_for(self._learnt[known])
        self._look_for_word(secret)

    def clean(self, text: str) -> str:
        """Return the text with `[censored]` in place of every secret."""
        if self._word is not None:
            text = self._word.sub(CENSORED, text)
        if not self._starts:
            return text
        spans = self._spans(text)
        if _ESCAPED.search(text) is not None:
            units = list(_UNIT.finditer(text))
            places = [*(unit.start() for unit in units), len(text)]
            decoded = "".join(_decoded(unit[0]) for unit in units)
            spans = sorted([*spans, *((places[start], places[stop]) for start, stop in self._spans(decoded))])
        return _without(text, spans)

    def _spans(self, text: str) -> list[_Span]:
        starts = self._starts
        spans: list[_Span] = []
        for place in [at for at in range(len(text) - _GRAM + 1) if text[at : at + _GRAM] in starts]:
            for form in starts[text[place : place + _GRAM]]:
                if text.startswith(form, place):
                    spans.append((place, _end(text, place + len(form), form)))
                    break
        return spans

    def _look_for(self, forms: Iterable[str]) -> None:
        for form in forms:
            self._uses[form] += 1
            if self._uses[form] == 1:
                same = (*self._starts.get(form[:_GRAM], ()), form)
                self._starts[form[:_GRAM]] = tuple(sorted(same, key=len, reverse=True))

    def _forget(self, forms: Iterable[str]) -> None:
        for form in forms:
            self._uses[form] -= 1
            if not self._uses[form]:
                del self._uses[form]
                left = tuple(one for one in self._starts[form[:_GRAM]] if one != form)
                if left:
                    self._starts[form[:_GRAM]] = left
                else:
                    del self._starts[form[:_GRAM]]

    def _look_for_word(self, secret: str) -> None:
        if len(secret) >= _GRAM:
            return
        encoded = b64encode(secret.encode(errors="replace")).decode()
        self._words |= {secret, encoded, encoded.rstrip("=")}
        longest_first = sorted(self._words, key=len, reverse=True)
        self._word = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")


def _forms(secret: str, user: str) -> frozenset[str]:
    """Return what a secret may look like in a text; a percent sign and two digits are not among it (see `clean`)."""
    data = secret.encode(errors="replace")
    forms = _in_base64(f"{user}:".encode(errors="replace") + data) if user else set()
    if len(secret) >= _GRAM:
        plain = {secret, data.decode("latin-1")}
        forms |= plain | {form.replace(" ", "+") for form in plain} | {html.escape(secret), repr(secret)[1:-1]}
        forms |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
        forms |= _in_base64(data)
    return frozenset(form for form in forms if len(form) >= _GRAM)


def _in_base64(data: bytes) -> set[str]:
    """Return these bytes encoded, and the characters that stand for them alone wherever in a longer text they were."""
    encoded = b64encode(data).decode()
    forms = {encoded, encoded.rstrip("=")}
    for before in range(3):
        shifted = b64encode(bytes(before) + data).decode()
        forms.add(shifted[-(-before * 8 // 6) : (before + len(data)) * 8 // 6])
    return {written for form in forms if len(form) >= _CORE for written in (form, form.translate(_URL_SAFE))}


def _decoded(unit: str) -> str:
    return chr(int(unit[1:], 16)) if len(unit) > 1 else unit


def _end(text: str, stop: int, form: str) -> int:
    """Return where a secret ends: of a long one only the beginning is remembered, and its rest goes with it."""
    if len(form) < _ENOUGH:
        return stop
    rest = _REST.match(text, stop)
    return rest.end() if rest else stop


def _without(text: str, spans: list[_Span]) -> str:
    """Return the text with every run of overlapping spans censored."""
    parts: list[str] = []
    shown = 0  # up to here
    for start, stop in spans:
        if start >= shown:
            parts += [text[shown:start], CENSORED]
        shown = max(shown, stop)
    return "".join([*parts, text[shown:]])
