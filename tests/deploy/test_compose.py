"""The composed service is one that docker takes, its command line one that regsync takes, its image made as said."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.deploy.commands import parsed
from tests.deploy.files import name_of, of_kind
from tests.deploy.schemas import check
from tests.support.pages import ROOT


@pytest.mark.parametrize("path", of_kind("compose"), ids=name_of)
def test_docker_takes_the_composed_service(path: Path) -> None:
    check("compose-spec", path)


@pytest.mark.parametrize("path", of_kind("compose"), ids=name_of)
def test_its_command_line_names_a_file_that_is_mounted(path: Path) -> None:
    for service in yaml.safe_load(path.read_text())["services"].values():
        command, options = parsed(service["command"])
        assert command == "server"
        mounted = [volume.split(":")[1] for volume in service["volumes"]]
        assert any(str(options["config"]).startswith(place) for place in mounted)


@pytest.mark.parametrize("path", of_kind("image"), ids=name_of)
def test_what_makes_the_image_is_run_by_its_build(path: Path) -> None:
    build = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = [word for line in build.splitlines() if line.startswith("COPY ") for word in line.split()[1:-1]]
    assert f"deploy/image/{path.name}" in copied
    assert f"python3 {path.name} " in build
