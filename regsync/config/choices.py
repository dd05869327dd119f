"""The rules for what chooses tags and repositories: patterns and ranges of versions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from regsync.config.model import TagFilter, TagSelection
from regsync.config.problems import Path, Report
from regsync.config.scalars import shown
from regsync.errors import Malformed


@dataclass(frozen=True, slots=True)
class _Verdict:
    fault: str = ""
    advice: str = ""


@dataclass(slots=True)
class ChoiceRules:
    """Checks choice after choice, each text once, because real files repeat few of them in many entries.

    `pattern` and `semver_range` raise `Malformed` for a text that is none, and return what is to be known of one that
    can be used.
    """

    pattern: Callable[[str], str]
    semver_range: Callable[[str], str]
    report: Report
    _patterns: dict[str, _Verdict] = field(default_factory=dict)
    _ranges: dict[str, _Verdict] = field(default_factory=dict)

    def check(self, chosen: TagFilter, path: Path) -> None:
        """Tell all that is wrong with one choice."""
        for key, patterns in (("allow", chosen.allow), ("deny", chosen.deny)):
            self._check(patterns, (*path, key), self.pattern, self._patterns)
        if isinstance(chosen, TagSelection):
            self._check(chosen.semver_range, (*path, "semverRange"), self.semver_range, self._ranges)

    def _check(
        self, texts: Sequence[str], path: Path, check: Callable[[str], str], verdicts: dict[str, _Verdict]
    ) -> None:
        """Tell a fault wherever it stands, and advice where its text stands first."""
        for position, text in enumerate(texts):
            place = (*path, position)
            verdict = verdicts.get(text)
            if verdict is None:
                verdict = verdicts[text] = _verdict(check, text)
                if verdict.advice:
                    self.report.warn(place, f"{shown(text)}: {verdict.advice}")
            if verdict.fault:
                self.report.error(place, f"{shown(text)}: {verdict.fault}")


def _verdict(check: Callable[[str], str], text: str) -> _Verdict:
    try:
        return _Verdict(advice=check(text))
    except Malformed as error:
        return _Verdict(fault=str(error))
