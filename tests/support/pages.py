"""The documentation as tests read it: pages, their fenced blocks, and what a reader who types along would see."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from pydantic import BaseModel

from regsync.config import model
from tests.support import warm
from tests.support.real import require

ROOT = Path(__file__).parent.parent.parent
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")))
NOT_RUN = {
    "cp",
    "docker",
    "helm",
    "kubectl",
    "systemctl",
    "python3",
    "/opt/regsync/bin/pip",
    "make",
}  # `make` is checked against the Makefile
ANSWERS = ("--source", "ocidir://examples/layout", "--target", "ocidir://images/layout")  # to what `regsync init` asks
_BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<info>[a-z][^\n]*)?\n(?P<body>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE
)
_ANYTHING = "…"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: `kind` is the first word behind the fence, `words` are the others."""

    kind: str
    words: tuple[str, ...]
    body: str

    @property
    def name(self) -> str:
        """The file this block is shown as, if it has a name."""
        return self.words[-1] if self.words and "." in self.words[-1] else ""


@dataclass(frozen=True, slots=True)
class Step:
    """A command, and the lines shown below it."""

    command: str
    shown: tuple[str, ...]


def blocks(page: Path) -> Iterator[Block]:
    """Every fenced block of a page, without the indentation it has as part of a list."""
    for found in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        kind, *words = (found["info"] or "text").split()
        body = re.sub(f"^{found['indent']}", "", found["body"], flags=re.MULTILINE)
        yield Block(kind, tuple(words), body)


def steps(block: Block) -> Iterator[Step]:
    """The commands of a console block."""
    for part in re.split(r"^\$ ", block.body, flags=re.MULTILINE)[1:]:
        command, *shown = part.splitlines()
        yield Step(command, tuple(line for line in shown if line.strip(f"{_ANYTHING} ")))


def page_name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@dataclass(slots=True)
class Reader:
    """Somebody who types a page's commands in a directory that holds the examples; `names` stand for real hosts."""

    folder: Path
    names: Mapping[str, str] = field(default_factory=dict)
    code: int = 0
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        shutil.copytree(ROOT / "examples" / "layout", self.folder / "examples" / "layout")
        shutil.copy(ROOT / "config.example.yaml", self.folder)

    def follow(self, page: Path) -> None:
        """Write the page's files and run its commands, in their order; servers run until the page ends."""
        try:
            for block in blocks(page):
                if block.kind == "yaml" and block.name:
                    (self.folder / block.name).write_text(self._here(block.body), encoding="utf-8")
                elif block.kind == "console":
                    self._type(list(steps(block)))
        finally:
            for server in self.servers:
                server.terminate()
        assert [server.wait(60) for server in self.servers] == [0] * len(self.servers)

    def _type(self, typed: list[Step]) -> None:
        for step, following in zip(typed, [*typed[1:], None], strict=True):
            if step.command == "echo $?":
                assert step.shown == (str(self.code),), f"exit code {self.code} is shown as {step.shown}"
                continue
            said = self._serve(step) if step.command.startswith("regsync server ") else self._run(step.command)
            asked = following is not None and following.command == "echo $?"
            assert self.code == 0 or asked, f"{step.command} exited {self.code}:\n{said}"
            for line in step.shown:
                assert appears(self._here(line), said), f"{step.command} is said to print\n{line}\nand printed\n{said}"

    def _serve(self, step: Step) -> str:
        """Start a server and return what it said when it had said what is shown, or a minute is over."""
        log = self.folder / f"server-{len(self.servers)}.log"
        called = [sys.executable, "-m", *self._here(step.command).split()]
        with log.open("wb") as file:
            known = {**os.environ, "PYTHONPATH": str(ROOT)}
            self.servers.append(subprocess.Popen(called, cwd=self.folder, stdout=file, stderr=file, env=known))
        give_up, self.code = time.monotonic() + 60, 0
        while time.monotonic() < give_up and not all(appears(line, log.read_text()) for line in step.shown):
            time.sleep(0.05)
        return log.read_text()

    def _run(self, command: str) -> str:
        program, *arguments = self._here(command).split()
        if program in NOT_RUN:
            return ""
        if program == "curl":
            with urlopen(f"http://{arguments[-1]}", timeout=60) as answer:
                return str(answer.read(), "utf-8")
        if program == "regsync":
            arguments += ANSWERS if arguments == ["init"] else ()
            ran = warm.run(*arguments, cwd=self.folder, environ={**os.environ, "PYTHONPATH": str(ROOT)})
            self.code = ran.returncode
            return ran.stderr + ran.stdout
        done = subprocess.run(
            [require(program), *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            check=False,
        )
        self.code = done.returncode
        return done.stdout.decode()

    def _here(self, text: str) -> str:
        for name, host in self.names.items():
            text = text.replace(name, host)
        return text


def appears(shown: str, said: str) -> bool:
    """Say whether a line as shown, where … stands for anything, is among the lines that were printed."""
    pattern = ".*".join(re.escape(part) for part in shown.split(_ANYTHING))
    return any(re.fullmatch(pattern, line) for line in said.splitlines())


def configuration_keys() -> set[str]:
    """Every key the configuration can have, at any level."""
    models = [kind for _, kind in inspect.getmembers(model, inspect.isclass) if issubclass(kind, BaseModel)]
    return {shape.alias or name for kind in models for name, shape in kind.model_fields.items()}
