from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from tempfile import TemporaryFile
from typing import get_args

import pytest

from regsync import events
from regsync.errors import Malformed
from regsync.events import (
    BlobStarted,
    ImageCurrent,
    ImageFailed,
    ImageNeeded,
    JobFinished,
    JobSkipped,
    RequestRetried,
    RunFinished,
    Warned,
)
from regsync.observe.levels import DEBUG, ERROR, INFO, TRACE, WARN, parse_verbosity
from regsync.observe.lines import json_line, text_line
from regsync.observe.logs import Log
from regsync.observe.output import Output
from regsync.secrets import Secrets
from tests.support.facts import a_fact


def written(
    *told: events.Event, threshold: int = DEBUG, as_json: bool = False, secrets: Secrets | None = None
) -> list[str]:
    with TemporaryFile() as file:
        output = Output(file.fileno())
        form = json_line if as_json else text_line
        log = Log(output, threshold=threshold, written=form, secrets=secrets or Secrets())
        for event in told:
            log(a_fact(event))
        assert output.flush()
        file.seek(0)
        return file.read().decode().splitlines()


def test_a_line_has_the_keys_and_the_form_the_go_regsync_writes() -> None:
    assert written(ImageNeeded("a.x/app:v1", "b.x/app:v1")) == [
        'time=2026-01-01T12:00:00.000Z level=INFO msg="Image sync needed" source=a.x/app:v1 target=b.x/app:v1'
    ]


def test_a_json_line_has_the_same_keys() -> None:
    line = json.loads(written(ImageNeeded("a", "b"), as_json=True)[0])
    assert list(line) == ["time", "level", "msg", "source", "target"]
    assert line["msg"] == "Image sync needed"


def test_below_the_threshold_nothing_is_written() -> None:
    assert written(ImageCurrent("a", "b", "same"), threshold=INFO) == []
    assert len(written(ImageFailed("Failed to copy image", "a", "b", "no", 1), threshold=ERROR)) == 1


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        ("plain", "plain"),
        ("", '""'),
        ("two words", '"two words"'),
        ("a=b", '"a=b"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("line\nbreak", '"line\\nbreak"'),
        ("\x1b[31mred", '"\\x1b[31mred"'),
        ("turned\u202eround", '"turned\\u202eround"'),
        ("carriage\rreturn", '"carriage return"'),
    ],
)
def test_values_are_quoted_so_that_no_value_forges_a_line(value: str, printed: str) -> None:
    assert written(Warned("w", {"key": value}))[0].endswith(f"key={printed}")


def test_blobs_are_named_as_in_the_go_regsync() -> None:
    config, layer = written(BlobStarted("a", "b", "sha256:1", "config"), BlobStarted("a", "b", "sha256:2", "layer"))
    assert 'msg="Copy config" source=a target=b digest=sha256:1' in config
    assert 'msg="Copy layer" source=a target=b layer=sha256:2' in layer


def test_a_daemons_entry_that_had_nothing_to_do_is_quiet() -> None:
    quiet = RunFinished("one", copied=0, unchanged=3, skipped=0, failed=0, moved=0, spared=0, seconds=0.1)
    whole = RunFinished("", copied=0, unchanged=3, skipped=0, failed=0, moved=0, spared=0, seconds=0.1)
    assert written(quiet, threshold=INFO) == []
    assert 'msg="Run finished" copied=0 unchanged=3' in written(whole, threshold=INFO)[0]


def test_an_entry_that_is_skipped_again_and_again_is_warned_of_more_and_more_rarely() -> None:
    skips = [JobSkipped("one", datetime(2026, 1, 1, tzinfo=UTC), times) for times in range(1, 3601)]
    warnings = written(*skips, threshold=WARN)
    assert [line.rpartition("=")[2] for line in warnings] == [f"{3 << doubled}" for doubled in range(11)]
    assert 'level=WARN msg="Still running, not started again" entry=one' in warnings[0]


@pytest.mark.parametrize(
    ("text", "threshold"), [("info", 0), ("INFO", 0), ("Debug", -4), ("warn", 4), ("INFO+2", 2), ("trace", TRACE)]
)
def test_verbosity_is_a_level_with_an_offset(text: str, threshold: int) -> None:
    assert parse_verbosity(text) == threshold


@pytest.mark.parametrize("text", ["TRACE", "loud", "", "info+", "+2"])
def test_what_is_no_verbosity_says_so(text: str) -> None:
    with pytest.raises(Malformed, match="unable to parse verbosity"):
        parse_verbosity(text)


def test_every_event_is_in_the_union_observers_match_on() -> None:
    defined = {one for one in vars(events).values() if isinstance(one, type) and hasattr(one, "__dataclass_fields__")}
    assert defined == set(get_args(events.Event))


def test_the_first_retry_of_a_host_in_a_run_is_a_warning_and_no_other() -> None:
    with TemporaryFile() as file:
        output = Output(file.fileno())
        log = Log(output, threshold=DEBUG, secrets=Secrets())
        for run, host in [("r1", "a"), ("r1", "a"), ("r1", "b"), ("r2", "a"), *(("r3", f"{n}") for n in range(2000))]:
            log(a_fact(RequestRetried(host, "GET /v2/", 1, 0.5, "connection refused"), run=run))
        assert output.flush()
        file.seek(0)
        levels = [line.split()[1] for line in file.read().decode().splitlines()]
    assert levels[:4] == ["level=WARN", "level=DEBUG", "level=WARN", "level=WARN"]
    assert len(log._in_trouble) <= 1000


def test_a_bug_is_one_line_of_at_most_four_kibibytes_without_secrets() -> None:
    secrets = Secrets()
    secrets.keep("hunter2")
    with pytest.raises(KeyError) as caught:
        dict[str, str]()["hunter2" + "\nx" * 5000]
    (line,) = written(JobFinished("one", 1, caught.value), secrets=secrets)
    assert len(line) < 4096
    assert 'level=ERROR msg="Failed to sync" entry=one error="Traceback' in line
    assert "KeyError: '[censored]" in line


def test_the_log_does_not_load_the_library_for_terminals_and_leaves_it_to_who_wants_it() -> None:
    seen = "import regsync.observe.logs, sys; print('rich' in sys.modules, sys.modules.get('rich', 1) is None)"
    for asked, loaded in ((seen, "False"), (f"import rich; {seen}", "True")):
        done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
        assert done.stdout.split() == [loaded, "False"]
