from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from regsync.config.load import Loaded, load_config
from regsync.errors import ConfigError
from regsync.hosts import hosts_of
from regsync.loading import load
from regsync.registry.host import HostSettings, Known
from regsync.registry.login.dockerconfig import DockerConfig, DockerLogin
from tests.unit.config.loading import CHECKS


def loaded(text: str, folder: Path) -> Loaded:
    (folder / "regsync.yml").write_text(text)
    return load(str(folder / "regsync.yml"), allow_unknown_keys=False)


def hosts(text: str, folder: Path, docker: DockerConfig | None = None) -> tuple[dict[str, HostSettings], list[str]]:
    found, warnings = hosts_of(loaded(text, folder).config, docker or DockerConfig())
    return found, [" ".join([warning.message, *map(str, warning.fields.values())]) for warning in warnings]


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
        ),
    }
    assert warnings == ["r.example:5000 is not checked to be who it claims: its TLS is insecure"]


@pytest.mark.parametrize(
    "name",
    [
        *("docker.io", "registry-1.docker.io", "index.docker.io", "https://index.docker.io/v1/"),
        *("https://docker.io", "https://index.docker.io", "https://registry-1.docker.io/v2/", "docker.io/library"),
    ],
)
def test_docker_hub_has_many_names(name: str, tmp_path: Path) -> None:
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
    assert warnings == ["Changing login password for registry r.example"]


def test_only_what_was_said_before_and_otherwise_is_a_change(tmp_path: Path) -> None:
    text = """
creds:
- {registry: r.example, user: u, pass: p, tls: enabled, hostname: h.example, mirrors: [m.example], reqPerSec: 3}
- {registry: r.example, user: u, token: t, hostname: h.example, blobMax: 5, mirrors: ['https://m.example'], priority: 1}
- {registry: r.example, tls: disabled, hostname: i.example, reqPerSec: 4, mirrors: [n.example], priority: 2}
"""
    _, warnings = hosts(text, tmp_path)
    changes = [warning for warning in warnings if warning.startswith("Changing")]
    assert changes == [
        f"Changing {what} settings for registry r.example"
        for what in ("hostname", "TLS", "mirror", "priority", "reqPerSec")
    ]


def test_a_default_says_nothing_so_that_a_printed_file_means_the_same(tmp_path: Path) -> None:
    """The Go regsync prints every key of every item, also those that were never set, and so do we."""
    said = "blobChunk: 5, blobMax: 6, credExpire: 5m, reqPerSec: 7, reqConcurrent: 8, priority: 9, tls: disabled"
    unset = "blobChunk: 0, blobMax: 0, credExpire: 0, reqPerSec: 0.0, reqConcurrent: 0, priority: 0, mirrors: []"
    text = f"""
creds:
- {{registry: r.example, {said}}}
- {{registry: r.example, {unset}, tls: '', repoAuth: false, hostname: '', user: ''}}
"""
    found, warnings = hosts(text, tmp_path)
    host = found["r.example"]
    assert (host.blob_chunk, host.blob_max, host.credential_expiry) == (5, 6, 300.0)
    assert (host.per_second, host.concurrent, host.priority, host.tls) == (7.0, 8, 9, "disabled")
    assert warnings == []


def test_options_of_the_api_count_each_by_itself(tmp_path: Path) -> None:
    first = "{registry: r.example, apiOpts: {disableHead: 'true'}}"
    found, warnings = hosts(f"creds: [{first}, {{registry: r.example, apiOpts: {{}}}}]", tmp_path)
    assert found["r.example"].disable_head
    assert warnings == []
    found, warnings = hosts(f"creds: [{first}, {{registry: r.example, apiOpts: {{disableHead: 'false'}}}}]", tmp_path)
    assert not found["r.example"].disable_head
    assert warnings == ["Changing APIOpts setting for registry r.example"]


def test_repo_auth_is_turned_on_by_any_item_and_off_by_none(tmp_path: Path) -> None:
    found, _ = hosts("creds: [{registry: r.example, repoAuth: true}, {registry: r.example, repoAuth: false}]", tmp_path)
    assert found["r.example"].repo_auth


@pytest.mark.parametrize(
    ("items", "login"),
    [
        ("{credHelper: docker-credential-x}, {user: u, pass: p}", ("u", "p", "", "")),
        ("{user: u, pass: p}, {credHelper: docker-credential-x}", ("", "", "", "docker-credential-x")),
        ("{token: t}, {credHelper: docker-credential-x}", ("", "", "", "docker-credential-x")),
        ("{credHelper: docker-credential-x}, {token: t}", ("", "", "t", "")),
        ("{user: u, pass: p}, {token: t}", ("u", "p", "t", "")),
        ("{token: t}, {user: u, pass: p}", ("u", "p", "", "")),
        ("{credHelper: docker-credential-x}, {user: u}", ("u", "", "", "docker-credential-x")),
        ("{user: u, pass: p}, {pass: q}", ("u", "q", "", "")),
    ],
)
def test_a_login_takes_the_place_of_another(items: str, login: tuple[str, str, str, str], tmp_path: Path) -> None:
    text = items.replace("{", "{registry: r.example, ")
    found, _ = hosts(f"creds: [{text}]", tmp_path)
    host = found["r.example"]
    assert (host.user, host.password, host.token, host.helper) == login


def test_mirrors_are_registries_of_their_own(tmp_path: Path) -> None:
    item = "{registry: r.example, mirrors: [m.example, 'http://n.example:5000', m.example], priority: 3}"
    found, _ = hosts(f"creds: [{item}]", tmp_path)
    assert found == {
        "m.example": HostSettings.called("m.example"),
        "n.example:5000": HostSettings("n.example:5000", "n.example:5000", tls="disabled"),
        "r.example": HostSettings("r.example", "r.example", mirrors=("m.example", "n.example:5000"), priority=3),
    }


def test_a_mirror_of_itself_is_none_and_unknown_mirrors_are_registries_like_others(tmp_path: Path) -> None:
    found, _ = hosts("creds: [{registry: docker.io, mirrors: [index.docker.io, a.example, docker.io]}]", tmp_path)
    assert found["docker.io"].mirrors == ("a.example",)
    assert found["a.example"] == HostSettings.called("a.example")


def test_what_is_said_of_a_mirror_by_an_item_of_its_own_counts(tmp_path: Path) -> None:
    text = (
        "creds: [{registry: r.example, mirrors: [m.example]}, {registry: m.example, hostname: h.example, priority: 4}]"
    )
    found, _ = hosts(text, tmp_path)
    assert found["m.example"] == HostSettings("m.example", "h.example", priority=4)


@pytest.mark.parametrize("name", ["r.example/team", "https://r.example/v2", "http://r.example/a/b/", "r.example/"])
def test_a_path_behind_a_registry_is_cut_off(name: str, tmp_path: Path) -> None:
    found, _ = hosts(f"creds: [{{registry: '{name}', user: u, pass: p}}]", tmp_path)
    assert list(found) == ["r.example"]
    assert found["r.example"].password == "p"
    assert found["r.example"].tls == ("disabled" if name.startswith("http:") else "enabled")


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


def test_logins_for_paths_of_a_registry_are_kept_beside_that_for_all_of_it(tmp_path: Path) -> None:
    whole, team = (
        DockerLogin("r.example", None, "", "u", "p"),
        DockerLogin("r.example", None, "r.example/team", "t", "q"),
    )
    for entries in ({"r.example": whole, "r.example/team": team}, {"r.example/team": team, "r.example": whole}):
        found, _ = hosts("creds: [{registry: r.example, tls: insecure}]", tmp_path, DockerConfig(entries))
        (host,) = found.values()
        assert (host.user, host.tls) == ("u", "insecure")
        assert [(login.path, login.user) for login in host.below] == [("team", "t")]
        assert host.logged_in(host.below[0]).credential_host == "r.example/team"


def test_a_login_in_creds_takes_the_place_of_dockers_for_paths(tmp_path: Path) -> None:
    docker = DockerConfig({"r.example/team": DockerLogin("r.example", None, "", "t", "q")})
    found, _ = hosts("creds: [{registry: r.example, user: u, pass: p}]", tmp_path, docker)
    assert (found["r.example"].user, found["r.example"].below) == ("u", ())


def test_a_login_for_a_path_that_goes_out_unencrypted_is_warned_of(tmp_path: Path) -> None:
    docker = DockerConfig({"r.example/team": DockerLogin("r.example", None, "", "t", "q")})
    _, warnings = hosts("creds: [{registry: r.example, tls: disabled}]", tmp_path, docker)
    assert warnings == ["credentials for r.example go out unencrypted: its TLS is disabled"]


def test_dockers_store_is_asked_about_every_registry_without_a_login(tmp_path: Path) -> None:
    own = DockerLogin("own.example", None, "", registry_token="R")
    docker = DockerConfig({"own.example": own}, store="docker-credential-store")
    some = "{registry: a.example, tls: disabled}, {registry: b.example, user: u, pass: p}, {registry: docker.io}"
    found, warnings = hosts(f"creds: [{some}]", tmp_path, docker)
    assert {name: host.helper for name, host in found.items()} == {
        "own.example": "",
        "a.example": "docker-credential-store",
        "b.example": "",
        "docker.io": "docker-credential-store",
    }
    assert found["docker.io"].credential_host == "https://index.docker.io/v1/"
    assert found["own.example"].registry_token == "R"
    assert warnings == []


def test_dockers_store_is_asked_about_a_registry_that_only_references_name() -> None:
    known = Known({"a.example": HostSettings("a.example", "a.example")}, "docker-credential-store")
    assert (known["a.example"].helper, known["b.example"].helper) == ("", "docker-credential-store")
    assert Known({}, "")["b.example"] == HostSettings.called("b.example")


@pytest.mark.parametrize("name", ["R.Example:5000", "HTTPS://R.EXAMPLE:5000", "https://r.example:5000/"])
def test_the_case_of_a_registry_in_creds_is_no_matter(name: str, tmp_path: Path) -> None:
    found, _ = hosts(f"creds: [{{registry: '{name}', user: u, pass: p}}]", tmp_path)
    assert (list(found), found["r.example:5000"].hostname) == (["r.example:5000"], "r.example:5000")
    hub, _ = hosts("creds: [{registry: Docker.IO, user: u, pass: p}]", tmp_path)
    assert list(hub) == ["docker.io"]
