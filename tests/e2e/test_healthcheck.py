"""A container is unhealthy when its server should answer and does not, and never because it listens nowhere."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.e2e.program import Started, regsync, wait_for
from tests.support.built import image_bytes, write_layout
from tests.support.real import free_port


def prepare(folder: Path, top: str = "") -> None:
    write_layout(folder / "in", {"v1": image_bytes(b"layer")})
    (folder / "regsync.yml").write_text(
        f"{top}defaults: {{interval: 1h, skipDockerConfig: true}}\n"
        f"sync: [{{source: 'ocidir://in:v1', target: 'ocidir://out:v1', type: image}}]\n"
    )


def health(pid: int, folder: Path) -> tuple[int, str]:
    ended = regsync("healthcheck", "--pid", str(pid), cwd=folder)
    return ended.code, ended.err


@pytest.mark.parametrize("way", ["flag", "key"])
def test_a_server_that_should_answer_is_well_while_it_does(way: str, tmp_path: Path) -> None:
    place = f"127.0.0.1:{free_port()}" if way == "flag" else f"unix:{tmp_path}/socket"
    prepare(tmp_path, "" if way == "flag" else f"server: {{listen: '{place}'}}\n")
    more = ["--listen", place] if way == "flag" else []
    with Started("-c", "regsync.yml", "server", *more, cwd=tmp_path, anew=True) as server:
        wait_for((tmp_path / "out" / "index.json").exists, within=60)
        assert health(server.process.pid, tmp_path) == (0, "")
        server.signal(signal.SIGTERM)
        assert server.ended().code == 0


def test_a_server_that_listens_nowhere_is_well(tmp_path: Path) -> None:
    prepare(tmp_path)
    with Started("server", "-c", "regsync.yml", cwd=tmp_path, anew=True) as server:
        wait_for((tmp_path / "out" / "index.json").exists, within=60)
        assert health(server.process.pid, tmp_path) == (0, "")


def test_what_is_no_server_is_well(tmp_path: Path) -> None:
    assert health(os.getpid(), tmp_path) == (0, "")


def test_a_server_whose_address_nobody_answers_at_is_not_well(tmp_path: Path) -> None:
    prepare(tmp_path)
    place = f"127.0.0.1:{free_port()}"
    with Started("server", "--no-watch", "-c", "regsync.yml", cwd=tmp_path, anew=True) as server:
        wait_for((tmp_path / "out" / "index.json").exists, within=60)
        prepare(tmp_path, f"server: {{listen: '{place}'}}\n")  # that would take a restart
        assert health(server.process.pid, tmp_path) == (1, "the server does not answer at /healthz\n")
