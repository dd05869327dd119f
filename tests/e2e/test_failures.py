"""What one image's trouble does to a run: exit code 1, a line at once and one at the end; the rest is copied."""

from __future__ import annotations

import asyncio
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.e2e.program import Ended, creds, once, regsync
from tests.support.built import image_bytes, read_layout, write_layout
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Fault, Stall
from tests.support.real import DockerRegistry

IMAGES = {f"v{number}": image_bytes(str(number).encode()) for number in range(3)}


def step(source: str, target: str, kind: str = "image") -> str:
    return f"- {{source: '{source}', target: '{target}', type: {kind}}}\n"


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_failed(ended: Ended, message: str, *names: str, failed: int = 1) -> None:
    assert ended.code == 1, ended.err
    assert "Traceback" not in ended.err
    assert ended.figures["failed"] == failed
    told = [line for line in ended.lines if line["level"] == "ERROR"]
    assert [line["msg"] for line in told] == [message] * failed
    assert len(ended.plain) == failed, ended.err
    for line in (*ended.plain, *(str(each) for each in told)):
        for name in names:
            assert name in line


def test_a_source_tag_that_is_not_there_fails_alone(docker_registry: DockerRegistry, tmp_path: Path) -> None:
    write_layout(tmp_path / "origin", IMAGES)
    host, origin = docker_registry.host, f"ocidir://{tmp_path}/origin"
    config = creds(host) + "sync:\n" + step(f"{origin}:v1", f"{host}/a:v1") + step(f"{origin}:v9", f"{host}/a:v9")
    assert_failed(once(config, cwd=tmp_path), "Failed to lookup source manifest", "origin:v9", f"{host}/a:v9")
    target = f"ocidir://{tmp_path}/back"
    config = creds(host) + "sync:\n" + step(f"{host}/a:v1", f"{target}:v1") + step(f"{host}/a:v9", f"{target}:v9")
    ended = once(config, cwd=tmp_path)
    assert_failed(ended, "Failed to lookup source manifest", f"{host}/a:v9", "back:v9", "is not there")
    assert "no registry" not in ended.err
    assert read_layout(tmp_path / "back")[0] == {"v1": IMAGES["v1"].digest}


class Nothing(BaseHTTPRequestHandler):
    """A web server that has no page."""

    def do_GET(self) -> None:
        self.send_error(404)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_where_no_registry_answers_the_words_of_who_does_are_shown(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Nothing) as other:
        Thread(target=other.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{other.server_port}"
        ended = once(creds(host) + "sync:\n" + step(f"{host}/a:v1", f"ocidir://{tmp_path}/a:v1"), cwd=tmp_path)
        other.shutdown()
    said = f"{host}/a: v1 is not there; no registry says it so: 404 Not Found"
    assert_failed(ended, "Failed to lookup source manifest", said)


def test_a_source_repository_that_is_not_there_is_a_failure(docker_registry: DockerRegistry, tmp_path: Path) -> None:
    host = docker_registry.host
    config = creds(host) + "sync:\n" + step(f"{host}/nowhere", f"ocidir://{tmp_path}/a", "repository")
    assert_failed(once(config, cwd=tmp_path), "Failed getting source tags", f"{host}/nowhere", "404")
    config = "sync:\n" + step(f"ocidir://{tmp_path}/nowhere", f"ocidir://{tmp_path}/a", "repository")
    assert_failed(once(config, cwd=tmp_path), "Failed getting source tags", "/nowhere")
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "nowhere").exists()


def test_a_registry_nobody_answers_for_is_a_failure_that_was_tried_again(
    docker_registry: DockerRegistry, tmp_path: Path
) -> None:
    host = docker_registry.host
    docker_registry.kill()
    config = creds(host) + "sync:\n" + step(f"{host}/a", f"ocidir://{tmp_path}/a", "repository")
    ended = once(config, cwd=tmp_path)
    assert_failed(ended, "Failed getting source tags", host)
    assert ended.plain[0].endswith("times)")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


@pytest.mark.parametrize("command", ["once", "check"])
@pytest.mark.parametrize("kind", ["repository", "image"])
def test_a_target_layout_that_cannot_be_read_is_not_touched(command: str, kind: str, tmp_path: Path) -> None:
    write_layout(tmp_path / "source", IMAGES)
    write_layout(tmp_path / "target", {"old": image_bytes(b"old"), **IMAGES})
    cut(tmp_path / "target" / "index.json")
    before = files_in(tmp_path / "target")
    tag = ":v1" if kind == "image" else ""
    ends = step(f"ocidir://{tmp_path}/source{tag}", f"ocidir://{tmp_path}/target{tag}", kind)
    (tmp_path / "regsync.yml").write_text("sync:\n" + ends)
    ended = regsync(command, "-c", "regsync.yml", "--logopt", "json", cwd=tmp_path)
    assert ended.code == 1, ended.err
    assert f"{tmp_path}/target" in ended.plain[0]
    assert "index.json" in ended.plain[0]
    assert "Traceback" not in ended.err
    after = files_in(tmp_path / "target")
    assert {path: data for path, data in after.items() if not path.startswith(".regsync/")} == before


def test_a_source_layout_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    write_layout(tmp_path / "source", IMAGES)
    cut(tmp_path / "source" / "index.json")
    before = files_in(tmp_path / "source")
    config = "sync:\n" + step(f"ocidir://{tmp_path}/source", f"ocidir://{tmp_path}/target", "repository")
    assert_failed(once(config, cwd=tmp_path), "Failed getting source tags", "source", "index.json")
    assert files_in(tmp_path / "source") == before
    assert not (tmp_path / "target").exists()


def test_a_blob_that_is_not_what_its_name_says_fails_its_image_alone(tmp_path: Path) -> None:
    write_layout(tmp_path / "source", IMAGES)
    algorithm, _, value = [*IMAGES["v1"].blobs][-1].partition(":")
    (tmp_path / "source" / "blobs" / algorithm / value).write_bytes(b"X")
    config = "sync:\n" + step(f"ocidir://{tmp_path}/source", f"ocidir://{tmp_path}/target", "repository")
    assert_failed(once(config, cwd=tmp_path), "Failed to copy image", "source:v1", "target:v1", value)
    expected = {tag: image.digest for tag, image in IMAGES.items() if tag != "v1"}
    assert read_layout(tmp_path / "target")[0] == expected


def test_a_target_that_only_reads_fails_and_keeps_what_it_had(docker_registry: DockerRegistry, tmp_path: Path) -> None:
    write_layout(tmp_path / "origin", IMAGES)
    docker_registry.restart(read_only=True)
    config = creds(docker_registry.host) + "sync:\n"
    config += step(f"ocidir://{tmp_path}/origin:v1", f"{docker_registry.host}/a:v1")
    assert_failed(once(config, cwd=tmp_path), "Failed to copy image", docker_registry.host, "405")


@pytest.mark.parametrize("aborts", [True, False])
async def test_the_first_failure_ends_the_run_when_asked(
    aborts: bool, fake_registry: FakeRegistry, tmp_path: Path
) -> None:
    fake_registry.seed("a", IMAGES)
    host, target = fake_registry.host, f"ocidir://{tmp_path}/target"
    if aborts:  # all that could go on is held back, so that only giving it up ends the run
        fake_registry.fail(Fault(Stall(), kind="blob", times=1000))
    config = creds(host) + "sync:\n" + "".join(step(f"{host}/a:{tag}", f"{target}:{tag}") for tag in [*IMAGES, "v9"])
    flags = ["--abort-on-error"] if aborts else []
    ended = await asyncio.to_thread(once, config, *flags, cwd=tmp_path)
    assert_failed(ended, "Failed to lookup source manifest", f"{host}/a:v9")
    assert ended.figures["copied"] == (0 if aborts else len(IMAGES))
