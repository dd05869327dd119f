"""The image at work: as its first process and its user, with a root that cannot be written to (H2, H4, H8, H11)."""

from __future__ import annotations

import json
import re
import shutil
import signal
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from tests.e2e.program import wait_for
from tests.e2e.test_orphans import ended_children
from tests.support.built import image_bytes, write_layout
from tests.support.container import Container, Image, owned, ran
from tests.support.pages import ROOT
from tests.support.real import DockerRegistry, free_port

SECRET = "a-password-nobody-may-read"
HELPER = """#!/opt/regsync/bin/python -IB
import json, sys
sys.stdin.read()
json.dump({"Username": "somebody", "Secret": "%s"}, sys.stdout)
"""
LEAVING = "import os, time; open('ran', 'a').write('x'); os.fork() or (os.closerange(0, 3), time.sleep(0.1))"
WAITING = "import os, time; open('begun', 'w'); [time.sleep(0.01) for _ in iter(lambda: os.path.exists('go'), True)]"
WRITABLE = """
import os
skipped = {"/proc", "/dev"}
for folder, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in skipped]
    for name in (folder, *(os.path.join(folder, file) for file in files)):
        if os.access(name, os.W_OK) and not os.path.islink(name):
            print(name)
"""
EVERY_MODULE = """
import importlib, pkgutil, regsync
print(*(importlib.import_module(each.name).__name__ for each in pkgutil.walk_packages(regsync.__path__, "regsync.")
        if each.name != "regsync.__main__"))
"""


def one_layout(folder: Path, *, interval: str = "1h", more: str = "", top: str = "") -> dict[str, Path]:
    """Write a configuration that copies one image of a layout to another one; return its volumes."""
    work, settings = owned(folder / "work"), folder / "settings"
    write_layout(work / "in", {"v1": image_bytes(b"layer")})
    settings.mkdir()
    (settings / "regsync.yml").write_text(
        f"defaults: {{interval: {interval}}}\n{top}sync:\n"
        f"- source: ocidir://in:v1\n  target: ocidir://out:v1\n  type: image\n{more}"
    )
    return {"/var/lib/regsync": work, "/etc/regsync": settings}


def hook(event: str, code: str) -> str:
    """Return the line of an entry that has Python, for want of a shell, run this code."""
    return f'  hooks: {{{event}: {{type: exec, params: [/opt/regsync/bin/python, -IBc, "{code}"]}}}}\n'


def copied(volumes: dict[str, Path]) -> bool:
    return (volumes["/var/lib/regsync"] / "out" / "index.json").exists()


def listening(pid: int) -> list[str]:
    """Return the addresses, in the kernel's words, at which a process waits for connections."""
    sockets = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            sockets.update(re.findall(r"socket:\[(\d+)\]", str(file.readlink())))
    lines = [
        line.split() for kind in ("tcp", "tcp6") for line in Path(f"/proc/{pid}/net/{kind}").read_text().splitlines()
    ]
    return [fields[1] for fields in lines if fields[3] == "0A" and fields[9] in sockets]


def answers(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def test_it_says_its_version(image: Image) -> None:
    code, said = ran(image, "version", volumes={})
    assert (code, said.splitlines()[0]) == (0, "VCSTag:   v0.1.0")


def test_it_mirrors_what_the_demo_does_and_has_nothing_to_copy_the_second_time(image: Image, tmp_path: Path) -> None:
    work = owned(tmp_path / "work")
    shutil.copy(ROOT / "config.example.yaml", work)
    shutil.copytree(ROOT / "examples" / "layout", work / "examples" / "layout")
    volumes = {"/var/lib/regsync": work}
    first, said = ran(image, "once", "-c", "config.example.yaml", volumes=volumes)
    assert (first, "Run finished" in said) == (0, True), said
    assert (work / "demo-output").stat().st_uid == 65532
    second, said = ran(image, "once", "-c", "config.example.yaml", volumes=volumes)
    assert (second, 'msg="Run finished" copied=0' in said) == (0, True), said


def test_every_module_finds_what_it_imports(image: Image) -> None:
    python = ("/opt/regsync/bin/python", "-IBc", EVERY_MODULE)
    code, said = ran(image, volumes={}, entrypoint=python)
    assert code == 0, said
    assert {"regsync.keeping", "regsync.web.site", "regsync.registry.http.socks"} <= set(said.split())


def test_nothing_can_be_written_but_volumes_and_tmp(image: Image, tmp_path: Path) -> None:
    (settings := tmp_path / "settings").mkdir()
    volumes = {"/etc/regsync": settings, "/var/lib/regsync": owned(tmp_path / "work")}
    code, said = ran(image, volumes=volumes, entrypoint=("/opt/regsync/bin/python", "-IBc", WRITABLE))
    assert (code, set(said.split())) == (0, {"/tmp", "/var/lib/regsync"}), said  # noqa: S108  # the container's


def test_no_variable_of_pythons_changes_what_it_runs(image: Image, tmp_path: Path) -> None:
    (found := tmp_path / "found").mkdir()
    (found / "sitecustomize.py").write_text("raise SystemExit('another one')")
    environ = {"PYTHONHOME": "/nonexistent", "PYTHONPATH": "/var/lib/regsync", "PYTHONWARNINGS": "error"}
    code, said = ran(image, "version", volumes={"/var/lib/regsync": found}, environ=environ)
    assert (code, said.splitlines()[0]) == (0, "VCSTag:   v0.1.0")


def test_it_is_the_first_process_isolated_and_of_no_rights(image: Image, tmp_path: Path) -> None:
    volumes = one_layout(tmp_path)
    with Container(image, "server", "-c", "/etc/regsync/regsync.yml", volumes=volumes) as container:
        wait_for(lambda: copied(volumes), within=60)
        process = Path(f"/proc/{container.pid}")
        status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines())
        assert status["NSpid"].split()[-1] == "1"
        assert (status["Uid"].split(), status["Gid"].split(), status["Groups"].split()) == (
            ["65532"] * 4,
            ["65532"] * 4,
            [],
        )
        assert (status["NoNewPrivs"], int(status["CapEff"], 16), int(status["CapPrm"], 16)) == ("1", 0, 0)
        assert (process / "cmdline").read_text().split("\0")[:3] == [
            *("/opt/regsync/bin/python", "-IBu", "/opt/regsync/bin/regsync")
        ]
        assert "MALLOC_ARENA_MAX=2" in (process / "environ").read_text().split("\0")


def test_the_first_process_ends_in_peace_at_sigterm(image: Image, tmp_path: Path) -> None:
    volumes = one_layout(tmp_path)
    with Container(image, "server", "-c", "/etc/regsync/regsync.yml", volumes=volumes) as container:
        wait_for(lambda: copied(volumes), within=60)
        container.signal(signal.SIGTERM)
        code, said = container.ended()
        assert (code, "Traceback" in said) == (0, False), said


def test_the_first_process_takes_care_of_what_hooks_leave_behind(image: Image, tmp_path: Path) -> None:
    volumes = one_layout(tmp_path, interval="1s", more=hook("unchanged", LEAVING))
    noted = volumes["/var/lib/regsync"] / "ran"
    with Container(image, "server", "-c", "/etc/regsync/regsync.yml", volumes=volumes) as container:
        wait_for(lambda: noted.exists() and len(noted.read_text()) >= 3, within=60)
        wait_for(lambda: not ended_children(container.pid), within=20)
        container.signal(signal.SIGTERM)
        assert container.ended()[0] == 0


def test_secrets_stand_in_no_file_of_the_process_and_no_core_dump_is_made_of_them(image: Image, tmp_path: Path) -> None:
    creds = "creds: [{registry: registry.example, user: somebody, pass: '{{ file \"/var/lib/regsync/secret\" }}'}]\n"
    volumes = one_layout(tmp_path, top=creds)
    (volumes["/var/lib/regsync"] / "secret").write_text(SECRET)
    with Container(image, "server", "-c", "/etc/regsync/regsync.yml", volumes=volumes) as container:
        wait_for(lambda: copied(volumes), within=60)
        process = Path(f"/proc/{container.pid}")
        for file in ("cmdline", "environ", "status"):
            assert SECRET not in (process / file).read_text()
        (core,) = [line for line in (process / "limits").read_text().splitlines() if line.startswith("Max core")]
        assert core.split()[4:6] == ["0", "0"]
        assert {(process / file).stat().st_uid for file in ("mem", "environ", "maps")} == {0}  # it cannot be dumped
        container.signal(signal.SIGTERM)
        code, said = container.ended()
        assert (code, SECRET in said) == (0, False)


def test_a_run_listens_nowhere(image: Image, tmp_path: Path) -> None:
    volumes = one_layout(tmp_path, more=hook("pre", WAITING), top='server: {listen: "127.0.0.1:0"}\n')
    with Container(image, "once", "-c", "/etc/regsync/regsync.yml", volumes=volumes) as container:
        wait_for((volumes["/var/lib/regsync"] / "begun").exists, within=60)
        assert listening(container.pid) == []
        (volumes["/var/lib/regsync"] / "go").touch()
        assert container.ended()[0] == 0


def test_a_server_listens_where_it_is_told_to_and_nowhere_else(image: Image, tmp_path: Path) -> None:
    port, volumes = free_port(), one_layout(tmp_path)
    arguments = ("server", "-c", "/etc/regsync/regsync.yml", "--listen", f"127.0.0.1:{port}")
    with Container(image, *arguments, volumes=volumes) as container:
        wait_for(lambda: answers(port, "/readyz"), within=60)
        assert listening(container.pid) == [f"0100007F:{port:04X}"]


def test_its_health_is_that_of_the_server_that_is_its_first_process(image: Image, tmp_path: Path) -> None:
    port, volumes = free_port(), one_layout(tmp_path)
    check = ("/opt/regsync/bin/regsync", "healthcheck")
    arguments = ("server", "-c", "/etc/regsync/regsync.yml", "--listen", f"127.0.0.1:{port}")
    with Container(image, *arguments, volumes=volumes) as container:
        wait_for(lambda: answers(port, "/readyz"), within=60)
        assert container.inside(*check) == (0, "")


def test_a_credential_helper_may_be_mounted_where_programs_are(image: Image, tmp_path: Path) -> None:
    programs, home = tmp_path / "programs", tmp_path / "home"
    volumes = {**one_layout(tmp_path), "/usr/local/bin": programs, "/home/appuser": home}
    programs.mkdir()
    (programs / "docker-credential-ours").write_text(HELPER % SECRET)
    (programs / "docker-credential-ours").chmod(0o755)
    (home / ".docker").mkdir(parents=True)
    with DockerRegistry(tmp_path / "registry", basic=("somebody", SECRET)) as registry:
        (home / ".docker" / "config.json").write_text(json.dumps({"credHelpers": {registry.host: "ours"}}))
        (volumes["/etc/regsync"] / "regsync.yml").write_text(
            f"creds: [{{registry: '{registry.host}', tls: disabled}}]\n"
            f"sync: [{{source: 'ocidir://in:v1', target: '{registry.host}/a/b:v1', type: image}}]\n"
        )
        code, said = ran(image, "once", "-c", "/etc/regsync/regsync.yml", volumes=volumes)
        assert (code, SECRET in said) == (0, False), said
        assert "copied=1" in said


def test_the_cloud_image_has_the_helpers_of_amazon_and_google_besides(cloud: Image) -> None:
    ecr = ran(cloud, "-v", volumes={}, entrypoint=["docker-credential-ecr-login"])
    assert ecr[0] == 0, ecr[1]
    gcr = ran(cloud, "version", volumes={}, entrypoint=["docker-credential-gcr"])
    assert gcr[0] == 0, gcr[1]
    assert {path.name for path in (cloud.root / "usr/local/bin").iterdir()} == {
        *("docker-credential-ecr-login", "docker-credential-gcr")
    }
