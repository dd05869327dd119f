"""`regsync init` from the first question to the file."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from regsync.config.templated import NOWHERE
from regsync.errors import ConfigError, Malformed, RegsyncError
from regsync.init.asking import Answers, lacking
from regsync.init.choosing import ALL, SUGGESTED, choice_of, patterns_of, picked, times_of
from regsync.init.ends import End, source_of, target_of
from regsync.init.files import check_place, write
from regsync.init.looking import Seen, look_at_source, look_at_target
from regsync.init.suggest import EVERYTHING, Choice, suggestions
from regsync.init.tags import kinds_of
from regsync.init.text import Draft, counted, few, text_of
from regsync.loading import load_text
from regsync.options import Wishes
from regsync.setup import Common
from regsync.translate import entries_of

_T = TypeVar("_T")
_USUAL: Final = "1h"
_NOT_LOOKED: Final = Seen("not looked at")
_SOURCE: Final = "Source (image, repository or registry; http:// before it if it speaks no TLS)"
_OR_ALONE: Final = ", registry alone"
_HERE: Final = ("localhost", "127.", "[::1]")


class Begin:
    """Finds out what somebody wants and writes a configuration for it.

    `run` runs a look on an event loop, `say` says a line.
    """

    def __init__(
        self,
        wishes: Wishes,
        common: Common,
        *,
        run: Callable[[Coroutine[Any, Any, Seen]], Seen],
        say: Callable[[str], None],
        terminal: bool,
    ) -> None:
        self._wishes = wishes
        self._common = common
        self._run = run
        self._say = say
        self._answers = Answers(say, terminal=terminal)

    def __call__(self) -> None:
        """Do it; `ConfigError` for what is missing or cannot be used, other errors where the source cannot be seen."""
        wishes = self._wishes
        check_place(wishes.output, force=wishes.force)
        missing = [flag for flag, given in (("--source", wishes.source), ("--target", wishes.target)) if not given]
        if missing and not self._answers.terminal:
            raise ConfigError([lacking(missing)])
        self._check_flags()
        draft = self._draft()
        text = text_of(draft)
        loaded = load_text(text, draft.name)
        for warning in loaded.warnings:
            self._say(warning)
        if draft.tags:
            taken = entries_of(loaded.config, NOWHERE)[0].tags.choose(draft.tags)
            self._say(f"takes {len(taken)} of {counted(len(draft.tags), 'tag', 'tags')}: {few(taken) or 'none'}")
        write(wishes.output, text, force=wishes.force)
        if wishes.output != "-":
            self._say(f"{wishes.output} is written; to see what it would copy: regsync check -c {wishes.output}")

    def _draft(self) -> Draft:
        """Return all answers, in the order in which they are asked for."""
        wishes, answers = self._wishes, self._answers
        source, seen = answers.get("--source", wishes.source, _SOURCE, self._source)
        choice = self._choice(source, seen)
        repositories = self._repositories(seen) if source.kind == "registry" else ()
        target, there = answers.get(
            "--target",
            wishes.target,
            f"Target ({source.kind}{_OR_ALONE if source.kind != 'registry' else ''} or ocidir:// and a directory)",
            lambda text: self._target(text, source),
            proposed=f"ocidir://images/{source.path.rpartition('/')[2]}".rstrip("/"),
        )
        every = wishes.every or ("" if answers.terminal else _USUAL)
        times = answers.get("--every", every, "How often (1h, a cron line, or never)", times_of, proposed=_USUAL)
        return Draft(
            source,
            target,
            choice,
            repositories,
            *times,
            kinds=kinds_of(seen.names) if source.kind == "repository" and seen.names else None,
            tags=seen.names if source.kind == "repository" else (),
            logins=(target.registry,) if _without_login(target, there) else (),
            name=wishes.output if wishes.output != "-" else "regsync.yml",
        )

    def _source(self, text: str) -> tuple[End, Seen]:
        source = source_of(text)
        if self._wishes.offline:
            return source, _NOT_LOOKED
        self._say(f"looking at {source.text}")
        try:
            seen = self._run(look_at_source(source, self._common))
        except RegsyncError as error:
            raise RegsyncError(f"{error} (--offline writes a configuration without looking)") from error
        self._say(f"{source.text}: {seen.words}")
        return source, seen

    def _target(self, text: str, source: End) -> tuple[End, Seen]:
        target = target_of(text, source)
        if self._wishes.offline:
            return target, _NOT_LOOKED
        seen = self._run(look_at_target(target, self._common))
        self._say(f"{target.text}: {seen.words}")
        return target, seen

    def _check_flags(self) -> None:
        """Refuse flags that cannot be used, before anything is looked at."""
        wishes = self._wishes
        if wishes.every:
            self._read("--every", lambda: times_of(wishes.every))
        if wishes.tags and wishes.tags != (SUGGESTED,):
            self._read("--tags", lambda: choice_of(wishes.tags, []))
        self._read("--repos", lambda: patterns_of(wishes.repositories))
        if not wishes.source:
            return
        source = self._read("--source", lambda: source_of(wishes.source))
        if wishes.target:
            self._read("--target", lambda: target_of(wishes.target, source))
        if wishes.tags and source.kind == "image":
            raise ConfigError([f"--tags: {source.text} is one image; expected a repository, named without a tag"])
        if wishes.repositories and source.kind != "registry":
            raise ConfigError([f"--repos: {source.text} is no registry; its tags are chosen with --tags"])

    def _choice(self, source: End, seen: Seen) -> Choice:
        if source.kind != "repository" and not self._wishes.tags:
            return EVERYTHING
        offered = suggestions(seen.names) if source.kind == "repository" and seen is not _NOT_LOOKED else []
        if self._wishes.tags:
            return self._read("--tags", lambda: choice_of(self._wishes.tags, offered))
        if not self._answers.terminal:
            return self._read("--tags", lambda: choice_of([SUGGESTED], offered))
        for number, one in enumerate(offered, 1):
            taken = one.of(seen.names)
            some = f" ({few(taken)})" if one.filters else ""
            self._say(f"  {number}  {one.words}: {counted(len(taken), 'tag', 'tags')}{some}")
        question = "What to copy (one of these numbers, a version range or a pattern)"
        question = question if offered else "What to copy (a version range, a pattern, or all)"
        return self._answers.get(
            "--tags", "", question, lambda text: picked(text, offered), proposed="1" if offered else ALL
        )

    def _repositories(self, seen: Seen) -> tuple[str, ...]:
        if self._wishes.repositories or not self._answers.terminal:
            return self._read("--repos", lambda: patterns_of(self._wishes.repositories))
        if seen.names:
            self._say(f"  {few(seen.names)}")
        return self._answers.get(
            "--repos", "", "Which repositories (a pattern, or all)", lambda text: patterns_of([text]), proposed=ALL
        )

    def _read(self, flag: str, read: Callable[[], _T]) -> _T:
        try:
            return read()
        except Malformed as error:
            raise ConfigError([f"{flag}: {error}"]) from error


def _without_login(target: End, there: Seen) -> bool:
    """Say whether a target may need a login and none was found for it."""
    return bool(target.registry) and not there.has_login and not target.registry.startswith(_HERE)
