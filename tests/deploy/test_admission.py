"""What `.ci/kubernetes` sends to a real API server is all there is, and it sees when something is lost there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deploy.admission import lost, made_of
from tests.deploy.cluster import RENDERINGS, Object, objects, workload
from tests.deploy.newcomer import typed_blocks


@pytest.mark.parametrize(
    ("sent", "kept", "where"),
    [
        ({"a": {"b": 1}}, {"a": {}}, ".a.b"),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2, "c": 3}]}, ".a[0].b"),
        ({"a": ["b"]}, {"a": ["b", "c"]}, ".a"),
        ({"size": "1Gi"}, {"size": "1"}, ".size"),
    ],
)
def test_what_is_kept_otherwise_than_it_was_sent_is_seen(sent: Any, kept: Any, where: str) -> None:
    assert [each.partition(":")[0] for each in lost(sent, kept)] == [where]


def test_what_a_server_adds_and_empty_things_it_leaves_out_are_not_lost() -> None:
    sent = {"spec": {"labels": {}, "emptyDir": {}}, "stringData": {"a": "b"}}
    assert [*lost(sent, {"spec": {"replicas": 1}, "data": {"a": "Yg=="}})] == []


@pytest.mark.parametrize("rendering", RENDERINGS)
def test_the_pod_that_is_tried_is_the_one_that_would_be_made(
    rendering: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made: tuple[Object, ...] = objects(rendering, tmp_path_factory.mktemp("overlay"))
    (owner,) = [each for each in made if each["kind"] in {"Deployment", "CronJob"}]
    kinds = {each["kind"]: each for each in made_of(owner)}
    assert [*kinds] == {"Deployment": ["Pod"], "CronJob": ["Job", "Pod"]}[owner["kind"]]
    assert kinds["Pod"]["spec"] == workload(made).pod


def test_each_way_of_the_guide_has_commands_to_try() -> None:
    server, job, release = (block.body for block in typed_blocks())
    assert "apply -k deploy/kubernetes/server" in server
    assert "apply -k deploy/kubernetes/cronjob" in job
    assert "helm upgrade --install" in release
