"""The examples for CI are workflows, their commands are regsync's, and what Renovate changes can still be loaded."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from regsync import __version__
from regsync.loading import load
from tests.deploy.commands import check_configuration, parsed
from tests.deploy.files import DEPLOY, name_of, of_kind
from tests.deploy.schemas import check

CONFIGURATION: Final = DEPLOY / "ci" / "regsync.yml"
SCHEMAS: Final = {"github.yml": "github-workflows", "forgejo.yml": "github-workflows", "gitlab.yml": "gitlab-ci"}


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    said = yaml.safe_load(path.read_text())
    return dict(said.get("jobs") or {name: said[name] for name in ("preview", "mirror")})


def commands(job: Mapping[str, Any]) -> Iterator[list[str]]:
    """Each regsync command of a job."""
    lines = job.get("script") or [step["run"] for step in job["steps"] if "run" in step]
    for line in lines:
        name, *arguments = shlex.split(line)
        assert name in {"regsync", "pip"}
        if name == "regsync":
            yield arguments


@pytest.mark.parametrize("path", of_kind("workflow"), ids=name_of)
def test_a_workflow_is_one(path: Path) -> None:
    check(SCHEMAS[path.name], path)


@pytest.mark.parametrize("path", of_kind("workflow"), ids=name_of)
def test_a_change_is_checked_and_what_is_merged_is_copied(path: Path) -> None:
    told = {name: [parsed(words) for words in commands(job)] for name, job in jobs(path).items()}
    assert [command for command, _ in told["preview"]] == ["config", "check"]
    assert [command for command, _ in told["mirror"]] == ["once"]
    for _, options in (*told["preview"], *told["mirror"]):
        assert options["config"] == CONFIGURATION.name
    for _, options in (told["preview"][-1], told["mirror"][-1]):
        reports = options["report"]
        assert isinstance(reports, tuple)
        assert "$GITHUB_STEP_SUMMARY" in reports or "-" in reports


@pytest.mark.parametrize("path", of_kind("workflow"), ids=name_of)
def test_who_may_change_a_fork_gets_no_login_and_who_checks_cannot_push(path: Path) -> None:
    found = jobs(path)
    gate = found["preview"].get("if") or found["preview"]["rules"][0]["if"]
    assert "head.repo.full_name == github.repository" in gate or "SOURCE_PROJECT_ID == $CI_PROJECT_ID" in gate
    logins = {name: str(job.get("env") or job["variables"]) for name, job in found.items()}
    assert "MIRROR_PUSH" in logins["mirror"]
    assert "MIRROR_PUSH" not in logins["preview"]


@pytest.mark.parametrize("path", of_kind("workflow"), ids=name_of)
def test_two_runs_never_copy_at_once(path: Path) -> None:
    job = jobs(path)["mirror"]
    assert job.get("resource_group") or job["concurrency"] == {"group": "mirror", "cancel-in-progress": False}


@pytest.mark.parametrize("path", of_kind("workflow"), ids=name_of)
def test_the_wheel_is_of_this_version(path: Path) -> None:
    assert f"/regsync-{__version__}-py3-none-any.whl" in path.read_text()


@pytest.mark.parametrize("path", of_kind("CI's configuration"), ids=name_of)
def test_the_configuration_of_the_examples_loads(path: Path) -> None:
    check_configuration(str(path))


def renovate() -> dict[str, Any]:
    (path,) = of_kind("renovate")
    return dict(json.loads(path.read_text()))


def found_by_renovate(text: str) -> dict[str, str]:
    """The images that Renovate sees in a configuration, and their tags."""
    (manager,) = renovate()["customManagers"]
    (pattern,) = manager["matchStrings"]
    python = pattern.replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!")
    return {found["depName"]: found["currentValue"] for found in re.finditer(python, text)}


@pytest.mark.parametrize("path", of_kind("renovate"), ids=name_of)
def test_renovate_takes_its_configuration(path: Path) -> None:
    check("renovate", path)


def test_renovate_finds_the_configuration_and_each_image_that_has_a_tag() -> None:
    (manager,) = renovate()["customManagers"]
    (files,) = manager["managerFilePatterns"]
    assert re.search(files.strip("/"), "mirrors/regsync.yml")
    steps = load(str(CONFIGURATION), allow_unknown_keys=False).config.sync
    images = dict(step.source.rsplit(":", 1) for step in steps if step.type == "image")
    assert found_by_renovate(CONFIGURATION.read_text()) == images


@pytest.mark.parametrize(
    ("line", "image", "tag"),
    [
        ("  - source: alpine:3.22", "alpine", "3.22"),
        ('    source: "registry.example.org:5000/a/b:v1"', "registry.example.org:5000/a/b", "v1"),
        (f"  - source: 'quay.io/a/b:v1@sha256:{'a' * 64}'", "quay.io/a/b", "v1"),
    ],
)
def test_renovate_reads_a_source_however_it_is_written(line: str, image: str, tag: str) -> None:
    assert found_by_renovate(f"sync:\n{line}\n    type: image\n") == {image: tag}


@pytest.mark.parametrize(
    "line",
    [
        "  - source: registry.example.org:5000",
        "  - source: docker.io/library/debian",
        "  - source: ocidir:///srv/images:v1",
        "# - source: alpine:3.22",
        "    referrerSource: alpine:3.22",
    ],
)
def test_renovate_leaves_alone_what_is_no_tag_of_a_registry(line: str) -> None:
    assert found_by_renovate(f"sync:\n{line}\n    type: registry\n") == {}


def test_a_tag_that_renovate_brings_forward_moves_the_target_with_it(tmp_path: Path) -> None:
    path = tmp_path / "regsync.yml"
    path.write_text(CONFIGURATION.read_text().replace("alpine:3.22.1", "alpine:3.23.0"))
    first = load(str(path), allow_unknown_keys=False).config.sync[0]
    assert (first.source, first.target) == (
        "docker.io/library/alpine:3.23.0",
        "registry.example.org/mirror/alpine:3.23.0",
    )
