"""What a cluster is given: the objects that kustomize and Helm make of deploy/, and the pods in them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from tests.deploy.files import CHART, KUSTOMIZE, of_kind
from tests.support.real import run

Object = Mapping[str, Any]
AT: Final = ("--kube-version", "1.30.0")  # for a helm that was built without saying what it is for
OVERLAYS: Final = ("server", "cronjob")
RENDERINGS: Final = (
    *OVERLAYS,
    *(f"{overlay} with all components" for overlay in OVERLAYS),
    *(path.name for path in of_kind("values")),
)


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment or a CronJob of ours, and the pod it makes."""

    kind: str
    spec: Object
    pod: Object

    @property
    def container(self) -> Object:
        (only,) = self.pod["containers"]
        return dict(only)

    def option(self, name: str) -> str:
        """What an option of the form --name=value says."""
        (value,) = [word.partition("=")[2] for word in self.container["args"] if word.startswith(f"--{name}=")]
        return str(value)

    def mount(self, volume: str) -> Object:
        (found,) = [one for one in self.container["volumeMounts"] if one["name"] == volume]
        return dict(found)


@lru_cache
def rendered(rendering: str) -> tuple[Object, ...]:
    """The objects of one way to install it."""
    if rendering.endswith("values.yaml"):
        text = run("helm", "template", *AT, "regsync", str(CHART), "--values", str(CHART / "ci" / rendering))
    else:
        text = run("kustomize", "build", str(KUSTOMIZE / rendering))
    return tuple(yaml.safe_load_all(text))


@lru_cache
def everything(overlay: str, folder: Path) -> tuple[Object, ...]:
    """The objects of an overlay with each component that it names in comments."""
    copy = Path(shutil.copytree(KUSTOMIZE, folder / overlay))
    path = copy / overlay / "kustomization.yaml"
    path.write_text(re.sub(r"^# (components:|  - )", r"\1", path.read_text(), flags=re.MULTILINE))
    return tuple(yaml.safe_load_all(run("kustomize", "build", str(path.parent))))


def objects(rendering: str, folder: Path) -> tuple[Object, ...]:
    overlay, _, components = rendering.partition(" with ")
    return everything(overlay, folder) if components else rendered(rendering)


def one(kind: str, among: tuple[Object, ...]) -> Object:
    (found,) = [each for each in among if each["kind"] == kind]
    return found


def workload(among: tuple[Object, ...]) -> Workload:
    (found,) = [each for each in among if each["kind"] in {"Deployment", "CronJob"}]
    spec = found["spec"]
    template = spec["template"] if found["kind"] == "Deployment" else spec["jobTemplate"]["spec"]["template"]
    return Workload(found["kind"], spec, template["spec"])


def policies(among: tuple[Object, ...]) -> Iterator[Object]:
    return (each["spec"] for each in among if each["kind"] == "NetworkPolicy")
