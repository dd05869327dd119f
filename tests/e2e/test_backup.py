"""What is about to be overwritten is kept: at real registries and in layouts, by the program as it is run."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.e2e.program import Ended, creds, once, regsync
from tests.support.built import image_bytes, platforms_index, read_layout, write_layout
from tests.support.fake_registry import FakeRegistry
from tests.support.real import DockerRegistry

FORMER, NEW = image_bytes(b"former", b"shared"), image_bytes(b"new", b"shared")
BLOBS = 3  # the config and two layers
INDEX = platforms_index("linux/amd64", "linux/arm64")


def copied(source: str, target: str, *lines: str, hosts: tuple[str, ...] = (), cwd: Path, say: str = "") -> Ended:
    """Copy one image with these lines in its entry; `say` are flags."""
    step = "".join(f"  {line}\n" for line in lines)
    text = f"{creds(*hosts)}sync:\n- source: '{source}'\n  target: '{target}'\n  type: image\n{step}"
    return once(text, *say.split(), cwd=cwd)


def layout(folder: Path, name: str, tag: str = "v1") -> str:
    return f"ocidir://{folder / name}:{tag}"


def pulled(registry: DockerRegistry, name: str, cwd: Path) -> str:
    """Fetch an image from a registry into a layout, every blob proved, and return its digest."""
    out = cwd / "pulled" / name.replace("/", "-").replace(":", "-")
    ended = copied(f"{registry.host}/{name}", f"ocidir://{out}:it", hosts=(registry.host,), cwd=cwd)
    assert ended.code == 0, ended.err
    return read_layout(out)[0]["it"]


def overwrite(registry: DockerRegistry, backup: str, cwd: Path) -> Ended:
    """Push one image and then another to the same tag, which is to be kept."""
    write_layout(cwd / "former", {"v1": FORMER})
    write_layout(cwd / "new", {"v1": NEW})
    target = f"{registry.host}/team/app:v1"
    assert copied(layout(cwd, "former"), target, hosts=(registry.host,), cwd=cwd).code == 0
    return copied(layout(cwd, "new"), target, f"backup: '{backup}'", hosts=(registry.host,), cwd=cwd)


@pytest.mark.parametrize(
    ("backup", "name"),
    [
        ("old", "team/app:old"),
        ("old-{{ .Ref.Tag }}", "team/app:old-v1"),
        ("{{ .Ref.Registry }}/backups/{{ .Ref.Repository }}:{{ .Ref.Tag }}", "backups/team/app:v1"),
    ],
)
def test_a_registry_keeps_the_former_image_under_another_tag_or_in_another_repository(
    backup: str, name: str, tmp_path: Path
) -> None:
    with DockerRegistry(tmp_path / "registry") as registry:
        ended = overwrite(registry, backup, tmp_path)
        assert ended.code == 0, ended.err
        assert pulled(registry, name, tmp_path) == FORMER.digest
        assert pulled(registry, "team/app:v1", tmp_path) == NEW.digest
        (line,) = [line for line in ended.lines if line["msg"] == "Saving backup"]
        assert (line["original"], line["backup"]) == (f"{registry.host}/team/app:v1", f"{registry.host}/{name}")


def test_another_registry_keeps_the_former_image(tmp_path: Path) -> None:
    with DockerRegistry(tmp_path / "a") as registry, DockerRegistry(tmp_path / "b") as other:
        write_layout(tmp_path / "former", {"v1": INDEX})
        write_layout(tmp_path / "new", {"v1": NEW})
        hosts, target = (registry.host, other.host), f"{registry.host}/app:v1"
        assert copied(layout(tmp_path, "former"), target, hosts=hosts, cwd=tmp_path).code == 0
        keep = f"backup: '{other.host}/kept/{{{{ .Ref.Repository }}}}:{{{{ .Ref.Tag }}}}'"
        ended = copied(layout(tmp_path, "new"), target, keep, hosts=hosts, cwd=tmp_path)
        assert ended.code == 0, ended.err
        assert pulled(other, "kept/app:v1", tmp_path) == INDEX.digest


def test_a_layout_keeps_the_former_image_and_is_tidied_with_what_it_keeps(tmp_path: Path) -> None:
    write_layout(tmp_path / "new", {"v1": NEW})
    for target, keep in (("a", "old"), ("b", f"ocidir://{tmp_path}/kept:{{{{ .Ref.Tag }}}}")):
        write_layout(tmp_path / target, {"v1": FORMER})
        ended = copied(layout(tmp_path, "new"), layout(tmp_path, target), f"backup: '{keep}'", cwd=tmp_path)
        assert ended.code == 0, ended.err
    assert read_layout(tmp_path / "a")[0] == {"v1": NEW.digest, "old": FORMER.digest}
    assert read_layout(tmp_path / "b")[0] == {"v1": NEW.digest}
    tags, contents = read_layout(tmp_path / "kept")
    assert tags == {"v1": FORMER.digest}
    assert len(contents) == 1 + BLOBS
    assert not (tmp_path / "kept" / ".regsync").exists()


@pytest.mark.parametrize("place", ["", "kept"])
def test_a_layout_keeps_an_index_of_which_it_has_some_platforms_alone(place: str, tmp_path: Path) -> None:
    former = platforms_index("linux/amd64", "linux/arm64", "windows/amd64")
    write_layout(tmp_path / "former", {"v1": former})
    write_layout(tmp_path / "new", {"v1": platforms_index("linux/arm64", "linux/amd64", "linux/s390x")})
    keep = f"ocidir://{tmp_path / place}:old" if place else "old"
    lines = ("platforms: [linux/amd64, linux/arm64]", f"backup: '{keep}'")
    for source in ("former", "new"):
        ended = copied(layout(tmp_path, source), layout(tmp_path, "target"), *lines, cwd=tmp_path)
        assert (ended.code, "WARN" in ended.err) == (0, False), ended.err
    tags, contents = read_layout(tmp_path / (place or "target"))
    assert tags["old"] == former.digest
    assert {each.digest for each in former.children[:2]} < contents.keys()


def test_a_backup_that_cannot_be_made_is_warned_of_and_the_image_is_copied(tmp_path: Path) -> None:
    with DockerRegistry(tmp_path / "registry") as registry:
        (tmp_path / "in-the-way").write_text("")
        ended = overwrite(registry, f"ocidir://{tmp_path}/in-the-way:old", tmp_path)
        assert ended.code == 0, ended.err
        (line,) = [line for line in ended.lines if line["level"] == "WARN"]
        assert (line["msg"], line["original"]) == ("Failed to backup existing image", f"{registry.host}/team/app:v1")
        assert pulled(registry, "team/app:v1", tmp_path) == NEW.digest


@pytest.mark.parametrize(
    ("backup", "message"),
    [
        ("{{ .Ref.Tag }} of yesterday", "Failed to parse backup reference"),
        ("{{ index (split .Ref.Tag `-`) 1 }}", "Failed to expand backup template"),
    ],
)
def test_an_image_whose_backup_has_no_name_is_not_copied(backup: str, message: str, tmp_path: Path) -> None:
    with DockerRegistry(tmp_path / "registry") as registry:
        ended = overwrite(registry, backup, tmp_path)
        assert ended.code == 1
        assert [line["msg"] for line in ended.lines if line["level"] == "ERROR"] == [message]
        assert pulled(registry, "team/app:v1", tmp_path) == FORMER.digest


def test_a_check_and_a_missing_run_keep_nothing(tmp_path: Path) -> None:
    write_layout(tmp_path / "new", {"v1": NEW})
    write_layout(tmp_path / "target", {"v1": FORMER})
    ended = copied(layout(tmp_path, "new"), layout(tmp_path, "target"), "backup: old", cwd=tmp_path, say="--missing")
    assert (ended.code, regsync("check", "-c", "regsync.yml", cwd=tmp_path).code) == (0, 0)
    assert set(read_layout(tmp_path / "target")[0]) == {"v1"}


@pytest.mark.parametrize(("backup", "more"), [("old", 3), ("{{ .Ref.Registry }}/kept:{{ .Ref.Tag }}", 3 + 2 * BLOBS)])
async def test_a_backup_costs_no_more_requests_than_the_go_regsync_s(backup: str, more: int, tmp_path: Path) -> None:
    counts: list[int] = []
    for line in ("", f"backup: '{backup}'"):
        async with FakeRegistry() as registry:
            registry.seed("src", {"v1": NEW})
            registry.seed("app", {"v1": FORMER})
            entry = f"{registry.host}/src:v1", f"{registry.host}/app:v1"
            ended = await asyncio.to_thread(
                copied, *entry, *filter(None, [line]), hosts=(registry.host,), cwd=tmp_path / str(len(counts))
            )
            assert ended.code == 0, ended.err
            counts.append(len(registry.journal))
    assert counts[1] - counts[0] <= more
