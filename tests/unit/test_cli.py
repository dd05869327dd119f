from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from regsync import __version__

ROOT = Path(__file__).parents[2]


def ran(*arguments: str, stdin: str = "", cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "regsync", *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_without_a_command_there_is_help_on_standard_output() -> None:
    done = ran()
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: regsync")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nope"],
        ["once", "--nope"],
        ["check", "--missing"],
        ["once", "extra"],
        ["server", "--grace", "1d"],
    ],
)
def test_a_wrong_command_line_exits_with_two_and_no_traceback(arguments: list[str]) -> None:
    done = ran(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "Error" in done.stderr


def test_the_configuration_must_be_named() -> None:
    done = ran("once")
    assert done.returncode == 2
    assert done.stderr == (
        'required flag "config" not set: name a file with -c FILE, or - for standard input; '
        "`regsync init` writes a first one\n"
    )


def test_who_names_no_configuration_is_told_of_the_one_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "regsync.yml").touch()
    done = ran("once", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == 'required flag "config" not set: there is a regsync.yml here, which -c regsync.yml takes\n'


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["once", "regsync.yml"], "extra argument (regsync.yml)\nA configuration is named by -c FILE."),
        (["sync"], "No such command 'sync'.\nThere are: check, completion, config, diff, "),
        (["onec"], "No such command 'onec'. Did you mean 'once'?\n"),
    ],
)
def test_a_wrong_command_line_is_told_what_there_is_instead(arguments: list[str], advice: str) -> None:
    assert advice in ran(*arguments).stderr


def test_the_version_is_printed_by_an_option_as_by_its_command() -> None:
    assert ran("--version").stdout == ran("version").stdout != ""


@pytest.mark.parametrize("arguments", [["-v", "TRACE"], ["--logopt", "xml"]])
def test_an_unknown_verbosity_or_log_option_is_refused(arguments: list[str]) -> None:
    done = ran("once", "-c", "-", *arguments, stdin="version: 1\n")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(("said", "first"), [("text", "time="), ("json", '{"')])
def test_log_lines_are_text_or_json_and_the_last_word_counts(said: str, first: str) -> None:
    done = ran("once", "-c", "-", "--logopt", "json", "--logopt", said, stdin="")
    assert done.returncode == 0
    assert done.stderr.startswith(first)


def test_an_empty_configuration_is_a_run_with_nothing_to_do() -> None:
    done = ran("-c", "-", "once", stdin="")
    assert done.returncode == 0
    assert 'level=WARN msg="nothing to do: the configuration has no entries under sync"' in done.stderr
    assert 'msg="Run finished" copied=0 unchanged=0 skipped=0 failed=0' in done.stderr


def test_a_server_with_nothing_to_do_is_refused() -> None:
    done = ran("-c", "-", "server", stdin="sync: []\n")
    assert (done.returncode, done.stderr) == (2, "nothing to do: the configuration has no entries under sync\n")


def test_what_is_said_after_the_command_counts() -> None:
    done = ran("-v", "info", "once", "-v", "error", "-c", "-", "--missing=false", stdin="")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_switch_never_takes_the_word_behind_it() -> None:
    done = ran("--allow-unknown-keys", "once", "--missing", "-c", "-", stdin="x: 1\n")
    assert done.returncode == 0
    assert ran("once", "--missing", "true", "-c", "-").returncode == 2


@pytest.mark.parametrize("arguments", [["help"], ["help", "once"], ["once", "-h"]])
def test_there_is_help_for_everything(arguments: list[str]) -> None:
    done = ran(*arguments)
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: regsync")


def test_help_for_what_is_no_command_is_a_usage_error() -> None:
    assert ran("help", "nope").returncode == 2


def test_the_version_is_printed_without_the_engine_being_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "regsync", "version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("VCSTag:   v")
    for heavy in ("aiohttp", "pydantic", "structlog", "croniter", "yaml", "rich"):
        assert f" {heavy}\n" not in done.stderr


@pytest.mark.parametrize(
    ("template", "printed"),
    [
        ("{{.VCSTag}}", f"v{__version__}"),
        ("{{ .Platform }}\n", "linux/"),
        ("{{ printPretty . }}", f"VCSTag:   v{__version__}\nPlatform: "),
        ("{{ jsonPretty . }}", '{\n  "goVersion": "python3.'),
        ("{{ .VCSRef }} {{ .VCSCommit }} {{ .VCSState }} {{ .VCSDate }}", "unknown unknown unknown unknown"),
        ('{{ env "NOWHERE" | default .GoCompiler }} {{ .GoVer }}', f"{sys.implementation.name} python3."),
    ],
)
def test_the_version_is_printed_as_a_template_says(template: str, printed: str) -> None:
    done = ran("version", "--format", template)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(printed)


@pytest.mark.parametrize("template", ["{{", "{{ .VCSTga }}", "{{ nope }}", "{{ range 999999999 }}{{ end }}"])
def test_a_template_that_does_not_work_is_a_wrong_command_line(template: str) -> None:
    done = ran("version", "--format", template)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Error: --format: template, line 1, column " in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_standard_stream_that_is_closed_does_not_matter(closed: str, tmp_path: Path) -> None:
    (tmp_path / "regsync.yml").write_text("version: 1\n")
    line = f'"{sys.executable}" -m regsync once -c "{tmp_path}/regsync.yml" {closed}'
    done = subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["version"], ["config", "-c", "-"]])
def test_output_that_cannot_be_written_is_one_line_and_a_failure(command: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "regsync", *command],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr == "cannot write: No space left on device\n"


def test_a_signal_before_the_work_begins_ends_the_program_at_once(tmp_path: Path) -> None:
    fifo = tmp_path / "regsync.yml"
    os.mkfifo(fifo)
    process = subprocess.Popen([sys.executable, "-m", "regsync", "once", "-c", str(fifo)], cwd=ROOT)
    with fifo.open("w"):  # returns when the program has opened it to read, and reads for ever
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 130


def test_the_schema_is_printed_without_a_configuration_and_without_its_models() -> None:
    done = ran("config", "--schema")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (ROOT / "docs" / "reference" / "regsync.schema.json").read_text(encoding="utf-8")
