"""Every registry of a process: settings by name, one transport a host, repositories opened from references."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, TracebackType
from typing import Self
from weakref import WeakValueDictionary

from regsync.clock import Clock
from regsync.errors import AccessDenied, NotFound
from regsync.events import Tell
from regsync.limits import Limits
from regsync.oci.reference import RegistryReference
from regsync.registry.content.listing import Listing
from regsync.registry.content.session import cancel_all
from regsync.registry.content.suspended import Suspended
from regsync.registry.host import AS_ITSELF, Asking, HostSettings, Known, Learnt, Manner
from regsync.registry.http.courier import Courier
from regsync.registry.http.pacing import Rest
from regsync.registry.http.transport import Transport
from regsync.registry.http.wire import Wire
from regsync.registry.login.scope import CATALOGUE
from regsync.registry.mirrored import Complaints, MirroredRepository
from regsync.registry.repository import RegistryRepository
from regsync.repository import Quota, Repository
from regsync.secrets import Secrets


@dataclass(frozen=True, slots=True)
class _Contact:
    """One registry as this process has come to know it."""

    host: HostSettings
    transport: Transport
    learnt: Learnt
    suspended: Suspended


@dataclass(frozen=True, slots=True)
class Condition:
    """Until when a registry is left alone (None: it is not), and what it said last of how much may be fetched."""

    rest: Rest | None
    quota: Quota


class Registries:
    """The configured hosts, and those references name without a word in the configuration.

    Logins and tokens are made known to `secrets` as they come up.
    """

    def __init__(
        self,
        hosts: Mapping[str, HostSettings],
        manner: Manner,
        *,
        limits: Limits,
        clock: Clock,
        tell: Tell,
        environ: Mapping[str, str] = MappingProxyType({}),
        secrets: Secrets | None = None,
    ) -> None:
        self._hosts = hosts
        self._manner = manner
        self._limits = limits
        self._clock = clock
        self._tell = tell
        self._environ = environ
        self._secrets = secrets if secrets is not None else Secrets()
        self._wire = Wire(environ=environ)
        self._courier = Courier(self._wire, environ)
        self._contacts: dict[str, _Contact] = {}
        self._former: list[Suspended] = []  # of hosts as they were before their settings changed
        self._opened: WeakValueDictionary[tuple[str, str, bool, Asking], RegistryRepository] = WeakValueDictionary()
        self._mirrored: WeakValueDictionary[str, MirroredRepository] = WeakValueDictionary()
        self._complaints = Complaints(tell)

    async def __aenter__(self) -> Self:
        await self._wire.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        suspended = [*self._former, *(contact.suspended for contact in self._contacts.values())]
        await cancel_all(upload for one in suspended for upload in one.everything())
        await self._wire.__aexit__(kind, error, trace)

    def apply(
        self, hosts: Mapping[str, HostSettings], manner: Manner, renewed: Callable[[str], bool] = lambda _: False
    ) -> list[str]:
        """Take new settings, and return the names of hosts whose own have changed: those begin anew.

        So do those whose certificates are `renewed`. Whoever holds a repository of such a host ends on what it has; all
        others keep theirs.
        """
        used = {*self._hosts, *hosts, *self._contacts}
        before, after = Known(self._hosts, self._manner.store), Known(hosts, manner.store)
        changed = [name for name in used if before[name] != after[name]]
        trusted_anew = [name for name, contact in self._contacts.items() if renewed(contact.host.hostname)]
        for name in {*changed, *trusted_anew} if manner == self._manner else used:
            if name in self._contacts:
                self._former.append(self._contacts.pop(name).suspended)
            for key in [key for key in self._opened if key[0] == name]:
                del self._opened[key]
        if changed or trusted_anew or manner != self._manner:  # one of them may be a mirror
            self._mirrored.clear()
        self._hosts, self._manner = hosts, manner
        self._courier.trust_anew()
        return changed

    @property
    def _known(self) -> Known:
        return Known(self._hosts, self._manner.store)

    def source(self, reference: RegistryReference) -> Repository:
        """Return the repository a reference lies in, to be read from its registry's mirrors, too, if it has any."""
        upstream = self._known[reference.registry]
        if not upstream.mirrors:
            return self.repository(reference)
        opened = self._mirrored.get(reference.name)
        if opened is None:
            mirrors = [self._mirror(name, reference.repository, of=upstream) for name in upstream.mirrors]
            opened = self._mirrored[reference.name] = MirroredRepository(
                self.repository(reference), upstream, mirrors, limits=self._limits, complaints=self._complaints
            )
        return opened

    def repository(self, reference: RegistryReference, *, push: bool = False) -> RegistryRepository:
        """Return the repository a reference lies in, one object while anybody holds it; nothing is contacted."""
        return self._repository(reference.registry, reference.repository, push=push, asking=AS_ITSELF)

    def _mirror(self, name: str, path: str, *, of: HostSettings) -> RegistryRepository:
        return self._repository(name, path, push=False, asking=Asking.in_place_of(of, self._known[name]))

    def _repository(self, name: str, path: str, *, push: bool, asking: Asking) -> RegistryRepository:
        key = (name, path, push, asking)
        opened = self._opened.get(key)
        if opened is None:
            contact = self._contact(name)
            opened = self._opened[key] = RegistryRepository(
                contact.transport,
                contact.host,
                path,
                push=push,
                learnt=contact.learnt,
                suspended=contact.suspended,
                clock=self._clock,
                asking=asking,
            )
        return opened

    async def catalogue(self, name: str) -> AsyncIterator[str]:
        """Every repository a registry lists; names that are no repository names are not passed on."""
        listing = Listing("/v2/_catalog", "repositories", (CATALOGUE,), f"repositories of {name}")
        try:
            async for repository in listing.read(self._contact(name).transport, clock=self._clock):
                yield repository
        except (AccessDenied, NotFound) as error:  # Docker Hub, most that are hosted
            told = type(error)(f"{error}; a registry without a catalogue is mirrored by entries of type: repository")
            told.attempts = error.attempts
            raise told from error

    def conditions(self) -> dict[str, Condition]:
        """Return how each registry that was spoken to is."""
        return {
            name: Condition(contact.transport.rest, contact.learnt.quota) for name, contact in self._contacts.items()
        }

    async def post(self, url: str, body: bytes) -> tuple[int, float | None]:
        """Send a JSON document to a URL that is no registry's; see `courier.py`."""
        return await self._courier.post(url, body, user_agent=self._manner.user_agent, now=self._clock.now())

    def _contact(self, name: str) -> _Contact:
        contact = self._contacts.get(name)
        if contact is None:
            host = self._known[name]
            contact = self._contacts[name] = _Contact(
                host,
                self._transport(host),
                Learnt(host, chunk_limit=self._manner.blob_limit, clock=self._clock),
                Suspended(self._clock),
            )
        return contact

    def _transport(self, host: HostSettings) -> Transport:
        return Transport(
            host,
            self._wire,
            limits=self._limits,
            clock=self._clock,
            tell=self._tell,
            user_agent=self._manner.user_agent,
            environ=self._environ,
            certificates=self._manner.certificates,
            secrets=self._secrets,
        )
