"""The built-in functions that compare: `eq`, `ne`, `lt` and the like, by Go's rules on which types can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from regsync.errors import BadTemplate
from regsync.template.values import Function, Map, Pointer, Slice, Struct, Value, octets


def _sort_of(value: Value) -> str:
    match value:
        case bool():
            return "truth"
        case int():
            return "whole"
        case float():
            return "fraction"
        case str():
            return "text"
        case _:
            return ""


def equal(first: Value, *others: Value) -> bool:
    """Say whether the first value equals one of the others; `BadTemplate` where Go cannot tell."""
    if not others:
        raise BadTemplate("eq: nothing to compare with")
    return any(_same(first, other) for other in others)


def _same(one: Value, other: Value) -> bool:
    sort = _sort_of(one)
    if one is None or other is None:
        return _is_nil(one) and _is_nil(other)
    if sort != _sort_of(other):
        raise BadTemplate("values of these types cannot be compared")
    if sort:
        return one == other
    match one, other:
        case (Slice() | Map(), _) | (_, Slice() | Map()):
            raise BadTemplate("lists and maps cannot be compared")
        case Struct(), Struct() if one.kind is other.kind and one.kind.is_zero is not None:
            return bool(one.of == other.of)
        case Pointer(), Pointer() if one.of == other.of:
            return one is other or (one.to is None and other.to is None)
        case _:
            raise BadTemplate("values of these types cannot be compared")


def _is_nil(value: Value) -> bool:
    match value:
        case Slice() | Map():
            return value.nil
        case Pointer():
            return value.to is None
        case _:
            return value is None


def _less(one: Value, other: Value) -> bool:
    if not isinstance(one, bool) and not isinstance(other, bool):
        if isinstance(one, str) and isinstance(other, str):
            return octets(one) < octets(other)
        if isinstance(one, int) and isinstance(other, int):
            return one < other
        if isinstance(one, float) and isinstance(other, float):
            return one < other
    raise BadTemplate("values of these types have no order")


def _ordered(compare: Callable[[Value, Value], bool]) -> Function:
    return Function(compare, ("any", "any"))


COMPARING: Final = {
    "eq": Function(equal, ("any",), rest="any"),
    "ne": _ordered(lambda one, other: not _same(one, other)),
    "lt": _ordered(_less),
    "le": _ordered(lambda one, other: _less(one, other) or _same(one, other)),
    "gt": _ordered(lambda one, other: not (_less(one, other) or _same(one, other))),
    "ge": _ordered(lambda one, other: not _less(one, other)),
}
