"""A token server on loopback (distribution: Token Authentication) for the fake registry and for docker-registry.

Its tokens are opaque, or signed so that a docker-registry that trusts its certificate takes them.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from multidict import CIMultiDict

from tests.support.exchange import Asked, LoopbackServer
from tests.support.faults import Reply

Access = Mapping[tuple[str, str], frozenset[str]]  # (type, name) -> actions
_JSON = {"Content-Type": "application/json"}


class Signer:
    """Signs tokens (ES256) with a key whose certificate `bundle` vouches for."""

    def __init__(self) -> None:
        authority = trustme.CA()
        leaf = authority.issue_cert("tokens.example", key_type=trustme.KeyType.ECDSA)
        self.bundle = authority.cert_pem.bytes()
        certificate = x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes())
        self._chain = [base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()]
        key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return these claims as a token."""
        header = {"typ": "JWT", "alg": "ES256", "x5c": self._chain}
        signed = ".".join(_base64url(json.dumps(part).encode()) for part in (header, claims))
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


@dataclass(frozen=True, slots=True)
class _Grant:
    """What a token is good for, and until when on the server's clock."""

    access: Access
    until: float


@dataclass(slots=True)
class Policy:
    """Who gets in. `refresh_tokens` maps identity and refresh tokens to users; `lifetime` is in seconds.

    Users get every action; `denied` takes (user, action) pairs away. Without login, pull is all there is, if
    `anonymous`. `answers_post` False makes it a server of the older kind, without the OAuth2 form.
    """

    users: dict[str, str] = field(default_factory=dict)
    refresh_tokens: dict[str, str] = field(default_factory=dict)
    denied: set[tuple[str, str]] = field(default_factory=set)
    anonymous: bool = True
    lifetime: int = 300
    answers_post: bool = True
    answer_field: str = "token"


class TokenServer(LoopbackServer):
    """One token server; `policy` may be changed at any time."""

    service = "registry.example"
    issuer = "tokens.example"

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        signer: Signer | None = None,
        authority: trustme.CA | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(authority=authority)
        self.policy = policy or Policy()
        self._signer = signer
        self._clock = clock
        self._granted: dict[str, _Grant] = {}
        self._issued = 0

    @property
    def realm(self) -> str:
        """Where tokens are to be had."""
        return f"{self.url}/token"

    def revoke_all(self) -> None:
        """Have every token refused that was issued so far, whatever lifetime it was promised."""
        self._granted.clear()

    def refusal(self, token: str, scope: str) -> str | None:
        """Return None for a token good for this scope, else the challenge's `error` ("" when there is no token)."""
        if not token:
            return ""
        grant = self._granted.get(token)
        if grant is None or grant.until <= self._clock():
            return "invalid_token"
        wanted = _access([scope] if scope else [])
        enough = all(actions <= grant.access.get(key, frozenset()) for key, actions in wanted.items())
        return None if enough else "insufficient_scope"

    def kind_of(self, method: str, path: str) -> str:
        return "token"

    def answer(self, asked: Asked) -> Reply:
        if asked.method == "POST":
            return self._oauth(asked) if self.policy.answers_post else _refused(405, "UNSUPPORTED")
        user = self._basic_user(asked.headers.get("Authorization", ""))
        if user is None or (user == "" and not self.policy.anonymous):
            return _refused(401, "UNAUTHORIZED")
        query = parse_qs(urlsplit(asked.target).query)
        return self._issue(user, [part for scope in query.get("scope", ()) for part in scope.split(" ")])

    def _oauth(self, asked: Asked) -> Reply:
        form = {name: values[-1] for name, values in parse_qs(asked.body.decode()).items()}
        user = None
        if form.get("grant_type") == "refresh_token":
            user = self.policy.refresh_tokens.get(form.get("refresh_token", ""))
        elif form.get("grant_type") == "password" and self._knows(form.get("username", ""), form.get("password", "")):
            user = form["username"]
        if user is None:
            return _refused(401, "UNAUTHORIZED")
        return self._issue(user, form.get("scope", "").split())

    def _basic_user(self, header: str) -> str | None:
        """Return the user, "" for nobody, None for somebody with a wrong password."""
        if not header:
            return ""
        try:
            user, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
        except ValueError:
            return None
        return user if self._knows(user, password) else None

    def _knows(self, user: str, password: str) -> bool:
        return bool(user) and self.policy.users.get(user) == password

    def _issue(self, user: str, scopes: list[str]) -> Reply:
        access = {key: self._allowed(user, actions) for key, actions in _access(scopes).items()}
        self._issued += 1
        token = f"token-{self._issued}-of-{user or 'nobody'}"
        if self._signer is not None:
            token = self._signer.sign(self._claims(user, access))
        self._granted[token] = _Grant(access, self._clock() + self.policy.lifetime)
        document = {
            self.policy.answer_field: token,
            "expires_in": self.policy.lifetime,
            "issued_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return Reply(200, CIMultiDict(_JSON), json.dumps(document).encode())

    def _allowed(self, user: str, actions: frozenset[str]) -> frozenset[str]:
        if not user:
            return actions & {"pull"}
        return frozenset(action for action in actions if (user, action) not in self.policy.denied)

    def _claims(self, user: str, access: Access) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": self.issuer,
            "sub": user,
            "aud": self.service,
            "exp": now + self.policy.lifetime,
            "nbf": now - 10,
            "iat": now,
            "jti": str(self._issued),
            "access": [
                {"type": kind, "name": name, "actions": sorted(actions)} for (kind, name), actions in access.items()
            ],
        }


def _access(scopes: list[str]) -> Access:
    """Read `type:name:action,action` (a name may hold colons, of a port)."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for scope in filter(None, scopes):
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        found[kind, name] = found.get((kind, name), frozenset()) | frozenset(actions.split(","))
    return found


def _refused(status: int, code: str) -> Reply:
    body = {"errors": [{"code": code, "message": "the token server says no"}]}
    return Reply(status, CIMultiDict(_JSON), json.dumps(body).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
