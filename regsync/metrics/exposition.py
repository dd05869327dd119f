"""The board in the words of Prometheus. Nothing is counted here: at each scrape the values are read as they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from regsync import __version__
from regsync.metrics.board import EntryStats, HostStats
from regsync.metrics.hosts import HostNow
from regsync.metrics.perentry import OverdueAt, entry_lines

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Readings:
    """Everything at one moment. `running` are entries under way; `lag` is in seconds."""

    now: datetime
    began: datetime
    entries: Mapping[str, EntryStats]
    overdue_at: OverdueAt
    known_since: Callable[[str], datetime]
    running: frozenset[str]
    traffic: Mapping[str, HostStats]
    hosts: Mapping[str, HostNow]
    reloads: Mapping[str, int]
    notifications: Mapping[str, int]
    paused: int
    digest: str
    since: datetime
    refused: bool
    dropped: int
    lag: float


def exposition(readings: Readings) -> Iterator[bytes]:
    """Make what a scrape is answered with, in pieces of two milliseconds of work: others have their turn between."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Readings(readings))
    yield generate_latest(registry)
    for text in entry_lines(
        readings.entries, readings.running, readings.overdue_at, readings.known_since, now=readings.now
    ):
        yield text.encode()


class _Readings(Collector):
    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    def collect(self) -> Iterator[Metric]:
        yield from _of_process(self._readings)
        yield from _of_traffic(self._readings.traffic)
        yield from _of_hosts(self._readings.hosts)


def _of_process(now: Readings) -> Iterator[Metric]:
    build = GaugeMetricFamily("regsync_build_info", "Always 1; the version is in the label.", labels=["version"])
    build.add_metric([__version__], 1)
    yield build
    config = GaugeMetricFamily("regsync_config_info", "Always 1; the configuration in force.", labels=["digest"])
    config.add_metric([now.digest], 1)
    yield config
    for name, text, value in (
        ("regsync_start_time_seconds", "When the process began.", now.began.timestamp()),
        ("regsync_config_since_seconds", "Since when the configuration is in force.", now.since.timestamp()),
        ("regsync_config_last_reload_successful", "0 if the last one was refused.", float(not now.refused)),
        ("regsync_entries_paused", "Entries whose due times pass.", now.paused),
        ("regsync_loop_lag_seconds", "The longest that work had to wait for its turn in the last minute.", now.lag),
    ):
        yield GaugeMetricFamily(name, text, value=value)
    reloads = CounterMetricFamily("regsync_reloads", "Configurations read again.", labels=["outcome"])
    for outcome in ("taken", "refused"):
        reloads.add_metric([outcome], now.reloads.get(outcome, 0))
    yield reloads
    told = CounterMetricFamily("regsync_notifications", "Messages of `defaults.notify`.", labels=["outcome"])
    for outcome in ("sent", "failed", "dropped"):
        told.add_metric([outcome], now.notifications.get(outcome, 0))
    yield told
    yield CounterMetricFamily("regsync_log_lines_dropped", "Log lines nobody read in time.", value=now.dropped)


def _of_traffic(traffic: Mapping[str, HostStats]) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "regsync_host_requests", "Requests that were answered.", labels=["host", "method", "status"]
    )
    told = {
        "retries": CounterMetricFamily("regsync_host_retries", "Requests tried again.", labels=["host"]),
        "read": CounterMetricFamily("regsync_host_read_bytes", "Bytes of blobs read.", labels=["host"]),
        "written": CounterMetricFamily("regsync_host_written_bytes", "Bytes of blobs written.", labels=["host"]),
        "spared": CounterMetricFamily(
            "regsync_host_spared_bytes", "Bytes of blobs that were mounted or linked.", labels=["host"]
        ),
        "adopted": CounterMetricFamily("regsync_host_mounts", "Blobs that were mounted or linked.", labels=["host"]),
    }
    for host, stats in traffic.items():
        for (method, status), count in stats.requests.items():
            requests.add_metric([host, method, status], count)
        for name, family in told.items():
            family.add_metric([host], getattr(stats, name))
    yield from (requests, *told.values())


def _of_hosts(hosts: Mapping[str, HostNow]) -> Iterator[Metric]:
    used = GaugeMetricFamily("regsync_host_in_flight", "Requests and transfers under way.", labels=["host"])
    limit = GaugeMetricFamily("regsync_host_limit", "How many may be under way.", labels=["host"])
    left = GaugeMetricFamily("regsync_host_pulls_left", "Manifests that may be fetched, where told.", labels=["host"])
    alone = GaugeMetricFamily("regsync_host_left_alone", "1 while the host is not asked.", labels=["host"])
    for name, host in hosts.items():
        used.add_metric([name], host.used)
        if host.limit is not None:
            limit.add_metric([name], host.limit)
        alone.add_metric([name], float(host.until is not None))
        if host.remaining is not None:
            left.add_metric([name], host.remaining)
    yield from (used, limit, left, alone)
