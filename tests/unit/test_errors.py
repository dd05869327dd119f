"""Errors that several callers get: each a copy of its own, which says what the first one said."""

from __future__ import annotations

import copy

import pytest

from regsync.errors import (
    ConfigError,
    CopyFailed,
    IntegrityError,
    NotFound,
    RegsyncError,
    TooSlow,
    Unavailable,
)


@pytest.mark.parametrize(
    "error",
    [
        NotFound("not there"),
        IntegrityError("other bytes"),
        Unavailable("429", retry_after=7.0),
        TooSlow("crawls"),
        ConfigError(["one: wrong", "two: wrong"]),
        CopyFailed("blob", "sha256:0", Unavailable("429", retry_after=7.0)),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_copy_of_an_error_says_all_that_the_error_said(error: RegsyncError) -> None:
    error.attempts = 3
    twin = copy.copy(error)
    assert twin is not error
    assert type(twin) is type(error)
    assert (str(twin), twin.args, vars(twin)) == (str(error), error.args, vars(error))
    assert (twin.attempts, twin.retry_after, twin.retryable) == (3, error.retry_after, error.retryable)


def test_a_copy_keeps_a_cause_of_ours_and_nothing_that_was_in_use_where_it_was_raised() -> None:
    with pytest.raises(CopyFailed) as failed:
        raise CopyFailed("blob", "sha256:0", NotFound("gone"))
    twin = copy.copy(failed.value)
    assert isinstance(twin.__cause__, NotFound)
    assert twin.__traceback__ is None
    with pytest.raises(Unavailable) as broke:
        raise Unavailable("reset") from OSError("reset")
    assert copy.copy(broke.value).__cause__ is None
