"""Configurations that cannot be used: every fault with its place, exit code 2, and nobody asked for anything."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from tests.e2e.program import Ended, regsync
from tests.support.fake_registry import FakeRegistry

SECRET = "canary-3f9a1c"
GOOD = "- {source: 'HOST/a', target: 'HOST/b', type: repository}\n"
BAD = {
    "an unknown key": (
        "sync:\n- source: HOST/a\n  target: HOST/b\n  type: repository\n  tagss: {allow: [v1]}\n",
        ['regsync.yml:5:3: sync[0].tagss: unknown key; did you mean "tags"?'],
    ),
    "a duplicate key": (
        "sync:\n- source: HOST/a\n  target: HOST/b\n  type: repository\n  source: HOST/c\n",
        ["regsync.yml:5:3: sync[0].source: duplicate key, first given at line 2, column 3"],
    ),
    "an unknown type": (
        "sync:\n" + GOOD + "- source: HOST/a:1\n  target: HOST/b:1\n  type: imgae\n",
        ['regsync.yml:5:9: sync[1].type: "imgae" is not a type; expected image, repository or registry'],
    ),
    "a reference that is none": (
        "sync:\n- source: HOST/Upper/Case\n  target: HOST/b\n  type: repository\n",
        ["regsync.yml:2:11: sync[0].source: "],
    ),
    "a pattern that is not RE2": (
        "sync:\n- source: HOST/a\n  target: HOST/b\n  type: repository\n  tags:\n    allow: ['v(1', 'fine']\n",
        ["regsync.yml:6:13: sync[0].tags.allow[0]: "],
    ),
    "a schedule that never is": (
        "defaults:\n  schedule: '61 * * * *'\nsync:\n" + GOOD,
        ["regsync.yml:2:13: defaults.schedule: "],
    ),
    "a duration without a unit": (
        "defaults:\n    interval: 60\nsync:\n" + GOOD,
        ["regsync.yml:2:15: defaults.interval: "],
    ),
    "a platform that is none": (
        "sync:\n- source: HOST/a\n  target: HOST/b\n  type: repository\n  platform: linux/*\n",
        ["regsync.yml:5:13: sync[0].platform: "],
    ),
    "a word of YAML 1.1 for a bool": (
        "creds:\n- registry: HOST\n  user: me\n  pass: " + SECRET + "\n  repoAuth: yes\nsync:\n" + GOOD,
        ["regsync.yml:5:13: creds[0].repoAuth: "],
    ),
    "no YAML at all": (
        "sync:\n- source: HOST/a\n  target: [unclosed\n  type: repository\n",
        ["regsync.yml:4:7: not YAML: "],
    ),
    "a template": (
        "creds:\n- registry: HOST\n  user: me\n  pass: '{{" + SECRET + "}}'\nsync:\n" + GOOD,
        ["regsync.yml:4:9: creds[0].pass: "],
    ),
    "several faults": (
        "version: 2\ncreds:\n- registry: HOST\n  tls: maybe\n  token: [" + SECRET + "]\nsync:\n"
        "- source: HOST/a\n  type: repository\n  tags: [v1]\n",
        [
            "regsync.yml:1:10: version: ",
            "regsync.yml:4:8: creds[0].tls: ",
            "regsync.yml:5:10: creds[0].token: ",
            "regsync.yml:7:3: sync[0].target: missing; ",
            "regsync.yml:9:9: sync[0].tags: expected a mapping",
        ],
    ),
}


def run(command: str, config: str, cwd: Path) -> Ended:
    (cwd / "regsync.yml").write_text(config)
    return regsync(command, "-c", "regsync.yml", "-v", "trace", cwd=cwd)


@pytest.mark.parametrize("what", BAD)
async def test_what_is_wrong_is_named_with_its_place_and_nobody_is_asked(
    what: str, fake_registry: FakeRegistry, tmp_path: Path
) -> None:
    text, expected = BAD[what]
    ended = await asyncio.to_thread(run, "once", text.replace("HOST", fake_registry.host), tmp_path)
    lines = ended.err.splitlines()
    assert ended.code == 2
    assert len(lines) == len(expected), ended.err
    for line, start in zip(lines, expected, strict=True):
        assert line.startswith(start), ended.err
    assert ended.out == ""
    assert "Traceback" not in ended.err
    assert SECRET not in ended.err
    assert fake_registry.journal == []


AGREED = {
    "two schemes": "creds:\n- {registry: 'https://http://x', user: a, pass: b}\nsync: []\n",
    "a host of dots": "creds:\n- {registry: 'x..', user: a, pass: b}\nsync: []\n",
    "a host with a path": "creds:\n- registry: x\n  hostname: x/y\n",
    "a fine file": "creds:\n- {registry: 'https://x/', user: a, pass: b}\nsync: []\n",
}


@pytest.mark.parametrize("what", AGREED)
def test_what_a_run_would_refuse_the_check_of_the_configuration_refuses_alike(what: str, tmp_path: Path) -> None:
    (tmp_path / "regsync.yml").write_text(AGREED[what])
    checked = regsync("config", "--check", "-c", "regsync.yml", cwd=tmp_path)
    ran = regsync("once", "-c", "regsync.yml", "-v", "error", cwd=tmp_path)
    assert checked.code == ran.code == (0 if what == "a fine file" else 2)
    assert checked.err == ran.err
    assert ran.code == 0 or re.match(r"regsync\.yml:[0-9]+:[0-9]+: ", ran.err)


@pytest.mark.parametrize("option", [("-v", "loud"), ("--logopt", "xml")])
def test_the_check_of_the_configuration_refuses_the_options_that_a_run_would(
    option: tuple[str, str], tmp_path: Path
) -> None:
    (tmp_path / "regsync.yml").write_text("version: 1\n")
    checked, ran = (
        regsync(*command, *option, "-c", "regsync.yml", cwd=tmp_path) for command in (["config", "--check"], ["once"])
    )
    assert (checked.code, checked.err) == (ran.code, ran.err)
    assert ran.code == 2


@pytest.mark.parametrize("command", ["check", "server", "config"])
async def test_every_command_refuses_it_alike(command: str, fake_registry: FakeRegistry, tmp_path: Path) -> None:
    text, expected = BAD["an unknown key"]
    ended = await asyncio.to_thread(run, command, text.replace("HOST", fake_registry.host), tmp_path)
    assert (ended.code, ended.out, ended.err.splitlines()) == (2, "", expected)
    assert fake_registry.journal == []


async def test_unknown_keys_can_be_allowed_and_are_still_told(fake_registry: FakeRegistry, tmp_path: Path) -> None:
    text, (told,) = BAD["an unknown key"]
    (tmp_path / "regsync.yml").write_text(text.replace("HOST", fake_registry.host))
    ended = regsync("config", "-c", "regsync.yml", "--allow-unknown-keys", cwd=tmp_path)
    assert ended.code == 0
    assert told in ended.err


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("nowhere.yml", "nowhere.yml: no such file or directory"),
        (".", ".: is a directory: name a file (docker mounts a directory where the file it is to mount is not there)"),
        ("link.yml", "link.yml: no such file or directory: it is a link that leads nowhere, to ..data/regsync.yml"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(name: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "link.yml").symlink_to("..data/regsync.yml")
    ended = regsync("once", "-c", name, cwd=tmp_path)
    assert (ended.code, ended.err.splitlines()) == (2, [complaint])
