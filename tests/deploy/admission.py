"""A real API server takes what deploy/ comes to: `python -m tests.deploy.admission FOLDER`, a line for each object.

FOLDER has the definitions of the Prometheus Operator. It is wrong, and the exit code is 1, when the server refuses an
object, warns of it, or keeps it in another form than was sent. No controllers run there, so pods are tried alone.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
import yaml

from tests.deploy.apiserver import ApiServer, Object, running
from tests.deploy.cluster import RENDERINGS, objects
from tests.deploy.files import KUSTOMIZE, of_kind
from tests.deploy.newcomer import Report, by_the_guide, typed_blocks

OURS: Final = "regsync"  # the namespace that the overlays make
RESTRICTED: Final = {f"pod-security.kubernetes.io/{what}": "restricted" for what in ("enforce", "warn")}
OPERATOR: Final = "monitoring.coreos.com/v1"
DEFINITIONS: Final = tuple(f"monitoring.coreos.com_{kind}.yaml" for kind in ("servicemonitors", "prometheusrules"))


def namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}}


def taken(server: ApiServer, document: Object, where: str) -> list[str]:
    """Try an object, then have it made, twice; return what is wrong."""
    tried = server.apply(document, where, really=False)
    if tried.complaints:
        return [f"dry run: {each}" for each in tried.complaints]
    first, again = (server.apply(document, where, really=True) for _ in range(2))
    complaints = [*first.complaints, *again.complaints, *lost(document, first.body)]
    return complaints or [f"applied once more: {each}" for each in lost(_said(first.body), _said(again.body))]


def _said(kept: Object) -> Object:
    """An object without the version of it, which a claim's first change by the server itself counts up as well."""
    return {**kept, "metadata": {**kept["metadata"], "resourceVersion": None}}


def lost(sent: Any, kept: Any, path: str = "") -> Iterator[str]:
    """Where what is kept says something else than what was sent; what the server adds does not count."""
    if isinstance(sent, dict) and isinstance(kept, dict):
        for key, value in sent.items():
            if key != "stringData" and value not in ({}, [], None):  # the former is kept as data
                yield from lost(value, kept.get(key), f"{path}.{key}")
    elif isinstance(sent, list) and isinstance(kept, list) and len(sent) == len(kept):
        for at, (ours, theirs) in enumerate(zip(sent, kept, strict=True)):
            yield from lost(ours, theirs, f"{path}[{at}]")
    elif sent != kept:
        yield f"{path}: sent {sent!r}, kept {kept!r}"


def made_of(document: Object) -> Iterator[Object]:
    """What controllers would make of a Deployment or a CronJob: a job, a pod."""
    spec, name = document["spec"], {"name": f"{document['metadata']['name']}-0"}
    if document["kind"] == "CronJob":
        job = spec["jobTemplate"]
        yield {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {**job.get("metadata", {}), **name},
            "spec": job["spec"],
        }
        spec = job["spec"]
    pod = spec["template"]
    yield {"apiVersion": "v1", "kind": "Pod", "metadata": {**pod["metadata"], **name}, "spec": pod["spec"]}


def fences(server: ApiServer, document: Object, where: str) -> Iterator[tuple[str, list[str]]]:
    """What must be refused, lest this whole trial show nothing."""
    *_, pod = made_of(document)
    bare = {**pod, "spec": {key: value for key, value in pod["spec"].items() if key != "securityContext"}}
    misspelt = {**document, "spec": {**document["spec"], "replica": 1}}
    for what, word, wrong in (
        ("a pod with rights", "violates PodSecurity", bare),
        ("an unknown key", "unknown field", misspelt),
    ):
        said = " ".join(server.create(wrong, where, really=False).complaints)
        yield what, [] if word in said else [f"it is taken, or refused for something else: {said}"]


def by_server_side_apply(server: ApiServer, report: Report, rendering: str, folder: Path) -> None:
    """Apply the objects of one way to install it, in the order they come in."""
    where = OURS
    made = objects(rendering, folder)
    if rendering.endswith("values.yaml"):
        where = f"{OURS}-{rendering.partition('-')[0]}"
        made = (namespace(where), *made)
    for document in made:
        report.line(f"{rendering}: {document['kind']} {document['metadata']['name']}", taken(server, document, where))
        if document["kind"] in {"Deployment", "CronJob"}:
            for each in made_of(document):
                said = server.create(each, where, really=False).complaints
                report.line(f"{rendering}: {each['kind']} of the {document['kind']}", said)
            for what, complaints in fences(server, document, where):
                report.line(f"{rendering}: {what} is refused", complaints)


def prepare(server: ApiServer, definitions: Path) -> None:
    """Make what a cluster has already where such objects are applied."""
    low = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "low"}, "value": -1}
    for document in (low, *(yaml.safe_load((definitions / name).read_text()) for name in DEFINITIONS)):
        answer = server.apply(document, "", really=True)
        if answer.complaints:
            raise SystemExit(f"{document['kind']}: {answer.complaints}")
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        kinds = {each["kind"] for each in server.ask("GET", f"/apis/{OPERATOR}").body.get("resources", [])}
        if {"ServiceMonitor", "PrometheusRule"} <= kinds:
            return
        time.sleep(0.2)
    raise SystemExit(f"{OPERATOR} is not served")


def besides() -> Iterator[Object]:
    """What people make of other files of deploy/."""
    yield yaml.safe_load((KUSTOMIZE / "secret.example.yaml").read_text())
    for path in of_kind("rules"):
        rules = yaml.safe_load(path.read_text())
        yield {"apiVersion": OPERATOR, "kind": "PrometheusRule", "metadata": {"name": "regsync"}, "spec": rules}


def main(definitions: Path) -> int:
    report = Report()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server:
        click.echo(f"Kubernetes {server.ask('GET', '/version').body['gitVersion']}")
        prepare(server, definitions)
        for at, rendering in enumerate(RENDERINGS):
            by_server_side_apply(server, report, rendering, Path(folder) / f"overlay-{at}")
        for document in besides():
            report.line(f"besides: {document['kind']} {document['metadata']['name']}", taken(server, document, OURS))
    for block in typed_blocks():
        with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server:
            by_the_guide(server, report, block, Path(folder))
    click.echo(f"{report.lines} looked at, {report.wrong} wrong, in {time.monotonic() - began:.0f} s")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
