"""A daemon that is given another configuration while it runs: what stays, what begins, what ends, what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from regsync.app import App
from regsync.events import Event, JobFinished, JobQueued, Ready, Reloaded, Reloading, ReloadRefused, Warned
from regsync.facts import Fact, Telling
from regsync.loading import Source
from regsync.options import Serving
from regsync.secrets import Secrets
from regsync.service import Service
from tests.support.built import image_bytes, read_layout, write_layout
from tests.support.clock import FakeClock, settle
from tests.support.fake_registry import Basic, FakeRegistry

IMAGE = image_bytes(b"layer")
HOUR = 3600.0
HEAD = "defaults: {interval: 1h, skipDockerConfig: true}\n"


class Life:
    """A daemon on a virtual clock over a file that a test writes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "regsync.yml"
        self.folder = folder
        self.environ: dict[str, str] = {}
        self.clock = FakeClock()
        self.told: list[Event] = []
        self.finished = asyncio.Queue[JobFinished]()
        self.reloaded = asyncio.Queue[Reloaded]()
        write_layout(folder / "in", {"v1": IMAGE})

    def entry(self, name: str, *, more: str = "") -> str:
        ends = f"source: 'ocidir://{self.folder}/in:v1', target: 'ocidir://{self.folder}/out:{name}'"
        return f"- {{name: {name}, {ends}, type: image{more}}}\n"

    def write(self, *entries: str, head: str = HEAD) -> None:
        self.path.write_text(f"{head}sync:\n{''.join(entries)}")

    def app(self) -> App:
        """Return the program over the file as it is."""
        source = Source(str(self.path), allow_unknown_keys=False)
        return App(
            source.load(lambda _: None),
            clock=self.clock,
            tell=Telling([self._note], self.clock),
            environ=self.environ,
            secrets=Secrets(),
            source=source,
        )

    @asynccontextmanager
    async def serving(self, *, watch: bool = False) -> AsyncIterator[Service]:
        """Run it; the block is entered when it is ready."""
        met: list[Service] = []
        serving = asyncio.create_task(self.app().serve(Serving(1, watch=watch), meet=met.append))
        while not self.events(Ready):
            assert not serving.done(), serving.result()
            await settle()
        yield met[0]
        met[0].stop()
        await serving

    def _note(self, fact: Fact) -> None:
        self.told.append(fact.event)
        if isinstance(fact.event, JobFinished):
            self.finished.put_nowait(fact.event)
        if isinstance(fact.event, Reloaded):
            self.reloaded.put_nowait(fact.event)

    def events(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.told if isinstance(event, kind)]

    async def until(self, kind: type[Event], count: int = 1) -> None:
        """Let time pass until so many such events were told since the last call."""
        while len(self.events(kind)) < count:
            await self.clock.advance(1)
        self.told.clear()

    async def visited(self, count: int) -> list[str]:
        """Wait for the end of so many jobs, and return whose they were."""
        ended = [await self.finished.get() for _ in range(count)]
        assert all((one.failed, one.crash) == (0, None) for one in ended)
        return sorted(one.entry for one in ended)

    async def due_within(self, seconds: float) -> list[str]:
        """Return which entries fall due meanwhile, each as often as it does."""
        self.told.clear()
        await self.clock.advance(seconds)
        due = [event.entry for event in self.told if isinstance(event, JobQueued)]
        await self.visited(len(due))
        return sorted(due)


@pytest.fixture
def life(tmp_path: Path) -> Life:
    return Life(tmp_path)


async def test_what_is_new_is_visited_at_once_and_what_stays_keeps_its_due_time(life: Life) -> None:
    life.write(life.entry("stays"), life.entry("goes"), life.entry("changes"))
    async with life.serving() as service:
        await life.visited(3)
        await life.clock.advance(HOUR / 2)
        life.write(life.entry("changes", more=", interval: 45m"), life.entry("comes"), life.entry("stays"))
        before = service.standing
        after = await service.reload()
        assert life.events(Reloaded) == [Reloaded(after.digest, 3, added=1, changed=1, removed=1)]
        assert (after.digest != before.digest, after.since > before.since, after.problems) == (True, True, ())
        assert await life.visited(1) == ["comes"]
        assert await life.due_within(HOUR / 2) == ["comes", "stays"]
        assert await life.due_within(HOUR / 4) == ["changes"]
    assert sorted(read_layout(life.folder / "out")[0]) == ["changes", "comes", "goes", "stays"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sync: [{", "not YAML"),
        ("defaults: {interval: 1h}\nsync: []\n", "nothing to do"),
        ("sync:\n- {source: a, target: b, type: image, schedule: 61 * * * *}\n", "minute '61'"),
        (None, "no such file"),
        ("", "nothing to do"),
    ],
)
async def test_a_file_that_is_of_no_use_changes_nothing_and_is_told(life: Life, text: str | None, problem: str) -> None:
    life.write(life.entry("a"))
    async with life.serving() as service:
        await life.visited(1)
        before, setup = service.standing, service.setup
        if text is None:
            life.path.unlink()
        else:
            life.path.write_text(text)
        after = await service.reload()
        assert service.setup is setup
        assert (after.digest, after.since) == (before.digest, before.since)
        assert problem in after.problems[0]
        assert life.events(ReloadRefused) == [ReloadRefused(after.problems)]
        assert await life.due_within(HOUR) == ["a"]
        life.write(life.entry("a"), life.entry("b"))
        assert (await service.reload()).problems == ()
        assert await life.visited(1) == ["b"]


async def test_a_reload_that_is_asked_for_many_times_at_once_is_done_once_more(life: Life) -> None:
    life.write(life.entry("a"))
    async with life.serving() as service:
        for _ in range(10):
            service.reload_soon()
        await settle()
        for _ in range(10):
            service.reload_soon()
        for _ in range(2):
            await life.reloaded.get()
        await settle()
        assert len(life.events(Reloading)) == 2


async def test_a_file_that_trips_a_bug_of_ours_stops_nothing(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    life.write(life.entry("a"))
    async with life.serving() as service:
        await life.visited(1)
        with monkeypatch.context() as patched:
            patched.setattr("regsync.setup.entries_of", lambda *_: 1 // 0)
            assert "a bug in regsync: ZeroDivisionError" in (await service.reload()).problems[0]
        assert await life.due_within(HOUR) == ["a"]


async def test_warnings_are_told_again_only_if_they_are_new(life: Life) -> None:
    known = "creds: [{registry: a.x, tls: insecure}]\n" + HEAD
    life.write(life.entry("a"), head=known)
    async with life.serving() as service:
        assert len(life.events(Warned)) == 1
        life.write(life.entry("b"), head=known)
        await service.reload()
        assert len(life.events(Warned)) == 1
        life.write(
            life.entry("b"), head="creds: [{registry: a.x, tls: insecure}, {registry: b.x, tls: insecure}]\n" + HEAD
        )
        await service.reload()
        assert len(life.events(Warned)) == 2


async def test_another_password_is_used_from_then_on(life: Life, fake_registry: FakeRegistry) -> None:
    fake_registry.auth = Basic("user", "second")
    fake_registry.seed("app", {"v1": IMAGE})
    entry = f"- {{source: '{fake_registry.host}/app:v1', target: 'ocidir://{life.folder}/out:v1', type: image}}\n"

    def head(password: str) -> str:
        return f"creds: [{{registry: '{fake_registry.host}', tls: disabled, user: user, pass: {password}}}]\n{HEAD}"

    life.write(entry, head=head("first"))
    async with life.serving() as service:
        assert (await life.finished.get()).failed == 1
        life.write(entry, head=head("second"))
        await service.reload()
        await life.clock.advance(HOUR)
        await life.visited(1)
    assert read_layout(life.folder / "out")[0] == {"v1": IMAGE.digest}


async def test_a_file_that_has_changed_is_read_by_itself_and_a_bad_one_until_it_is_good(life: Life) -> None:
    life.write(life.entry("a"))
    async with life.serving(watch=True) as service:
        await life.visited(1)
        await life.clock.advance(60)
        assert life.events(Reloading) == []
        life.path.write_text("sync: [{")
        await life.until(ReloadRefused)
        await life.clock.advance(60)
        assert life.events(Reloading) == []  # once is enough
        life.write(life.entry("a"), life.entry("b"))
        await life.until(Reloaded)
        assert service.standing.problems == ()
        assert await life.visited(1) == ["b"]


async def test_a_file_that_a_template_reads_is_watched_and_named_again_when_the_rest_is_broken(life: Life) -> None:
    secret = life.folder / "secret"
    head = f"creds: [{{registry: a.x, user: u, pass: '{{{{file \"{secret}\"}}}}'}}]\n{HEAD}"
    secret.write_text("first")
    life.write(life.entry("a"), head=head)
    async with life.serving(watch=True) as service:
        secret.write_text("second")
        await life.until(Reloaded)
        assert service.setup.hosts["a.x"].password == "second"
        secret.unlink()
        await life.until(ReloadRefused)
        life.path.write_text("sync: [{")
        await life.until(ReloadRefused)
        secret.write_text("third")
        await life.until(ReloadRefused)
        life.write(life.entry("a"), head=head)
        await life.until(Reloaded)
        assert service.setup.hosts["a.x"].password == "third"


async def test_dockers_configuration_and_certificates_are_watched(life: Life) -> None:
    for name in ("docker", "certificates"):
        (life.folder / name).mkdir()
    bundle = life.folder / "bundle.pem"
    life.environ = {"DOCKER_CONFIG": f"{life.folder}/docker", "HOME": f"{life.folder}", "SSL_CERT_FILE": str(bundle)}
    life.write(life.entry("a"), head="defaults: {interval: 1h}\n")
    async with life.serving(watch=True) as service:
        await life.clock.advance(60)
        assert life.events(Reloading) == []
        (life.folder / "docker" / "config.json").write_text('{"auths": {"a.x": {"username": "u", "password": "p"}}}')
        await life.until(Reloaded)
        assert service.setup.hosts["a.x"].password == "p"
        before = service.setup.trusted
        bundle.write_text("one")
        await life.until(Reloaded)
        assert service.setup.trusted != before
        folder = life.folder / ".config" / "containers" / "certs.d" / "a.x"
        folder.mkdir(parents=True)
        (folder / "ca.crt").write_text("one")
        await life.until(Reloaded)
        assert "a.x" in service.setup.trusted


async def test_a_file_is_read_when_nobody_has_written_for_a_second(life: Life) -> None:
    life.write(life.entry("a"))
    async with life.serving(watch=True):
        life.path.write_text("half a file")
        while 1.0 not in life.clock.slept:  # until it has seen that, and waits for the writer to end
            await life.clock.advance(1)
        life.write(life.entry("a"), life.entry("b"))
        await life.until(Reloaded)
        assert life.events(ReloadRefused) == []
