"""The composed service is one that docker takes, and its command line one that regsync takes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.deploy.commands import parsed
from tests.deploy.files import name_of, of_kind
from tests.deploy.schemas import check


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
