"""What to do about a failure: a sentence for the operator, found by what the failure says.

`docs/guide/troubleshooting.md` has the same in more words; what is not known here is sent there.
"""

from __future__ import annotations

import re
from typing import Final

_TABLE: Final = (
    (
        r": 401\b|answer(s|ed) 401|refused the login|token server|credential helper|no login",
        "Check the login of this registry: `creds` in the configuration, or docker's and podman's logins.",
    ),
    (
        r": 403\b|answer(s|ed) 403|does not allow",
        "The login is right and may not do this: let it read the source, write the target or create the repository.",
    ),
    (
        r": 404\b|answer(s|ed) 404|not found|no such|has no|does not have|not there",
        "Check repository and tag: they are not there, or hidden from whoever is not logged in.",
    ),
    (
        r": 429\b|answer(s|ed) 429|rate limit|is left alone",
        "Nothing yet: the next run tries again. If it stays so, lower `reqConcurrent` or `reqPerSec` of this registry.",
    ),
    (
        r": 5\d\d\b|answer(s|ed) 5\d\d",
        "The registry has trouble of its own; the next run tries again. If it stays so, look at its log.",
    ),
    (
        r"certificate|\btls\b",
        "Trust its authority (`regcert`, or docker's certs.d), or set `tls` to what the registry speaks.",
    ),
    (
        r"the proxy\b",
        "Look at the proxy the environment names, and at `no_proxy`; the registry itself was not reached.",
    ),
    (
        r"connection|timed out|no route|name not known|unreachable|ended early",
        "Check that the registry runs and can be reached from here; the next run tries again.",
    ),
    (
        r"disk full|no space|read-only|permission|not permitted: give user|cannot be written",
        "Make room at the target, or let this user write there; what was there before is still whole.",
    ),
    (
        r"came as|ended after|damaged",
        "The source sent other bytes than it promised: look at caches and proxies in between, and at the source.",
    ),
    (r"media type", "Allow the media type with `mediaTypes`, or leave such tags out."),
    (r"\bhook\b", "Run the hook by hand: it failed, or took longer than its `timeout`."),
    (r"a bug in regsync", "This is a bug in regsync: please report it with the log at `-v debug`."),
)
_RULES: Final = tuple((re.compile(pattern), advice) for pattern, advice in _TABLE)
_ELSE: Final = "Run `regsync once -v debug` for this entry; the guide to troubleshooting says what its lines mean."
_READ: Final = 1000  # characters


def advice(message: str, error: str) -> str:
    """Return what to do about a failure that says this."""
    said = f"{error[:_READ]} {message[:_READ]}".lower()
    return next((told for rule, told in _RULES if rule.search(said)), _ELSE)
