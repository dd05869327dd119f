"""The storage a registry keeps its blobs in: another origin, URLs signed for one method, and no other login."""

from __future__ import annotations

import re

import trustme

from tests.support import fake_content
from tests.support.exchange import Asked, LoopbackServer
from tests.support.fake_store import Store
from tests.support.fake_words import Api, Features, plain
from tests.support.faults import Reply

_OBJECT = re.compile(r"/bucket/(?P<name>.+)/(?P<digest>sha[0-9]+:[0-9a-f]+)")


class Storage(LoopbackServer):
    """Answers like S3: 400 to whoever shows a login besides the signature, 403 to a method that was not signed.

    `spoiled`: what it sends is not what was stored.
    """

    def __init__(self, store: Store, *, authority: trustme.CA | None = None) -> None:
        super().__init__(authority=authority)
        self.spoiled = False
        self._store = store

    def signed(self, name: str, digest: str) -> str:
        """Return the URL under which this blob can be had by GET alone."""
        return f"{self.url}/bucket/{name}/{digest}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=GET%2Bonly"

    def kind_of(self, method: str, path: str) -> str:
        return "storage"

    def answer(self, asked: Asked) -> Reply:
        if "Authorization" in asked.headers:
            return plain(400, "InvalidArgument")
        found = _OBJECT.fullmatch(asked.path)
        if found is None or asked.query.get("X-Amz-Signature") != "GET+only" or asked.method != "GET":
            return plain(403, "SignatureDoesNotMatch")
        api = Api(self._store, Features(names_digests=False), self.url)
        reply = fake_content.get_blob(api, asked, **found.groupdict())
        if self.spoiled:
            reply.body = bytes(len(reply.body))
        return reply
