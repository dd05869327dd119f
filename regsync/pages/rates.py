"""How fast images under way get on: what their blobs moved in the last seconds, heard from facts."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import Final

from regsync.events import BlobDone, BlobProgress, BlobRetried, RunFinished
from regsync.facts import Fact
from regsync.record.values import LiveImage

_WINDOW: Final = 40  # steps a rate is taken over; a blob tells four a second
_Step = tuple[datetime, int]


class Rates:
    """An observer of blobs, by the repository they go to and their digest."""

    def __init__(self) -> None:
        self._steps: dict[str, dict[tuple[str, str], deque[_Step]]] = {}

    def __call__(self, fact: Fact, /) -> None:
        """Take note of one fact."""
        match event := fact.event:
            case BlobProgress():
                blobs = self._steps.setdefault(fact.run, {})
                for target in event.targets:
                    steps = blobs.setdefault((target, event.digest), deque(maxlen=_WINDOW))
                    steps.append((fact.at, event.offset))
            case BlobDone() | BlobRetried():
                self._steps.get(fact.run, {}).pop((event.target, event.digest), None)
            case RunFinished():
                self._steps.pop(fact.run, None)
            case _:
                pass

    def of(self, image: LiveImage) -> float:
        """Return how many bytes a second come for an image, 0 where that is not known yet."""
        run = image.run.rpartition("-")[2]
        blobs = self._steps.get(run, {})
        keys = [(target, blob.digest) for blob in image.blobs for target in blob.targets if _is_in(image, target)]
        return sum(_rate(blobs[key]) for key in keys if key in blobs)


def _is_in(image: LiveImage, repository: str) -> bool:
    rest = image.target.removeprefix(repository)
    return rest != image.target and rest[:1] in {":", "@"}


def _rate(steps: deque[_Step]) -> float:
    (began, first), (ended, last) = steps[0], steps[-1]
    seconds = (ended - began).total_seconds()
    return max(last - first, 0) / seconds if seconds > 0 else 0.0
