"""The folders in which docker and podman keep a registry's certificates."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from regsync.config.model import Config
from regsync.errors import Refused
from regsync.events import Event, Warned
from regsync.hosts import manner_of
from regsync.registry.host import HostSettings
from regsync.registry.http.authorities import certificate_folders
from regsync.registry.http.tls import trust_of
from tests.unit.config.loading import loaded

CA = trustme.CA()
HOST = HostSettings(name="r.example", hostname="r.example:5000")


def folder_below(root: Path) -> Path:
    folder = root / HOST.hostname
    folder.mkdir(parents=True)
    return folder


def believed(*roots: Path, told: list[Event] | None = None) -> bool:
    """Say whether the host is believed because of what these folders hold."""
    trust = trust_of(HOST, roots=roots, environ={}, tell=(told if told is not None else []).append)
    return ssl.PEM_cert_to_DER_cert(CA.cert_pem.bytes().decode()) in trust.derived.get_ca_certs(binary_form=True)


def test_podmans_folders_count_besides_dockers() -> None:
    assert certificate_folders({"HOME": "/home/ann"}) == (
        Path("/home/ann/.config/containers/certs.d"),
        Path("/etc/containers/certs.d"),
        Path("/etc/docker/certs.d"),
    )
    assert certificate_folders({}) == (Path("/etc/containers/certs.d"), Path("/etc/docker/certs.d"))


def test_who_leaves_dockers_configuration_out_leaves_them_all_out() -> None:
    environ = {"HOME": "/home/ann"}
    assert manner_of(Config(), environ).certificates == certificate_folders(environ)
    assert manner_of(loaded("defaults: {skipDockerConfig: true}\n").config, environ).certificates == ()


def test_each_folder_may_hold_the_authority(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    (folder_below(second) / "ca.crt").write_bytes(CA.cert_pem.bytes())
    assert believed(first, second)
    assert not believed(first)


@pytest.mark.parametrize("name", ["ca.pem", "ca.cert", "ca.crt.bak"])
def test_only_what_ends_in_crt_is_an_authority(tmp_path: Path, name: str) -> None:
    (folder_below(tmp_path) / name).write_bytes(CA.cert_pem.bytes())
    assert not believed(tmp_path)


@pytest.mark.parametrize("other", ["r.example", "r.example:443", "R.example:5000", "other.example:5000"])
def test_a_folder_is_for_the_host_and_port_that_it_names(tmp_path: Path, other: str) -> None:
    (tmp_path / other).mkdir()
    (tmp_path / other / "ca.crt").write_bytes(CA.cert_pem.bytes())
    assert not believed(tmp_path)


def test_an_authority_that_leads_nowhere_fails_the_host_and_is_named(tmp_path: Path) -> None:
    (folder_below(tmp_path) / "ca.crt").symlink_to("nowhere")
    with pytest.raises(Refused, match=r"ca\.crt: the certificate r\.example is to be trusted by cannot be read: No"):
        believed(tmp_path)


def test_a_folder_called_like_an_authority_is_none(tmp_path: Path) -> None:
    (folder_below(tmp_path) / "old.crt").mkdir()
    assert not believed(tmp_path)


def test_a_folder_that_cannot_be_listed_is_told_of(tmp_path: Path) -> None:
    folder = tmp_path / HOST.hostname
    folder.symlink_to(folder)
    told: list[Event] = []
    assert not believed(tmp_path, told=told)
    assert (
        Warned(
            "Failed to load a CA certificate",
            {"host": "r.example", "certificate": str(folder), "error": "Too many levels of symbolic links"},
        )
        in told
    )
