"""A real daemon, a registry that lacks what is to be copied, and somebody who is told of it."""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path

from tests.e2e.program import Started, creds, once, regsync, wait_for
from tests.e2e.test_server import MARGIN, Two, push, server
from tests.support.built import image_bytes, write_layout
from tests.support.listener import Heard, listening

CANARY = "canary-7f3a91"
LOGIN = "YW5uOmNhbmFyeS03ZjNhOTE="  # ann and the canary
WITHIN = 30.0  # seconds


def url_of(heard: Heard) -> str:
    return f"http://ann:{CANARY}@{heard.host}/{CANARY}?token={CANARY}"


def ended_runs(process: Started, count: int) -> bool:
    return process.log().count("Task finished") >= count


def told(heard: Heard, count: int) -> bool:
    return len(heard.bodies) >= count


def test_a_receiver_is_told_once_of_a_failure_and_again_of_the_recovery(two_registries: Two, tmp_path: Path) -> None:
    source, target = two_registries
    entry = f"{{name: late, source: '{source.host}/late:v1', target: '{target.host}/late:v1', type: image}}"
    with listening(503, 200) as heard:
        notify = f"notify: [{{on: [failure, recovered, changed], url: '{url_of(heard)}'}}]"
        config = f"{creds(source.host, target.host)}defaults: {{interval: 1s, {notify}}}\nsync:\n- {entry}\n"
        with server(config, cwd=tmp_path / "run") as process:
            wait_for(partial(ended_runs, process, 4), within=WITHIN)
            wait_for(partial(told, heard, 2), within=WITHIN)
            push(tmp_path / "late", source, "late", {"v1": image_bytes(b"late")})
            wait_for(partial(told, heard, 4), within=WITHIN)
            wait_for(partial(ended_runs, process, process.log().count("Task finished") + 2), within=WITHIN)
            process.signal(signal.SIGTERM)
            process.process.wait(timeout=MARGIN)
            ended = process.ended()
    assert ended.code == 0, ended.err
    assert CANARY not in ended.err
    refused, failure, changed, recovered = heard.bodies  # the first was refused with 503, and came again
    assert refused == failure
    assert [one["event"] for one in heard.bodies[1:]] == ["failure", "changed", "recovered"]
    assert (failure["entry"], failure["source"]) == ("late", f"{source.host}/late:v1")
    assert failure["causes"][0]["error"] == f"{source.host}/late: v1 is not there"
    assert "Check repository and tag" in failure["text"]
    assert changed["changes"][0]["after"] == image_bytes(b"late").digest
    assert recovered["causes"][0]["repeated"] >= 3


def test_once_tells_before_it_exits_and_prints_nothing_of_the_url(tmp_path: Path) -> None:
    write_layout(tmp_path / "in", {"v1": image_bytes(b"one")})
    entries = (
        "- {name: fine, source: 'ocidir://in:v1', target: 'ocidir://out:v1', type: image}\n"
        "- {name: bad, source: 'ocidir://in:v2', target: 'ocidir://out:v2', type: image}\n"
    )
    with listening(200) as heard:
        text = f"defaults: {{notify: [{{on: [failure, changed], url: '{url_of(heard)}'}}]}}\nsync:\n{entries}"
        ended = once(text, cwd=tmp_path)
        printed = regsync("config", "-c", "regsync.yml", cwd=tmp_path)
    assert ended.code == 1
    assert sorted((one["event"], one["entry"]) for one in heard.bodies) == [("changed", "fine"), ("failure", "bad")]
    assert heard.logins == [f"Basic {LOGIN}"] * 2
    assert printed.out.count("/***") == 1
    assert CANARY not in ended.err + ended.out + printed.out + printed.err
