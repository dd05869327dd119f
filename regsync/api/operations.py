"""What can be asked of the daemon: each question with its parameters and all answers there are to it."""

from __future__ import annotations

from typing import Final

from regsync.api.schemas import NEXT, fields, items, number, ref
from regsync.web.operation import TEXT, Answer, Operation, Parameter, Schema
from regsync.web.parameters import MOST, USUAL

_ERROR: Final = ref("Error")
_MISDIRECTED: Final = {421: Answer("It was asked by a name that is not its own.", _ERROR)}
_WRONG: Final = {400: Answer("A parameter is wrong or unknown.", _ERROR), **_MISDIRECTED}
_NO_HISTORY: Final = {503: Answer("The history of runs cannot be read.", _ERROR)}
_NO_ENTRY: Final = {404: Answer("There is no entry of this name.", _ERROR)}
_SOME: Final = {"type": "string", "minLength": 1}
_AN_ENTRY: Final = "alpine"
_AN_EVENT: Final = "20260131T120000-17"
_A_RUN: Final = "20260131T120000.123-r1"
_NAME: Final = Parameter("name", "The name of an entry, URL-encoded.", _SOME, example=_AN_ENTRY, where="path")
_ID: Final = Parameter("id", "The `id` of a run.", {**_SOME, "pattern": "^[^/]+$"}, example=_A_RUN, where="path")
_LIMIT: Final = Parameter(
    "limit",
    "How many are wanted at most.",
    {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL},
    example=10,
)
_PLAIN: Final[Schema] = {"type": "string"}


def _listed(text: str, of: str, *, key: str, **more: Schema) -> dict[int, Answer]:
    """Return the answers to a question for a list that stands under this key."""
    return {200: Answer(text, fields(text, **{key: items(text, ref(of))}, **more)), **_WRONG}


def _marked(name: str, text: str, example: str) -> Parameter:
    return Parameter(name, text, {"type": "string"}, example=example)


def _text(name: str, summary: str, **otherwise: str) -> Operation:
    """Return an operation that is answered in lines of text, and with 503 where something is said of that."""
    worse = {503: Answer(otherwise["unless"], _PLAIN, TEXT)} if otherwise else {}
    misdirected = {421: Answer("It was asked by a name that is not its own.", _PLAIN, TEXT)}
    return Operation(name, summary, {200: Answer(summary, _PLAIN, TEXT), **worse, **misdirected})


ENTRIES: Final = Operation(
    "listEntries",
    "All entries in the order of their names, and what became of each.",
    {**_listed("Entries.", "Entry", key="entries", next=NEXT), **_NO_HISTORY},
    (_LIMIT, _marked("after", "The name of the entry that they follow.", _AN_ENTRY)),
)
ENTRY: Final = Operation(
    "getEntry",
    "An entry and what became of it.",
    {200: Answer("The entry.", ref("Entry")), **_WRONG, **_NO_ENTRY, **_NO_HISTORY},
    (_NAME,),
)
HOSTS: Final = Operation(
    "listHosts",
    "Hosts in the order of their names: how busy each is, and what went over the wire to it.",
    _listed("Hosts.", "Host", key="hosts", next=NEXT),
    (_LIMIT, _marked("after", "The name of the host that they follow.", "registry.example")),
)
RUNS: Final = Operation(
    "listRuns",
    "Runs of an entry that have ended, the last one first.",
    {**_listed("Runs.", "Run", key="runs", next=NEXT), **_NO_ENTRY, **_NO_HISTORY},
    (_NAME, _LIMIT, _marked("before", "The `id` of the run that they were before.", _A_RUN)),
)
RUN: Final = Operation(
    "getRun",
    "A run with its images, but for those that were unchanged; it may still go on.",
    {
        200: Answer("The run.", ref("RunWithImages")),
        **_WRONG,
        404: Answer("There is no run of this name, or not any more.", _ERROR),
        **_NO_HISTORY,
    },
    (_ID,),
)
IMAGES: Final = Operation(
    "listImages",
    "Images that are being copied, or wait.",
    _listed("Images in flight.", "ImageInFlight", key="images", total=number("how many there are in all")),
    (_LIMIT,),
)
FAILURES: Final = Operation(
    "listFailures",
    "What failed in the last 24 hours, the last one first.",
    {**_listed("Failures.", "Noted", key="failures"), **_NO_HISTORY},
    (_LIMIT,),
)
CHANGES: Final = Operation(
    "listChanges",
    "Images whose name at the target got another digest in the last 24 hours, the last one first.",
    {**_listed("Changes.", "Noted", key="changes"), **_NO_HISTORY},
    (_LIMIT,),
)
DOCUMENT: Final = Operation(
    "getDocument", "This document.", {200: Answer("An OpenAPI document.", {"type": "object"}), **_WRONG}
)
EVENTS: Final = Operation(
    "follow",
    "What happens, as server-sent events, until somebody hangs up; docs/reference/api.md lists them.",
    {
        200: Answer("Events.", _PLAIN, "text/event-stream"),
        400: Answer("A parameter is unknown.", _PLAIN, TEXT),
        404: Answer("There is no entry of this name.", _PLAIN, TEXT),
        421: Answer("It was asked by a name that is not its own.", _PLAIN, TEXT),
        503: Answer("As many follow as may.", _PLAIN, TEXT),
    },
    (
        _marked("entry", "The entry that is followed, all if none is named.", _AN_ENTRY),
        Parameter("Last-Event-ID", "The last event that was heard.", {"type": "string"}, _AN_EVENT, where="header"),
    ),
)
HEALTH: Final = _text("getHealth", "The daemon lives.", unless="It is better started anew.")
READINESS: Final = _text("getReadiness", "Every entry's first visit is under way or waits.", unless="It is starting.")
METRICS: Final = _text("getMetrics", "The metrics, in Prometheus' text format.")
_UNHEARD: Final = {
    400: Answer("There are no parameters.", _ERROR),
    401: Answer("The token is wrong or missing.", _ERROR),
    403: Answer("There is no token in the configuration, or a page from another place has it sent.", _ERROR),
    **_NO_ENTRY,
    413: Answer("There is a body, and a large one.", _ERROR),
    **_MISDIRECTED,
    429: Answer("There were too many wrong tokens.", _ERROR),
    503: Answer("The server is being stopped.", _ERROR),
}


def _command(name: str, summary: str, status: int, *, conflict: str = "") -> Operation:
    """Return an operation that the token is needed for, and that may be at odds with what goes on."""
    done = {status: Answer("It was done.", ref("Done"))}
    odd = {409: Answer(conflict, _ERROR)} if conflict else {}
    return Operation(name, summary, {**done, **odd, **_UNHEARD}, (_NAME,), secured=True)


COMMANDS: Final = {
    "run": _command("runEntry", "Run an entry now.", 202, conflict="It runs already, or waits for its turn."),
    "cancel": _command("cancelRun", "Cancel the run of an entry.", 202, conflict="None goes on or waits."),
    "pause": _command("pauseEntry", "Let the due times of an entry pass.", 200),
    "resume": _command("resumeEntry", "Have an entry run again when it is due.", 200),
}
