"""systemd takes the units, finds little a service could do beyond its work, and regsync takes their command lines."""

from __future__ import annotations

import re
import shlex
import shutil
from configparser import ConfigParser
from pathlib import Path

import pytest

from regsync.duration import parse_duration
from tests.deploy.commands import parsed
from tests.deploy.files import DEPLOY, name_of, of_kind
from tests.support.pages import ROOT
from tests.support.real import run

PROGRAM = "/opt/regsync/bin/regsync"
SERVICES = [path for path in of_kind("unit") if path.suffix == ".service"]
GUIDE = ROOT / "docs" / "guide" / "service.md"


class Unit(ConfigParser):
    """A unit file: keys keep their case, and of one that stands twice the last counts here."""

    def __init__(self, path: Path) -> None:
        super().__init__(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
        self.read_string(path.read_text())

    def optionxform(self, optionstr: str) -> str:
        return optionstr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The units as they are installed, on a machine where there is a program."""
    for path in of_kind("unit"):
        (tmp_path / path.name).write_text(path.read_text().replace(PROGRAM, shutil.which("true") or ""))
    return tmp_path


@pytest.mark.parametrize("path", of_kind("unit"), ids=name_of)
def test_systemd_takes_the_unit_and_has_nothing_to_say(path: Path, folder: Path) -> None:
    command = f"exec {shlex.join(['systemd-analyze', 'verify', '--man=no', str(folder / path.name)])} 2>&1"
    assert run("sh", "-c", command).decode() == ""


@pytest.mark.parametrize("path", SERVICES, ids=name_of)
def test_little_is_left_that_a_service_could_do_and_the_guide_says_how_little(path: Path, folder: Path) -> None:
    said = run("systemd-analyze", "security", "--offline=yes", str(folder / path.name)).decode()
    (exposure,) = re.findall(r"Overall exposure level for \S+: ([0-9.]+)", said)
    (told,) = re.findall(r"exposure level of ([0-9.]+)", GUIDE.read_text())
    assert float(exposure) <= float(told) <= 1.5


@pytest.mark.parametrize("path", SERVICES, ids=name_of)
def test_its_command_line_is_one(path: Path) -> None:
    program, *arguments = shlex.split(Unit(path)["Service"]["ExecStart"])
    assert program == PROGRAM
    command, options = parsed(arguments)
    assert command == {"regsync": "server", "regsync-once": "once"}[path.stem]
    assert options["config"] == "/etc/regsync/regsync.yml"


def test_the_server_is_waited_for_longer_than_it_waits_for_its_copies() -> None:
    service = Unit(DEPLOY / "systemd" / "regsync.service")["Service"]
    _, options = parsed(shlex.split(service["ExecStart"])[1:])
    grace = options["grace"]
    assert isinstance(grace, float)
    assert parse_duration(service["TimeoutStopSec"]) > grace + 5
    assert service["Type"] == "notify"
    assert service["WatchdogSec"]
    assert service["RestartPreventExitStatus"] == "2"


def test_both_services_are_hardened_alike() -> None:
    first, second = (Unit(path)["Service"] for path in SERVICES)
    own = {"Type", "ExecStart", "ExecReload", "Restart", "RestartSec", "RestartPreventExitStatus", "WatchdogSec"}
    own |= {"TimeoutStopSec", "TimeoutStartSec"}
    assert {key: value for key, value in first.items() if key not in own} == {
        key: value for key, value in second.items() if key not in own
    }


def test_the_timer_begins_the_service_of_its_name() -> None:
    (timer,) = [path for path in of_kind("unit") if path.suffix == ".timer"]
    assert timer.with_suffix(".service") in SERVICES
    assert Unit(timer)["Timer"]["Persistent"] == "yes"
    run("systemd-analyze", "calendar", Unit(timer)["Timer"]["OnCalendar"])
