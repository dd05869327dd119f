"""The alerts we ship: Prometheus takes them, they are about metrics there are, and they come when a source is dead."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.deploy.files import of_kind
from tests.integration.test_api import Asked
from tests.integration.test_reload import HOUR
from tests.support.built import image_bytes, write_layout
from tests.support.pages import ROOT
from tests.support.real import run

(RULES,) = of_kind("rules")
STEP: Final = 600.0  # seconds between two scrapes
Scrape = Mapping[tuple[str, str], float]  # by metric and entry


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def test_prometheus_takes_the_rules() -> None:
    assert f"{len(rules())} rules found" in run("promtool", "check", "rules", str(RULES)).decode()


def test_every_alert_is_about_metrics_there_are_and_is_explained() -> None:
    reference = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    for rule in rules():
        assert f"| `{rule['alert']}` |" in reference
        for metric in re.findall(r"regsync_\w+", rule["expr"]):
            assert f"| `{metric}` |" in reference


async def scraped(life: Asked) -> Scrape:
    families = text_string_to_metric_families(await life.text("/metrics"))
    return {(one.name, one.labels.get("entry", "")): one.value for family in families for one in family.samples}


def fired(rule: dict[str, Any], entry: str) -> dict[str, Any]:
    """Return what promtool calls an alert that has come; no instance has a name there."""
    texts = {
        name: text.replace("{{ $labels.entry }}", entry).replace("{{ $labels.instance }}", "")
        for name, text in rule["annotations"].items()
    }
    return {"exp_labels": {**rule["labels"], "entry": entry}, "exp_annotations": texts}


def promtool_test(scrapes: list[Scrape], began: float, alerts: Mapping[float, list[str]]) -> dict[str, Any]:
    """Return promtool's input: its time begins at zero, and so do moments here."""

    def value(name: str, scrape: Scrape) -> float:
        return scrape[name, entry] - (began if "timestamp" in name else 0)

    series = []
    for name in ("regsync_entry_overdue_timestamp_seconds", "regsync_entry_freshness_seconds"):
        for entry in ("dies", "lives"):
            values = " ".join(f"{value(name, scrape):.0f}" for scrape in scrapes)
            series.append({"series": f'{name}{{entry="{entry}"}}', "values": values})
    rule = next(rule for rule in rules() if rule["alert"] == "RegsyncMirrorOverdue")
    expected = [
        {"alertname": rule["alert"], "eval_time": f"{at:.0f}s", "exp_alerts": [fired(rule, entry) for entry in firing]}
        for at, firing in alerts.items()
    ]
    tests = [{"interval": f"{STEP:.0f}s", "input_series": series, "alert_rule_test": expected}]
    return {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}


@pytest.fixture
def life(tmp_path: Path) -> Asked:
    return Asked(tmp_path)


async def test_the_freshness_of_a_dead_source_grows_until_its_alert_comes(life: Asked, tmp_path: Path) -> None:
    write_layout(tmp_path / "dead", {"v1": image_bytes(b"dead")})
    dies = life.entry("dies").replace("/in:v1", "/dead:v1")
    scrapes: list[Scrape] = []
    async with life.answering(dies, life.entry("lives")):
        began = life.clock.now().timestamp()
        shutil.rmtree(tmp_path / "dead")
        for _ in range(int(4 * HOUR / STEP) + 1):
            scrapes.append(await scraped(life))
            await life.clock.advance(STEP)
    fresh = [scrape["regsync_entry_freshness_seconds", "dies"] for scrape in scrapes]
    assert [after - before for before, after in pairwise(fresh)] == [STEP] * (len(fresh) - 1)
    assert max(scrape["regsync_entry_freshness_seconds", "lives"] for scrape in scrapes) <= HOUR
    question = tmp_path / "alerts.yaml"
    moments = {2.9 * HOUR: [], 3.2 * HOUR: ["dies"], 4 * HOUR: ["dies"]}
    question.write_text(yaml.safe_dump(promtool_test(scrapes, began, moments)))
    run("promtool", "test", "rules", str(question))
