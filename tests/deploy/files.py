"""What lies in deploy/, by kind: the tests of a kind ask for its files here; a file of no kind is one nobody tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.support.pages import ROOT

DEPLOY: Final = ROOT / "deploy"
CHART: Final = DEPLOY / "helm" / "regsync"
KUSTOMIZE: Final = DEPLOY / "kubernetes"
KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "kustomization": ("kubernetes/*/kustomization.yaml", "kubernetes/components/*/kustomization.yaml"),
    "manifest": ("kubernetes/*/[!k]*.yaml", "kubernetes/components/*/[!k]*.yaml", "kubernetes/*.example.yaml"),
    "configuration": ("kubernetes/base/regsync.yml",),
    "chart": ("helm/regsync/*", "helm/regsync/templates/*"),
    "values": ("helm/regsync/ci/*-values.yaml",),
    "compose": ("compose.yaml",),
    "image": ("image/*.py",),
    "unit": ("systemd/*.service", "systemd/*.timer"),
    "dashboard": ("grafana/*.json",),
    "workflow": ("ci/github.yml", "ci/gitlab.yml", "ci/forgejo.yml"),
    "CI's configuration": ("ci/regsync.yml",),
    "renovate": ("ci/renovate.json",),
    "rules": ("prometheus/*.rules.yaml",),
}


def of_kind(kind: str) -> list[Path]:
    return sorted({path for pattern in KINDS[kind] for path in DEPLOY.glob(pattern) if path.is_file()})


def name_of(path: Path) -> str:
    return str(path.relative_to(DEPLOY))
