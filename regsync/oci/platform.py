"""Platforms: what a child of an index runs on, and which child a machine takes (image-spec, image-index.md).

The normal forms and the choice are those of the Go regsync, because people see them: `linux/arm` is `linux/arm/v7`,
and on an x86-64-v3 machine plain `linux` is `linux/amd64/v3`.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from regsync.errors import Malformed
from regsync.oci.document import Keys

_KEYS: Final = ("os", "architecture", "variant", "os.version")
_KNOWN: Final = Keys.of("os architecture variant os.version os.features features")
_PART: Final = re.compile("[a-z0-9_-]++")
_WORDS: Final = (
    "386 amd64 i386 x86_64 x86-64 arm armhf armel arm64 aarch64 mips mips64 mips64le ppc ppc64 ppc64le loong64 "
    "riscv riscv64 s390 s390x sparc sparc64 wasm"
)
_ARCHITECTURES: Final = frozenset(_WORDS.split())
_OS_ALIASES: Final = {"macos": "darwin"}
_RUNS_LINUX_TOO: Final = frozenset({"darwin", "windows"})  # through a virtual machine, as desktop engines do
_ARCHITECTURE_ALIASES: Final = {"i386": "386", "i686": "386", "x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}
_ARM_NAMES: Final = {"armhf": "v7", "armel": "v6"}
_DEFAULT_VARIANTS: Final = {"amd64": frozenset({"v1"}), "arm64": frozenset({"8", "v8"})}
_CPUINFO: Final = Path("/proc/cpuinfo")

# The x86-64 psABI's microarchitecture levels, by the names Linux gives their CPU flags.
_AMD64_LEVELS: Final = (
    ("v2", frozenset({"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"})),
    ("v3", frozenset({"abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave"})),
    ("v4", frozenset({"avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"})),
)


@dataclass(frozen=True, slots=True)
class Platform:
    """An operating system, an architecture, its variant and (Windows) the system's version, in normal form."""

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""

    @classmethod
    def parse(cls, text: str, *, local: Platform | None = None) -> Platform:
        """Read what people write (`linux/arm/v7`, `windows/amd64,osver=10.0.17763`, `local`, `arm64`).

        What they leave out is taken from `local`, which is this machine if not given.
        """
        name, *arguments = text.strip().split(",")
        parts = name.lower().split("/")
        if len(parts) > 3 or not all(map(_PART.fullmatch, parts)):
            raise Malformed(f"invalid platform {text[:200]!r}: expected os/architecture[/variant], e.g. linux/arm64")
        os_version = ""
        for argument in arguments:
            key, _, os_version = argument.partition("=")
            if key.strip() not in {"osver", "osversion"}:
                raise Malformed(f"invalid platform {text[:200]!r}: only osver=... may follow a comma")
        return _completed(parts, os_version.strip(), local or local_platform())

    @classmethod
    def from_json(cls, node: object, *, where: str = "platform") -> Platform:
        """Read the `platform` object of a descriptor; what is absent or null is empty."""
        if not isinstance(node, dict):
            raise Malformed(f"{where} must be an object")
        _KNOWN.refuse_variants(node, where=where)
        return _normal(cls(*(_text(node, key, where=where) for key in _KEYS)))

    def to_json(self) -> dict[str, str]:
        """Return the `platform` object of a descriptor."""
        node = {"architecture": self.architecture, "os": self.os}
        optional = {"os.version": self.os_version, "variant": self.variant}
        return node | {key: text for key, text in optional.items() if text}

    def matches(self, have: Platform) -> bool:
        """Say whether both are the same; of a Windows version the first three numbers count."""
        same = (self.os, self.architecture, self.variant) == (have.os, have.architecture, have.variant)
        return same and (self.os != "windows" or _build(self.os_version) == _build(have.os_version))

    def compatible_with(self, have: Platform) -> bool:
        """Say whether a machine of this platform runs what is made for `have`."""
        if not _os_runs(self.os, have.os) or self.architecture != have.architecture:
            return False
        if self.os == have.os == "windows" and self.os_version and _build(self.os_version) != _build(have.os_version):
            return False
        return _level(self.variant) >= _level(have.variant)

    def __str__(self) -> str:
        name = "/".join(part for part in (self.os, self.architecture, self.variant) if part)
        return f"{name},osver={self.os_version}" if self.os_version else name


class Carrier(Protocol):
    """What has a platform: a descriptor."""

    @property
    def platform(self) -> Platform | None:
        """The platform, None where nothing is said."""
        ...


@dataclass(frozen=True, slots=True)
class Platforms:
    """Which children of an index are wanted: those of exactly these platforms; None is for those that name none."""

    wanted: tuple[Platform | None, ...]

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Platforms:
        """Read what people write; the empty text is for children without a platform."""
        return cls(tuple(Platform.parse(text) if text else None for text in texts))

    def takes(self, child: Carrier) -> bool:
        """Say whether this child is one of them."""
        have = child.platform
        return any(have is None if one is None else have is not None and one.matches(have) for one in self.wanted)


_Candidate = TypeVar("_Candidate", bound=Carrier)


def best(wanted: Platform, candidates: Sequence[_Candidate]) -> _Candidate | None:
    """Return the child a machine of `wanted` takes, the first of equals; one without a platform is never taken."""
    fitting = [(child.platform, child) for child in candidates if child.platform is not None]
    ranked = [(_rank(wanted, have), child) for have, child in fitting if wanted.compatible_with(have)]
    return max(ranked, key=lambda pair: pair[0])[1] if ranked else None


@cache
def local_platform() -> Platform:
    """Return the platform of this machine; asked of the kernel once per process."""
    cpuinfo = _CPUINFO.read_text(errors="replace") if _CPUINFO.is_file() else ""
    return machine_platform(platform.system(), platform.machine(), cpuinfo=cpuinfo)


def machine_platform(system: str, machine: str, *, cpuinfo: str) -> Platform:
    """Return the platform of a machine from what `uname` calls it and, on amd64, its CPU's flags."""
    system, machine = system.lower(), machine.lower()
    arm = machine.startswith("armv")  # armv7l: 32 bits, version 7, little endian
    found = _normal(Platform(system, "arm" if arm else machine, machine[4:5] if arm else ""))
    return _normal(replace(found, variant=_amd64_variant(cpuinfo))) if found.architecture == "amd64" else found


def _amd64_variant(cpuinfo: str) -> str:
    line = next((line for line in cpuinfo.splitlines() if line.startswith("flags")), "")
    flags, variant = frozenset(line.partition(":")[2].split()), ""
    for name, needed in _AMD64_LEVELS:
        if not needed <= flags:
            break
        variant = name
    return variant


def _completed(parts: Sequence[str], os_version: str, local: Platform) -> Platform:
    """Fill in what was left out. Only a lone word for something this machine runs takes its variant, too."""
    named = Platform(*parts) if len(parts) > 1 else Platform(parts[0], "")
    if len(parts) == 1 and parts[0] in _ARCHITECTURES:
        named = Platform("", parts[0])
    named = _normal(replace(named, os=local.os if named.os in {"", "local"} else named.os, os_version=os_version))
    if len(parts) > 1 or not _os_runs(local.os, named.os):
        return named
    if named.architecture in {"", local.architecture}:
        return replace(named, architecture=local.architecture, variant=local.variant)
    return named


def _normal(given: Platform) -> Platform:
    """Give everything its one name: Go's for an architecture, no variant where it is what all have."""
    os, variant = _OS_ALIASES.get(given.os, given.os), given.variant
    architecture = _ARCHITECTURE_ALIASES.get(given.architecture, given.architecture)
    if architecture in _ARM_NAMES:
        architecture, variant = "arm", _ARM_NAMES[architecture]
    elif architecture == "arm":
        variant = {"": "v7", "5": "v5", "6": "v6", "7": "v7", "8": "v8"}.get(variant, variant)
    elif architecture == "386" or variant in _DEFAULT_VARIANTS.get(architecture, ()):
        variant = ""
    return Platform(os, architecture, variant, given.os_version)


def _text(node: Mapping[str, Any], key: str, *, where: str) -> str:
    text = node.get(key)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise Malformed(f"{where}.{key} must be text")
    return text


def _os_runs(machine: str, image: str) -> bool:
    return machine == image or (machine in _RUNS_LINUX_TOO and image == "linux")


def _rank(wanted: Platform, have: Platform) -> tuple[object, ...]:
    return (
        have.os == wanted.os,
        have.variant == wanted.variant,
        _level(have.variant),
        have.os_version == wanted.os_version,
        _numbers(have.os_version),
    )


def _level(variant: str) -> int:
    """Return the number of a variant such as `v7`; one without a number, and `v1`, is the base: 0."""
    number = variant.removeprefix("v")
    level = int(number) if re.fullmatch("[0-9]{1,4}", number) else 0
    return 0 if level == 1 else level


def _build(version: str) -> tuple[str, ...]:
    return tuple(version.split(".")[:3])


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if re.fullmatch("[0-9]{1,9}", part) else 0 for part in version.split(".")[:8])
