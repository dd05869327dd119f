"""`regsync init` as newcomers meet it: asked on a terminal, or told by flags; and what it writes runs."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from regsync.loading import load
from tests.e2e.program import Ended, regsync
from tests.support.built import image_bytes, some_bytes
from tests.support.fake_registry import Basic, FakeRegistry
from tests.support.real import free_port

IMAGE = image_bytes(some_bytes(100))
TAGS = ("1.9.0", "2.0.0", "2.1.0", "2.2.0", "2.3.0", "2.3.0-rc.1", "2.3.0-alpine", "latest")
SIGNATURE = f"{IMAGE.digest.replace(':', '-')}.sig"


@pytest.fixture
def source(fake_registry: FakeRegistry) -> str:
    """A repository with versions and a signature."""
    fake_registry.seed("team/app", dict.fromkeys((*TAGS, SIGNATURE), IMAGE))
    return f"http://{fake_registry.host}/team/app"


async def init(cwd: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> Ended:
    return await asyncio.to_thread(regsync, "init", *arguments, cwd=cwd, environ=environ)


async def test_by_flags_it_writes_what_the_other_commands_take_and_selects_what_it_said(
    source: str, fake_registry: FakeRegistry, tmp_path: Path
) -> None:
    ended = await init(tmp_path, "--source", source, "--target", "ocidir://images/app")
    assert ended.code == 0, ended.err
    assert f"{fake_registry.host}/team/app: reached without a login; 9 tags" in ended.err
    assert "a directory that is made by the first copy and can be written" in ended.err
    assert "takes 4 of 9 tags: 2.1.0, 2.2.0, 2.3.0, latest\n" in ended.err
    checked = await asyncio.to_thread(regsync, "config", "--check", "-c", "regsync.yml", cwd=tmp_path)
    assert (checked.code, checked.err) == (0, "")
    done = await asyncio.to_thread(regsync, "once", "-c", "regsync.yml", "--logopt", "json", cwd=tmp_path)
    assert done.code == 0, done.err
    assert done.figures["copied"] == 4
    listed = json.loads((tmp_path / "images" / "app" / "index.json").read_text())["manifests"]
    names = {one.get("annotations", {}).get("org.opencontainers.image.ref.name") for one in listed} - {None}
    assert names == {"2.1.0", "2.2.0", "2.3.0", "latest", SIGNATURE}, "with what is tied to them"


@pytest.mark.parametrize(
    ("flags", "missing"),
    [([], "--source and --target are missing"), (["--source", "alpine"], "--target is missing")],
)
async def test_without_a_terminal_what_is_missing_is_named(flags: list[str], missing: str, tmp_path: Path) -> None:
    ended = await init(tmp_path, *flags)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"init: {missing}, and there is no terminal to ask on\n"
    assert [*os.scandir(tmp_path)] == []


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--source", "ALPINE"], "--source: invalid reference 'ALPINE'"),
        (["--tags", "all", "--target", "docker.io/library/alpine"], "--target: the target is the source"),
        (["--tags", "all", "--every", "1d"], "--every: unknown unit 'd'"),
        (["--tags", "["], "--tags: the pattern is not RE2 syntax"),
        (["--tags", "suggested"], "--tags: nothing can be suggested without a look"),
        ([], "--tags: nothing can be suggested without a look"),
        (["--source", "alpine:3", "--tags", "3"], "--tags: docker.io/library/alpine:3 is one image"),
        (["--repos", "a"], "--repos: docker.io/library/alpine is no registry"),
        (["--source", "ghcr.io", "--repos", "["], "--repos: the pattern is not RE2 syntax"),
        (["-o", "none/regsync.yml"], "none/regsync.yml: cannot be written; no such folder"),
        (["-c", "regsync.yml"], "init reads no configuration; name the file to write with -o FILE"),
    ],
)
async def test_a_flag_that_cannot_be_used_is_named_in_one_line(flags: list[str], said: str, tmp_path: Path) -> None:
    ended = await init(tmp_path, "--source", "alpine", "--target", "ocidir://images", "--offline", *flags)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(said)
    assert ended.err.count("\n") == 1
    assert [*os.scandir(tmp_path)] == []


async def test_a_file_that_exists_is_left_alone_before_anybody_is_asked(
    source: str, fake_registry: FakeRegistry, tmp_path: Path
) -> None:
    (tmp_path / "regsync.yml").write_text("mine")
    flags = ["--source", source, "--target", "ocidir://images"]
    ended = await init(tmp_path, *flags)
    assert (ended.code, ended.err.partition(";")[0]) == (2, "regsync.yml exists and is left as it is")
    assert fake_registry.journal == []
    assert (tmp_path / "regsync.yml").read_text() == "mine"
    assert (await init(tmp_path, *flags, "--force")).code == 0
    assert load(str(tmp_path / "regsync.yml"), allow_unknown_keys=False).config.sync


async def test_with_a_dash_the_file_goes_to_standard_output(source: str, tmp_path: Path) -> None:
    ended = await init(tmp_path, "--source", source, "--target", "ocidir://images", "-o", "-")
    assert ended.code == 0
    assert ended.out.startswith("# Made by")
    assert [*os.scandir(tmp_path)] == []


async def test_a_source_that_cannot_be_reached_is_said_in_one_line_and_offline_is_not_asked(tmp_path: Path) -> None:
    away = f"http://127.0.0.1:{free_port()}/app"
    flags = ["--source", away, "--target", "registry.example.org", "--tags", "v.*"]
    ended = await init(tmp_path, *flags)
    assert ended.code == 1
    _looking, failure = ended.plain
    assert "connection refused (--offline writes a configuration without looking)" in failure
    assert [*os.scandir(tmp_path)] == []
    ended = await init(tmp_path, *flags, "--offline", "--every", "never")
    assert ended.code == 0, ended.err
    (step,) = load(str(tmp_path / "regsync.yml"), allow_unknown_keys=False).config.sync
    assert (step.target, step.interval) == ("registry.example.org/app", 0)
    assert step.tag_sets[0].allow == ("v.*",)
    assert "#   - registry: registry.example.org\n" in (tmp_path / "regsync.yml").read_text()


async def test_a_registry_without_tls_is_named_with_what_to_write(fake_registry: FakeRegistry, tmp_path: Path) -> None:
    fake_registry.seed("app", {"v1": IMAGE})
    ended = await init(tmp_path, "--source", f"{fake_registry.host}/app", "--target", "ocidir://images")
    assert ended.code == 1
    assert f"speaks no TLS; if it speaks plain HTTP, write http://{fake_registry.host}/app" in ended.err


@pytest.mark.parametrize("source_is", ["tag", "missing", "registry"])
async def test_an_image_and_a_registry_are_looked_at_in_their_way(
    source_is: str, fake_registry: FakeRegistry, tmp_path: Path
) -> None:
    fake_registry.seed("team/app", {"v1": IMAGE})
    host = fake_registry.host
    names = {"tag": f"{host}/team/app:v1", "missing": f"{host}/team/app:v2", "registry": f"{host}"}
    flags = ["--source", f"http://{names[source_is]}", "--target", "ocidir://images"]
    ended = await init(tmp_path, *flags)
    if source_is == "missing":
        assert ended.code == 1
        assert f"{host}/team/app:v2 is not there" in ended.err
        return
    assert ended.code == 0, ended.err
    assert (f"the image is {IMAGE.digest}" if source_is == "tag" else "1 repository") in ended.err
    done = await asyncio.to_thread(regsync, "once", "-c", "regsync.yml", "--logopt", "json", cwd=tmp_path)
    assert (done.code, done.figures["copied"]) == (0, 1)


async def test_a_login_is_found_or_asked_for_and_never_written(fake_registry: FakeRegistry, tmp_path: Path) -> None:
    fake_registry.auth = Basic("mirror", "canary-secret-11")
    fake_registry.seed("app", {"1.0": IMAGE})
    flags = ["--source", f"http://{fake_registry.host}/app", "--target", f"http://{fake_registry.host}/copy"]
    ended = await init(tmp_path, *flags)
    assert ended.code == 1
    assert f"no login was found: `docker login {fake_registry.host}`" in ended.err
    login = base64.b64encode(b"mirror:canary-secret-11").decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {fake_registry.host: {"auth": login}}}))
    ended = await init(tmp_path, *flags, "-v", "trace", environ={"DOCKER_CONFIG": str(tmp_path)})
    assert ended.code == 0, ended.err
    assert "reached with the login found for it; 1 tag" in ended.err
    assert (
        "with the login found for it; nothing there yet; whether it may be written shows at the first copy" in ended.err
    )
    text = (tmp_path / "regsync.yml").read_text()
    for secret in ("canary-secret-11", login):
        assert secret not in ended.err + text
    assert "pass:" not in text


async def test_a_target_that_wants_a_login_is_told_and_the_file_is_written(
    source: str, fake_registry: FakeRegistry, tmp_path: Path
) -> None:
    async with FakeRegistry(auth=Basic("mirror", "secret")) as target:
        flags = ["--source", source, "--target", f"http://{target.host}", "--tags", "none.*"]
        ended = await init(tmp_path, *flags)
    assert ended.code == 0, ended.err
    assert f"{target.host}/team/app: {target.host} wants a user name and password" in ended.err
    assert f"`docker login {target.host}`, then try again" in ended.err
    assert "takes 0 of 9 tags: none" in ended.err
