"""When garbage is looked for: not while much is made that stays, and never among that.

Little of ours is in circles, and a look at all that a large configuration is made of holds up everybody for long.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG = 5_000  # objects made and not dropped between two looks at these
_MIDDLING = 2  # looks until those that were left are looked at, too: they have mostly been dropped by then


def look_from_now_on() -> None:
    """Switch on what `cli` switched off: what was made so far stays to the end and is never looked at.

    A process of others, in which it was not switched off, is left as it is.
    """
    if gc.isenabled():
        return
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLING, gc.get_threshold()[2])
    gc.enable()


@contextmanager
def none_looked_for() -> Iterator[None]:
    """Look for none within the block, nor ever among what it has made; for a process that has begun to look."""
    if not gc.get_freeze_count():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
