"""The configurations of `tests/wild`, and what regclient's regsync prints for them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from regsync.config.problems import Findings
from regsync.config.scalars import Plain
from regsync.config.yaml import compose, values_of
from tests.support.real import require

FOLDER: Final = Path(__file__).parent.parent / "wild"
FILES: Final = sorted(path for path in FOLDER.iterdir() if path.is_file() and path.suffix in {".yml", ".json"})
ENVIRON: Final = {
    "MIRROR_USER": "mirror", "MIRROR_PASSWORD": "pass: #1", "HUB_USER": "hub", "HUB_TOKEN": "dckr_pat_0",
    "QUAY_PASSWORD": "q", "OLD_PASSWORD": "o", "NEW_PASSWORD": "n", "GCP_KEY": "e30=", "HARBOR_PASSWORD": "h",
    "PLAIN_PASSWORD": "p", "BOT_PASSWORD": "b", "TARGET_REGISTRY": "target.example:5000", "RELEASE_TAG": "r42",
}  # fmt: skip
_NOTHING: Final[tuple[Any, ...]] = (None, "", "0s", 0, False, [], {})
_NOT_COMPARED: Final = frozenset({"timeout", "entryPre", "entryPost", "entryUnchanged", "name", "api", "scheme"})


def values_in(text: str) -> Any:
    """What is in a file, as YAML 1.2 has it."""
    return bare(values_of(compose(text, ""), Findings(), file="", lenient=True))


def bare(value: Any) -> Any:
    """Values as other readers of YAML have them."""
    match value:
        case Plain():
            return value.value
        case dict():
            return {key: bare(item) for key, item in value.items()}
        case list():
            return [bare(item) for item in value]
        case _:
            return value


def recorded(path: Path) -> Any:
    """What regclient's regsync printed for a file when this was written."""
    return values_in((FOLDER / "recorded" / f"{path.stem}.yml").read_text(encoding="utf-8"))


def printed(path: Path) -> Any:
    """What regclient's regsync, which has to be there, prints for a file now."""
    done = subprocess.run(
        [require("regsync-go"), "config", "-c", path.name],
        cwd=FOLDER,
        env={**os.environ, **ENVIRON},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return values_in(done.stdout)


def differences(theirs: Any, ours: Any, said: Any) -> Iterator[str]:
    """Yield where what they read is not what we read: all of entries, and of the rest what the file itself says."""
    for section in ("creds", "defaults"):
        yield from _said(theirs.get(section) or {}, ours.get(section) or {}, (said or {}).get(section), section)
    for position, (their, our) in enumerate(zip(theirs["sync"] or (), ours["sync"], strict=True)):
        yield from _different(their, our, f"sync[{position}]")


def _said(theirs: Any, ours: Any, said: Any, path: str) -> Iterator[str]:
    """Compare only what is said."""
    if isinstance(said, list) and said and isinstance(said[0], dict):
        for position, item in enumerate(said):
            yield from _said(theirs[position], ours[position], item, f"{path}[{position}]")
    elif isinstance(said, Mapping):
        for key, item in said.items():
            if not key.startswith("x-") and key not in _NOT_COMPARED:
                yield from _said(theirs.get(key), ours.get(key), item, f"{path}.{key}")
    elif said is not None:
        yield from _different(theirs, ours, path)


def _different(theirs: Any, ours: Any, path: str) -> Iterator[str]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in {**theirs, **ours}:
            if key not in _NOT_COMPARED:
                yield from _different(theirs.get(key), ours.get(key), f"{path}.{key}")
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for position, (their, our) in enumerate(zip(theirs, ours, strict=True)):
            yield from _different(their, our, f"{path}[{position}]")
    elif not (theirs == ours or (nothing(theirs) and nothing(ours)) or (theirs == "true" and ours is True)):
        yield f"{path}: {theirs!r} there, {ours!r} here"


def nothing(value: Any) -> bool:
    """Say whether a value says nothing, in whichever form."""
    return all(map(nothing, value.values())) if isinstance(value, dict) else value in _NOTHING
