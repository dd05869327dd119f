"""What runs in the pods does what a cluster expects: it answers probes, ends when told to, and its codes are heeded."""

from __future__ import annotations

import signal
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import pytest

from tests.deploy.cluster import Workload, objects, workload
from tests.e2e.program import Ended, Started, regsync, wait_for
from tests.support.pages import ROOT
from tests.support.real import free_port

CONFIGURATION: Final = """
version: 1
defaults: {{interval: 1h, state: {data}/state.db}}
sync:
  - source: ocidir://{examples}/layout:hello
    target: ocidir://{data}/hello:latest
    type: image
"""
POD: Final = "10.42.0.17"  # who probes and scrapes asks by the pod's address


class Mounted:
    """A pod's volumes as folders; its command line and environment, as they are with these in place of its own."""

    def __init__(self, pod: Workload, folder: Path, configuration: str = CONFIGURATION) -> None:
        self._places = {mount["mountPath"]: folder / mount["name"] for mount in pod.container["volumeMounts"]}
        for place in self._places.values():
            place.mkdir(parents=True)
        self._port = free_port()
        text = configuration.format(data=self._places["/var/lib/regsync"], examples=ROOT / "examples")
        (self._places["/etc/regsync"] / "regsync.yml").write_text(text)
        self.arguments = [self._here(word) for word in pod.container["args"]]
        self.environ = {each["name"]: self._here(each["value"]) for each in pod.container["env"]}
        (Path(self.environ["DOCKER_CONFIG"]) / "config.json").write_text("{}")

    def _here(self, word: str) -> str:
        option, _, value = word.rpartition("=")
        for place, folder in self._places.items():
            if value == place or value.startswith(f"{place}/"):
                return f"{option}={folder}{value.removeprefix(place)}".removeprefix("=")
        return word.replace("--listen=:8080", f"--listen=127.0.0.1:{self._port}")

    def asked(self, path: str) -> int:
        """The status of an answer, 0 for none."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("GET", path, headers={"Host": f"{POD}:8080"})
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()


@pytest.mark.parametrize("rendering", ["server", "server-values.yaml"])
def test_a_server_answers_the_probes_of_its_pod_and_ends_when_told_to(rendering: str, tmp_path: Path) -> None:
    pod = workload(objects(rendering, tmp_path))
    mounted = Mounted(pod, tmp_path / "pod")
    with Started(*mounted.arguments, cwd=tmp_path / "run", environ=mounted.environ) as process:
        for name in ("startup", "liveness", "readiness"):
            path = pod.container[f"{name}Probe"]["httpGet"]["path"]
            assert wait_for(lambda path=path: mounted.asked(path) == 200, within=60)  # type: ignore[misc]
        assert mounted.asked("/metrics") == 200
        process.signal(signal.SIGTERM)
        ended = process.ended()
    assert ended.code == 0, ended.err
    assert [line["msg"] for line in ended.lines if line["level"] in {"WARN", "ERROR"}] == []
    assert (tmp_path / "pod" / "data" / "hello" / "index.json").is_file()


def job(folder: Path, rendering: str, configuration: str = CONFIGURATION) -> Ended:
    mounted = Mounted(workload(objects(rendering, folder)), folder / "pod", configuration)
    return regsync(*mounted.arguments, cwd=folder, environ=mounted.environ)


def test_a_job_copies_and_ends_well(tmp_path: Path) -> None:
    ended = job(tmp_path, "cronjob")
    assert ended.code == 0, ended.err
    assert ended.figures["copied"] == 1


def test_a_job_with_a_wrong_configuration_ends_with_the_code_that_is_not_tried_again(tmp_path: Path) -> None:
    spec = workload(objects("cronjob", tmp_path)).spec["jobTemplate"]["spec"]
    first = spec["podFailurePolicy"]["rules"][0]
    ended = job(tmp_path, "cronjob", CONFIGURATION.replace("target:", "taget:"))
    assert ended.code in first["onExitCodes"]["values"]
    assert first["action"] == "FailJob"


def test_a_job_with_an_image_that_fails_ends_with_a_code_that_is(tmp_path: Path) -> None:
    spec = workload(objects("cronjob", tmp_path)).spec["jobTemplate"]["spec"]
    ended = job(tmp_path, "cronjob", CONFIGURATION.replace(":hello", ":absent"))
    assert ended.code == 1
    assert ended.code not in spec["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"]
    assert spec["backoffLimit"] == 1
