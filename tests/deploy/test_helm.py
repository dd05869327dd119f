"""The chart: Helm finds nothing wrong with it, and values that cannot work are refused with the key's name."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from regsync import __version__
from tests.deploy.cluster import AT, one, policies, workload
from tests.deploy.commands import check_configuration, parsed
from tests.deploy.files import CHART, name_of, of_kind
from tests.deploy.refused import CANNOT_WORK, ENTRY, IMAGE, LEAST, TO_LAYOUT
from tests.support.real import require, run


def template(
    folder: Path, values: Mapping[str, Any], *, chart: Path = CHART, release: str = "mirror"
) -> subprocess.CompletedProcess[str]:
    """Render the chart with the least that works, and these."""
    least, more = folder / "least.yaml", folder / "more.yaml"
    least.write_text(yaml.safe_dump(dict(LEAST)))
    more.write_text(yaml.safe_dump(dict(values)))
    command = [require("helm"), "template", *AT, release, str(chart), "-f", str(least), "-f", str(more)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def made(folder: Path, values: Mapping[str, Any], *, chart: Path = CHART) -> tuple[Mapping[str, Any], ...]:
    done = template(folder, values, chart=chart)
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


@pytest.mark.parametrize("values", of_kind("values"), ids=name_of)
def test_helm_finds_nothing_wrong_with_the_chart(values: Path) -> None:
    said = run("helm", "lint", "--strict", *AT, str(CHART), "--values", str(values)).decode()
    assert "1 chart(s) linted, 0 chart(s) failed" in said


@pytest.mark.parametrize("key", CANNOT_WORK)
def test_values_that_cannot_work_are_refused_by_name(key: str, tmp_path: Path) -> None:
    done = template(tmp_path, CANNOT_WORK[key])
    assert done.returncode != 0, done.stdout
    name = key.partition(" ")[0].rstrip(":")
    above, _, last = name.rpartition(".")
    places = (
        f": {name}: ",
        f"at '/{name.replace('.', '/')}",
        f"at '/{above.replace('.', '/')}': additional properties '{last}'",
    )
    assert any(place in done.stderr for place in (*places, f"at '': additional properties '{name}'"))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("sync: [", "config"),
        ("- sync", "config"),
        ("version: 1", "config.sync"),
        (yaml.safe_dump({"sync": [ENTRY]}), "config.sync[0]"),
        (yaml.safe_dump({"defaults": {"interval": "1h"}, "sync": [TO_LAYOUT]}), "persistence.enabled"),
    ],
)
def test_a_configuration_in_text_is_looked_at_as_well(text: str, key: str, tmp_path: Path) -> None:
    path = tmp_path / "values.yaml"
    path.write_text(yaml.safe_dump({"image": IMAGE, "config": text}))
    command = [require("helm"), "template", *AT, str(CHART), "-f", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode != 0
    assert f": {key}: " in done.stderr


def test_the_chart_alone_says_what_is_missing() -> None:
    done = subprocess.run([require("helm"), "template", *AT, str(CHART)], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "/image/repository" in done.stderr


def test_the_chart_is_of_this_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)


def test_the_schema_knows_every_value_and_no_other() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert sorted(_keys(values, schema)) == sorted(_properties(schema))


def _keys(values: Mapping[str, Any], schema: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for key, value in values.items():
        below = schema["properties"].get(key, {})
        if "properties" in below:
            yield from _keys(value, below, f"{above}{key}.")
        else:
            yield f"{above}{key}"


def _properties(schema: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for key, below in schema["properties"].items():
        if "properties" in below and below["additionalProperties"] is False:
            yield from _properties(below, f"{above}{key}.")
        elif f"{above}{key}" != "global":
            yield f"{above}{key}"


def test_an_authority_of_ones_own_is_trusted_from_a_folder(tmp_path: Path) -> None:
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    objects = made(tmp_path, {"extraCA": {"pem": pem}})
    (volume,) = [each for each in workload(objects).pod["volumes"] if each["name"] == "authorities"]
    (config,) = [each for each in objects if each["metadata"]["name"] == volume["configMap"]["name"]]
    assert config["data"] == {"ca.crt": pem}
    mounted = workload(objects).mount("authorities")["mountPath"]
    assert {"name": "SSL_CERT_DIR", "value": mounted} in workload(objects).container["env"]


def test_docker_logins_of_a_secret_are_found_under_dockers_name(tmp_path: Path) -> None:
    objects = made(tmp_path, {"logins": {"existingSecret": "pull"}})
    (volume,) = [each for each in workload(objects).pod["volumes"] if each["name"] == "logins"]
    assert volume["secret"]["items"] == [{"key": ".dockerconfigjson", "path": "config.json"}]
    mounted = workload(objects).mount("logins")["mountPath"]
    assert {"name": "DOCKER_CONFIG", "value": mounted} in workload(objects).container["env"]


@pytest.mark.parametrize("as_text", [False, True])
def test_a_configuration_comes_as_a_mapping_or_as_text_and_keeps_its_templates(as_text: bool, tmp_path: Path) -> None:
    entry = {**ENTRY, "target": 'registry.example.org/alpine:{{ index (split .Sync.Source ":") 1 }}'}
    config = {"defaults": {"interval": "1h"}, "sync": [entry]}
    text = f"# mine\n{yaml.safe_dump(config)}"
    objects = made(tmp_path, {"config": text if as_text else config})
    path = tmp_path / "regsync.yml"
    path.write_text(one("ConfigMap", objects)["data"]["regsync.yml"])
    assert yaml.safe_load(path.read_text()) == config
    check_configuration(str(path))


def test_a_release_may_have_dots_but_a_service_begins_with_a_letter(tmp_path: Path) -> None:
    done = template(tmp_path, {}, release="tools.eu")
    service = one("Service", tuple(yaml.safe_load_all(done.stdout)))
    assert service["metadata"]["name"] == "tools-eu-regsync"
    assert "the release's name: " in template(tmp_path, {}, release="2nd").stderr
    assert template(tmp_path, {"mode": "cronjob"}, release="2nd").returncode == 0


@pytest.mark.parametrize(
    ("mount", "entry"),
    [
        ({"mountPath": "/srv/images"}, {"target": "ocidir:///srv/images:3.22"}),
        ({"mountPath": "/srv/images/"}, {"target": "ocidir:///srv/images/alpine:3.22"}),
        ({"mountPath": "/var/lib/regsync/images"}, {"target": "ocidir:///var/lib/regsync/images/alpine"}),
        ({"mountPath": "/srv/images", "readOnly": True}, {"source": "ocidir:///srv/images/alpine:3.22"}),
    ],
)
def test_a_layout_may_be_on_any_disk_of_the_pod(
    mount: Mapping[str, Any], entry: Mapping[str, Any], tmp_path: Path
) -> None:
    volumes = {"extraVolumes": [{"name": "x", "emptyDir": {}}], "extraVolumeMounts": [{"name": "x", **mount}]}
    objects = made(tmp_path, {"config": {"sync": [{**ENTRY, **entry}]}, **volumes})
    assert workload(objects).mount("x")["mountPath"] == mount["mountPath"]


def test_a_job_can_leave_alone_what_is_there(tmp_path: Path) -> None:
    objects = made(tmp_path, {"mode": "cronjob", "cronjob": {"missing": True}})
    command, options = parsed(workload(objects).container["args"])
    assert (command, options["missing"]) == ("once", True)


@pytest.mark.parametrize("schedule", ["@daily", "*/30 * * * *", "0,30 22-23/1 1-31 JAN,jul MON-FRI", "5 04 ? * 0"])
def test_a_schedule_that_kubernetes_takes_is_one_here(schedule: str, tmp_path: Path) -> None:
    objects = made(tmp_path, {"mode": "cronjob", "cronjob": {"schedule": schedule, "timeZone": "Etc/UTC"}})
    assert workload(objects).spec["schedule"] == schedule


@pytest.mark.parametrize(
    ("name", "asked", "limit"),
    [
        ("memory", "128Mi", "134217728"),
        ("memory", 134217728, "128Mi"),
        ("memory", "1G", "1Gi"),
        ("ephemeral-storage", "0.5Gi", "512Mi"),
        ("cpu", "1500m", 1.5),
        ("cpu", 1, "1000m"),
    ],
)
def test_what_is_asked_for_may_be_all_there_is(name: str, asked: object, limit: object, tmp_path: Path) -> None:
    resources = {"requests": {name: asked}, "limits": {name: limit}}
    assert workload(made(tmp_path, {"resources": resources})).container["resources"]["limits"][name] == limit


def test_the_account_can_be_given_a_role_at_a_cloud(tmp_path: Path) -> None:
    role = {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/mirror"}
    account = one("ServiceAccount", made(tmp_path, {"serviceAccount": {"annotations": role}}))
    assert account["metadata"]["annotations"] == role


@pytest.mark.parametrize("mode", ["server", "cronjob"])
def test_an_account_of_ones_own_takes_the_place_of_the_charts(mode: str, tmp_path: Path) -> None:
    objects = made(tmp_path, {"mode": mode, "serviceAccount": {"existingName": "mine"}})
    assert workload(objects).pod["serviceAccountName"] == "mine"
    assert "ServiceAccount" not in {each["kind"] for each in objects}


def test_another_configuration_leaves_the_pod_as_it_is(tmp_path: Path) -> None:
    before = made(tmp_path, {})
    after = made(tmp_path, {"config": {"defaults": {"interval": "2h"}}})
    assert [
        one_before["kind"] for one_before, one_after in zip(before, after, strict=True) if one_before != one_after
    ] == ["ConfigMap"]


def test_who_wants_no_second_wall_gets_none(tmp_path: Path) -> None:
    assert [*policies(made(tmp_path, {"networkPolicy": {"enabled": False}}))] == []


def notes(folder: Path, values: Mapping[str, Any]) -> str:
    """What is said after an installation; `helm template` does not show it, so that it is put into a ConfigMap here."""
    chart = Path(shutil.copytree(CHART, folder / "chart"))
    text = (chart / "templates" / "NOTES.txt").read_text()
    (chart / "templates" / "_notes.tpl").write_text(f'{{{{- define "notes" }}}}{text}{{{{ end }}}}')
    (chart / "templates" / "notes.yaml").write_text('kind: Notes\ntext: {{ include "notes" . | toJson }}\n')
    return str(one("Notes", made(folder, values, chart=chart))["text"])


@pytest.mark.parametrize(("mode", "kind"), [("server", "deployment"), ("cronjob", "cronjob")])
def test_the_notes_name_what_was_made(mode: str, kind: str, tmp_path: Path) -> None:
    said = notes(tmp_path, {"mode": mode})
    assert f"{kind}/mirror-regsync" in said
    assert "It logs in nowhere" in said
    assert "networkPolicy.egress" in said


@pytest.mark.parametrize("path", of_kind("chart"), ids=name_of)
def test_every_file_of_the_chart_is_one_that_helm_reads(path: Path) -> None:
    if path.parent == CHART:
        assert path.name in {"Chart.yaml", "values.yaml", "values.schema.json", ".helmignore"}
    else:
        assert path.suffix in {".yaml", ".tpl"} or path.name == "NOTES.txt"
