"""What the guide to Kubernetes has people type is about files and objects there are, and Helm takes its values."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.deploy.cluster import AT, Object, objects, workload
from tests.deploy.files import CHART, DEPLOY, of_kind
from tests.deploy.refused import CANNOT_WORK
from tests.deploy.test_helm import template
from tests.support.pages import ROOT, blocks, steps
from tests.support.real import run

GUIDE = ROOT / "docs" / "guide" / "kubernetes.md"
SERVICE = ROOT / "docs" / "guide" / "service.md"


def typed(program: str, page: Path = GUIDE) -> Iterator[list[str]]:
    for block in blocks(page):
        for step in steps(block) if block.kind == "console" else ():
            words = shlex.split(step.command)
            if words[0] == program:
                yield words[1:]


def names(made: tuple[Object, ...]) -> set[str]:
    return {f"{each['kind'].lower()}/{each['metadata']['name']}" for each in made}


def test_kubectl_is_pointed_at_overlays_and_objects_there_are() -> None:
    applied: set[str] = set()
    made: tuple[Object, ...] = ()
    for words in typed("kubectl"):
        if words[:2] == ["apply", "-k"]:
            made = objects((ROOT / words[2]).name, Path())
            applied.add(words[2])
            assert "namespace/regsync" in names(made)
        elif words[:2] == ["create", "namespace"]:
            made = objects("server-values.yaml", Path())
        else:
            assert words[:2] == ["-n", "regsync"]
        for kind, name in re.findall(r"\b(deployment|service|cronjob)/(\S+)", " ".join(words)):
            assert f"{kind}/{name}" in names(made)
    assert applied == {"deploy/kubernetes/server", "deploy/kubernetes/cronjob"}


def test_the_secret_that_is_made_is_the_one_pods_wait_for() -> None:
    made = [words[words.index("generic") + 1] for words in typed("kubectl") if "generic" in words]
    (volume,) = [each for each in workload(objects("server", Path())).pod["volumes"] if "secret" in each]
    assert {*made} == {volume["secret"]["secretName"]}


def test_helm_takes_what_is_typed_with_the_values_that_are_shown(tmp_path: Path) -> None:
    (block,) = [block for block in blocks(GUIDE) if block.name == "values.yaml"]
    (tmp_path / "values.yaml").write_text(block.body)
    (words,) = typed("helm")
    assert words[:3] == ["upgrade", "--install", "regsync"]
    chart, *rest = words[3:]
    assert ROOT / chart == CHART
    made = tuple(yaml.safe_load_all(run("helm", "template", *AT, "regsync", str(CHART), *rest, cwd=tmp_path)))
    assert "deployment/regsync" in names(made)


def test_every_value_the_guide_tells_of_is_one() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    rows = re.findall(r"^\| (`[^|]+) \|", GUIDE.read_text().partition("| value |")[2].partition("## ")[0], re.MULTILINE)
    assert rows
    for path in re.findall(r"`([\w.]+)`", " ".join(rows)):
        place = values
        for key in path.split("."):
            assert key in place, path
            place = place[key]


@pytest.mark.parametrize("words", [*typed("cp", SERVICE)])
def test_the_units_that_are_copied_are_there(words: list[str]) -> None:
    *files, folder = words
    assert folder == "/etc/systemd/system/"
    assert all((ROOT / name).parent == DEPLOY / "systemd" and (ROOT / name).is_file() for name in files)


def test_what_the_guide_shows_of_a_refusal_is_what_helm_says(tmp_path: Path) -> None:
    (shown,) = [line for block in blocks(GUIDE) for line in block.body.splitlines() if line.startswith("Error: ")]
    assert shown in template(tmp_path, CANNOT_WORK["persistence.enabled"]).stderr


def test_the_rule_for_the_operator_is_made_of_the_alerts() -> None:
    (block,) = [block for block in blocks(GUIDE) if "kind: PrometheusRule" in block.body]
    command, _, rest = block.body.partition(" | ")
    made = yaml.safe_load(run("bash", "-c", command, cwd=ROOT))
    assert rest.split() == ["kubectl", "-n", "regsync", "apply", "-f", "-"]
    assert (made["kind"], made["metadata"]) == ("PrometheusRule", {"name": "regsync"})
    assert [made["spec"]] == [yaml.safe_load(path.read_text()) for path in of_kind("rules")]
