"""The program behind a proxy: a real registry that is reached by no other way, and what is said when there is none."""

from __future__ import annotations

import ssl
from itertools import pairwise
from pathlib import Path

import pytest
import trustme

from tests.e2e.logins import run
from tests.e2e.program import creds
from tests.support.built import image_bytes, platforms_index, read_layout, write_layout
from tests.support.gateway import Gateway
from tests.support.real import DockerRegistry

IMAGES = {"plain": image_bytes(b"a layer"), "platforms": platforms_index("linux/amd64", "linux/arm64")}
DIGESTS = {tag: image.digest for tag, image in IMAGES.items()}
PASSWORD = "canary-proxy-61c4"
HOST = "registry.example:5000"


def there_and_back(folder: Path) -> str:
    write_layout(folder / "origin", IMAGES)
    ends = (f"ocidir://{folder}/origin", f"{HOST}/team/app", f"ocidir://{folder}/back")
    steps = "".join(f"- {{source: '{a}', target: '{b}', type: repository}}\n" for a, b in pairwise(ends))
    return creds(HOST) + "sync:\n" + steps


@pytest.mark.parametrize(("scheme", "variable"), [("socks5h", "ALL_PROXY"), ("https", "http_proxy")])
async def test_a_registry_only_the_proxy_can_reach_is_pushed_to_and_pulled_from(
    docker_registry: DockerRegistry, tmp_path: Path, scheme: str, variable: str
) -> None:
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(tmp_path / "proxy.pem")
    leads, login = {"registry.example": docker_registry.port}, f"ann:{PASSWORD}"
    async with Gateway(leads, login=login, tls=tls if scheme == "https" else None) as gateway:
        environ = {variable: f"{scheme}://{login}@{gateway.host}", "SSL_CERT_FILE": str(tmp_path / "proxy.pem")}
        ended = await run(there_and_back(tmp_path), cwd=tmp_path, environ=environ)
    assert ended.code == 0, ended.err
    assert read_layout(tmp_path / "back")[0] == DIGESTS
    assert {passage.host for passage in gateway.passed} == {"registry.example"}
    assert PASSWORD not in ended.out + ended.err


@pytest.mark.parametrize(
    ("proxy", "said"),
    [
        ("socks5h://ann:wrong@{proxy}", "the proxy {proxy} does not let us in"),
        ("http://ann:wrong@{proxy}", "the proxy {proxy} answered 407: it wants another user and password"),
        ("socks5://ann:{password}@{proxy}:1", "ALL_PROXY in the environment names no proxy: expected"),
    ],
)
async def test_a_proxy_that_is_of_no_use_is_one_line_that_names_it_and_not_its_login(
    tmp_path: Path, proxy: str, said: str
) -> None:
    async with Gateway({}, login=f"ann:{PASSWORD}") as gateway:
        names = {"proxy": gateway.host, "password": PASSWORD}
        environ = {"ALL_PROXY": proxy.format(**names)}
        config = creds(HOST) + f"sync:\n- {{source: '{HOST}/app:v1', target: 'ocidir://{tmp_path}/to', type: image}}\n"
        ended = await run(config, cwd=tmp_path, environ=environ)
    assert ended.code == 1
    (failure,) = [line for line in ended.lines if line["level"] == "ERROR"]
    assert said.format(**names) in failure["error"]
    assert "registry.example" in failure["source"]
    assert PASSWORD not in ended.out + ended.err
