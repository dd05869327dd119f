"""Every exception regsync raises on purpose; callers ask `error.retryable`, never a status code.

RegsyncError                 retryable = False; attempts = how often it was tried; retry_after = what was asked for
├── ConfigError              the operator must edit the file                        exit 2
├── Malformed                text or a document that is not what it claims to be
│   ├── InvalidReference     a name nothing can be found by
│   └── BadTemplate          a template that is none, or that comes to nothing
├── NotFound                 a manifest, blob, tag or repository is not there
│   ├── NoSuchRepository     the registry has nothing at all by this name
│   └── Misnamed             a tag is answered for with a digest that nothing has
├── AccessDenied             credentials missing or refused
│   └── Forbidden            the credentials are fine, and yet this is not allowed
├── Refused                  we will not do that (unsafe redirect, guarded address, TLS not trusted)
│   └── Misled               the other side sends us where we do not go; it may have what was asked for
├── Unsupported              the other side cannot do this
├── Unreadable               a manifest of a known type that is not to be had
├── StorageError             the disk or the layout directory cannot be used (full, read-only, damaged)
├── Incomplete               the target says that parts of a manifest it was given are not there
├── Unavailable              retryable: network failure, 5xx, 408, 429
│   ├── Failing              it is there, and fails at this
│   └── TooSlow              not retryable: it was tried as often as makes sense
├── IntegrityError           retryable; the bytes are not the ones described
├── HookFailed               something the operator wanted to have run around a copy went wrong
├── NoAnswer                 a server that was asked how its entries are does not say
├── NotNotified              a message to whoever is to be told did not get there
└── CopyFailed               where a copy stopped; __cause__ says why

Foreign exceptions become one of these at three borders and nowhere else: `registry/http/wire.py` (HTTP),
`layout/files.py` (the operating system) and `config/load.py` (YAML and pydantic).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import ClassVar, Literal, Self


class RegsyncError(Exception):
    """Base of the tree.

    `attempts` counts the tries that were spent before it was raised. `retry_after` is how many seconds the other side
    asked to be left alone, None where it said nothing.
    """

    retryable: ClassVar[bool] = False
    attempts: int = 1
    retry_after: float | None = None

    def __copy__(self) -> Self:
        """Return a twin for another caller: without where this was raised, which would keep all in use there.

        Not by its constructor, which may want other things than there are arguments.
        """
        twin = type(self).__new__(type(self), *self.args)
        twin.__dict__.update(self.__dict__)
        twin.__cause__ = copy.copy(self.__cause__) if isinstance(self.__cause__, RegsyncError) else None
        return twin


class ConfigError(RegsyncError):
    """The configuration cannot be used; each problem is one line with its place and what was expected."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class Malformed(RegsyncError):
    """Text or a document that cannot be read as what it claims to be."""


class InvalidReference(Malformed):
    """A name that cannot be parsed, so nothing can be found by it."""


class BadTemplate(Malformed):
    """A template that cannot be read or run. `what` quotes nothing of it, since it may hold a secret; `shown` does.

    `line` and `column` count from 1 inside its text and are 0 until `placed` has found them; `at` counts characters.
    `by_value`: with other values of the same types it may work.
    """

    def __init__(self, what: str, shown: str = "", *, at: int = -1, by_value: bool = False) -> None:
        super().__init__(what, shown)
        self.what = what
        self.shown = shown
        self.at = at
        self.line = self.column = 0
        self.by_value = by_value

    def placed(self, text: str) -> Self:
        """Return this error, knowing where in the text it is."""
        before = text[: max(self.at, 0)]
        self.line, self.column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return self

    @property
    def place(self) -> str:
        """Where it is, as a message begins."""
        return f"template, line {self.line}, column {self.column}: " if self.line else "template: "

    def __str__(self) -> str:
        return f"{self.place}{self.what}{': ' if self.shown else ''}{self.shown}"


class NotFound(RegsyncError):
    """A manifest, blob, tag or repository that was demanded and is not there."""


class NotOurs(NotFound):
    """Not there (404), said without any of distribution-spec's codes: who answers may be no registry. `said`: how."""

    said: str = ""


class Misnamed(NotFound):
    """Nothing has this digest: a registry has said that it is a tag's, and now is known to say such things."""


class NoSuchRepository(NotFound):
    """The registry says that it has no repository of this name (NAME_UNKNOWN), and not merely nothing to answer."""


class AccessDenied(RegsyncError):
    """Credentials are missing, cannot be obtained, or were refused."""


class Forbidden(AccessDenied):
    """The registry knows who asks and does not allow it (403)."""


class Refused(RegsyncError):
    """Something the other side asked for and we will not do: it would leak a credential or reach a guarded place."""


class Misled(Refused):
    """The other side sends us where we do not go: that says nothing of what it has."""


class Unsupported(RegsyncError):
    """The other side cannot do this, or what it holds is of a kind we do not copy."""


class Unreadable(RegsyncError):
    """A manifest that cannot be had or read, and is known to be of this media type; `__cause__` says why."""

    def __init__(self, media_type: str, cause: RegsyncError) -> None:
        super().__init__(str(cause))
        self.__cause__ = cause
        self.media_type = media_type
        self.attempts = cause.attempts
        self.retry_after = cause.retry_after


class StorageError(RegsyncError):
    """The disk or a layout directory cannot be used: full, read-only, not permitted, or damaged."""


class Incomplete(RegsyncError):
    """The target refuses a manifest because it lacks parts of it, whatever it said of them before."""


class Unavailable(RegsyncError):
    """Try again later: network failure, 5xx, 408, 429."""

    retryable = True

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Failing(Unavailable):
    """The other side is there and fails at this: by this 5xx, or (0) by sending us to a place that is away or fails."""

    def __init__(self, message: str, *, status: int = 0, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after=retry_after)
        self.status = status

    @property
    def is_outage(self) -> bool:
        """Whether it may be all of the other side that fails, and not this alone."""
        return self.status not in {0, 500} or self.retry_after is not None


class TooSlow(Unavailable):
    """It answers, so slowly that each try costs minutes, and it has had all of its tries: not to be begun again now."""

    retryable = False


class IntegrityError(RegsyncError):
    """The bytes that came are not the ones that were described (digest, size or form)."""

    retryable = True


class HookFailed(RegsyncError):
    """A hook did not do what it was to do: its program failed, its URL did not take the event, or not in time."""


class NoAnswer(RegsyncError):
    """Nobody answers where a server should run, or nobody we understand; the text says where."""


class NotNotified(RegsyncError):
    """A message did not get to whom it was for: refused, or not taken in time and as often as it was tried."""


class CopyFailed(RegsyncError):
    """A copy stopped at this step of this subject (a digest or a reference); `__cause__` says why."""

    def __init__(self, step: Literal["plan", "blob", "manifest"], subject: str, cause: RegsyncError) -> None:
        super().__init__(f"{step} {subject}: {cause}")
        self.__cause__ = cause
        self.step = step
        self.subject = subject
        self.attempts = cause.attempts
        self.retry_after = cause.retry_after
