"""What people read when a connection fails, and what is not waited for."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from regsync.errors import Refused, RegsyncError, Unavailable
from regsync.registry.http.reason import fault_of
from regsync.registry.http.transport import Request
from tests.unit.registry.speaking import speaking


def alert(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] the library's own text (_ssl.c:2580)")
    error.reason = reason
    return error


def verdict(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "the library's own text (_ssl.c:1000)")
    error.verify_code, error.verify_message = code, "the library's own words"
    return error


@pytest.mark.parametrize(
    ("reason", "kind", "words"),
    [
        (OSError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 5000)"), Unavailable, "connection refused"),
        (OSError(errno.ECONNREFUSED, "Multiple exceptions: [Errno 111]"), Unavailable, "connection refused"),
        (ConnectionResetError(errno.ECONNRESET, "x"), Unavailable, "connection reset"),
        (BrokenPipeError(errno.EPIPE, "x"), Unavailable, "connection reset"),
        (TimeoutError(errno.ETIMEDOUT, "x"), Unavailable, "timed out connecting"),
        (OSError(errno.EHOSTUNREACH, "x"), Unavailable, "no route to host"),
        (OSError(errno.EMFILE, "x"), Unavailable, "too many open files"),
        (OSError(errno.ENOBUFS, "x"), Unavailable, "no buffer space available"),
        (OSError("Multiple exceptions: one, another"), Unavailable, "no connection"),
        (
            ConnectionResetError("Cannot write to closing transport"),
            Unavailable,
            "no connection: what answers there speaks no HTTP",
        ),
        (socket.gaierror(socket.EAI_NONAME, "x"), Unavailable, "name not known"),
        (socket.gaierror(socket.EAI_AGAIN, "x"), Unavailable, "name server does not answer"),
        (socket.gaierror(socket.EAI_FAIL, "x"), Unavailable, "name not resolved"),
        (alert("UNEXPECTED_EOF_WHILE_READING"), Unavailable, "connection closed during the TLS handshake"),
        (alert("TLSV1_ALERT_INTERNAL_ERROR"), Unavailable, "no TLS connection: tlsv1 alert internal error"),
        (alert("TLSV13_ALERT_CERTIFICATE_REQUIRED"), Refused, "no TLS connection: a client certificate is wanted"),
        (alert("SSLV3_ALERT_BAD_CERTIFICATE"), Refused, "no TLS connection: our client certificate is not accepted"),
        (alert("TLSV1_ALERT_UNKNOWN_CA"), Refused, "no TLS connection: our client certificate is from an authority"),
        (alert("HTTP_REQUEST"), Refused, "no TLS connection: plain http is spoken there; set tls: disabled"),
        (verdict(10), Refused, "not trusted: it, or an authority above it, has expired; have it renewed, or set tls"),
        (verdict(18), Refused, "its TLS certificate is not trusted: self-signed; put it in regcert"),
        (verdict(20), Refused, "its TLS certificate is not trusted: from an unknown authority; name the authority"),
        (
            verdict(62),
            Refused,
            "not trusted: for another host name; use one that it names (subjectAltName), or",
        ),
        (verdict(64), Refused, "not trusted: for another address; use a host name that it names, have the address put"),
        (verdict(26), Refused, "not trusted: not made for servers (extended key usage); have it made anew, or set tls"),
        (verdict(66), Refused, "its key is too weak; have it made anew (RSA of 2048 bits and SHA-256 at least), or"),
        (verdict(67), Refused, "an authority's key is too weak; have it made anew"),
        (verdict(68), Refused, "its signature is too weak; have it made anew"),
        (
            alert("UNSUPPORTED_PROTOCOL"),
            Refused,
            "only a TLS version older than 1.2 is offered, which is not safe; up",
        ),
        (verdict(99), Refused, "its TLS certificate is not trusted: the library's own words"),
        (PermissionError("it is at a private address"), Refused, "it is at a private address"),
    ],
)
def test_a_fault_is_said_in_words_and_waited_for_only_if_it_may_heal(
    reason: OSError, kind: type[RegsyncError], words: str
) -> None:
    fault = fault_of(reason, place="r.example:5000")
    assert type(fault) is kind
    assert words in str(fault)
    assert "r.example:5000" in str(fault)
    assert "_ssl.c" not in str(fault)


async def test_a_refused_connection_is_called_one_and_not_told_by_the_library() -> None:
    with socket.socket() as bound:  # and not listening
        bound.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{bound.getsockname()[1]}"
        async with speaking(host) as to:
            with pytest.raises(Unavailable) as caught:
                await to.transport.send(Request("GET", "/v2/?secret=canary", attempts=2))
    assert str(caught.value) == f"{host}: connection refused"
    assert [(event.host, event.request, event.why) for event in to.retried] == [
        (host, "GET /v2/", "connection refused")
    ]
