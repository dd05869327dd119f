"""Which addresses a registry may send us to: the guard against being used to reach what only we can reach.

It stands at the socket, where names are resolved and every spelling of an address has become bytes: a check of names
alone is passed by DNS that answers differently the second time. Addresses the operator configured are not judged; those
a registry derives (redirects, upload locations, token realms) must be public or as near as the registry is.
"""

from __future__ import annotations

import enum
import ipaddress
import socket
from collections.abc import Callable
from functools import lru_cache
from typing import Any

AddrInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]

_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",  # Google
        "fd00:42::42",  # Scaleway
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure's wire server, at an address that looks public
        "192.0.0.192",  # Oracle
    )
)
_METADATA_NAMES = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}
)
_THIS_NETWORK = ipaddress.IPv4Network("0.0.0.0/8")  # RFC 6890: never a destination, and Linux takes 0.0.0.0 for itself
_TRANSLATED = tuple(  # NAT64 (RFC 6052, 8215) and SIIT (RFC 2765): an IPv4 address in the last 32 bits
    ipaddress.IPv6Network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96")
)
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_SHARED = ipaddress.IPv4Network("100.64.0.0/10")  # carrier-grade NAT (RFC 6598): not ours, yet not public


class AddressClass(enum.Enum):
    """How far an address reaches."""

    PUBLIC = "public"
    PRIVATE = "private"
    LOOPBACK = "loopback"
    LINK_LOCAL = "link-local"
    METADATA = "metadata service"
    OTHER = "unspecified, multicast or reserved"


_WORLD = frozenset({AddressClass.PUBLIC})
_REACHABLE: dict[AddressClass | None, frozenset[AddressClass]] = {
    AddressClass.PRIVATE: _WORLD | {AddressClass.PRIVATE},
    AddressClass.LOOPBACK: _WORLD | {AddressClass.PRIVATE, AddressClass.LOOPBACK},
}


@lru_cache(maxsize=1024)
def class_of(text: str) -> AddressClass:
    """Return the class of a literal address; what cannot be read as one is `OTHER`, which is never reached."""
    try:
        address = _unwrapped(ipaddress.ip_address(text.strip("[]").partition("%")[0]))
    except ValueError:
        return AddressClass.OTHER
    if address in _METADATA:
        return AddressClass.METADATA
    if address.is_unspecified or address.is_multicast or address in _THIS_NETWORK:
        return AddressClass.OTHER
    if address.is_loopback:
        return AddressClass.LOOPBACK
    if address.is_link_local:
        return AddressClass.LINK_LOCAL
    if isinstance(address, ipaddress.IPv6Address) and address.is_site_local:
        return AddressClass.PRIVATE  # fec0::/10, given up (RFC 3879) but routed where it was used
    if address.is_global:
        return AddressClass.PUBLIC
    shared = isinstance(address, ipaddress.IPv4Address) and address in _SHARED
    return AddressClass.PRIVATE if shared or (address.is_private and not address.is_reserved) else AddressClass.OTHER


def class_of_name(name: str) -> AddressClass | None:
    """Return the class that can be seen from a URL's host alone; None for a name only DNS knows about.

    Addresses are read in any form the system's resolver takes (`127.1`, `0x7f.1`, `2130706433`).
    """
    name = name.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return AddressClass.LOOPBACK
    if name in _METADATA_NAMES:
        return AddressClass.METADATA
    try:
        return class_of(str(ipaddress.ip_address(name)))
    except ValueError:
        try:
            return class_of(socket.inet_ntoa(socket.inet_aton(name)))
        except (OSError, ValueError):
            return None


def reachable(own: AddressClass | None) -> frozenset[AddressClass]:
    """Return the classes a registry of this class may send us to; None is one whose address nobody saw (a proxy).

    A registry on this machine sends us to where the operator's own machines are; one in the private network does not
    send us to this machine; one in the world sends us nowhere but into the world.
    """
    return _REACHABLE.get(own, _WORLD)


def guarded_socket(allowed: frozenset[AddressClass]) -> Callable[[AddrInfo], socket.socket]:
    """Return a maker of sockets that refuses, by `PermissionError`, addresses outside these classes."""

    def make(info: AddrInfo) -> socket.socket:
        family, kind, protocol, _, address = info
        found = class_of(str(address[0]))
        if found not in allowed:
            raise PermissionError(f"it is at a {found.value} address")  # one text, so several of them stay one error
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)  # noqa: FBT003  # the standard library's signature
        return made

    return make


def _unwrapped(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return the IPv4 address that is reached through an IPv6 one (v4-mapped, v4-compatible, 6to4, translated)."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    if any(address in network for network in _TRANSLATED) or (address in _COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
