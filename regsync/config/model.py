"""The shape of the file: every key with its type, its default and what a step takes over from `defaults`.

Shaped like the YAML and nothing else; the composition root makes the engine's values of it. All keys the Go regsync
reads are here.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, WithJsonSchema

from regsync.config.fields import (
    Boolean,
    Count,
    Seconds,
    Secret,
    SecretBoolean,
    SecretCount,
    SecretNumber,
    SecretSeconds,
    SecretSize,
    SecretSwitch,
    Section,
    Text,
    Whole,
    refusal,
)
from regsync.config.receivers import Notify
from regsync.config.scalars import kind_of, shown
from regsync.errors import Malformed
from regsync.listen import Address
from regsync.oci.mediatype import SYNCED_BY_DEFAULT

RETRY_MIN: Final = 300.0  # seconds; the Go regsync raises shorter waits for a registry's rate limit to this
IMAGES: Final = 8  # in flight, unless `parallel` says otherwise
_MINUTE: Final = 60.0
_HOUR: Final = 3600.0
_CHUNK: Final = 1 << 20
_GIB: Final = 1 << 30

Kind = Literal["image", "repository", "registry"]
Tls = Literal["", "enabled", "insecure", "disabled"]
_TLS_SHAPE: Final = WithJsonSchema(
    {"enum": ["", *(form(word) for form in (str, str.title, str.upper) for word in get_args(Tls)[1:])]}
)


def _version(number: int) -> int:
    if number not in {0, 1}:
        raise refusal(f"unsupported config version {number}; expected 1")
    return 1


def _address(text: str) -> str:
    try:
        Address.parse(text or ":0")
    except Malformed as error:
        raise refusal(f"{error}") from error
    return text


def _long_enough(seconds: float) -> float:
    return max(seconds, RETRY_MIN) if seconds else 0.0


def _first_said(own: object, inherited: object) -> object:
    said = inherited if own is None else own
    return False if said is None else said


def _kind(value: object) -> object:
    if not isinstance(value, str) or value not in {"image", "repository", "registry"}:
        raise refusal(f"{shown(value)} is not a type; expected image, repository or registry")
    return value


def _tls(value: object) -> object:
    word = value.lower() if isinstance(value, str) else None
    if word not in {"", "enabled", "insecure", "disabled"}:
        raise refusal(f"expected enabled, insecure or disabled, found {kind_of(value)}")
    return word


class ApiOptions(Section):
    """`apiOpts`: deviations of one registry from the distribution API."""

    disable_head: SecretSwitch = False


class Cred(Section):
    """One item of `creds`: how to reach a registry and log in. Certificates and keys are PEM text, sizes are bytes.

    No value is ever quoted: a password may have been put anywhere. `registry` is kept as written; empty `tls` means
    that nothing was said. `req_concurrent` None: found out by itself.
    """

    registry: Secret = ""
    hostname: Secret = ""
    tls: Annotated[Tls, BeforeValidator(_tls), _TLS_SHAPE] = ""
    regcert: Secret = ""
    client_cert: Secret = ""
    client_key: Secret = Field(default="", repr=False)
    user: Secret = ""
    password: Secret = Field(default="", alias="pass", repr=False)
    token: Secret = Field(default="", repr=False)
    cred_helper: Secret = ""
    cred_expire: Annotated[SecretSeconds, AfterValidator(lambda seconds: seconds or _HOUR)] = _HOUR
    cred_host: Secret = ""
    path_prefix: Secret = ""
    mirrors: tuple[Secret, ...] = ()
    priority: SecretCount = 0
    repo_auth: SecretBoolean = False
    api: Secret = Field(default="", exclude=True)
    api_opts: ApiOptions = ApiOptions()
    blob_chunk: Annotated[SecretCount, AfterValidator(lambda size: size if size > 0 else _CHUNK)] = _CHUNK
    blob_max: Annotated[SecretSize, AfterValidator(lambda size: size or -1)] = -1
    req_per_sec: SecretNumber = 0.0
    req_concurrent: Annotated[SecretCount | None, AfterValidator(lambda cap: cap or None)] = None
    scheme: Secret = Field(default="", exclude=True)


class TagFilter(Section):
    """RE2 patterns for whole names; nothing allowed means everything is."""

    allow: tuple[Text, ...] = ()
    deny: tuple[Text, ...] = ()


class TagSelection(TagFilter):
    """One set of tags."""

    semver_range: tuple[Text, ...] = ()


class RateLimit(Section):
    """When to wait for a registry that counts pulls; `retry` is in seconds."""

    min: Count = 0
    retry: Annotated[Seconds, AfterValidator(_long_enough)] = 0.0

    def filled_from(self, defaults: RateLimit) -> RateLimit:
        """Return these limits, zeros replaced by the defaults'."""
        if not self.min and not self.retry and defaults.retry:
            return defaults
        retry = self.retry or defaults.retry or RETRY_MIN
        return self.model_copy(update={"min": self.min or defaults.min, "retry": retry})


class ReferrerFilter(Section):
    """Which referrers to copy."""

    artifact_type: Text = ""
    annotations: dict[Text, Text] = Field(default_factory=dict)


class Hook(Section):
    """One command of `hooks`: a program with its arguments, or a URL; `timeout` is in seconds."""

    type: Secret = ""  # as are parameters, which are mistaken for each other
    params: tuple[Secret, ...] = Field(default=(), repr=False)
    timeout: Annotated[Seconds, AfterValidator(lambda seconds: seconds or _MINUTE)] = _MINUTE


class Hooks(Section):
    """What to run around the copy of an image, and around an entry."""

    pre: Hook | None = None
    post: Hook | None = None
    unchanged: Hook | None = None
    entry_pre: Hook | None = None
    entry_post: Hook | None = None
    entry_unchanged: Hook | None = None

    def filled_from(self, defaults: Hooks) -> Hooks:
        """Return these hooks, those that are not given replaced by the defaults'."""
        if not defaults.model_fields_set:
            return self
        own = {name: getattr(self, name) or getattr(defaults, name) for name in Hooks.model_fields}
        return self.model_copy(update=own)


WITHOUT_EFFECT: Final[dict[str, tuple[str, ...]]] = {"image": ("tags", "tag_sets", "repos"), "repository": ("repos",)}
_TAKEN_IF_EMPTY: Final = ("backup", "referrer_source", "referrer_target", "media_types")
_TAKEN_IF_UNSAID: Final = (
    "digest_tags",
    "referrers",
    "referrer_filters",
    "referrer_slow",
    "fast_check",
    "force_recursive",
    "include_external",
)


class Inherited(Section):
    """The keys that `defaults` and the items of `sync` share; None and empty mean that nothing was said."""

    backup: Text = ""
    interval: Seconds = 0.0
    schedule: Text = ""
    jitter: Seconds | None = None
    ratelimit: RateLimit = RateLimit()
    digest_tags: Boolean | None = None
    referrers: Boolean | None = None
    referrer_filters: tuple[ReferrerFilter, ...] | None = None
    referrer_source: Text = ""
    referrer_target: Text = ""
    referrer_slow: Boolean | None = None
    fast_check: Boolean | None = None
    fast_copy: Boolean | None = Field(default=None, exclude=True)  # how documents of the Go regsync call `fastCheck`
    force_recursive: Boolean | None = None
    include_external: Boolean | None = None
    media_types: tuple[Text, ...] = ()
    hooks: Hooks = Hooks()


class Defaults(Inherited):
    """`defaults`: what steps take over, and the settings of the whole run. `blob_limit` is in bytes."""

    parallel: Annotated[Whole, AfterValidator(lambda images: images if images > 0 else IMAGES)] = IMAGES
    blob_limit: Annotated[Count, AfterValidator(lambda size: size if size > 0 else _GIB)] = _GIB
    cache_count: Count = 0
    cache_time: Seconds = 0.0
    skip_docker_config: Boolean = False
    skip_invalid_entries: Boolean = False
    state: Text = ""
    notify: tuple[Notify, ...] = ()
    user_agent: Text = ""

    def settled(self) -> Defaults:
        """Return the defaults with `fastCopy` read as what it is another name of, and waits that are long enough."""
        fast_check = self.fast_copy if self.fast_check is None else self.fast_check
        return self.model_copy(update={"fast_check": fast_check, "ratelimit": self.ratelimit.filled_from(RateLimit())})


class SyncStep(Inherited):
    """One item of `sync`. `type` must be given; its default only spares every reader a None. `name` may be empty."""

    name: Text = ""
    source: Text = ""
    target: Text = ""
    type: Annotated[Kind, BeforeValidator(_kind)] = "image"
    tags: TagSelection = TagSelection()
    tag_sets: tuple[TagSelection, ...] = ()
    repos: TagFilter = TagFilter()
    platform: Text = ""
    platforms: tuple[Text, ...] = ()
    _place: str = PrivateAttr()  # set in filled steps only: a default would be copied thousands of times

    @property
    def place(self) -> str:
        """Where the step stands, as `file:line`."""
        return self._place

    def filled_from(self, defaults: Defaults, *, place: str) -> SyncStep:
        """Return this step with everything it leaves open taken from settled defaults, and then from what is usual."""
        timed = bool(self.schedule or self.interval)  # one's own of either replaces both of the defaults'
        filled = {name: getattr(self, name) or getattr(defaults, name) for name in _TAKEN_IF_EMPTY}
        filled |= {name: _first_said(getattr(self, name), getattr(defaults, name)) for name in _TAKEN_IF_UNSAID}
        if self.fast_check is None and self.fast_copy is not None:
            filled["fast_check"] = self.fast_copy
        filled["jitter"] = (self.jitter if self.jitter is not None else defaults.jitter) or 0.0
        filled["schedule"] = self.schedule if timed else defaults.schedule
        filled["interval"] = self.interval if timed or defaults.schedule else defaults.interval
        filled["media_types"] = filled["media_types"] or SYNCED_BY_DEFAULT
        filled["referrer_filters"] = filled["referrer_filters"] or ()
        filled["ratelimit"] = self.ratelimit.filled_from(defaults.ratelimit)
        filled["hooks"] = self.hooks.filled_from(defaults.hooks)
        filled |= {name: _NOTHING_CHOSEN[name] for name in WITHOUT_EFFECT.get(self.type, ())}
        step = self.model_copy(update=filled)
        step._place = place  # noqa: SLF001  # a copy of our own, not yet seen by anyone
        return step


_NOTHING_CHOSEN: Final = {name: SyncStep.model_fields[name].default for name in ("tags", "tag_sets", "repos")}


def _items(given: Any) -> Any:
    """Return the items of `creds`, of which one that is null says nothing: it has no name, and is ignored as such."""
    return [{} if item is None else item for item in given] if isinstance(given, list) else given


class Server(Section):
    """`server`: where the daemon answers HTTP, the names it may be asked for by, and what it may be told by."""

    listen: Annotated[Text, AfterValidator(_address)] = ""
    hosts: tuple[Text, ...] = ()
    token: Secret = Field(default="", repr=False)


class Config(Section):
    """The whole file."""

    version: Annotated[Whole, AfterValidator(_version)] = 1
    creds: Annotated[tuple[Cred, ...], BeforeValidator(_items)] = ()
    defaults: Defaults = Defaults()
    server: Server = Server()
    sync: tuple[SyncStep, ...] = ()
