"""A real daemon is given broken and good configurations, and signals in the wrong moment; what is pushed arrives."""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path

from tests.e2e.program import Started, wait_for
from tests.e2e.test_server import (
    ARRIVES_WITHIN,
    MARGIN,
    Two,
    config_of,
    digest_at,
    push,
    repository,
    server,
    stands_for,
)
from tests.support.built import image_bytes

LOOKED_AT_EVERY = 10.0  # seconds
BROKEN = "defaults: {interval: 2s}\nsync:\n- {source: nowhere, type: image, tags: [}\n"


def said(process: Started, message: str, count: int) -> bool:
    return process.log().count(message) >= count


def test_a_broken_file_changes_nothing_and_a_good_one_is_put_in_force_at_a_hang_up(
    two_registries: Two, tmp_path: Path
) -> None:
    source, target = two_registries
    file = tmp_path / "run" / "regsync.yml"
    push(tmp_path / "a", source, "a", {"first": image_bytes(b"a")})
    push(tmp_path / "b", source, "b", {"first": image_bytes(b"b")})
    a, b = (repository(f"{source.host}/{name}", f"{target.host}/{name}") for name in "ab")
    with server(config_of(source.host, target.host, a), cwd=tmp_path / "run") as process:
        wait_for(lambda: digest_at(target, "a", "first"), within=30)
        file.write_text(BROKEN)
        process.signal(signal.SIGHUP)
        wait_for(partial(said, process, "Configuration refused", 1), within=MARGIN)
        push(tmp_path / "meanwhile", source, "a", {"meanwhile": image_bytes(b"meanwhile")})
        wait_for(lambda: digest_at(target, "a", "meanwhile"), within=ARRIVES_WITHIN)
        file.write_text(config_of(source.host, target.host, b, a))
        process.signal(signal.SIGHUP)
        wait_for(lambda: digest_at(target, "b", "first"), within=MARGIN)
        push(tmp_path / "after", source, "a", {"after": image_bytes(b"after")})
        wait_for(partial(stands_for, image_bytes(b"after"), target, "a", "after"), within=ARRIVES_WITHIN)
        process.signal(signal.SIGTERM)
        ended = process.ended()
    assert ended.code == 0, ended.err
    assert [line["msg"] for line in ended.lines if line["level"] in {"WARN", "ERROR"}] == [
        "Configuration refused, the one before stays in force"
    ]


def publish(folder: Path, generation: str, text: str) -> None:
    """Give the server a file as the kubelet does that of a ConfigMap: behind a link that is moved in one step."""
    (folder / generation).mkdir(parents=True)
    (folder / generation / "regsync.yml").write_text(text)
    (folder / "..new").symlink_to(generation)
    (folder / "..new").rename(folder / "..data")


def test_a_configmap_that_is_replaced_is_put_in_force_without_a_signal_unless_it_is_broken(
    two_registries: Two, tmp_path: Path
) -> None:
    source, target = two_registries
    folder = tmp_path / "config"
    push(tmp_path / "a", source, "a", {"first": image_bytes(b"a")})
    push(tmp_path / "b", source, "b", {"first": image_bytes(b"b")})
    a, b = (repository(f"{source.host}/{name}", f"{target.host}/{name}") for name in "ab")
    publish(folder, "..1", config_of(source.host, target.host, a))
    (folder / "regsync.yml").symlink_to("..data/regsync.yml")
    with Started("server", "-c", f"{folder}/regsync.yml", "--logopt", "json", cwd=tmp_path / "run") as process:
        wait_for(lambda: digest_at(target, "a", "first"), within=30)
        publish(folder, "..2", BROKEN)
        wait_for(partial(said, process, "Configuration refused", 1), within=LOOKED_AT_EVERY + MARGIN)
        push(tmp_path / "meanwhile", source, "a", {"meanwhile": image_bytes(b"meanwhile")})
        wait_for(lambda: digest_at(target, "a", "meanwhile"), within=ARRIVES_WITHIN)
        publish(folder, "..3", config_of(source.host, target.host, b))
        wait_for(lambda: digest_at(target, "b", "first"), within=LOOKED_AT_EVERY + MARGIN)
        process.signal(signal.SIGTERM)
        ended = process.ended()
    assert ended.code == 0, ended.err
    (line,) = [line for line in ended.lines if line["msg"] == "Configuration reloaded"]
    assert (line["entries"], line["added"], line["removed"]) == (1, 1, 1)
