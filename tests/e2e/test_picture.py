"""The picture of the README is of a run as it is today: `make pictures` takes it anew where that looks otherwise."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from tests.e2e.program import wait_for
from tests.e2e.terminal import AtTerminal
from tests.support.picture import drawn, lasting, read, standing
from tests.support.real import DockerRegistry
from tests.support.stage import Stage, mirrored
from tests.support.trickle import Trickle

ROOT: Final = Path(__file__).parents[2]
PICTURE: Final = ROOT / "docs" / "pictures" / "run.svg"
LARGEST: Final = 100_000  # bytes
COLUMNS: Final = 100
CALLED: Final = ("once", "-c", "regsync.yml")
IMAGES: Final = [
    *(("library/alpine", tag) for tag in ("3.20", "3.21", "3.22")),
    ("grafana/grafana", "12.3"),
    ("prom/prometheus", "v3.8"),
    ("ml/cuda", "12.4"),
]
RATE: Final = 4 << 20  # bytes a second
MUCH: Final = 14  # MiB


def a_run(folder: Path) -> list[str]:
    """Copy images between two registries, the last one over a slow line, and return the terminal as it stands then."""
    with DockerRegistry(folder / "a") as source, DockerRegistry(folder / "b") as target:
        stage = Stage(folder, source, target)
        stage.fill()
        with Trickle(source.port, rate=RATE) as line:
            entries = [mirrored("", repository, tag) for repository, tag in IMAGES]
            config = stage.config(0, *entries, ports={"hub.example": line.port})
            config = re.sub("^server:.*\n", "", config, flags=re.MULTILINE).replace("name: , ", "")
            (folder / "regsync.yml").write_text(config)
            run = AtTerminal(*CALLED, cwd=folder, columns=COLUMNS)
            wait_for(lambda: half_done(standing(run.sent)), within=60)
            lines = standing(run.sent)
            assert run.ended() == 0
    return [f"$ regsync {' '.join(CALLED)}", *lines]


def half_done(lines: list[str]) -> bool:
    """Say whether a good part of the last image is there, of both its layers, and how long the rest will take."""
    text = "\n".join(lines)
    came = [int(amount) for amount in re.findall(r"([0-9]+) MiB of 36 MiB, .* left", text)]
    return came >= [MUCH] and text.count("MiB of ") == 3 and text.count("Image copied") == len(IMAGES) - 1


def test_the_picture_of_a_run_is_what_a_run_looks_like_today(tmp_path: Path) -> None:
    lines = a_run(tmp_path)
    shown = drawn(lines, columns=COLUMNS, title="regsync")
    same = PICTURE.exists() and lasting(read(PICTURE.read_text(encoding="utf-8"))) == lasting(lines)
    if wanted := os.environ.get("REGSYNC_TEST_PICTURES"):
        text = PICTURE.read_text(encoding="utf-8") if same else shown
        Path(wanted).mkdir(parents=True, exist_ok=True)
        (Path(wanted) / PICTURE.name).write_text(text, encoding="utf-8")
        return
    assert lasting(read(shown)) == lasting(lines)
    assert lasting(read(PICTURE.read_text(encoding="utf-8"))) == lasting(lines), "make pictures takes it anew"


def test_the_picture_of_a_run_is_small_needs_nothing_from_elsewhere_and_is_told_in_words() -> None:
    picture = PICTURE.read_text(encoding="utf-8")
    assert len(picture.encode()) < LARGEST
    assert re.findall(r"https?://[^\"]+|@import|@font-face|<script|<image|url\([^#)]", picture) == [
        "http://www.w3.org/2000/svg"
    ]
    (words,) = re.findall(r"!\[([^]]+)\]\(docs/pictures/run\.svg\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(words) > 80
