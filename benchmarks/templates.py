"""How long templates take to be read and run: no registry, no program, in this process."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measure import Cost
from benchmarks.result import Result
from regsync.backups.template import data_of
from regsync.config.model import Config
from regsync.config.stepdata import step_data
from regsync.oci.reference import parse_reference
from regsync.template.engine import Template
from regsync.template.values import Struct
from regsync.template.world import world_of

_TIMES = 10_000
_LIMIT = 100e-6  # seconds of processor for one pair of braces that is read and run once
_TEMPLATES = {
    "part of the source": '{{ index (split .Sync.Source "gcr.io/") 1 }}',
    "variable or default": '{{ env "REGSYNC_NOWHERE" | default "b" }}',
    "backup by date": '{{ .Ref.Repository }}:{{ .Ref.Tag }}-{{ time.Now.Format "20060102" }}',
}


def templates(work: Path) -> Iterator[Result]:
    """Each template 10,000 times; the least of three."""
    step = Config.model_validate({"sync": [{"source": "gcr.io/distroless/static", "type": "repository"}]}).sync[0]
    data = data_of(parse_reference("registry.example/hub/static:v1"), step_data(step))
    for name, text in _TEMPLATES.items():
        least = min((_made(text, data, work) for _ in range(3)), key=lambda cost: cost.cpu)
        limits = {} if text.count("{{") > 1 else {"cpu": _LIMIT * _TIMES}
        yield Result(f"template: {name}", "ours", least, limits=limits)


def _made(text: str, data: Struct, work: Path) -> Cost:
    world = world_of(os.environ, lambda: datetime.now(UTC))
    began, cpu = time.monotonic(), time.process_time()
    for _ in range(_TIMES):
        assert Template.parse(text).render(data, world)
    seconds, used = time.monotonic() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cost(began=began, seconds=seconds, cpu=used, peak=peak, code=0, log=work / "templates.log")
