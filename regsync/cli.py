"""Arguments in, exit code out. Whatever is not needed to parse arguments is imported when a command runs."""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path
from typing import Any

import click

from regsync.completion import SHELLS, VARIABLE, commands, files, proposals, script
from regsync.errors import Malformed
from regsync.flags import (
    address,
    common,
    options_of,
    place,
    seconds,
    spelt_out,
    switch,
    with_no_progress,
    with_report,
    words_of,
)
from regsync.options import FAILED, FINE, INTERRUPTED, USAGE, Manner, Serving, Wishes


@click.group(
    help="Mirror container images between registries and OCI layouts, as one YAML file says.",
    epilog="To begin with: regsync init, which asks what to copy; then regsync once -c regsync.yml.",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@common
@click.option("--version", "asked_for_version", is_flag=True, help="Print the version.")
@click.pass_context
def program(context: click.Context, /, *, asked_for_version: bool, **given: Any) -> None:
    options_of(given)
    if asked_for_version:
        context.exit(context.invoke(version))
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@program.command(help="Run every entry once.")
@common
@switch("--missing", "Only copy images whose name is not at the target yet.")
@switch("--abort-on-error", "Stop at the first failure.")
@with_report
@with_no_progress
def once(*, missing: bool, abort_on_error: bool, report: tuple[str, ...], no_progress: bool, **given: Any) -> int:
    from regsync.process import run_once  # noqa: PLC0415  # start-up time: see the module's docstring

    manner = Manner("missing" if missing else "changed", abort_on_error, reports=report, progress=not no_progress)
    return run_once(options_of(given), manner)


@program.command(help="Say what `once` would copy, and copy nothing.")
@common
@switch("--abort-on-error", "Stop at the first failure.")
@switch("--exit-code", "Exit with 3 when something would be copied.")
@with_report
@with_no_progress
def check(*, abort_on_error: bool, exit_code: bool, report: tuple[str, ...], no_progress: bool, **given: Any) -> int:
    from regsync.process import run_once  # noqa: PLC0415

    compares = bool(report)
    manner = Manner("check", abort_on_error, exit_code, reports=report, progress=not no_progress, compares=compares)
    return run_once(options_of(given), manner)


@program.command(help="Say what `once` would change, with bytes and ages, and exit with 3 if it would; change nothing.")
@common
@switch("--missing", "Only of images whose name is not at the target yet.")
@switch("--abort-on-error", "Stop at the first failure.")
@switch("--json", "Print one JSON object in place of a table.")
@with_report
@with_no_progress
def diff(
    *, missing: bool, abort_on_error: bool, json: bool, report: tuple[str, ...], no_progress: bool, **given: Any
) -> int:
    from regsync.process import run_once  # noqa: PLC0415

    manner = Manner(
        "check",
        abort_on_error,
        drift_fails=True,
        reports=report,
        progress=not no_progress,
        compares=True,
        missing=missing,
        shown="json" if json else "table",
    )
    return run_once(options_of(given), manner)


@program.command(help="Copy what is missing, then run every entry at its times until stopped.")
@common
@switch("--abort-on-error", "Exit at the first failure.")
@click.option("--grace", default="25s", metavar="DURATION", callback=seconds, help="Time to end after SIGTERM.")
@switch("--no-watch", "Read the configuration again at SIGHUP only, and not whenever it has changed.")
@click.option("--listen", default="", metavar="ADDRESS", callback=address, help="Answer HTTP there: host:port, unix:/…")
def server(*, abort_on_error: bool, grace: float, no_watch: bool, listen: str, **given: Any) -> int:
    from regsync.process import run_server  # noqa: PLC0415

    return run_server(options_of(given), Serving(grace, abort_on_error, watch=not no_watch, listen=listen))


@program.command(help="Print the configuration as it is understood.")
@common
@switch("--show-secrets", "Print passwords, tokens and keys as they are.")
@switch("--check", "Only say whether the configuration is fine, and what another regsync makes of it.")
@switch("--schema", "Print the JSON schema of configurations, for editors.")
def config(*, show_secrets: bool, check: bool, schema: bool, **given: Any) -> int:
    if schema:
        options_of(given)
        sys.stdout.write((Path(__file__).parent / "config" / "schema.json").read_text(encoding="utf-8"))
        return FINE
    from regsync.process import print_config  # noqa: PLC0415

    return print_config(options_of(given), show_secrets=show_secrets, only_check=check)


@program.command(help="Say how fresh each entry is, as the server that runs says, or its state file.")
@common
@switch("--json", "Print one JSON object in place of a table.")
@click.option("--url", default="", metavar="ADDRESS", callback=place, help="Ask the server there: host:port, unix:/…")
def status(*, json: bool, url: str, **given: Any) -> int:
    from regsync.process import print_status  # noqa: PLC0415

    return print_status(options_of(given), as_json=json, url=url)


@program.command(help="Exit with 1 if a server runs that is to answer HTTP and does not: for the image's HEALTHCHECK.")
@click.option("--pid", type=int, default=1, metavar="NUMBER", help="The process to look after, if not the first.")
def healthcheck(*, pid: int) -> int:
    from regsync.process import check_health  # noqa: PLC0415

    return check_health(pid, lambda words: words_of(program, "server", words))


@program.command(help="Write a first configuration: ask what to copy, look at both ends, suggest which tags.")
@common
@click.option("--source", metavar="REF", default="", help="What to copy: an image, a repository or a registry.")
@click.option("--target", metavar="REF", default="", help="Where to: the same kind, a registry, or ocidir://PATH.")
@click.option(
    "--tags", multiple=True, metavar="CHOICE", help="Of a repository: suggested, all, a version range, a pattern."
)
@click.option("--repos", "repositories", multiple=True, metavar="PATTERN", help="Of a registry: which repositories.")
@click.option("--every", metavar="WHEN", default="", help="How often server looks: a duration, a cron line or never.")
@switch("--offline", "Look at neither end.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    default="regsync.yml",
    shell_complete=files,
    help="The file to write; - prints it.",
)
@switch("--force", "Replace the file if it exists.")
def init(**given: Any) -> int:
    from regsync.process import write_config  # noqa: PLC0415

    options = options_of(given)
    return write_config(Wishes(**given), options)


@program.command(name="help", help="Print the help of a command.")
@click.argument("command", required=False, default="", shell_complete=commands)
@click.pass_context
def help_(context: click.Context, /, command: str) -> int:
    parent = context.parent or context
    found = program.get_command(parent, command) if command else program
    if found is None:
        raise click.UsageError(f"No such command {command!r}.", context)
    with click.Context(found, info_name=command, parent=parent) if command else parent as shown:
        click.echo(found.get_help(shown))
    return FINE


@program.command(help="Print the version.")
@common
@click.option("--format", "template", metavar="TEMPLATE", default="", help="Print what this template makes of it.")
def version(*, template: str, **given: Any) -> int:
    options_of(given)
    from regsync.version import facts, formatted, rows  # noqa: PLC0415

    try:
        click.echo(formatted(template) if template else rows(facts()), nl=False)
    except Malformed as error:
        raise click.UsageError(f"--format: {error}") from error
    return FINE


@program.command(help="Print the script that completes commands and options in a shell.")
@click.argument("shell", type=click.Choice(SHELLS))
def completion(*, shell: str) -> int:
    click.echo(script(program, shell), nl=False)
    return FINE


def main() -> None:
    """Run the program and leave with its exit code."""
    _hurry()
    _settle_streams()
    for number in (signal.SIGINT, signal.SIGTERM):  # until there is an event loop that can end in peace
        signal.signal(number, lambda *_: os._exit(INTERRUPTED))
    try:
        shell = os.environ.get(VARIABLE, "").removesuffix("_complete")
        if shell and (found := proposals(program, shell, spelt_out)) is not None:
            click.echo(found, nl=False)
            return
        code = program.main(spelt_out(sys.argv[1:]), prog_name="regsync", complete_var="", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        click.echo(_advice(error), nl=False, err=True)
        code = USAGE
    except click.Abort:
        code = INTERRUPTED
    except OSError as error:
        sys.stderr.write(f"cannot write: {error.strerror}\n")
        os._exit(FAILED)  # what is still in a buffer cannot be written either
    sys.exit(code if isinstance(code, int) else FINE)


def _advice(error: click.ClickException) -> str:
    """Return what to do where click says only what is wrong; where it has a guess of its own, nothing."""
    if "extra argument" in error.message:
        return "A configuration is named by -c FILE.\n"
    if error.message.startswith("No such command") and not getattr(error, "possibilities", None):
        return f"There are: {', '.join(sorted(program.commands))}.\n"
    return ""


def _hurry() -> None:
    """Leave out of the start what takes a fifth of it: looking for garbage where none is, for plugins of pydantic."""
    gc.disable()  # until `process` has read the configuration
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def _settle_streams() -> None:
    """Put the null device where we were started without a standard stream, as cron jobs and init scripts may.

    The first files and sockets opened would take their numbers, and the event loop refuses to close those.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115  # it lives as long as we do
