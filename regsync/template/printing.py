"""Values as Go's `fmt` prints them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from regsync.template.numbers import FRACTIONS, PLAIN, WHOLE, Spec, fraction_text, whole_text
from regsync.template.quoting import can_stand_in_backquotes, in_hex, quoted
from regsync.template.times import kind_of
from regsync.template.values import LARGEST, Map, Pointer, Slice, Struct, Uint8, Value, type_name

_TEXTUAL: Final = frozenset("vsxXq")


def plain(value: Value) -> str:
    """Return what `{{ value }}` shows."""
    if type(value) is str:
        return value
    if value is None:
        return "<no value>"
    if isinstance(value, Pointer):
        return "<nil>" if value.to is None else printed(value.to, "v", PLAIN)
    return printed(value, "v", PLAIN)


def printed(value: Value, verb: str, spec: Spec) -> str:
    """Return a value written with a verb; one that is not for its type gives a text that says so."""
    if value is None:
        return spec.padded("<nil>") if verb in "Tv" else _unfit(value, verb, spec)
    if verb == "T":
        return _text(type_name(value), "s", spec)
    kind = kind_of(value)
    if kind is not None:
        of = value.of if isinstance(value, Struct) else value
        if spec.source and kind.source is not None:
            return _text(kind.source(of), "s", replace(spec, source=False))
        if kind.text is not None and verb in _TEXTUAL and not spec.source:
            return _text(kind.text(of), verb, spec)
    return _by_type(value, verb, spec)


def _by_type(value: Value, verb: str, spec: Spec) -> str:
    match value:
        case bool():
            return spec.padded(str(value).lower()) if verb in "tv" else _unfit(value, verb, spec)
        case int():
            return _whole(value, verb, spec)
        case float():
            known = verb == "v" or verb in FRACTIONS
            return fraction_text(value, "g" if verb == "v" else verb, spec) if known else _unfit(value, verb, spec)
        case str():
            return _text(value, verb, spec) if verb in _TEXTUAL else _unfit(value, verb, spec)
        case _:
            return _composed(value, verb, spec)


def _whole(value: int, verb: str, spec: Spec) -> str:
    if verb == "v":
        if spec.source and isinstance(value, Uint8):
            return whole_text(value, "x", replace(spec, sharp=True))
        return whole_text(value, "d", spec)
    return whole_text(value, verb, spec) if verb in WHOLE else _unfit(value, verb, spec)


def _text(text: str, verb: str, spec: Spec) -> str:
    if verb in "xX":
        shown = in_hex(text, upper=verb == "X", precision=spec.precision, sharp=spec.sharp, space=spec.space)
        return spec.padded(shown)
    text = text if spec.precision is None else text[: spec.precision]
    if verb == "q" or spec.source:
        if spec.sharp and can_stand_in_backquotes(text):
            return spec.padded(f"`{text}`")
        text = quoted(text, ascii_only=spec.plus)
    return spec.padded(text)


def _composed(value: Value, verb: str, spec: Spec) -> str:
    match value:
        case Slice() if spec.source:
            name = type_name(value)
            return f"{name}(nil)" if value.nil else f"{name}{{{_joined(value.items, verb, spec, ', ')}}}"
        case Slice():
            return f"[{_joined(value.items, verb, spec, ' ')}]"
        case Map():
            return _map(value, verb, spec)
        case Struct():
            return _struct(value, verb, spec)
        case Pointer(to=None) if verb == "v":
            return f"({type_name(value)})(nil)" if spec.source else spec.padded("<nil>")
        case Pointer(to=None):
            return f"%!{verb}({type_name(value)}=<nil>)"
        case Pointer(to=Struct()):
            return f"&{printed(value.to, verb, spec)}"
        case Pointer():
            return printed(value.to, verb, spec)
        case _:
            return _unfit(value, verb, spec)


def _joined(items: Iterable[Value], verb: str, spec: Spec, between: str) -> str:
    """Return printed items, no more of them than can be shown."""
    parts: list[str] = []
    room = LARGEST
    for item in items:
        parts.append(printed(item, verb, spec))
        room -= len(parts[-1]) + len(between)
        if room < 0:
            break
    return between.join(parts)


def _map(value: Map, verb: str, spec: Spec) -> str:
    pairs = [f"{printed(key, verb, spec)}:{printed(value.items[key], verb, spec)}" for key in sorted(value.items)]
    if spec.source:
        return f"{type_name(value)}(nil)" if value.nil else f"{type_name(value)}{{{', '.join(pairs)}}}"
    return f"map[{' '.join(pairs)}]"


def _struct(value: Struct, verb: str, spec: Spec) -> str:
    named = spec.full or spec.source
    fields = [
        (f"{name}:" if named else "") + printed(get(value.of), verb, spec) for name, get in value.kind.fields.items()
    ]
    if spec.source:
        return f"{value.kind.name}{{{', '.join(fields)}}}"
    return f"{{{' '.join(fields)}}}"


def _unfit(value: Value, verb: str, spec: Spec) -> str:
    """Return what Go shows where a verb is not for the type of its value."""
    if value is None:
        return f"%!{verb}(<nil>)"
    return f"%!{verb}({type_name(value)}={_by_type(value, 'v', spec)})"
