"""A server that runs is asked over HTTP; plain and blocking, for commands that ask and end."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Final
from urllib.parse import quote, urlsplit

from regsync.errors import Malformed, NoAnswer
from regsync.listen import Address
from regsync.text import plain

_PATIENCE: Final = 10.0  # seconds for each step
_MOST: Final = 16 << 20  # bytes of one answer
_PAGE: Final = 1000  # entries
_PAGES: Final = 1000
_SHOWN: Final = 200  # characters of what a server says
_HERE: Final = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # to be asked, not listened at


class Server:
    """One that may run at `place`: what `server.listen` takes, or a URL."""

    def __init__(self, place: str) -> None:
        """Take a place; `Malformed` if it is none."""
        self.place = place
        self._prefix, self._secure = "", False
        if not place.startswith(("http://", "https://")):
            self._address = Address.parse(place)
            return
        try:
            url = urlsplit(place)
            port = url.port
        except ValueError as error:
            raise Malformed(f"{place!r}: {error}") from error
        if not url.hostname or url.username is not None or url.query or url.fragment:
            raise Malformed(f"{place!r}: expected a URL such as http://127.0.0.1:8080")
        self._secure, self._prefix = url.scheme == "https", url.path.rstrip("/")
        self._address = Address(url.hostname, port or (443 if self._secure else 80))

    @property
    def known(self) -> bool:
        """Whether it says where it is: port 0 is whichever was free."""
        return bool(self._address.path or self._address.port)

    def entries(self) -> list[dict[str, Any]]:
        """Return all its entries as its API has them; `NoAnswer` if that cannot be."""
        return [*self._entries()]

    def lives(self) -> bool:
        """Say whether it answers, and that its event loop goes round."""
        connection = self._connection()
        try:
            connection.request("GET", f"{self._prefix}/healthz")
            return connection.getresponse().status == 200
        except (HTTPException, OSError):
            return False
        finally:
            connection.close()

    def _entries(self) -> Iterator[dict[str, Any]]:
        after = ""
        for _ in range(_PAGES):
            page = self._asked(f"/api/v1/entries?limit={_PAGE}&after={quote(after, safe='')}")
            entries, following = page.get("entries"), page.get("next")
            if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
                raise self._stranger()
            yield from entries
            if following is None:
                return
            if not isinstance(following, str) or following <= after:
                raise self._stranger()
            after = following
        raise self._stranger()

    def _asked(self, path: str) -> dict[str, Any]:
        connection = self._connection()
        try:
            connection.request("GET", self._prefix + path, headers={"Accept": "application/json"})
            return self._read(connection.getresponse())
        except HTTPException as error:
            raise self._stranger() from error
        except OSError as error:
            reason = error.strerror or f"{error}" or type(error).__name__
            raise NoAnswer(f"nobody answers at {plain(self.place)}: {plain(reason)}") from error
        finally:
            connection.close()

    def _read(self, answer: HTTPResponse) -> dict[str, Any]:
        body = answer.read(_MOST + 1)
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            found = None
        if answer.status == 200 and isinstance(found, dict) and len(body) <= _MOST:
            return found
        why = found.get("error") if isinstance(found, dict) else None
        if not isinstance(why, str):
            raise self._stranger(answer.status)
        raise NoAnswer(f"{plain(self.place)} answers {answer.status}: {plain(why[:_SHOWN])}")

    def _stranger(self, status: int = 200) -> NoAnswer:
        said = f" (it says {status})" if status != 200 else ""
        return NoAnswer(f"what answers at {plain(self.place)} is no server of this regsync{said}")

    def _connection(self) -> HTTPConnection:
        if self._address.path:
            return _OverSocket(self._address.path)
        kind = HTTPSConnection if self._secure else HTTPConnection
        return kind(_HERE.get(self._address.host, self._address.host), self._address.port, timeout=_PATIENCE)


class _OverSocket(HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_PATIENCE)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_PATIENCE)
        self.sock.connect(self._path)
