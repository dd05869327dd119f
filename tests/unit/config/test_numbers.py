"""Numbers without the unit they need, with a unit they cannot have, and below what can be meant."""

from __future__ import annotations

import pytest

from tests.unit.config.loading import STEP, problems_of

_CRED = "creds:\n  - registry: a.example\n"

BAD = [
    # durations
    (f"{STEP}    interval: 0\n", "5:15: sync[0].interval: 0 is not a duration with units; write 0s"),
    (f"{STEP}    interval: 60\n",
     "5:15: sync[0].interval: 60 is not a duration with units; write 60s for seconds, 60m for minutes"),
    (f"{STEP}    interval: 1.5\n", "5:15: sync[0].interval: 1.5 is not a duration with units; write 1.5s for seconds"),
    (f"{STEP}    interval: '60'\n", '5:15: sync[0].interval: "60" is not a duration with units; write 60s for seconds'),
    (f"{STEP}    interval: true\n", "5:15: sync[0].interval: true is not a duration with units such as"),
    (f"{STEP}    interval: -5\n", "5:15: sync[0].interval: -5 is not a duration with units such as"),
    (f"{STEP}    interval: 1d\n", "5:15: sync[0].interval: unknown unit 'd' in duration '1d'"),
    ("defaults: {ratelimit: {retry: 0}}\n", "1:31: defaults.ratelimit.retry: 0 is not a duration with units; write 0s"),
    ("defaults: {cacheTime: 0}\n", "1:23: defaults.cacheTime: 0 is not a duration with units; write 0s"),
    # sizes
    ("defaults:\n  blobLimit: 10MB\n",
     '2:14: defaults.blobLimit: "10MB" is not a number; there are no units, write 10000000'),
    ("defaults:\n  blobLimit: 2 Gi\n",
     '2:14: defaults.blobLimit: "2 Gi" is not a number; there are no units, write 2147483648'),
    # numbers below zero
    ("defaults: {blobLimit: -1}\n", "1:23: defaults.blobLimit: expected a whole number from 0 up, found -1"),
    ("defaults: {cacheCount: -1}\n", "1:24: defaults.cacheCount: expected a whole number from 0 up, found -1"),
    ("defaults: {cacheTime: -1s}\n", "1:23: defaults.cacheTime: -1s is negative"),
    ("defaults: {ratelimit: {min: -1}}\n", "1:29: defaults.ratelimit.min: expected a whole number from 0 up, found"),
    (f"{STEP}    ratelimit: {{min: '-5'}}\n", "5:22: sync[0].ratelimit.min: expected a whole number from 0 up"),
    (f"{STEP}    ratelimit: {{retry: -1m}}\n", "5:24: sync[0].ratelimit.retry: -1m0s is negative"),
    *((f"{_CRED}    {key}: {value}\n", f"3:{7 + len(key)}: creds[0].{key}: expected {wanted}, found a negative number")
      for key, value, wanted in (
          ("reqPerSec", "-3", "a number from 0 up"), ("reqPerSec", "-0.5", "a number from 0 up"),
          ("reqConcurrent", "-1", "a whole number from 0 up"), ("priority", "-1", "a whole number from 0 up"),
          ("blobChunk", "-1", "a whole number from 0 up"), ("blobMax", "-2", "-1 or a whole number from 0 up"),
          ("credExpire", "-1", 'a duration from 0s up such as "1h30m"'),
      )),
]  # fmt: skip


@pytest.mark.parametrize(("text", "problem"), BAD)
def test_a_number_that_cannot_be_meant_is_refused_with_its_place_and_what_to_write(text: str, problem: str) -> None:
    (told,) = problems_of(text)
    assert told.startswith(problem)
