"""What signals do to the process: they end it, in peace first and then by force, or have its configuration read again.

The handlers are not the event loop's, which run when it does: these run while the main thread waits for another one,
too, be it for a commit that hangs in a file system or at the very end for threads that do not end.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from threading import Timer

_AT_ONCE = 0.5  # seconds a daemon has to end at its second signal
_SOON = 0.1  # seconds
_LATE = 5.0  # seconds a daemon has beyond the grace to end what was cut off

Step = Callable[[], object]


def cancel_by_signal(leave: Step) -> None:
    """Cancel the running task at the first SIGINT or SIGTERM, and leave at the second."""
    task = asyncio.current_task()
    if task is not None:
        _at_signals(_in_loop(task.cancel), leave)


def stop_by_signal(drain: Step, stop_now: Step, leave: Step, *, grace: float) -> None:
    """Drain at the first signal, stop at the second, leave at the third, or when one of those takes too long."""

    def begin(call: Step, within: float) -> Step:
        def step() -> None:
            late = Timer(within, leave)
            late.daemon = True
            late.start()
            in_loop()

        in_loop = _in_loop(call)
        return step

    _at_signals(begin(drain, grace + _LATE), begin(stop_now, _AT_ONCE), leave)


def reap_by_signal(reap: Callable[[], bool]) -> None:
    """Have the running event loop call this whenever a child has ended, and again for as long as it says so."""
    loop = asyncio.get_running_loop()

    def look() -> None:
        if reap():
            loop.call_later(_SOON, look)

    in_loop = _in_loop(look)
    signal.signal(signal.SIGCHLD, lambda *_: in_loop())
    look()


class HangUps:
    """SIGHUP, which would end the process, from its start on: what comes too early is not lost."""

    def __init__(self) -> None:
        self._early = False
        signal.signal(signal.SIGHUP, self._note)

    def lead_to(self, call: Step) -> None:
        """Have the running event loop call this whenever there is one, and now if there was one."""
        in_loop = _in_loop(call)
        signal.signal(signal.SIGHUP, lambda *_: in_loop())
        if self._early:
            in_loop()

    def _note(self, *_: object) -> None:
        self._early = True


def _in_loop(call: Step) -> Step:
    """Return what has the running event loop call this; a loop that is closed has nothing left to be told."""
    loop = asyncio.get_running_loop()

    def soon() -> None:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(call)

    return soon


def _at_signals(*steps: Step) -> None:
    """Take one step at each SIGINT or SIGTERM, and the last one at every further one."""
    left = list(reversed(steps))

    def stop(*_: object) -> None:
        (left.pop() if len(left) > 1 else left[0])()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
