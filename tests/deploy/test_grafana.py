"""Grafana's dashboard asks Prometheus for nothing but what the program exports, in queries that Prometheus takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from regsync.events import BlobDone, BlobRead, Exchanged, JobSkipped, RequestRetried
from tests.deploy.files import name_of, of_kind
from tests.support.real import run
from tests.unit.metrics.test_metrics import NOON, a_board, a_run, text_of

VARIABLES = {"$__rate_interval": "5m", "$instance": "a", "$entry": "b"}
ADDED = {"instance", "job"}  # by Prometheus


def asked(dashboard: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each query of a dashboard, and how its lines are called."""
    for panel in dashboard["panels"]:
        yield from ((target["expr"], target["legendFormat"]) for target in panel.get("targets", ()))
    yield from ((one["expr"], "") for one in dashboard["annotations"]["list"])


def exported() -> dict[str, set[str]]:
    """The labels of every metric of a server that has done a bit of everything."""
    events = (
        BlobRead("a.example/team/app", "sha256:1", 100),
        BlobDone("b.example/app", "sha256:1", 100, "copied"),
        Exchanged("GET", "https://a.example/v2/", 200, authorized=False),
        RequestRetried("a.example", "GET manifest", 1, 1.0, "429"),
        JobSkipped("one", NOON, 1),
    )
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text_of(a_board(*events, runs=(a_run("copied"),)))):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.fixture(params=of_kind("dashboard"), ids=name_of)
def dashboard(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(request.param.read_text())
    return found


def test_every_query_is_about_metrics_and_labels_there_are(dashboard: Mapping[str, Any]) -> None:
    there = exported()
    variables = [one["definition"] for one in dashboard["templating"]["list"] if "definition" in one]
    for query, legend in [*asked(dashboard), *((query, "") for query in variables)]:
        (name,) = set(re.findall(r"regsync_\w+", query))
        assert name in there, query
        labels = {*re.findall(r"(\w+)=~", query), *re.findall(r"{{(\w+)}}", legend)}
        for group in re.findall(r"by \(([^)]*)\)", query):
            labels |= set(group.split(", "))
        assert labels <= there[name] | ADDED, query
        if "by (" in query:
            assert set(re.findall(r"{{(\w+)}}", legend)) <= set(re.findall(r"\w+", query.partition("by (")[2]))


def test_every_metric_that_entries_and_hosts_have_is_shown(dashboard: Mapping[str, Any]) -> None:
    shown = " ".join(query for query, _ in asked(dashboard))
    left_out = {
        "regsync_entry_last_success_timestamp_seconds",  # an entry that is fresh has succeeded
        "regsync_entry_run_seconds_count",
        "regsync_entry_run_seconds_sum",
        "regsync_host_mounts_total",  # the bytes are shown
    }
    names = {name for name in exported() if name.startswith(("regsync_entry", "regsync_host"))}
    assert sorted(name for name in names - left_out if f"{name}{{" not in shown) == []


def test_prometheus_takes_every_query(dashboard: Mapping[str, Any], tmp_path: Path) -> None:
    rules = []
    for number, (query, _) in enumerate(asked(dashboard)):
        for variable, value in VARIABLES.items():
            query = query.replace(variable, value)
        assert "$" not in query
        rules.append({"record": f"asked:{number}", "expr": query})
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"{len(rules)} rules found" in run("promtool", "check", "rules", str(path)).decode()


def test_panels_have_numbers_of_their_own_and_lie_beside_one_another(dashboard: Mapping[str, Any]) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_every_panel_takes_the_data_source_that_was_chosen(dashboard: Mapping[str, Any]) -> None:
    assert {"datasource", "instance", "entry"} == {one["name"] for one in dashboard["templating"]["list"]}
    sources = [target["datasource"]["uid"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    assert {*sources} == {"${datasource}"}
    assert dashboard["title"] == "regsync"
