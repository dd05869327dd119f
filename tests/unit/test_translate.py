from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from regsync.app import load
from regsync.config.load import Loaded, load_config
from regsync.daemon.schedule import Every
from regsync.errors import ConfigError
from regsync.oci.mediatype import OCI_INDEX, SYNCED_BY_DEFAULT
from regsync.oci.platform import Platform, Platforms
from regsync.registry.host import HostSettings
from regsync.registry.login.dockerconfig import DockerConfig, DockerLogin
from regsync.transfer.options import CopyOptions
from regsync.translate import entries_of, hosts_of, schedules_of
from tests.unit.config.loading import CHECKS


def loaded(text: str, folder: Path) -> Loaded:
    (folder / "regsync.yml").write_text(text)
    return load(str(folder / "regsync.yml"), allow_unknown_keys=False)


def names(text: str, folder: Path) -> list[str]:
    return [entry.name for entry in entries_of(loaded(text, folder).config)]


def hosts(text: str, folder: Path, docker: DockerConfig | None = None) -> tuple[dict[str, HostSettings], list[str]]:
    return hosts_of(loaded(text, folder).config, docker or DockerConfig())


def test_an_item_of_creds_becomes_the_settings_of_its_host(tmp_path: Path) -> None:
    text = """
creds:
- registry: r.example:5000
  hostname: 10.0.0.1:5001
  tls: insecure
  user: u
  pass: p
  repoAuth: true
  pathPrefix: /hub/
  blobChunk: 5000
  blobMax: 100
  reqPerSec: 2.5
  reqConcurrent: 7
  credExpire: 5m
  apiOpts: {disableHead: true}
"""
    found, warnings = hosts(text, tmp_path)
    assert found == {
        "r.example:5000": HostSettings(
            name="r.example:5000",
            hostname="10.0.0.1:5001",
            tls="insecure",
            user="u",
            password="p",
            repo_auth=True,
            path_prefix="hub",
            blob_chunk=5000,
            blob_max=100,
            per_second=2.5,
            concurrent=7,
            credential_expiry=300.0,
            disable_head=True,
        )
    }
    assert warnings == ["r.example:5000 is not checked to be who it claims: its TLS is insecure"]


@pytest.mark.parametrize("name", ["docker.io", "registry-1.docker.io", "https://index.docker.io/v1/"])
def test_docker_hub_has_three_names(name: str, tmp_path: Path) -> None:
    found, _ = hosts(f"creds: [{{registry: '{name}', user: u, pass: p}}]", tmp_path)
    assert list(found) == ["docker.io"]
    assert found["docker.io"].hostname == "registry-1.docker.io"
    assert found["docker.io"].credential_host == "https://index.docker.io/v1/"


def test_a_scheme_before_the_name_says_whether_there_is_tls(tmp_path: Path) -> None:
    found, _ = hosts("creds: [{registry: 'http://r.example'}, {registry: 'https://s.example/'}]", tmp_path)
    assert {name: host.tls for name, host in found.items()} == {"r.example": "disabled", "s.example": "enabled"}


def test_a_second_item_replaces_what_it_says_and_leaves_the_rest(tmp_path: Path) -> None:
    text = """
creds:
- {registry: r.example, user: u, pass: p, blobChunk: 5000, credExpire: 5m}
- {registry: r.example, pass: q, reqConcurrent: 2}
"""
    found, warnings = hosts(text, tmp_path)
    host = found["r.example"]
    assert (host.user, host.password, host.blob_chunk, host.credential_expiry) == ("u", "q", 5000, 300.0)
    assert host.concurrent == 2
    assert any("Changing password for registry r.example" in warning for warning in warnings)
    assert not any("q" in warning.split() for warning in warnings)


def test_creds_win_over_dockers_logins_and_a_helper_and_secrets_exclude_each_other(tmp_path: Path) -> None:
    docker = DockerConfig({"r.example": DockerLogin("r.example", None, "", user="old", password="old")})
    found, _ = hosts("creds: [{registry: r.example, credHelper: docker-credential-x}]", tmp_path, docker)
    assert (found["r.example"].helper, found["r.example"].password) == ("docker-credential-x", "")
    docker = DockerConfig({"r.example": DockerLogin("r.example", None, "", helper="docker-credential-x")})
    found, _ = hosts("creds: [{registry: r.example, user: u, pass: p}]", tmp_path, docker)
    assert (found["r.example"].helper, found["r.example"].password) == ("", "p")
    found, _ = hosts("creds: [{registry: r.example, tls: disabled}]", tmp_path, docker)
    assert found["r.example"].helper == "docker-credential-x"


def test_credentials_without_tls_are_warned_of(tmp_path: Path) -> None:
    _, warnings = hosts("creds: [{registry: r.example, tls: disabled, user: u, pass: p}]", tmp_path)
    assert warnings == ["credentials for r.example go out unencrypted: its TLS is disabled"]


def test_entries_keep_their_order_and_their_filters(tmp_path: Path) -> None:
    text = """
sync:
- {source: a.x/app, target: b.x/app, type: repository, tags: {allow: [v1]}, tagSets: [{deny: [v2]}, {}]}
- {source: a.x, target: b.x/m, type: registry, repos: {deny: [private]}}
- {source: 'a.x/app:v1', target: 'c.x/app:v1', type: image, mediaTypes: [application/vnd.oci.image.index.v1+json]}
"""
    first, second, third = entries_of(loaded(text, tmp_path).config)
    assert first.tags.choose(["v1", "v2", "v3"]) == ["v1", "v3", "v2"]
    assert first.media_types == SYNCED_BY_DEFAULT
    assert second.repositories.choose(["public", "private"]) == ["public"]
    assert third.media_types == (OCI_INDEX,)
    assert len({first.name, second.name, third.name}) == 3


def test_an_entry_is_called_by_its_name_or_by_what_it_does(tmp_path: Path) -> None:
    text = """
sync:
- {source: 'a.x/app:v1', target: 'b.x/app:v1', type: image}
- {name: the others, source: a.x/app, target: b.x/app, type: repository}
- {source: a.x, target: b.x/m, type: registry}
"""
    assert names(text, tmp_path) == ["image a.x/app:v1 -> b.x/app:v1", "the others", "registry a.x -> b.x/m"]


def test_names_do_not_depend_on_where_an_entry_stands(tmp_path: Path) -> None:
    lines = [
        "- {source: a.x/app, target: b.x/app, type: repository, tags: {allow: [v1]}}",
        "- {source: a.x/app, target: b.x/app, type: repository, tags: {allow: [v2]}, interval: 5m}",
        "- {source: a.x/app, target: b.x/app, type: repository, tagSets: [{deny: [v2]}]}",
        "- {source: a.x, target: b.x/m, type: registry}",
    ]
    first, second, third, fourth = names("sync:\n" + "\n".join(lines), tmp_path)
    assert len({first, second, third, fourth}) == 4
    assert all(name.startswith("repository a.x/app -> b.x/app #") for name in (first, second, third))
    assert names("sync:\n" + "\n".join(reversed(lines)), tmp_path) == [fourth, third, second, first]
    assert names("sync:\n" + "\n".join(lines[1:]), tmp_path) == [second, third, fourth]


def test_entries_that_are_the_same_are_counted_and_never_take_a_given_name(tmp_path: Path) -> None:
    same = "- {source: 'a.x/a:1', target: 'b.x/a:1', type: image}\n"
    first, second = names(f"sync:\n{same}{same}", tmp_path)
    assert second == f"{first} (2)"
    text = f"sync:\n{same}- {{name: 'image a.x/a:1 -> b.x/a:1', source: 'a.x/b', target: 'b.x/b', type: image}}\n{same}"
    text += f"- {{name: '{second}', source: 'a.x/c', target: 'b.x/c', type: image}}"
    assert names(text, tmp_path) == [first, "image a.x/a:1 -> b.x/a:1", f"{first} (3)", second]
    assert list(schedules_of(loaded(f"defaults: {{interval: 1h}}\n{text}", tmp_path).config)) == names(text, tmp_path)


def test_a_schedule_wins_over_an_interval_and_none_leaves_the_entry_out(tmp_path: Path) -> None:
    text = """
sync:
- {source: 'a.x/a:1', target: 'b.x/a:1', type: image, interval: 30m}
- {source: 'a.x/a:2', target: 'b.x/a:2', type: image, interval: 30m, schedule: '5 * * * *'}
- {source: 'a.x/a:3', target: 'b.x/a:3', type: image}
"""
    config = loaded(text, tmp_path).config
    by_interval, by_schedule, never = (entry.name for entry in entries_of(config))
    schedules = schedules_of(config)
    assert isinstance(schedules[by_interval], Every)
    assert not isinstance(schedules[by_schedule], Every)
    assert never not in schedules


def test_ranges_of_versions_choose_tags_and_tell_entries_apart(tmp_path: Path) -> None:
    text = """
sync:
- {source: a.x/a, target: b.x/a, type: repository, tags: {semverRange: ['^1']}}
- {source: a.x/a, target: b.x/a, type: repository, tagSets: [{semverRange: ['^2', ''], deny: ['.*rc.*']}]}
- {source: a.x/a, target: b.x/a, type: repository, tags: {semverRange: ['']}}
"""
    one, two, every = entries_of(loaded(text, tmp_path).config)
    tags = ["1.5", "2.1", "2.2-rc1", "latest"]
    assert [entry.tags.choose(tags) for entry in (one, two, every)] == [["1.5"], ["2.1"], tags]
    assert len({one.name, two.name, every.name}) == 3


NAMES = st.text(alphabet="ab.:-_/[]@19", max_size=9) | st.sampled_from(["docker.io", "index.docker.io", "localhost"])
SCHEMES = st.lists(st.sampled_from(["https://", "http://", "ftp://", "//", ""]), max_size=2).map("".join)
ENDINGS = st.sampled_from(["", "/", "/v1/", "..", ":0", ":70000", ":5000"])


@given(SCHEMES, NAMES, ENDINGS)
@example("https://http://", "x", "")
@example("", "a.example", "..")
@example("http://", "a-", ":5000")
def test_a_registry_that_is_taken_when_the_file_is_read_is_never_refused_later(
    scheme: str, name: str, end: str
) -> None:
    text = f"creds: [{{registry: '{scheme}{name}{end}', user: a, pass: b}}]\n"
    problems: Sequence[str] = ()
    found: dict[str, HostSettings] = {}
    try:
        config = load_config("-", checks=CHECKS, stdin=io.BytesIO(text.encode())).config
        found, _ = hosts_of(config, DockerConfig())
    except ConfigError as error:
        problems = error.problems
    assert all(problem.startswith("<stdin>:1:20: creds[0].registry: ") for problem in problems)
    assert problems or all(host.user == "a" for host in found.values())


def test_what_is_copied_of_an_image_is_the_entry_s_own(tmp_path: Path) -> None:
    text = "sync: [{source: 'a/x:1', target: 'b/x:1', type: image, platform: Linux/x86_64, platforms: [linux/arm, '']}]"
    (entry,) = entries_of(loaded(text, tmp_path).config)
    assert entry.options == CopyOptions(
        platform=Platform("linux", "amd64"), platforms=Platforms((Platform("linux", "arm", "v7"), None))
    )
