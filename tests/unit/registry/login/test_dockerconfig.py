from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from regsync.registry.login.dockerconfig import DockerConfig, DockerLogin, ask_store, load_docker_config
from regsync.registry.login.name import normalise_registry_name as normalise


def _auth(user: str, password: str) -> str:
    return b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., DockerConfig]:
    """Load a file with this content, and a variable with that."""

    def load(content: object, *, variable: object = None) -> DockerConfig:
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / "config.json").write_text(text)
        environ = {"DOCKER_CONFIG": str(tmp_path)}
        if variable is not None:
            environ["DOCKER_AUTH_CONFIG"] = variable if isinstance(variable, str) else json.dumps(variable)
        return load_docker_config(environ)

    return load


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("docker.io", ("docker.io", "registry-1.docker.io", "enabled", "https://index.docker.io/v1/")),
        ("registry-1.docker.io", ("docker.io", "registry-1.docker.io", "enabled", "https://index.docker.io/v1/")),
        ("https://index.docker.io/v1/", ("docker.io", "registry-1.docker.io", "enabled", "https://index.docker.io/v1/")),
        ("index.docker.io", ("index.docker.io", "index.docker.io", None, "")),
        ("a.b:5000", ("a.b:5000", "a.b:5000", None, "")),
        ("localhost", ("localhost", "localhost", None, "")),
        ("[::1]:5000", ("[::1]:5000", "[::1]:5000", None, "")),
        ("my_registry:5000", ("my_registry:5000", "my_registry:5000", None, "")),
        ("https://a.b/", ("a.b", "a.b", "enabled", "https://a.b/")),
        ("http://a.b:5000", ("a.b:5000", "a.b:5000", "disabled", "http://a.b:5000")),
        *(
            (text, None)
            for text in (
                *("https://a.b/v2", "https://index.docker.io/v1", "http://a.b/x", "ftp://a.b", "a.b/c", "", "https://"),
                *("a b", "a.b\n", "a.b\0", "user@a.b", "-a", "a.b:", "a.b:x", "://a.b", "https://https://a.b"),
            )
        ),
    ],
)  # fmt: skip
def test_a_registry_name_means_one_host(text: str, expected: tuple[str, str, str | None, str] | None) -> None:
    assert normalise(text) == expected


def test_logins_of_auths_are_read(load: Callable[..., DockerConfig]) -> None:
    config = load(
        {
            "auths": {
                "https://index.docker.io/v1/": {"auth": _auth("me", "pw:with:colons\0\0")},
                "a.example": {"username": "u", "password": "p"},
                "b.example": {"identitytoken": "T", "auth": _auth("<token>", "")},
                "http://c.example:5000": {"auth": _auth("u", "p"), "username": "ignored", "password": "ignored"},
                "empty.example": {},
                "https://d.example/v2": {"auth": _auth("u", "p")},
                "nothing.example": None,
                "registry-token.example": {"registrytoken": "R"},
            },
            "HttpHeaders": {"X": "ignored"},
            "proxies": 5,
        }
    )
    hub = "https://index.docker.io/v1/"
    assert config == DockerConfig(
        {
            "docker.io": DockerLogin("registry-1.docker.io", "enabled", hub, "me", "pw:with:colons"),
            "a.example": DockerLogin("a.example", None, "", "u", "p"),
            "b.example": DockerLogin("b.example", None, "", "<token>", "", "T"),
            "c.example:5000": DockerLogin("c.example:5000", "disabled", "http://c.example:5000", "u", "p"),
            "d.example": DockerLogin("d.example", "enabled", "https://d.example/v2", "u", "p"),
            "registry-token.example": DockerLogin("registry-token.example", None, "", registry_token="R"),
        }
    )


def test_of_two_keys_for_one_host_the_later_wins(load: Callable[..., DockerConfig]) -> None:
    first, then = {"username": "first", "password": "p"}, {"username": "then", "password": "p"}
    assert load({"auths": {"a.example": first, "https://a.example": then}}).entries["a.example"].user == "then"
    assert load({"auths": {"https://a.example": first, "a.example": then}}).entries["a.example"].user == "then"


def test_a_helper_replaces_what_auths_has(load: Callable[..., DockerConfig]) -> None:
    config = load(
        {
            "auths": {"a.example": {"auth": _auth("u", "p")}},
            "credHelpers": {"a.example": "ecr", "b.example": "x", "c.example": ""},
        }
    )
    assert config.entries == {
        "a.example": DockerLogin("a.example", None, "", helper="docker-credential-ecr"),
        "b.example": DockerLogin("b.example", None, "", helper="docker-credential-x"),
    }


def test_the_variable_wins_over_the_file(load: Callable[..., DockerConfig]) -> None:
    config = load(
        {"auths": {"b.example": {"auth": _auth("file", "p")}}, "credHelpers": {"a.example": "x"}},
        variable={"auths": {"a.example": {"auth": _auth("variable", "p")}}},
    )
    assert {name: login.user for name, login in config.entries.items()} == {
        "a.example": "variable",
        "b.example": "file",
    }


@pytest.mark.parametrize(
    "broken",
    [
        *("", "{", "[]", "5", '{"auths": []}', '{"auths": {"a.example": 5}}', '{"credHelpers": {"a.example": 5}}'),
        *('{"auths": {"a.example": {"auth": 5}}}', '{"credsStore": {}}', "[" * 100_000, '{"canary'),
    ],
)
def test_a_broken_text_drops_every_login_with_one_warning(load: Callable[..., DockerConfig], broken: str) -> None:
    good = {"auths": {"a.example": {"auth": _auth("u", "p")}}}
    configs = [load(good, variable=broken)] if broken else []
    configs += [load(broken, variable=good)] if broken else []
    for config in configs:
        assert config.entries == {}
        assert len(config.warnings) == 1
        assert config.warnings[0].startswith("Failed to load docker creds: ")
        assert "canary" not in config.warnings[0]


def test_a_missing_file_is_no_matter(tmp_path: Path) -> None:
    assert load_docker_config({"DOCKER_CONFIG": str(tmp_path / "none")}) == DockerConfig()
    assert load_docker_config({"HOME": str(tmp_path / "none")}) == DockerConfig()


def test_a_file_that_cannot_be_read_is_a_broken_one(tmp_path: Path) -> None:
    (tmp_path / "config.json").mkdir()
    assert load_docker_config({"DOCKER_CONFIG": str(tmp_path)}).warnings[0].startswith("Failed to load docker creds")


def test_a_file_too_long_to_be_one_is_a_broken_one(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{" + " " * (4 << 20) + "}")
    assert "4 MiB" in load_docker_config({"DOCKER_CONFIG": str(tmp_path)}).warnings[0]


def test_the_file_of_the_home_directory_is_found(tmp_path: Path) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text('\ufeff{"credHelpers": {"a.example": "x"}}')
    config = load_docker_config({"HOME": str(tmp_path), "DOCKER_CONFIG": ""})
    assert list(config.entries) == ["a.example"]


@pytest.mark.parametrize("known", [True, False])
def test_without_a_home_the_user_database_says_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    class Entry:
        pw_dir = str(tmp_path)

    def look_up(_: int) -> Entry:
        if known:
            return Entry()
        raise KeyError

    monkeypatch.setattr("pwd.getpwuid", look_up)
    assert load_docker_config({}) == DockerConfig()


def test_secrets_stay_out_of_repr(load: Callable[..., DockerConfig]) -> None:
    auths = {"a.example": {"auth": _auth("u", "canary")}, "b.example": {"identitytoken": "canary"}}
    assert "canary" not in repr(load({"auths": auths}))


LIST = """#!/bin/sh
[ "$1" = list ] || exit 1
echo '{"https://a.example": "u", "b.example": "u", "https://c.example/path": "u", "d.example": "u", "e.example": "u"}'
"""


def _store(folder: Path, script: str) -> dict[str, str]:
    program = folder / "docker-credential-store"
    program.write_text(script)
    program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


async def test_the_store_lists_its_hosts_and_gives_way_to_what_was_said_of_one(
    load: Callable[..., DockerConfig], tmp_path: Path
) -> None:
    config = load(
        {
            "auths": {"a.example": {"auth": _auth("u", "p")}, "f.example": {"auth": _auth("u", "p")}},
            "credHelpers": {"d.example": "special"},
            "credsStore": "store",
        },
        variable={"auths": {"e.example": {"auth": _auth("variable", "p")}}},
    )
    assert config.store == "docker-credential-store"
    asked = await ask_store(config, environ=_store(tmp_path, LIST))
    assert asked.entries == {
        "a.example": DockerLogin("a.example", "enabled", "https://a.example", helper="docker-credential-store"),
        "b.example": DockerLogin("b.example", None, "", helper="docker-credential-store"),
        "c.example": DockerLogin("c.example", "enabled", "https://c.example/path", helper="docker-credential-store"),
        "d.example": DockerLogin("d.example", None, "", helper="docker-credential-special"),
        "e.example": DockerLogin("e.example", None, "", "variable", "p"),
        "f.example": DockerLogin("f.example", None, "", "u", "p"),
    }
    assert (asked.store, asked.below_store) == ("docker-credential-store", frozenset())


async def test_a_store_that_is_not_there_is_asked_for_nothing_but_what_was_left_to_it(
    load: Callable[..., DockerConfig],
) -> None:
    config = load({"auths": {"a.example": {}, "https://b.example/": {}}, "credsStore": "desktop"})
    asked = await ask_store(config, environ={"PATH": "/nowhere"})
    assert asked.entries == {
        "a.example": DockerLogin("a.example", None, "", helper="docker-credential-desktop"),
        "b.example": DockerLogin("b.example", "enabled", "https://b.example/", helper="docker-credential-desktop"),
    }
    assert asked.store == ""
    assert asked.warnings[0].endswith("docker-credential-desktop is not on PATH or cannot be executed")


def test_an_empty_entry_without_a_store_is_no_login_and_no_warning(load: Callable[..., DockerConfig]) -> None:
    assert load({"auths": {"a.example": {}, "b.example": {"auth": ""}}}) == DockerConfig()


async def test_a_host_without_a_helper_of_its_own_by_name_keeps_what_auths_has_over_the_store(
    load: Callable[..., DockerConfig], tmp_path: Path
) -> None:
    stored = {"a.example": {"auth": _auth("u", "p")}, "https://b.example/v1/": {"auth": _auth("u", "p")}}
    config = load({"auths": stored, "credHelpers": {"a.example": ""}, "credsStore": "store"})
    entries = (await ask_store(config, environ=_store(tmp_path, LIST))).entries
    assert [(entries[name].user, entries[name].helper) for name in ("a.example", "b.example")] == [
        ("u", ""),
        ("", "docker-credential-store"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_a_file_may_begin_with_a_mark_of_its_encoding(tmp_path: Path, encoding: str) -> None:
    document = json.dumps({"auths": {"a.example": {"username": "\u00e9", "password": "p"}}}, ensure_ascii=False)
    (tmp_path / "config.json").write_text(document, encoding=encoding)
    assert load_docker_config({"DOCKER_CONFIG": str(tmp_path)}).entries["a.example"].user == "\u00e9"


@pytest.mark.parametrize("text", [" \n", "null", "{}", ""])
def test_a_file_that_says_nothing_costs_others_nothing(load: Callable[..., DockerConfig], text: str) -> None:
    config = load(text, variable={"auths": {"a.example": {"auth": _auth("u", "p")}}})
    assert (list(config.entries), config.warnings) == (["a.example"], ())


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text("{}")
    (warning,) = load_docker_config({"DOCKER_CONFIG": str(path)}).warnings
    assert warning.endswith(f"DOCKER_CONFIG: {path} is a file; expected the folder that holds config.json")


def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.json").mkdir()
    (warning,) = load_docker_config({"DOCKER_CONFIG": str(tmp_path)}).warnings
    assert warning.endswith("config.json: Is a directory")


async def test_a_store_that_fails_adds_a_warning_and_leaves_the_rest(
    load: Callable[..., DockerConfig], tmp_path: Path
) -> None:
    config = load({"auths": {"a.example": {"auth": _auth("u", "p")}}, "credsStore": "store"})
    asked = await ask_store(config, environ=_store(tmp_path, "#!/bin/sh\necho canary; exit 1"))
    assert (asked.entries, asked.store) == (config.entries, config.store)
    assert asked.warnings == (
        "Failed to list docker creds of credsStore: credential helper docker-credential-store failed for list (exit 1)",
    )


async def test_without_a_store_nothing_is_run(load: Callable[..., DockerConfig]) -> None:
    config = load({"credHelpers": {"a.example": "x"}})
    assert await ask_store(config, environ={"PATH": "/nowhere"}) is config
