"""What `docs/guide/registries.md` promises, done as its readers do it: logins of skopeo, authorities of a company."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import trustme

from tests.e2e.logins import PASSWORD, USER, assert_discreet, guarded, run
from tests.e2e.program import creds
from tests.support import real
from tests.support.built import image_bytes, read_layout, write_layout
from tests.support.gateway import Gateway
from tests.support.real import DockerRegistry

IMAGES = {"v1": image_bytes(b"a layer")}
DIGESTS = {tag: image.digest for tag, image in IMAGES.items()}


def there_and_back(host: str, folder: Path) -> str:
    write_layout(folder / "origin", IMAGES)
    pushed = f"- {{source: 'ocidir://{folder}/origin', target: '{host}/team/app', type: repository}}\n"
    return f"sync:\n{pushed}- {{source: '{host}/team/app', target: 'ocidir://{folder}/back', type: repository}}\n"


@pytest.mark.parametrize("place", ["where skopeo puts it", "where it is told to"])
async def test_after_skopeo_login_there_is_nothing_more_to_do(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)}
    if place == "where it is told to":
        environ["REGISTRY_AUTH_FILE"] = str(tmp_path / "logins.json")
    async with guarded("basic", tmp_path / "registry") as registry:
        for name, value in environ.items():  # docker-registry would take REGISTRY_AUTH_FILE for a setting of its own
            monkeypatch.setenv(name, value)
        login = ("login", "--tls-verify=false", "-u", USER, "--password-stdin", registry.host)
        await asyncio.to_thread(real.run, "skopeo", *login, stdin=PASSWORD.encode())
        config = creds(registry.host) + there_and_back(registry.host, tmp_path)
        ended = await run(config, cwd=tmp_path, environ=environ)
    assert ended.code == 0, ended.err
    assert read_layout(tmp_path / "back")[0] == DIGESTS
    assert_discreet(ended)


@pytest.mark.parametrize("where", ["regcert", "file", "SSL_CERT_FILE"])
@pytest.mark.parametrize("proxied", [False, True], ids=["straight", "socks"])
async def test_an_authority_that_issues_for_a_company_is_enough_without_its_root(
    where: str, proxied: bool, tmp_path: Path
) -> None:
    issuing = trustme.CA(organization_name="Corp Root").create_child_ca()
    pem, path = issuing.cert_pem.bytes().decode(), tmp_path / "issuing.pem"
    path.write_text(pem)
    with DockerRegistry(tmp_path / "registry", authority=issuing) as registry:
        async with Gateway({"localhost.example": registry.port}) as gateway:
            host = "localhost.example:5000" if proxied else registry.host
            indented = pem.replace("\n", "\n    ")
            trust = {"regcert": f"regcert: |\n    {indented}", "file": f"regcert: '{{{{ file `{path}` }}}}'"}.get(where)
            config = (
                f"creds:\n- registry: {host}\n" + (f"  {trust}\n" if trust else "") + there_and_back(host, tmp_path)
            )
            environ = {"SSL_CERT_FILE": str(path)} if where == "SSL_CERT_FILE" else {}
            if proxied:
                environ["HTTPS_PROXY"] = f"socks5h://{gateway.host}"
            ended = await run(config, cwd=tmp_path, environ=environ)
    assert ended.code == 0, ended.err
    assert read_layout(tmp_path / "back")[0] == DIGESTS


async def test_a_stranger_s_authority_is_not_enough(tmp_path: Path) -> None:
    (tmp_path / "other.pem").write_bytes(trustme.CA().cert_pem.bytes())
    with DockerRegistry(tmp_path / "registry", authority=trustme.CA()) as registry:
        environ = {"SSL_CERT_FILE": str(tmp_path / "other.pem")}
        ended = await run(there_and_back(registry.host, tmp_path), cwd=tmp_path, environ=environ)
    assert ended.code == 1
    assert "its TLS certificate is not trusted: from an unknown authority; name the authority in regcert" in ended.err
