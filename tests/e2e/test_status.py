from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from regsync.record.history import History
from regsync.record.queries import keep_paused
from regsync.record.values import Counts, RunRecord, Scope
from tests.e2e.program import Ended, Started, regsync, wait_for
from tests.support.built import image_bytes, write_layout
from tests.support.clock import FakeClock
from tests.support.real import free_port

HOUR = timedelta(hours=1)


class Lab:
    """A configuration with an entry `one`, and runs of it that are kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[object] = []

    def configure(self, when: str = "interval: 1h", *, state: str = "state.db") -> None:
        self.file = self.folder / "regsync.yml"
        entry = f"name: one, source: 'a.x/canary-canary:v1', target: 'b.x/b:v1', type: image, {when}"
        creds = "creds: [{registry: a.x, user: ann, pass: canary-canary}]"
        kept = f"defaults: {{state: '{self.folder / state if state else ''}'}}"
        self.file.write_text(f"{creds}\n{kept}\nsync: [{{{entry}}}]\n")

    def ran(self, ago: timedelta, *, failed: int = 0, scope: Scope = "changed") -> None:
        history = History(str(self.folder / "state.db"), clock=FakeClock(instant=True), tell=self.told.append)
        began = datetime.now(UTC) - ago
        name = f"{began:%Y%m%dT%H%M%S}-r1"
        history.add(RunRecord(name, "one", scope, began, began, 0.0, Counts(unchanged=1, failed=failed)))
        history.close(patience=10)

    def paused(self) -> None:
        history = History(str(self.folder / "state.db"), clock=FakeClock(instant=True), tell=self.told.append)
        keep_paused(history._state.connection, ["one"])
        history.close(patience=10)

    def status(self, *more: str) -> Ended:
        return regsync("status", "-c", "regsync.yml", *more, cwd=self.folder)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def test_a_line_for_each_entry_says_how_long_ago_all_was_well(lab: Lab) -> None:
    lab.configure()
    lab.ran(2 * HOUR)
    lab.ran(HOUR, failed=1)
    found = lab.status()
    assert (found.code, found.err) == (0, "")
    head, line = found.out.splitlines()
    assert head.split() == ["entry", "last", "run", "succeeded", "equal", "due"]
    assert " ".join(line.split()) == "one failed 2 h 0 min ago 2 h 0 min ago -"


@pytest.mark.parametrize(
    ("when", "ago", "overdue"),
    [
        ("interval: 1h", 2.9, False),
        ("interval: 1h", 3.1, True),
        ("schedule: '@hourly'", 2, False),
        ("schedule: '@hourly'", 4.1, True),
        ("schedule: '0 0 30 2 *'", 99999, False),
        ("platform: linux/amd64", 99999, False),
    ],
)
def test_an_entry_is_overdue_when_three_due_times_have_passed_since_it_was_equal(
    lab: Lab, when: str, ago: float, overdue: bool
) -> None:
    lab.configure(when)
    lab.ran(ago * HOUR)
    found = lab.status("--json")
    (entry,) = json.loads(found.out)["entries"]
    assert (found.code, entry["overdue"]) == (int(overdue), overdue)


def test_an_entry_that_was_never_equal_is_overdue_after_its_first_visit(lab: Lab) -> None:
    lab.configure()
    lab.ran(4 * HOUR, scope="missing")
    found = lab.status()
    assert (found.code, found.out.split()[-1]) == (1, "overdue")


def test_an_entry_that_was_paused_when_the_server_ended_is_said_to_be(lab: Lab) -> None:
    lab.configure()
    lab.ran(4 * HOUR)
    lab.paused()
    assert lab.status().out.split()[-2:] == ["paused,", "overdue"]
    assert json.loads(lab.status("--json").out)["entries"][0]["paused"] is True


def test_an_entry_that_was_never_visited_is_not_overdue(lab: Lab) -> None:
    lab.configure()
    lab.ran(HOUR)
    lab.file.write_text(lab.file.read_text().replace("name: one", "name: two"))
    assert lab.status().code == 0


def test_no_secret_is_shown(lab: Lab) -> None:
    lab.configure()
    lab.ran(HOUR)
    (entry,) = json.loads(lab.status("--json").out)["entries"]
    assert entry["source"] == "a.x/[censored]:v1"


@pytest.mark.parametrize(("state", "why"), [("", "nothing is kept"), ("no.db", "cannot be read as")])
def test_without_a_state_file_one_line_says_so(lab: Lab, state: str, why: str) -> None:
    lab.configure(state=state)
    found = lab.status()
    assert (found.code, found.out, len(found.err.splitlines())) == (2, "", 1)
    assert why in found.err


def test_a_server_that_does_not_listen_is_no_matter(lab: Lab) -> None:
    lab.configure()
    lab.ran(HOUR)
    history = History(str(lab.folder / "state.db"), clock=FakeClock(instant=True), tell=lab.told.append)
    assert lab.status().code == 0
    history.close(patience=10)


def test_a_server_that_listens_is_asked_and_the_state_file_is_read_when_it_has_gone(lab: Lab) -> None:
    lab.configure()
    lab.ran(HOUR)
    write_layout(lab.folder / "in", {"v1": image_bytes(b"layer")})
    there = f"127.0.0.1:{free_port()}"
    text = lab.file.read_text().replace("a.x/canary-canary:v1", "ocidir://in:v1").replace("b.x/b:v1", "ocidir://out:v1")
    lab.file.write_text(f"{text}server: {{listen: '{there}'}}\n")
    with Started("server", "-c", "regsync.yml", "--logopt", "json", cwd=lab.folder) as server:
        wait_for(lambda: '"Run finished"' in server.log(), within=60)
        asked = [lab.status("--json"), regsync("status", "--json", "--url", there, cwd=lab.folder)]
        table = lab.status()
    gone, none = lab.status("--json"), regsync("status", "--url", there, cwd=lab.folder)
    (entry,), (same,) = (json.loads(one.out)["entries"] for one in asked)
    assert [(one.code, one.err) for one in (*asked, table)] == [(0, "")] * 3
    assert (entry, entry["outcome"], entry["due"] > entry["equal"]) == (same, "copied", True)
    assert table.out.splitlines()[1].split()[-4:] != ["-"]
    assert (gone.code, json.loads(gone.out)["entries"]) == (0, [{**entry, "due": None}])
    assert (
        gone.err
        == f"status: nobody answers at {there}: Connection refused; what follows is from {lab.folder}/state.db\n"
    )
    assert (none.code, none.out, none.err) == (2, "", f"status: nobody answers at {there}: Connection refused\n")


def test_a_place_to_ask_that_is_none_is_an_error_of_the_command_line(lab: Lab) -> None:
    found = regsync("status", "--url", "nowhere", cwd=lab.folder)
    assert (found.code, "host:port" in found.err) == (2, True)
