"""The program against a registry that counts pulls, both as processes."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.e2e.program import Started, creds, log_lines, once, regsync, wait_for
from tests.support.built import image_bytes, read_layout, write_layout
from tests.support.real import DockerRegistry

IMAGE = image_bytes(b"a layer")


def few_left(remaining: int) -> dict[str, str]:
    return {"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": f"{remaining};w=21600"}


@pytest.fixture
def config(tmp_path: Path, docker_registry: DockerRegistry) -> str:
    """A configuration that wants 50 pulls left at a registry with one image."""
    write_layout(tmp_path / "in", {"v1": IMAGE})
    reach = creds(docker_registry.host)
    source = f"{docker_registry.host}/app:v1"
    seeded = once(f"{reach}sync: [{{source: 'ocidir://in:v1', target: '{source}', type: image}}]\n", cwd=tmp_path)
    assert seeded.code == 0, seeded.err
    limit = "ratelimit: {min: 50, retry: 1s}"
    return f"{reach}sync: [{{source: '{source}', target: 'ocidir://out:v1', type: image, {limit}}}]\n"


def test_an_image_is_copied_while_enough_are_left_and_waits_while_they_are_not_until_it_is_told_to_stop(
    tmp_path: Path, docker_registry: DockerRegistry, config: str
) -> None:
    docker_registry.restart(headers=few_left(49))
    (tmp_path / "regsync.yml").write_text(config)
    with Started("once", "-c", "regsync.yml", "--logopt", "json", cwd=tmp_path) as process:
        wait_for(lambda: "Delaying for rate limit" in process.log(), within=60)
        process.signal(signal.SIGTERM)
        ended = process.ended()
    assert ended.code == 130, ended.err
    (told,) = [line for line in log_lines(ended.err) if line["msg"] == "Delaying for rate limit"]
    assert told["level"] == "INFO"
    assert [told[key] for key in ("source-remain", "source-limit", "step-min", "sleep")] == [49, 100, 50, "5m0s"]
    assert not (tmp_path / "out" / "index.json").exists()
    docker_registry.restart(headers=few_left(50))
    assert once(config, cwd=tmp_path).code == 0
    assert read_layout(tmp_path / "out")[0] == {"v1": IMAGE.digest}


def test_a_check_says_what_is_needed_without_waiting(
    tmp_path: Path, docker_registry: DockerRegistry, config: str
) -> None:
    docker_registry.restart(headers=few_left(0))
    (tmp_path / "regsync.yml").write_text(config)
    ended = regsync("check", "-c", "regsync.yml", "--logopt", "json", "--exit-code", cwd=tmp_path)
    assert ended.code == 3, ended.err
    assert "Delaying" not in ended.err
