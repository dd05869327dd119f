"""What the guide to Kubernetes has people type, run with real kubectl and helm against a real API server."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from tests.deploy.apiserver import ApiServer
from tests.deploy.files import DEPLOY
from tests.support.pages import ROOT, Block, blocks, steps
from tests.support.real import require

GUIDE: Final = ROOT / "docs" / "guide" / "kubernetes.md"
NEED_A_POD: Final = {"rollout", "logs", "port-forward"}  # no controller makes one
DEPLOYMENT: Final = "/apis/apps/v1/namespaces/regsync/deployments/regsync"
CRONJOB: Final = "/apis/batch/v1/namespaces/regsync/cronjobs/regsync"


@dataclass
class Report:
    """What was looked at so far, each printed as it comes."""

    lines: int = 0
    wrong: int = 0

    def line(self, what: str, complaints: Sequence[str]) -> None:
        self.lines += 1
        self.wrong += bool(complaints)
        for text in (f"{'WRONG' if complaints else 'ok':6}{what}", *(f"        {each}" for each in complaints)):
            click.echo(text)


def typed_blocks() -> list[Block]:
    """The blocks with commands for a cluster: each is a way of its own, for a cluster of its own."""
    return [block for block in blocks(GUIDE) if block.kind == "console" and any(_commands(block))]


def _commands(block: Block) -> Iterator[list[str]]:
    for step in steps(block):
        words = shlex.split(step.command)
        if words[0] in {"kubectl", "helm"} and not NEED_A_POD & set(words):
            yield words


def by_the_guide(server: ApiServer, report: Report, block: Block, folder: Path) -> None:
    """Type a block's commands where the guide has people be: in a checkout, with a login and values."""
    (folder / "deploy").symlink_to(DEPLOY)
    (folder / "config.json").write_text("{}")
    (values,) = [each for each in blocks(GUIDE) if each.name == "values.yaml"]
    (folder / "values.yaml").write_text(values.body)

    def typed(words: Sequence[str]) -> list[str]:
        complaints = _run(words, server, folder)
        report.line(f"guide: {shlex.join(words)}", complaints)
        return complaints

    installed: list[str] = []
    for words in _commands(block):
        typed(words)
        installed = words if words[0] == "helm" else installed
    if installed:
        for what, complaints in _upgrades(server, typed, installed):
            report.line(f"guide: {what}", complaints)


def _upgrades(
    server: ApiServer, typed: Callable[[Sequence[str]], object], installed: Sequence[str]
) -> Iterator[tuple[str, list[str]]]:
    """Change what was installed in the ways that people do; say what must hold then."""
    before = server.ask("GET", DEPLOYMENT).body["metadata"]["generation"]
    typed([*installed, "--set", "config.defaults.interval=2h"])
    after = server.ask("GET", DEPLOYMENT).body["metadata"]["generation"]
    yield "another config restarts nothing", [] if before == after else [f"generation {before}, then {after}"]
    typed([*installed, "--set", "mode=cronjob", "--set", "persistence.enabled=true"])
    there = [server.ask("GET", path).status for path in (DEPLOYMENT, CRONJOB)]
    yield "another mode takes the first one's place", [] if there == [404, 200] else [f"{there}"]
    typed(["helm", "uninstall", "regsync", "--namespace", "regsync"])
    claims = server.ask("GET", "/api/v1/namespaces/regsync/persistentvolumeclaims").body["items"]
    yield "the disk outlives the release", [] if len(claims) == 1 else [f"{len(claims)} claims"]
    typed([*installed, "--set", "persistence.enabled=true"])


def _run(words: Sequence[str], server: ApiServer, folder: Path) -> list[str]:
    """Run a command; any word on stderr is a complaint, as warnings of the server come there."""
    home = {name: str(folder / name) for name in ("HOME", "HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME")}
    environment = {**os.environ, **home, "KUBECONFIG": str(server.kubeconfig)}
    command = [require(words[0]), *words[1:]]
    done = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False
    )
    complaints = done.stderr.decode(errors="replace").splitlines()
    return [*complaints, f"exit code {done.returncode}"] if done.returncode else complaints
