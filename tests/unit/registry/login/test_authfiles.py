"""The logins of podman, skopeo and buildah."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from regsync.registry.login.authfiles import auth_files
from regsync.registry.login.dockerconfig import DockerConfig, ask_store, load_docker_config


def write(path: Path, user: str, *hosts: str, **more: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"auths": {host: {"username": user, "password": "p"} for host in hosts}, **more}))


def users(config: DockerConfig) -> dict[str, str]:
    return {name: login.user for name, login in config.entries.items()}


def test_the_places_are_podmans() -> None:
    home, own = Path("/home/me"), Path(f"/run/containers/{os.getuid()}/auth.json")
    assert auth_files({}, home) == (Path("/home/me/.config/containers/auth.json"), own)
    moved = {"XDG_RUNTIME_DIR": "/run/user/7", "XDG_CONFIG_HOME": "/etc/me"}
    assert auth_files(moved, home) == (
        Path("/etc/me/containers/auth.json"),
        Path("/run/user/7/containers/auth.json"),
    )
    assert auth_files({**moved, "REGISTRY_AUTH_FILE": "/a.json"}, home) == (Path("/a.json"),)


def test_the_running_sessions_login_wins_over_the_kept_one_and_dockers_over_both(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    write(tmp_path / ".config/containers/auth.json", "kept", "a.example", "b.example", "c.example")
    write(tmp_path / "run/containers/auth.json", "running", "b.example", "c.example")
    write(tmp_path / ".docker/config.json", "docker", "https://c.example/v1/")
    assert users(load_docker_config(environ)) == {"a.example": "kept", "b.example": "running", "c.example": "docker"}


def test_a_named_file_takes_the_place_of_podmans_others(tmp_path: Path) -> None:
    write(tmp_path / ".config/containers/auth.json", "kept", "a.example")
    write(tmp_path / "named.json", "named", "b.example")
    environ = {"HOME": str(tmp_path), "REGISTRY_AUTH_FILE": str(tmp_path / "named.json")}
    assert users(load_docker_config(environ)) == {"b.example": "named"}


def test_a_named_file_that_is_missing_is_told(tmp_path: Path) -> None:
    config = load_docker_config({"HOME": str(tmp_path), "REGISTRY_AUTH_FILE": str(tmp_path / "none.json")})
    assert config.warnings == (f"REGISTRY_AUTH_FILE: {tmp_path}/none.json is missing or empty",)


@pytest.mark.parametrize("broken", ["{", "[]", '{"auths": 5}', '{"auths": {"r.example": "canary"}}'])
def test_a_broken_file_of_podmans_costs_dockers_logins_nothing(tmp_path: Path, broken: str) -> None:
    write(tmp_path / ".docker/config.json", "docker", "a.example")
    (tmp_path / "auth.json").write_text(broken)
    config = load_docker_config({"HOME": str(tmp_path), "REGISTRY_AUTH_FILE": str(tmp_path / "auth.json")})
    assert users(config) == {"a.example": "docker"}
    (warning,) = config.warnings
    assert warning.startswith(f"Failed to load the logins of podman: {tmp_path}/auth.json: ")
    assert "canary" not in warning


def test_a_broken_file_of_dockers_drops_podmans_logins_too(tmp_path: Path) -> None:
    write(tmp_path / ".config/containers/auth.json", "kept", "a.example")
    (tmp_path / "config.json").write_text("{")
    assert load_docker_config({"HOME": str(tmp_path), "DOCKER_CONFIG": str(tmp_path)}).entries == {}


async def test_dockers_store_wins_over_podmans_login_and_podmans_store_is_no_word_of_its(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "PATH": f"{tmp_path}:/bin", "XDG_RUNTIME_DIR": str(tmp_path)}
    write(tmp_path / ".config/containers/auth.json", "kept", "a.example", "b.example", credsStore="nobody")
    write(tmp_path / ".docker/config.json", "docker", credsStore="store")
    program = tmp_path / "docker-credential-store"
    program.write_text('#!/bin/sh\necho \'{"a.example": "u"}\'\n')
    program.chmod(0o755)
    config = await ask_store(load_docker_config(environ), environ=environ)
    assert users(config) == {"a.example": "", "b.example": "kept"}
    assert config.entries["a.example"].helper == "docker-credential-store"
