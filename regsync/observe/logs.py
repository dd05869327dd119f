"""Events become lines on standard error."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from regsync.events import Event, RequestRetried
from regsync.facts import Fact
from regsync.observe.levels import ERROR, TRACE, WARN, level_name
from regsync.observe.lines import Line, text_line
from regsync.observe.output import Output
from regsync.observe.wording import TRACED, line_of
from regsync.secrets import Secrets

# structlog imports rich, which is for terminals, wherever it is installed: a tenth of a second of every start, for
# nothing that is used here. It does without where rich cannot be found.
_rich = sys.modules.get("rich")
sys.modules["rich"] = None  # type: ignore[assignment]
import structlog  # noqa: E402

if _rich is None:
    del sys.modules["rich"]
else:
    sys.modules["rich"] = _rich

_REMEMBERED = 1000  # hosts that were in trouble, each in its run


class _Queue:
    """The end of structlog's chain: `Output`, for which a line is urgent from ERROR on."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def msg(self, line: str, level: int) -> None:
        self._output.put(line, urgent=level >= ERROR)


class _Lines(structlog.BoundLoggerBase):
    """The one log method there is."""

    def line(self, message: str, **fields: object) -> None:
        self._proxy_to_logger("msg", message, **fields)


class Log:
    """An observer that writes lines of this level and above; what is secret is left out of them.

    Events of the kinds in `but` have no line.
    """

    def __init__(
        self,
        output: Output,
        *,
        threshold: int,
        secrets: Secrets,
        written: Line = text_line,
        but: tuple[type[Event], ...] = (),
    ) -> None:
        self._unwanted = but if threshold <= TRACE else (*but, *TRACED)  # before a word is made of what nobody reads
        self._threshold = threshold
        self._secrets = secrets
        self._written = written
        self._in_trouble: dict[tuple[str, str], None] = {}
        self._last = datetime.fromtimestamp(0, UTC)
        self._logger = structlog.wrap_logger(
            _Queue(output), processors=[self._rendered], wrapper_class=_Lines, cache_logger_on_first_use=True
        )
        output.lost = self._lost

    def __call__(self, fact: Fact, /) -> None:
        """Write the line a fact becomes, if its level is wanted."""
        if isinstance(fact.event, self._unwanted):
            return
        level, message, fields = line_of(fact.event)
        if isinstance(fact.event, RequestRetried) and self._is_first(fact.run, fact.event.host):
            level = WARN  # 16 s may pass until a host counts as gone, and nobody should wonder for so long
        if level >= self._threshold:
            self._last = fact.at
            self._logger.line(message, at=fact.at, level=level, fields=fields)

    def _is_first(self, run: str, host: str) -> bool:
        """Say whether this host had no trouble in this run before; of long ago that is forgotten."""
        if (run, host) in self._in_trouble:
            return False
        if len(self._in_trouble) >= _REMEMBERED:
            del self._in_trouble[next(iter(self._in_trouble))]
        self._in_trouble[run, host] = None
        return True

    def _rendered(self, _logger: Any, _method: str, line: Mapping[str, Any]) -> tuple[tuple[str], dict[str, int]]:
        level = line["level"]
        text = self._written(line["at"], level_name(level), line["event"], line["fields"], self._secrets)
        return (text,), {"level": level}

    def _lost(self, count: int) -> str:
        return self._written(self._last, level_name(WARN), "log lines dropped", {"dropped": count}, self._secrets)
