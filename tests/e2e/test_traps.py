"""`regsync config --check` on a file full of what regclient's regsync silently makes something else of."""

from __future__ import annotations

import re
from pathlib import Path

from tests.e2e.program import regsync

FILE = """\
x-nightly: &nightly {schedule: "@daily"}
creds:
- registry: docker.io
  credExpire: 1h
  mirrors: [cache.example]
  priority: 2
  reqConcurrent: 0
- registry: a.example/path
  api: v2
  scheme: http
  credExpire: 5000000000
  apiOpts: {disableHead: true, enableHead: true}
- user: nobody
- registry: index.docker.io
  clientCert: nothing
- registry: b.example
  pass: 010
  reqPerSec: -1
defaults:
  fastCopy: true
  fastcheck: true
  cacheCount: 5
  ratelimit: {retry: 1m}
  hooks: {pre: {type: exec, params: [a]}}
sync:
- schedule: "@hourly"
  source: quay.example/a
  target: docker.io/b/c
  type: repository
  forceRecursive: yes
  <<: *nightly
  tagss: {allow: [latest]}
  repos: {allow: [a]}
  tags:
    allow: [a|b, "*-windows", 3.10]
    semverRange: [">1.0.0-rc.1", "", ">=1", "<2"]
- <<: [*nightly]
  source: quay.example/c:1
  source: quay.example/d:1
  target: b.example/c:1
  type: image
  name: second
  interval: 1h
  platform: arm64
  referrers: true
  referrerSlow: true
  tags: {allow: [a]}
- source: quay.example/d:1
  target: b.example/d:1
  type: image
  cleanupTags: true
  referrerSource: quay.example/x
---
version: 2
"""
LISTED = """
4 creds[0].credExpire|5 creds[0].mirrors|6 creds[0].priority|7 creds[0].reqConcurrent|8 creds[1].registry|9 creds[1].api
10 creds[1].scheme|11 creds[1].credExpire|12 creds[1].apiOpts.disableHead|12 creds[1].apiOpts.enableHead|13 creds[2]
14 creds[3].registry|15 creds[3].clientCert|17 |18 creds[4].reqPerSec|20 defaults.parallel|20 defaults.skipDockerConfig
20 defaults.fastCopy|21 defaults.fastcheck|22 defaults.cacheCount|23 defaults.ratelimit.retry|24 defaults.hooks.pre
30 sync[0].forceRecursive|31 sync[0].schedule|32 sync[0].tagss|33 sync[0].repos|35 sync[0].tags.allow[0]
35 sync[0].tags.allow[1]|35 |36 sync[0].tags.semverRange|36 sync[0].tags.semverRange[0]|36 sync[0].tags.semverRange[1]
37 sync[1]|39 sync[1].source|42 sync[1].name|43 sync[1].interval|44 sync[1].platform|44 sync[1].platform
46 sync[1].referrerSlow|47 sync[1].tags|51 sync[2].cleanupTags|52 sync[2].referrerSource|54 |"""


def test_every_trap_of_a_file_is_listed_with_its_place_though_the_file_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "regsync.yml").write_text(FILE)
    ended = regsync("config", "--check", "-c", "regsync.yml", cwd=tmp_path)
    form = re.compile(r"regsync\.yml:(\d+):\d+: (?:(\S+): )?regclient's regsync \S.*; here \S.*")
    found = [form.fullmatch(line) for line in ended.out.splitlines()]
    assert all(found)
    listed = [f"{one[1]} {one[2] or ''}" for one in found if one]
    assert sorted(listed) == sorted(LISTED.strip("\n|").replace("\n", "|").split("|"))
    assert ended.code == 2
    assert "regclient's regsync" not in ended.err


def test_a_file_that_can_be_used_is_fine_whatever_is_listed(tmp_path: Path) -> None:
    (tmp_path / "regsync.yml").write_text("defaults: {fastCopy: true, parallel: 1, skipDockerConfig: false}\n")
    ended = regsync("config", "--check", "-c", "regsync.yml", cwd=tmp_path)
    assert (ended.code, len(ended.out.splitlines())) == (0, 1)
    assert ended.out.startswith("regsync.yml:1:22: defaults.fastCopy: regclient's regsync ignores this key")


def test_nothing_is_listed_without_being_asked_for(tmp_path: Path) -> None:
    (tmp_path / "regsync.yml").write_text("defaults: {fastCopy: true}\n")
    ended = regsync("config", "-c", "regsync.yml", cwd=tmp_path)
    assert ended.code == 0
    assert "regclient's" not in ended.out + ended.err
