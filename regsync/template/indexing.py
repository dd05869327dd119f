"""The built-in functions that look into values: `index`, `slice`, `len`."""

from __future__ import annotations

from typing import Final

from regsync.errors import BadTemplate
from regsync.template.values import Function, Map, Slice, Uint8, Value, octets, text_of


def _index(item: Value, *indexes: Value) -> Value:
    for index in indexes:
        item = _item(item, index)
    return item


def _item(item: Value, index: Value) -> Value:
    match item:
        case Slice():
            return item.items[_place(index, len(item.items))]
        case str():
            data = octets(item)
            return Uint8(data[_place(index, len(data))])
        case Map():
            if not isinstance(index, str):
                raise BadTemplate("index: the keys of a map are texts")
            return item.items.get(index, "")
        case _:
            raise BadTemplate("index: not a list, map or text")


def _place(index: Value, length: int, *, what: str = "index") -> int:
    if not isinstance(index, int) or isinstance(index, bool):
        raise BadTemplate(f"{what}: a place in a list is a whole number")
    if not 0 <= index < length:
        raise BadTemplate(f"{what}: out of range", f"{index} of {length}", by_value=True)
    return index


def _slice(item: Value, *indexes: Value) -> Value:
    if len(indexes) > (2 if isinstance(item, str) else 3):
        raise BadTemplate("slice: too many places")
    match item:
        case str():
            data = octets(item)
            start, stop = _bounds(indexes, len(data))
            return text_of(data[start:stop])
        case Slice():
            start, stop = _bounds(indexes, len(item.items))
            return Slice(item.items[start:stop], item.of)
        case _:
            raise BadTemplate("slice: not a list or text")


def _bounds(indexes: tuple[Value, ...], length: int) -> tuple[int, int]:
    places = [_place(index, length + 1, what="slice") for index in indexes]
    if places != sorted(places):
        raise BadTemplate("slice: the places are not in order", by_value=True)
    start, stop, *_ = [*places, *(0, length)[len(places) :], length]
    return start, stop


def _len(item: Value) -> int:
    match item:
        case str():
            return len(octets(item))
        case Slice() | Map():
            return len(item.items)
        case _:
            raise BadTemplate("len: not a list, map or text")


INDEXING: Final = {
    "index": Function(_index, ("any",), rest="any"),
    "slice": Function(_slice, ("any",), rest="any"),
    "len": Function(_len, ("any",)),
}
