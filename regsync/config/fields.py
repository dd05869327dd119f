"""The types of configuration values: what pydantic does to each on its way in, and out again to be printed.

Every message is ours: a validator raises one of our sentences, and what pydantic finds by itself (a list where a
mapping belongs, an unknown key) is put into words in `load.py`. Nothing under a secret key is ever quoted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from regsync.config.problems import Finding, Findings
from regsync.config.scalars import (
    SWITCHES,
    Plain,
    kind_of,
    shown,
    to_bool,
    to_count,
    to_expiry,
    to_float,
    to_int,
    to_seconds,
    to_switch,
    to_text,
)
from regsync.duration import format_duration
from regsync.errors import Malformed

OURS: Final = "regsync"  # the pydantic error type whose message is a sentence of ours

_T = TypeVar("_T")
_Number = TypeVar("_Number", int, float)


class Section(BaseModel):
    """A mapping of the file: unknown keys are errors, `x-` keys are the user's own, null is the same as not given."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _only_what_was_said(cls, given: Any) -> Any:
        if type(given) is not dict:
            return given
        return {key: value for key, value in given.items() if value is not None and not key.startswith("x-")}


def key_of(section: Section, name: str) -> str:
    """Return the key under which this field stands in the file."""
    return type(section).model_fields[name].alias or name


def refusal(text: str) -> PydanticCustomError:
    """Return an error that carries this sentence out of pydantic."""
    return PydanticCustomError(OURS, "{text}", {"text": text})


def converted(convert: Callable[[object], _T], *, expected: str = "") -> BeforeValidator:
    """Return a validator that does one of the conversions of `scalars.py`.

    A refusal quotes the value, unless there is another text to say what was expected.
    """

    def validate(value: object) -> _T:
        try:
            return convert(value)
        except Malformed as error:
            raise refusal(f"expected {expected}, found {kind_of(value)}" if expected else str(error)) from None

    return BeforeValidator(validate)


def _text(value: object, info: ValidationInfo) -> str:
    return value if type(value) is str else _written_as_number(value, info, secret=False)


def _secret(value: object, info: ValidationInfo) -> str:
    return value if type(value) is str else _written_as_number(value, info, secret=True)


def _written_as_number(value: object, info: ValidationInfo, *, secret: bool) -> str:
    """Return the text of what should have been quoted, with a warning where Go's rules make another text of it."""
    if value is None:
        return ""
    try:
        text = to_text(value)
    except Malformed as error:
        raise refusal(str(error)) from None
    if isinstance(value, Plain) and text != value.text and isinstance(info.context, Findings):
        place = value.line, value.column
        said, read = ("the number", "another text") if secret else (value.text, shown(text))
        told = "the number is not read as it is written" if secret else f"{said} is read as {read}"
        info.context.warnings.append(Finding(*place, (), f"{told}; quote it"))
        info.context.trap(place, (), f"reads {said} as {read}", "the same, with a warning")
    return text


def _from(least: int, convert: Callable[[object], _Number]) -> Callable[[object], _Number]:
    def checked(value: object) -> _Number:
        number = convert(value)
        if number < least:
            raise Malformed(f"less than {least}")
        return number

    return checked


def _at_least_zero(seconds: float) -> float:
    if seconds < 0:
        raise Malformed(f"{format_duration(seconds)} is negative; expected a duration from 0s up")
    return seconds


# What an editor is told of each type (JSON schema); texts that are read as numbers are left to those who write them.
_TEXT_SHAPE: Final = WithJsonSchema({"type": ["string", "number", "boolean"]})
_NUMBER_SHAPE: Final = {"type": ["number", "string"], "pattern": r"^[-+]?[0-9]"}
_COUNT_SHAPE: Final = WithJsonSchema({**_NUMBER_SHAPE, "pattern": r"^\+?[0-9]", "minimum": 0})
_SECONDS_SHAPE: Final = {
    "type": "string",
    "pattern": r"^\+?(0|(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)$",
}

Text = Annotated[str, BeforeValidator(_text), _TEXT_SHAPE]
Boolean = Annotated[bool, converted(to_bool)]
Whole = Annotated[int, converted(to_int), WithJsonSchema(_NUMBER_SHAPE)]
Count = Annotated[int, converted(to_count), _COUNT_SHAPE]
Seconds = Annotated[
    float,
    converted(lambda value: _at_least_zero(to_seconds(value))),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(_SECONDS_SHAPE),
]

# Those of `creds`, where nothing is quoted.
Secret = Annotated[str, BeforeValidator(_secret), _TEXT_SHAPE]
SecretBoolean = Annotated[bool, converted(to_bool, expected="true or false")]
SecretSwitch = Annotated[
    bool, converted(to_switch, expected="true or false"), WithJsonSchema({"enum": [True, False, *SWITCHES, 1, 0]})
]
SecretCount = Annotated[int, converted(to_count, expected="a whole number from 0 up"), _COUNT_SHAPE]
SecretSize = Annotated[
    int,
    converted(_from(-1, to_int), expected="-1 or a whole number from 0 up"),
    WithJsonSchema({**_NUMBER_SHAPE, "minimum": -1}),
]
SecretNumber = Annotated[float, converted(_from(0, to_float), expected="a number from 0 up"), _COUNT_SHAPE]
SecretSeconds = Annotated[
    float,
    converted(lambda value: _at_least_zero(to_expiry(value)), expected='a duration from 0s up such as "1h30m"'),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({**_SECONDS_SHAPE, "type": ["string", "integer"], "minimum": 0}),
]
