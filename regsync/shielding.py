"""Nothing of what this process holds is left for others to read: no core dump, no look into its memory."""

from __future__ import annotations

import sys
from contextlib import suppress

_PR_SET_DUMPABLE = 4


def shield() -> None:
    """Leave no core dump, and let none but root read this process's memory and environment.

    The limit holds for hooks and credential helpers as well, which hold secrets, too; the rest ends where they begin.
    """
    with suppress(ImportError, ValueError, OSError):  # where there is no such limit, it cannot be set
        import resource  # noqa: PLC0415  # not there on every platform

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415  # costs some milliseconds, and no other platform needs it

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)  # a limit does not keep a dump from being piped away
