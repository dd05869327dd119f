"""Two registries with names of their own, images in one of them, and daemons between them whose page is looked at."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

from tests.e2e.program import Started, wait_for
from tests.support.built import Built, image_bytes, some_bytes, write_layout
from tests.support.past import Lived, remember
from tests.support.real import DockerRegistry, free_port, run

_READY_WITHIN: Final = 60.0  # seconds, for ten thousand entries on a busy machine
SMALL: Final = {
    "library/alpine": ("3.20", "3.21", "3.22"),
    "library/debian": ("stable-slim",),
    "grafana/grafana": ("12.3",),
    "prom/prometheus": ("v3.8",),
}
LARGE: Final = "ml/cuda"  # an image that takes its time


@dataclass(frozen=True, slots=True)
class Daemon:
    """A server that runs, and where it answers."""

    process: Started
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> tuple[int, str]:
        """Return the status and the text of a path."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def ready(self) -> bool:
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def take(self, config: str) -> None:
        """Have it read another configuration."""
        (self.folder / "regsync.yml").write_text(config)
        self.process.signal(signal.SIGHUP)


class Stage:
    """The registries by the names that references have for them, and what is written about both."""

    def __init__(self, folder: Path, source: DockerRegistry, target: DockerRegistry) -> None:
        self._folder = folder
        self.source = source
        self.ports = {"hub.example": source.port, "mirror.example": target.port, "gone.example": free_port()}

    def fill(self) -> None:
        """Push the images."""
        large = image_bytes(some_bytes(24 << 20), some_bytes(12 << 20, "more"))
        images = {name: {tag: image_bytes(f"{name}:{tag}".encode()) for tag in tags} for name, tags in SMALL.items()}
        for number, (name, tagged) in enumerate({**images, LARGE: {"12.4": large}}.items()):
            self._push(self._folder / f"layout{number}", name, tagged)

    def _push(self, layout: Path, name: str, images: Mapping[str, Built]) -> None:
        write_layout(layout, images)
        for tag in images:
            there = f"docker://{self.source.host}/{name}:{tag}"
            run("skopeo", "copy", "-q", "--preserve-digests", "--dest-tls-verify=false", f"oci:{layout}:{tag}", there)

    def config(self, port: int, *steps: str, head: str = "", ports: Mapping[str, int] | None = None) -> str:
        """Return a configuration with these entries; further names of hosts may lead to other ports."""
        hosts = {**self.ports, **(ports or {})}
        creds = "".join(
            f"- {{registry: {name}, hostname: '127.0.0.1:{where}', tls: disabled}}\n" for name, where in hosts.items()
        )
        defaults = "defaults: {interval: 1h, state: state.db, skipDockerConfig: true}\n"
        listen = f"server: {{listen: '127.0.0.1:{port}'{head}}}\n"
        return f"creds:\n{creds}{defaults}{listen}sync:\n{''.join(steps)}"

    @contextmanager
    def daemon(
        self, name: str, *steps: str, past: Sequence[Lived] = (), head: str = "", ports: Mapping[str, int] | None = None
    ) -> Iterator[Daemon]:
        """Run a server with these entries and their past; the block is entered when it is ready."""
        folder, port = self._folder / name, free_port()
        folder.mkdir()
        (folder / "regsync.yml").write_text(self.config(port, *steps, head=head, ports=ports))
        remember(folder / "state.db", past)
        with Started("server", "-c", "regsync.yml", "--logopt", "json", cwd=folder) as process:
            found = Daemon(process, folder, port)
            wait_for(found.ready, within=_READY_WITHIN)
            yield found


def step(name: str, source: str, target: str, kind: str = "image", more: str = "") -> str:
    """Return an entry."""
    return f"- {{name: {name}, source: '{source}', target: '{target}', type: {kind}{more}}}\n"


def mirrored(name: str, repository: str, tag: str = "", more: str = "") -> str:
    """Return an entry that mirrors an image of the first registry, or a repository of it, under its own name."""
    source, target = (f"{host}.example/{repository}{f':{tag}' if tag else ''}" for host in ("hub", "mirror"))
    return step(name, source, target, "image" if tag else "repository", more)


EVERYDAY: Final = (
    mirrored("alpine", "library/alpine"),
    mirrored("debian", "library/debian", "stable-slim", ", schedule: 'TZ=Europe/Berlin 30 3 * * 1-5'"),
    mirrored("grafana", "grafana/grafana"),
    mirrored("prometheus", "prom/prometheus", "v3.8", ", interval: 15m"),
)
PAST: Final = (
    Lived("alpine", "mirror.example/library/alpine"),
    Lived("debian", "mirror.example/library/debian", every=86400.0, last=7 * 3600.0),
    Lived("grafana", "mirror.example/grafana/grafana", last=1500.0),
    Lived("prometheus", "mirror.example/prom/prometheus", every=900.0, last=400.0),
)
