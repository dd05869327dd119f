"""What a row of the table of keys works with: registries, a folder, and the program run on a file the row wrote.

A row is a function that sets its key in a file and observes what that changes at a registry, in a layout or in what is
told. It is put into the table by `@row("creds.hostname")`; several names share a row where one has no effect without
the other. A module of this folder with rows of its own is found by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from pydantic import BaseModel

from regsync.app import App
from regsync.config.load import Loaded
from regsync.config.model import Config
from regsync.connections import Connections
from regsync.events import Event, Tell, Warned, ignore
from regsync.facts import Fact, Telling
from regsync.hosts import hosts_of
from regsync.loading import load
from regsync.record.tally import Tally
from regsync.registry.login.dockerconfig import DockerConfig
from regsync.secrets import Secrets
from regsync.sync.entry import Scope
from tests.support.built import Built, image_bytes, read_layout, write_layout
from tests.support.clock import FakeClock
from tests.support.fake_registry import MANNER, FakeRegistry

IMAGE = image_bytes(b"a layer of some length", b"another one")


@dataclass(slots=True)
class Lab:
    """One row's surroundings. `environ` is what the program sees of its environment; `events` is what it told.

    `entries` are the names of entries it worked for, and `heard` is told of each event.
    """

    folder: Path
    stack: AsyncExitStack
    environ: dict[str, str]
    clock: FakeClock = field(default_factory=lambda: FakeClock(instant=True))
    events: list[Event] = field(default_factory=list)
    entries: set[str] = field(default_factory=set)
    heard: Tell = ignore

    async def registry(self, registry: FakeRegistry | None = None, **images: Built) -> FakeRegistry:
        """Start a registry; `app` has these images by tag, and `v1` if none are given."""
        started = await self.stack.enter_async_context(registry or FakeRegistry())
        started.seed("app", images or {"v1": IMAGE})
        return started

    def app(self, text: str) -> App:
        """Return the program as this file sets it up; nothing was done yet."""
        tell = Telling([self._note], self.clock)
        return App(self._loaded(text), clock=self.clock, tell=tell, environ=self.environ, secrets=Secrets())

    def connections(self, text: str) -> Connections:
        """Return what this file says of registries as ways to them, to be entered."""
        hosts, _ = hosts_of(self._loaded(text).config, DockerConfig())
        return Connections(
            hosts,
            MANNER,
            images=1,
            clock=self.clock,
            tell=self.events.append,
            environ=self.environ,
            secrets=Secrets(),
        )

    async def once(self, text: str, scope: Scope = "changed") -> Tally:
        """Run `once` on this file."""
        return await self.app(text).once(scope, abort_on_error=False)

    async def pull(self, source: str, *creds: str, defaults: str = "", entry: str = "type: image") -> list[str]:
        """Copy an image from a registry into the layout `out`, and return what failed; flow mappings are given."""
        return await self._copied(f"'{source}'", f"'ocidir://{self.out}:v1'", creds, defaults, entry)

    async def push(self, target: str, *creds: str, defaults: str = "", image: Built = IMAGE) -> list[str]:
        """Copy an image from a layout to a registry, and return what failed."""
        write_layout(self.folder / "in", {"v1": image})
        return await self._copied(f"'ocidir://{self.folder}/in:v1'", f"'{target}'", creds, defaults, "type: image")

    @property
    def out(self) -> Path:
        """The layout `pull` copies into."""
        return self.folder / "out"

    @property
    def arrived(self) -> str:
        """The digest of what `pull` has copied; every blob below it was proved."""
        return read_layout(self.out)[0]["v1"]

    @property
    def warnings(self) -> list[str]:
        """What was warned of, without its fields."""
        return [event.message for event in self.events if isinstance(event, Warned)]

    async def _copied(self, source: str, target: str, creds: tuple[str, ...], defaults: str, entry: str) -> list[str]:
        items = "".join(f"- {{{item}}}\n" for item in creds)
        tally = await self.once(
            f"creds:\n{items}defaults: {{{defaults}}}\nsync:\n- {{source: {source}, target: {target}, {entry}}}\n"
        )
        return [str(failure.error) for failure in tally.failures]

    def _loaded(self, text: str) -> Loaded:
        path = self.folder / "regsync.yml"
        path.write_text(text)
        return load(str(path), allow_unknown_keys=False)

    def _note(self, fact: Fact) -> None:
        self.events.append(fact.event)
        self.entries |= {fact.entry} - {""}
        self.heard(fact.event)


Row = Callable[[Lab], Awaitable[None]]
ROWS: dict[str, Row] = {}


def row(*keys: str) -> Callable[[Row], Row]:
    """Put a function into the table, for these keys (written as `creds.apiOpts.disableHead`)."""

    def put(function: Row) -> Row:
        for key in keys:
            assert key not in ROWS, f"{key} has two rows"
            ROWS[key] = function
        return function

    return put


def keys_of(model: type[BaseModel] = Config, above: str = "") -> Iterator[str]:
    """Every key of the file that holds a value and not a mapping of keys of ours, with those above it."""
    for name, key in model.model_fields.items():
        below = _model_in(key.annotation)
        path = f"{above}{key.alias or name}"
        yield from keys_of(below, f"{path}.") if below is not None else (path,)


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)
