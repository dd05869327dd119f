"""What is worth copying of a repository, as its tags let guess: choices for an entry, the best first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from regsync.init.tags import Kinds, Parts, kinds_of
from regsync.sync.select import Filter, Selection

_LINES: Final = 3  # minor versions, or months of versions made of a date
_MAJORS: Final = 2
_NUMBERS: Final = 10  # builds that are only numbered, days
_VARIANTS: Final = 2  # that are offered
_FEW: Final = 10  # names that can be listed
_OFTEN: Final = 4  # of so many versions one has to begin with a year for that to be no accident
_YEAR: Final = 1970  # versions that begin with this or more begin with a year
_RELEASE: Final = r"v?[0-9]+(\.[0-9]+)*"
_DOTTED: Final = r"v?[0-9]+(\.[0-9]+)+"


@dataclass(frozen=True, slots=True)
class Choice:
    """What to copy of a repository, in words and as filters; none of them is everything."""

    words: str
    filters: tuple[Filter, ...] = ()

    def of(self, tags: Iterable[str]) -> list[str]:
        """Return those that an entry with these filters takes."""
        return Selection(self.filters).choose(tags)


EVERYTHING: Final = Choice("everything")


@dataclass(frozen=True, slots=True)
class _Newest:
    """The newest versions: a range from `low`, below `end` if there is one, and how to say it."""

    low: str
    end: str
    words: str
    pattern: str

    def releases(self) -> Filter:
        """Return what takes the versions with nothing behind them."""
        return Filter(allow=(self.pattern,), ranges=(f">={self.low}" + (f" <{self.end}" if self.end else ""),))

    def variant(self, key: str) -> Filter:
        """Return what takes them with this behind them, which makes them lie below the same without."""
        return Filter(allow=(self.pattern + _pattern(key),), ranges=(f">={self.low}-0{self._below()}",))

    def _below(self) -> str:
        return f" <{self.end}-0" if self.end else ""


def suggestions(tags: Sequence[str]) -> list[Choice]:
    """Return what could be copied of a repository with these tags: the best first, and everything last."""
    kinds = kinds_of(tags)
    found: dict[tuple[str, ...], Choice] = {}
    for one in (*_of_versions(kinds), *_of_days(kinds), *_of_names(kinds)):
        if taken := tuple(sorted(one.of(tags))):
            found.setdefault(taken, one)
    return [*found.values(), EVERYTHING]


def _of_versions(kinds: Kinds) -> Iterable[Choice]:
    variants = sorted(kinds.variants, key=lambda key: -len(kinds.variants[key]))[:_VARIANTS]
    versions = [kinds.releases, *(kinds.variants[key] for key in variants)]
    newest = _newest(next(([*one.values()] for one in versions if one), []))
    if newest is None:
        return
    if kinds.releases:
        chosen = newest.releases()
        yield Choice(newest.words, (chosen, *_moving(kinds, chosen)))
    for key in variants:
        besides = () if kinds.releases else _latest(kinds)
        yield Choice(f"{newest.words}, as {_shown(key)}", (newest.variant(key), *besides))


def _newest(versions: Sequence[Parts]) -> _Newest | None:
    """Return the newest lines among versions; None where there are none."""
    dotted = [parts for parts in versions if len(parts) > 1]
    years = [parts for parts in dotted if parts[0] >= _YEAR]
    if not versions:
        return None
    if not dotted:
        low = sorted(parts[0] for parts in versions)[-_NUMBERS:][0]
        return _Newest(f"{low}", "", f"numbers from {low} up", "[0-9]+")
    if len(years) * _OFTEN >= len(dotted):
        lines = sorted({parts[:2] for parts in years})[-_LINES:]
        return _Newest(_text(lines[0]), "", f"versions from {_text(lines[0])} up", _DOTTED)
    plain = [parts for parts in dotted if parts[0] < _YEAR]
    top = max(parts[0] for parts in plain)
    if any(len(parts) > 2 for parts in plain if parts[0] == top):
        return _lines(sorted({parts[:2] for parts in plain})[-_LINES:])
    return _lines(sorted({parts[:1] for parts in plain})[-_MAJORS:])


def _lines(lines: Sequence[Parts]) -> _Newest:
    end = lines[-1][0] + 1
    named = ", ".join(map(_text, reversed(lines)))
    words = f"the newest version{'s' * (len(lines) > 1)} {named}, and what follows below {end}"
    return _Newest(_text(lines[0]), f"{end}", words, _RELEASE)


def _moving(kinds: Kinds, chosen: Filter) -> Sequence[Filter]:
    """Return what takes the tags that move with the newest version: `latest`, and its first number alone."""
    taken = {kinds.releases[tag][0] for tag in chosen.choose(kinds.releases)}
    alone = [tag for tag, parts in kinds.releases.items() if taken and parts == (max(taken),)]
    numbers = [tag for tag in alone if tag not in chosen.choose(alone)]
    names = [name for one in _latest(kinds) for name in one.allow] + numbers
    return [Filter(allow=tuple(names))] if names else []


def _latest(kinds: Kinds) -> Sequence[Filter]:
    return [Filter(allow=("latest",))] if "latest" in kinds.names else []


def _of_days(kinds: Kinds) -> Iterable[Choice]:
    for dash in ("", "-"):
        days = sorted(tag for tag in kinds.days if ("-" in tag) == bool(dash))
        if days:
            low = days[-_NUMBERS:][0]
            pattern = dash.join(("20[0-9]{2}", "[0-9]{2}", "[0-9]{2}"))
            chosen = Filter(allow=(pattern,), ranges=(f">={low}",))
            yield Choice(f"days from {low} up", (chosen, *_latest(kinds)))
    if kinds.stamped:
        yield from _of_stamps(kinds.stamped, _latest(kinds))


def _of_stamps(stamped: Mapping[str, Sequence[str]], latest: Sequence[Filter]) -> Iterable[Choice]:
    """Return what takes the newest year of what most tags with a day in them begin with."""
    before = max(stamped, key=lambda key: len(stamped[key]))
    year = max(tag[len(before) :][:4] for tag in stamped[before])
    years = f"20({year[2]}[{year[3]}-9]|[{int(year[2]) + 1}-9][0-9])" if year[2] != "9" else f"209[{year[3]}-9]"
    chosen = Filter(allow=(f"{_escaped(before)}{years}-?[0-9]{{2}}.*",))
    yield Choice(f"{before}… from {year} on" if before else f"days from {year} on", (chosen, *latest))


def _of_names(kinds: Kinds) -> Iterable[Choice]:
    if latest := _latest(kinds):
        yield Choice("latest alone", tuple(latest))
    if 0 < len(kinds.names) <= _FEW and (kinds.commits or kinds.early) and not kinds.releases:
        yield Choice("names, and no builds", (Filter(allow=tuple(map(_escaped, kinds.names))),))


def _text(parts: Parts) -> str:
    return ".".join(map(str, parts))


def _shown(key: str) -> str:
    return key.replace("#", "…")


def _pattern(key: str) -> str:
    """Return what takes the rest of a tag: this, with numbers for `#` and perhaps a number at the end."""
    return "[0-9.]+".join(map(_escaped, key.split("#"))) + "[0-9.]*"


def _escaped(text: str) -> str:
    return re.sub(r"[.]", r"\\.", text)
