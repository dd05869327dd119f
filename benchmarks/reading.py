"""How long a configuration takes to be read and checked, from the start of the process to its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.result import Result, syncers

_SIZES = {2_000: 1.0, 7_526: 2.0}  # entries, and the seconds they may take; the second is the largest public file's
_REGISTRIES = 9
_SOURCES = 2_400


def reading(work: Path) -> Iterator[Result]:
    """Files of images, with templates in every login; what is printed does not matter."""
    for entries, seconds in _SIZES.items():
        path = work / f"{entries}.yml"
        path.write_text(_file(entries), encoding="utf-8")
        for program in syncers():
            words = ["--check"] if program.name == "ours" else []
            cost = program.run("config", *words, "-c", str(path), log=work / f"{program.name}.log")
            limits = {"seconds": seconds} if program.name == "ours" else {}
            yield Result(f"reading {entries:,} entries", program.name, cost, limits=limits)


def _file(entries: int) -> str:
    lines = ["version: 1", "creds:"]
    for host in range(_REGISTRIES):
        lines += [f"- registry: r{host}.example", "  user: mirror", '  pass: \'{{env "PATH" | default "none"}}\'']
    lines.append("sync:")
    for number in range(entries):
        source = number % _SOURCES
        name = f"team-{source % 194}/app-{source}:1.{source}.0"
        lines.append(f"- source: r{source % _REGISTRIES}.example/{name}")
        lines += [f"  target: t{number // _SOURCES}.example/mirror/{name}", "  type: image"]
    return "\n".join(lines) + "\n"
