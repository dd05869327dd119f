"""What answers say of an upload session: where it is, how far it has got, and that this is not the way to fill it.

All three are spelled in more ways than the specification has (distribution-spec: Pushing Blobs).
"""

from __future__ import annotations

import re
from typing import Final

from regsync.errors import IntegrityError
from regsync.registry.http.complaint import complaint_of
from regsync.registry.http.transport import Answer

_RANGE: Final = re.compile(r"(?:bytes[ =:] *)?0-([0-9]{1,19})(?: *[/,].*)?", re.IGNORECASE)
_SESSION: Final = re.compile(r"[A-Za-z0-9_.~=-]{1,1024}")
_UPLOADS: Final = "/blobs/uploads/"
_DOUBLED: Final = re.compile(r"/blobs/uploads/(?:v2/.+?/)?(?:blobs/)?uploads/")
MOVED: Final = frozenset({301, 302, 303, 307, 308})
_SURELY: Final = MOVED | {405, 411, 413, 415, 501}
_MAYBE: Final = frozenset({409, 412, 422})  # may be about this blob alone, or an accident
_OTHER_WAY: Final = frozenset({"", "UNSUPPORTED"})  # codes of a 400 that is not about the bytes
REFUSALS: Final = (_SURELY | _MAYBE | {400}) - MOVED


def session_of(answer: Answer) -> str:
    """Return the URL of the session an answer names, "" where it names none.

    Relative ones are meant from where the uploads are, although what was asked for may lie there already. Some tell
    the session's name alone (`Docker-Upload-UUID`).
    """
    location = answer.headers.get("location", "").strip().partition("#")[0]
    if location:
        url = answer.resolve(location)
        return _DOUBLED.sub(_UPLOADS, url, count=1) if url != location and not location.startswith("/") else url
    name, (before, found, _) = answer.headers.get("docker-upload-uuid", ""), answer.url.partition(_UPLOADS)
    return f"{before}{found}{name}" if found and _SESSION.fullmatch(name) else ""


def opened_at(answer: Answer) -> str:
    """Return the URL of the session an answer has opened."""
    url = session_of(answer)
    if not url:
        raise IntegrityError("the registry opened an upload without saying where (no Location)")
    return url


def reached_by(answer: Answer, *, single: bool = False) -> int | None:
    """Return how many bytes an answer says are there, None where it says nothing.

    "0-0" stands for an empty session, too, and is one byte only where no more than a `single` one was sent.
    """
    said = _RANGE.fullmatch(answer.headers.get("range", "").strip())
    if said is None:
        return None
    return 0 if said[1] == "0" and not single else int(said[1]) + 1


def is_miscounted(reached: int, *, start: int, counted: int) -> bool:
    """Say whether a length is wrong for a chunk that began at `start` and was taken, `counted` bytes being there then.

    One off, that of the last chunk alone, or none at all; less may be what was kept.
    """
    alone = start > 0 and abs(reached - (counted - start)) <= 1
    return reached != counted and (alone or abs(reached - counted) == 1 or not start < reached <= counted)


def is_refusal(answer: Answer) -> bool:
    """Say whether an answer means that bytes do not go up in this way; another may be open."""
    if answer.status == 400:
        return complaint_of(answer.body).code in _OTHER_WAY
    return answer.status in _SURELY | _MAYBE


def is_sure(answer: Answer) -> bool:
    """Say whether a refusal is about the way, and not perhaps about this one blob."""
    return answer.status in _SURELY or complaint_of(answer.body).code == "UNSUPPORTED"
