"""The spellings of registries in docker's and podman's configuration."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import pytest

from regsync.registry.login.dockerconfig import DockerConfig, ask_store, load_docker_config
from regsync.registry.login.name import named_in_docker

LOGIN = {"username": "u", "password": "p"}
HUB = "https://index.docker.io/v1/"


def load(folder: Path, **document: object) -> DockerConfig:
    (folder / "config.json").write_text(json.dumps(document))
    return load_docker_config({"DOCKER_CONFIG": str(folder), "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)})


@pytest.mark.parametrize(
    "key",
    [
        *("index.docker.io", "index.docker.io/", "index.docker.io/v1", "index.docker.io/v2/", "https://index.docker.io/v1"),
        *("https://index.docker.io/v2/", "http://index.docker.io/v1/", "registry-1.docker.io/", "HTTPS://docker.io/v1/"),
        *("https://registry-1.docker.io", "https://registry-1.docker.io/v2/", "https://docker.io/", "docker.io/v2"),
    ],
)  # fmt: skip
def test_docker_hub_is_one_host_by_all_its_names(key: str) -> None:
    named = named_in_docker(key)
    assert named is not None
    assert named == (("docker.io", "registry-1.docker.io", "enabled", HUB), "")


@pytest.mark.parametrize(
    ("key", "host", "path"),
    [
        *(("r.example/", "r.example", ""), ("r.example:5000/v2/", "r.example:5000", "")),
        *(("r.example/v1", "r.example", ""), ("r.example/v2//", "r.example", "")),
        *(("https://r.example/v2/", "r.example", ""), ("https://r.example/team/app", "r.example", "")),
        *(("HTTP://r.example:5000/v1/", "r.example:5000", ""), ("[::1]:5000/", "[::1]:5000", "")),
        *(("R.Example", "r.example", ""), ("HTTPS://R.EXAMPLE/V2/", "r.example", ""), ("R.ex/V1", "r.ex", "")),
        *(("R.Example:5000/team", "r.example:5000", "team"), ("INDEX.docker.io/v1", "docker.io", "")),
        *(("[fd00::1]", "[fd00::1]", ""), ("https://[::1]:5000/v2/", "[::1]:5000", "")),
        *(("r.example/team/app", "r.example", "team/app"), ("r.example:5000/team/", "r.example:5000", "team")),
        *(("docker.io/library", "docker.io", "library"), ("index.docker.io/me/app", "docker.io", "me/app")),
    ],
)  # fmt: skip
def test_a_key_means_a_host_and_without_a_scheme_a_path(key: str, host: str, path: str) -> None:
    named = named_in_docker(key)
    assert named is not None
    assert (named[0].name, named[1]) == (host, path)


@pytest.mark.parametrize(
    "key",
    [
        *("", "/", "//r.example", "://r.example", "ftp://r.example", "https://", "https://https://r.example", "a b"),
        *("r.example:0/v2/", "r.example:x", "-r/", "r.example/Team", "r.example/../x"),
        *("r.example/a?b", "r.example/a//b", "r.example/team:v1"),
        *("u@r.example", "https://index.docker.io/v1/access-token", "https://index.docker.io/v1/refresh-token"),
    ],
)  # fmt: skip
def test_a_key_that_can_be_no_registry_is_none(key: str) -> None:
    assert named_in_docker(key) is None


def test_the_usual_spelling_wins_wherever_it_stands(tmp_path: Path) -> None:
    usual, other = {**LOGIN, "username": "usual"}, {**LOGIN, "username": "other"}
    for document in ({"r.example": usual, "r.example/": other}, {"r.example/v1/": other, "r.example": usual}):
        assert load(tmp_path, auths=document).entries["r.example"].user == "usual"
    hub = load(tmp_path, auths={HUB: usual, "index.docker.io": other, "https://docker.io/v2/": other})
    assert {name: login.user for name, login in hub.entries.items()} == {"docker.io": "usual"}


def test_a_usual_spelling_that_holds_no_login_does_not_hide_another_one(tmp_path: Path) -> None:
    assert load(tmp_path, auths={"r.example": {}, "https://r.example/v2/": LOGIN}).entries["r.example"].user == "u"


@pytest.mark.parametrize("key", ["r.example:443", "https://r.example:443/v2/", "R.example:443/"])
def test_a_key_with_the_usual_port_is_about_the_host_without_it_too(tmp_path: Path, key: str) -> None:
    entries = load(tmp_path, auths={key: LOGIN}).entries
    assert {name: login.hostname for name, login in entries.items()} == {
        "r.example": "r.example",
        "r.example:443": "r.example:443",
    }
    own = load(tmp_path, auths={"r.example": {**LOGIN, "username": "own"}, key: LOGIN}).entries
    assert (own["r.example"].user, own["r.example:443"].user) == ("own", "u")


@pytest.mark.parametrize("key", ["http://r.example:443", "r.example:8443", "r.example:80"])
def test_a_key_with_another_port_is_about_that_one_alone(tmp_path: Path, key: str) -> None:
    assert len(load(tmp_path, auths={key: LOGIN}).entries) == 1


async def test_a_helper_is_asked_by_the_key_as_it_was_written(tmp_path: Path) -> None:
    entries = load(tmp_path, credHelpers={"R.Example": "x", "a.example": "x", "b.example:443": "x"}).entries
    assert {name: login.credential_host for name, login in entries.items()} == {
        "r.example": "R.Example",
        "a.example": "",
        "b.example": "b.example:443",
        "b.example:443": "",
    }


def test_a_key_nobody_can_match_is_a_warning_that_names_it_and_not_its_value(tmp_path: Path) -> None:
    secret = {"username": "u", "password": "canary"}
    config = load(tmp_path, auths={"r.example/Team": secret, "a.example": LOGIN}, credHelpers={"b c": "x"})
    assert list(config.entries) == ["a.example"]
    assert [warning.partition(": ")[2] for warning in config.warnings] == [
        "the login under 'r.example/Team' is of no use: that is no registry; expected host[:port][/path]",
        "the login under 'b c' is of no use: that is no registry; expected host[:port][/path]",
    ]
    assert "canary" not in repr(config.warnings)


def test_what_docker_desktop_keeps_for_itself_is_nobodys_login_and_no_warning(tmp_path: Path) -> None:
    kept = {f"{HUB}{name}": LOGIN for name in ("access-token", "refresh-token")}
    assert load(tmp_path, auths={**kept, HUB: {}}) == DockerConfig()


def test_a_login_before_a_host_that_is_no_key_is_not_quoted(tmp_path: Path) -> None:
    (warning,) = load(tmp_path, auths={"https://me:canary@r.example/v1/": LOGIN}).warnings
    assert "'r.example/v1/'" in warning
    assert "canary" not in warning


@pytest.mark.parametrize("user", ["<token>", ""])
def test_a_stored_secret_without_a_user_name_is_a_token(tmp_path: Path, user: str) -> None:
    login = load(tmp_path, auths={"r.example": {"auth": b64encode(f"{user}:T".encode()).decode()}}).entries["r.example"]
    assert (login.user, login.password, login.token) == ("", "", "T")


async def test_a_store_is_asked_for_what_it_listed_letter_by_letter(tmp_path: Path) -> None:
    servers = {
        "r.example/": "u",
        "index.docker.io": "u",
        "https://index.docker.io/v1/access-token": "me",
        "a.example": "u",
    }
    program = tmp_path / "docker-credential-store"
    program.write_text(f"#!/bin/sh\necho '{json.dumps(servers)}'\n")
    program.chmod(0o755)
    config = await ask_store(load(tmp_path, credsStore="store"), environ={"PATH": f"{tmp_path}:/bin"})
    asked = {name: login.credential_host for name, login in config.entries.items()}
    assert asked == {"r.example": "r.example/", "docker.io": "index.docker.io", "a.example": ""}
