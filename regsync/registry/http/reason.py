"""What the system says when a connection fails, in words for people, and whether waiting could mend it.

One table a source: the errno of a socket, the answer of the name service, the verdict on a certificate, the alert of a
TLS partner. What only the operator can mend is `Refused`, so that nobody waits for it.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl

from regsync.errors import Refused, RegsyncError, Unavailable

_SOCKET = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.ECONNABORTED: "connection reset",
    errno.EPIPE: "connection reset",
    errno.ETIMEDOUT: "timed out connecting",
    errno.EHOSTUNREACH: "no route to host",
    errno.ENETUNREACH: "network unreachable",
    errno.EADDRNOTAVAIL: "no local port is free for a connection",
    errno.EMFILE: "too many open files",
    errno.ENFILE: "too many open files",
    errno.EACCES: "the system does not permit the connection",
    errno.EPERM: "the system does not permit the connection",
}
_NAME = {
    socket.EAI_NONAME: "name not known",
    socket.EAI_NODATA: "name has no address",
    socket.EAI_AGAIN: "name server does not answer",
}
_NAME_UNREAD = "name not resolved"

_AUTHORITY = "from an unknown authority; name the authority in regcert, or set tls: insecure"
_ADDRESS = "use a host name that it names, have the address put into it (subjectAltName), or set tls: insecure"
_WEAK = "too weak; have it made anew (RSA of 2048 bits and SHA-256 at least), or set tls: insecure"
_CERTIFICATE = {  # by X509_V_ERR, the names OpenSSL gives its verdicts
    9: "not valid yet; is the clock of this machine right?",
    10: "it, or an authority above it, has expired; have it renewed, or set tls: insecure until then",
    18: "self-signed; put it in regcert, or set tls: insecure",
    19: _AUTHORITY,
    2: _AUTHORITY,
    20: _AUTHORITY,
    21: _AUTHORITY,
    23: "revoked",
    26: "not made for servers (extended key usage); have it made anew, or set tls: insecure",
    62: "for another host name; use one that it names (subjectAltName), or set tls: insecure",
    64: f"for another address; {_ADDRESS}",
    66: f"its key is {_WEAK}",
    67: f"an authority's key is {_WEAK}",
    68: f"its signature is {_WEAK}",
}
_OLD = "only a TLS version older than 1.2 is offered, which is not safe; upgrade the registry or what stands before it"
_PARTNER = {  # by OpenSSL's reason: what a partner says, or what we make of it, that will be the same next time
    "HTTP_REQUEST": "plain http is spoken there; set tls: disabled",
    "WRONG_VERSION_NUMBER": "no TLS is spoken there; set tls: disabled if it is plain http",
    "UNSUPPORTED_PROTOCOL": _OLD,
    "TLSV1_ALERT_PROTOCOL_VERSION": _OLD,
    "NO_PROTOCOLS_AVAILABLE": "no TLS version is spoken by both sides",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the TLS settings of both sides do not agree, or a client certificate is wanted",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": "stronger TLS settings are wanted",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "a client certificate is wanted; set clientCert and clientKey",
    "SSLV3_ALERT_NO_CERTIFICATE": "a client certificate is wanted; set clientCert and clientKey",
    "SSLV3_ALERT_BAD_CERTIFICATE": "our client certificate is not accepted",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "our client certificate is of a kind that is not accepted",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "our client certificate is revoked",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "our client certificate has expired",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "our client certificate is not accepted",
    "TLSV1_ALERT_UNKNOWN_CA": "our client certificate is from an authority that is not accepted",
    "TLSV1_ALERT_ACCESS_DENIED": "our client certificate gives no access",
    "TLSV1_UNRECOGNIZED_NAME": "no registry of this name is there",
}
_CLOSED = "connection closed during the TLS handshake"


def fault_of(reason: OSError, *, place: str) -> RegsyncError:
    """Return the failure that the system's error means at this place (`host[:port]`)."""
    match reason:
        case ssl.SSLCertVerificationError():
            return Refused(f"{place}: its TLS certificate is not trusted: {_verdict(reason)}")
        case ssl.SSLError():
            return _of_partner(reason, place)
        case socket.gaierror():
            return Unavailable(f"{place}: {_NAME.get(reason.errno or 0, _NAME_UNREAD)}")
        case PermissionError(errno=None):  # the guard's
            return Refused(f"will not follow the registry to {place}: {reason}")
        case _:
            return Unavailable(f"{place}: {_of_socket(reason)}")


def _verdict(error: ssl.SSLCertVerificationError) -> str:
    return _CERTIFICATE.get(error.verify_code) or error.verify_message or "it cannot be verified"


def _of_partner(error: ssl.SSLError, place: str) -> RegsyncError:
    name = error.reason or ""
    if name in _PARTNER:
        return Refused(f"{place}: no TLS connection: {_PARTNER[name]}")
    if "EOF" in name or isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Unavailable(f"{place}: {_CLOSED}")
    return Unavailable(f"{place}: no TLS connection: {name.lower().replace('_', ' ') or 'broken TLS'}")


def _of_socket(error: OSError) -> str:
    if error.errno is None:  # the library's own, which hangs up on those who speak first, as SSH and mail do
        early = isinstance(error, ConnectionResetError)
        return "no connection: what answers there speaks no HTTP" if early else "no connection"
    return _SOCKET.get(error.errno) or os.strerror(error.errno).lower()
