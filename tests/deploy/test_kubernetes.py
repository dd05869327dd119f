"""What kustomize and Helm make of deploy/ is taken by clusters, runs hardened and starts regsync with what it knows."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from regsync import __version__
from regsync.duration import parse_duration
from tests.deploy.cluster import OVERLAYS, RENDERINGS, Object, objects, one, policies, workload
from tests.deploy.commands import check_configuration, parsed
from tests.deploy.files import CHART, KUSTOMIZE, name_of, of_kind
from tests.support.pages import ROOT

USER = 65532
SECRETS = "/run/secrets/regsync/"
VERSIONS = ("1.29.0", "1.37.0")  # the oldest that the guide names, and the newest with schemas


@pytest.fixture(params=RENDERINGS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Object, ...]:
    return objects(request.param, tmp_path_factory.mktemp("overlay"))


def validate(documents: list[Object], folder: Path) -> None:
    """Have the schemas of Kubernetes look at objects; keys they do not know are refused."""
    path = folder / "objects.yaml"
    path.write_text(yaml.safe_dump_all(documents))
    for version in VERSIONS:
        command = [sys.executable, "-m", "kubernetes_validate", "--strict", "-k", version, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert (done.stdout + done.stderr).count("passed for resource") == len(documents)


def test_kubernetes_takes_every_object(made: tuple[Object, ...], tmp_path: Path) -> None:
    validate([each for each in made if each["kind"] != "ServiceMonitor"], tmp_path)


@pytest.mark.parametrize("path", of_kind("manifest"), ids=name_of)
def test_every_manifest_is_in_an_overlay_or_an_example(path: Path, tmp_path: Path) -> None:
    document = yaml.safe_load(path.read_text())
    if "example" in path.name:
        validate([document], tmp_path)
        return
    made = [each for overlay in OVERLAYS for each in objects(f"{overlay} with all components", tmp_path)]
    assert document["metadata"]["name"] in {
        each["metadata"]["name"] for each in made if each["kind"] == document["kind"]
    }


@pytest.mark.parametrize("path", of_kind("kustomization"), ids=name_of)
def test_every_kustomization_lists_all_that_lies_beside_it(path: Path) -> None:
    said = yaml.safe_load(path.read_text())
    files = said.get("configMapGenerator", [{}])[0].get("files", [])
    beside = {one.name for one in path.parent.iterdir() if one != path}
    assert beside == {name for name in [*said["resources"], *files] if "/" not in name}


def test_the_pod_has_no_rights_and_nothing_to_write_to_but_its_volumes(made: tuple[Object, ...]) -> None:
    pod, container = workload(made).pod, workload(made).container
    assert one("ServiceAccount", made)["automountServiceAccountToken"] is False
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["serviceAccountName"] == one("ServiceAccount", made)["metadata"]["name"]
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        **dict.fromkeys(("runAsUser", "runAsGroup", "fsGroup"), USER),
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_pod_has_bounds_for_memory_and_disk(made: tuple[Object, ...]) -> None:
    resources = workload(made).container["resources"]
    assert {"cpu", "memory", "ephemeral-storage"} == set(resources["requests"])
    assert {"memory", "ephemeral-storage"} == set(resources["limits"])
    for volume in workload(made).pod["volumes"]:
        assert "emptyDir" not in volume or volume["emptyDir"]["sizeLimit"]


def test_every_volume_is_of_a_kind_that_restricted_namespaces_take(made: tuple[Object, ...]) -> None:
    kinds = {kind for volume in workload(made).pod["volumes"] for kind in volume if kind != "name"}
    assert kinds <= {"configMap", "secret", "emptyDir", "persistentVolumeClaim", "projected"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(workload(made).pod)


def test_the_guide_and_the_chart_name_the_oldest_version_that_is_tried() -> None:
    oldest = VERSIONS[0].removesuffix(".0")
    assert f"Kubernetes {oldest} or newer" in (ROOT / "docs" / "guide" / "kubernetes.md").read_text()
    assert f'kubeVersion: ">={oldest}.0-0"' in (CHART / "Chart.yaml").read_text()


def test_configuration_and_secrets_are_folders_that_change_as_it_runs(made: tuple[Object, ...]) -> None:
    mounts = workload(made).container["volumeMounts"]
    assert all("subPath" not in mount for mount in mounts)
    for volume in workload(made).pod["volumes"]:
        for kind in {"configMap", "secret"} & set(volume):
            assert volume[kind]["defaultMode"] == 0o440
            assert "optional" not in volume[kind]
            assert workload(made).mount(volume["name"])["readOnly"] is True


def test_its_command_line_is_one_and_names_the_configuration_that_is_mounted(made: tuple[Object, ...]) -> None:
    command, options = parsed(workload(made).container["args"])
    assert command == {"Deployment": "server", "CronJob": "once"}[workload(made).kind]
    assert options["config"] == f"{workload(made).mount('config')['mountPath']}/regsync.yml"
    assert "command" not in workload(made).container  # the image's ENTRYPOINT is regsync


def test_the_configuration_loads(made: tuple[Object, ...], tmp_path: Path) -> None:
    config = next(each for each in made if each["kind"] == "ConfigMap" and "regsync.yml" in each["data"])
    (volume,) = [each for each in workload(made).pod["volumes"] if each["name"] == "config"]
    assert volume["configMap"]["name"] == config["metadata"]["name"]
    (tmp_path / "registry-password").write_text("s3cret")
    path = tmp_path / "regsync.yml"
    path.write_text(config["data"]["regsync.yml"].replace(SECRETS, f"{tmp_path}/"))
    check_configuration(str(path))


@pytest.mark.parametrize("path", of_kind("configuration"), ids=name_of)
def test_every_configuration_to_begin_with_loads(path: Path) -> None:
    check_configuration(str(path))


def test_the_image_is_of_this_version_or_named_by_digest(made: tuple[Object, ...]) -> None:
    container = workload(made).container
    name, _, rest = container["image"].rpartition("/")
    assert name.startswith("registry.example.org")
    assert rest == f"regsync:{__version__}" or rest.startswith("regsync@sha256:")
    assert container["imagePullPolicy"] == "IfNotPresent"


def test_it_gets_out_to_dns_and_public_https_and_nowhere_inside(made: tuple[Object, ...]) -> None:
    first = next(policies(made))
    assert first["policyTypes"] == ["Ingress", "Egress"]
    dns, https, *_ = first["egress"]
    assert {port["port"] for port in dns["ports"]} == {53}
    assert [port["port"] for port in https["ports"]] == [443]
    ipv4, ipv6 = (peer["ipBlock"] for peer in https["to"])
    assert {"127.0.0.0/8", "169.254.0.0/16", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"} <= set(ipv4["except"])
    assert {"::1/128", "fe80::/10", "fc00::/7"} <= set(ipv6["except"])


def test_policies_and_services_are_about_this_pod(made: tuple[Object, ...]) -> None:
    owner = next(each for each in made if each["kind"] == workload(made).kind)
    template = owner["spec"].get("template") or owner["spec"]["jobTemplate"]["spec"]["template"]
    labels = template["metadata"]["labels"].items()
    for each in made:
        spec = each.get("spec", {})
        match each["kind"]:
            case "NetworkPolicy":
                assert spec["podSelector"]["matchLabels"].items() <= labels
            case "Service":
                assert spec["selector"].items() <= labels
            case "PodDisruptionBudget" | "Deployment":
                assert spec["selector"]["matchLabels"].items() <= labels
            case "ServiceMonitor":
                service = one("Service", made)
                assert spec["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
                assert {end["port"] for end in spec["endpoints"]} <= {port["name"] for port in service["spec"]["ports"]}
                assert {end["path"] for end in spec["endpoints"]} == {"/metrics"}
            case _:
                assert not {"selector", "podSelector"} & set(spec)


@pytest.mark.parametrize(
    "rendering", ["server", "server with all components", "server-values.yaml", "full-values.yaml"]
)
def test_a_server_is_alone_and_is_given_longer_to_stop_than_it_gives_its_copies(rendering: str, tmp_path: Path) -> None:
    made = objects(rendering, tmp_path)
    server = workload(made)
    assert (server.spec["replicas"], server.spec["strategy"]) == (1, {"type": "Recreate"})
    assert server.pod["terminationGracePeriodSeconds"] > parse_duration(server.option("grace")) + 5
    budget = one("PodDisruptionBudget", made)["spec"]
    assert budget["maxUnavailable"] == 1
    assert (
        budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    )  # with one pod, one that is not ready could never be moved


@pytest.mark.parametrize("rendering", ["server", "server-values.yaml", "full-values.yaml"])
def test_probes_and_scrapes_go_where_the_server_listens(rendering: str, tmp_path: Path) -> None:
    made = objects(rendering, tmp_path)
    container = workload(made).container
    (port,) = container["ports"]
    assert workload(made).option("listen") == f":{port['containerPort']}"
    assert one("Service", made)["spec"]["ports"][0]["targetPort"] == port["name"]
    assert next(policies(made))["ingress"][0]["ports"][0]["port"] == port["containerPort"]
    asked = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {get["port"] for get in asked.values()} == {port["name"]}
    assert {name: get["path"] for name, get in asked.items()} == {
        "startup": "/healthz",
        "liveness": "/healthz",
        "readiness": "/readyz",
    }


@pytest.mark.parametrize("rendering", ["cronjob", "cronjob with all components", "cronjob-values.yaml"])
def test_a_job_never_runs_beside_itself_nor_keeps_later_ones_from_running(rendering: str, tmp_path: Path) -> None:
    made = objects(rendering, tmp_path)
    spec = workload(made).spec
    job = spec["jobTemplate"]["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["timeZone"]
    assert spec["startingDeadlineSeconds"] > 0
    assert spec["successfulJobsHistoryLimit"]
    assert spec["failedJobsHistoryLimit"]
    assert job["activeDeadlineSeconds"] > 0
    assert job["ttlSecondsAfterFinished"] > 0
    assert job["backoffLimit"] == 1
    assert job["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"] == [2]  # the configuration is wrong
    assert workload(made).pod["restartPolicy"] == "Never"
    assert not {"Service", "PodDisruptionBudget"} & {each["kind"] for each in made} or "components" in rendering


def test_both_overlays_run_the_same_pod() -> None:
    def common(overlay: str) -> dict[str, object]:
        pod = workload(objects(overlay, Path())).pod
        container = dict(pod["containers"][0])
        for name in ("args", "ports", "startupProbe", "livenessProbe", "readinessProbe"):
            container.pop(name, None)
        return {**pod, "containers": [container], "restartPolicy": None, "terminationGracePeriodSeconds": None}

    assert all(one == another for one, another in pairwise(common(overlay) for overlay in OVERLAYS))


def test_the_namespace_refuses_pods_that_want_more() -> None:
    labels = one("Namespace", objects("server", Path()))["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_example_secret_is_what_the_pods_mount() -> None:
    secret = yaml.safe_load((KUSTOMIZE / "secret.example.yaml").read_text())
    (volume,) = [each for each in workload(objects("server", Path())).pod["volumes"] if "secret" in each]
    assert volume["secret"]["secretName"] == secret["metadata"]["name"]
    assert {"name": "DOCKER_CONFIG", "value": SECRETS.rstrip("/")} in workload(objects("server", Path())).container[
        "env"
    ]
    assert "config.json" in secret["stringData"]


def test_a_disk_takes_the_place_of_the_directory(tmp_path: Path) -> None:
    for overlay in OVERLAYS:
        made = objects(f"{overlay} with all components", tmp_path)
        (data,) = [volume for volume in workload(made).pod["volumes"] if volume["name"] == "data"]
        assert data == {"name": "data", "persistentVolumeClaim": {"claimName": "regsync"}}
        assert one("PersistentVolumeClaim", made)["spec"]["accessModes"] == ["ReadWriteOncePod"]
