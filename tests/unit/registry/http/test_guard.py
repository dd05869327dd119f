"""Every spelling of an address that only we can reach."""

from __future__ import annotations

import socket

import pytest

from regsync.registry.http.guard import AddressClass, class_of, class_of_name, guarded_socket, reachable

PUBLIC, PRIVATE, LOOPBACK = AddressClass.PUBLIC, AddressClass.PRIVATE, AddressClass.LOOPBACK


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("8.8.8.8", PUBLIC),
        ("2606:4700::1111", PUBLIC),
        ("10.1.2.3", PRIVATE),
        ("172.16.0.1", PRIVATE),
        ("192.168.0.1", PRIVATE),
        ("100.64.0.1", PRIVATE),
        ("fd00::1", PRIVATE),
        ("127.0.0.1", LOOPBACK),
        ("127.255.255.254", LOOPBACK),
        ("::1", LOOPBACK),
        ("::ffff:127.0.0.1", LOOPBACK),
        ("::ffff:7f00:1", LOOPBACK),
        ("2002:7f00:1::", LOOPBACK),
        ("64:ff9b::7f00:1", LOOPBACK),
        ("64:ff9b:1::7f00:1", LOOPBACK),
        ("::127.0.0.1", LOOPBACK),
        ("::ffff:0:7f00:1", LOOPBACK),
        ("64:ff9b::808:808", PUBLIC),
        ("::ffff:0:808:808", PUBLIC),
        ("fec0::1", PRIVATE),
        ("feff::1", PRIVATE),
        ("169.254.1.1", AddressClass.LINK_LOCAL),
        ("fe80::1%lo", AddressClass.LINK_LOCAL),
        ("169.254.169.254", AddressClass.METADATA),
        ("::ffff:169.254.169.254", AddressClass.METADATA),
        ("fd00:ec2::254", AddressClass.METADATA),
        ("100.100.100.200", AddressClass.METADATA),
        ("168.63.129.16", AddressClass.METADATA),
        ("192.0.0.192", AddressClass.METADATA),
        ("fd20:ce::254", AddressClass.METADATA),
        ("fd00:42::42", AddressClass.METADATA),
        ("0.0.0.0", AddressClass.OTHER),
        ("0.1.2.3", AddressClass.OTHER),
        ("::", AddressClass.OTHER),
        ("224.0.0.1", AddressClass.OTHER),
        ("ff02::1", AddressClass.OTHER),
        ("255.255.255.255", AddressClass.OTHER),
        ("240.0.0.1", AddressClass.OTHER),
        ("2130706433", AddressClass.OTHER),
        ("127.1", AddressClass.OTHER),
        ("0177.0.0.1", AddressClass.OTHER),
        ("0x7f.1", AddressClass.OTHER),
        ("", AddressClass.OTHER),
        ("r.example", AddressClass.OTHER),
    ],
)
def test_an_address_has_a_class_whatever_its_spelling(text: str, kind: AddressClass) -> None:
    assert class_of(text) is kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((name, LOOPBACK) for name in ("2130706433", "127.1", "0x7f.1", "0177.0.0.1", "017700000001", "0X7F000001")),
        *(
            (name, LOOPBACK)
            for name in ("127.0.0.1.", "::1", "::ffff:127.0.0.1", "localhost", "A.LOCALHOST", "localhost.")
        ),
        *(
            (name, AddressClass.METADATA)
            for name in ("2852039166", "metadata.google.internal", "Metadata.Google.Internal.")
        ),
        ("10.1", PRIVATE),
        ("0", AddressClass.OTHER),
        ("134744072", PUBLIC),
        *(
            (name, None)
            for name in ("r.example", "localhost.example", "127.0.0.1.example", "1.2.3.4.5", "4294967296", "")
        ),
    ],
)
def test_a_name_has_the_class_the_resolver_would_find_without_asking(name: str, kind: AddressClass | None) -> None:
    assert class_of_name(name) is kind


def test_a_registry_leads_to_the_public_and_to_what_is_as_near_as_itself() -> None:
    assert reachable(PUBLIC) == reachable(None) == reachable(AddressClass.METADATA) == {PUBLIC}
    assert reachable(PRIVATE) == {PUBLIC, PRIVATE}
    assert reachable(LOOPBACK) == {PUBLIC, PRIVATE, LOOPBACK}


def test_the_guard_stands_at_the_socket() -> None:
    make = guarded_socket(reachable(PRIVATE))
    with make((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("10.0.0.1", 1))) as made:
        assert made.gettimeout() == 0.0
    with pytest.raises(PermissionError, match="loopback"):
        make((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1)))
