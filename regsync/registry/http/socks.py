"""Connections through a SOCKS proxy: pooled, limited and spoken TLS over as those that go straight.

The registry's name is told to the proxy, which alone has to know it: with `socks5h`, and with `socks5`, too, as in Go
(curl's `socks5` looks it up here). SOCKS4 knows addresses only, so there names are looked up here.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import aiohttp
from aiohttp.abc import ResolveResult
from aiohttp.client_proto import ResponseHandler
from python_socks import ProxyConnectionError, ProxyError, ProxyType
from python_socks.async_.asyncio import Proxy as Dialogue

from regsync.registry.http.connection import Connector
from regsync.registry.http.detour import Declined
from regsync.registry.http.proxy import Proxy


class SocksConnector(Connector):
    """A pool of connections that this proxy makes for us; where it makes none, that is `Declined`."""

    def __init__(self, proxy: Proxy) -> None:
        super().__init__(None, {})
        self._proxy = proxy

    async def _resolve_host(
        self,
        host: str,  # noqa: ARG002  # the library's signature
        port: int,  # noqa: ARG002
        traces: Any = None,
    ) -> list[ResolveResult]:
        """Return the addresses of the proxy, whatever is to be reached through it."""
        return await super()._resolve_host(self._proxy.host, self._proxy.port, traces)

    async def _wrap_create_connection(
        self,
        *args: Any,
        addr_infos: list[aiohttp.AddrInfoType],
        req: aiohttp.ClientRequest,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  # the library's signature
        **kwargs: Any,
    ) -> tuple[asyncio.Transport, ResponseHandler]:
        """Return a connection by way of the first of the proxy's addresses; the library comes back with the others."""
        led = await self._led(str(addr_infos[0][4][0]), req, timeout.sock_connect)
        return await self._wrap_existing_connection(*args, req=req, timeout=timeout, sock=led, **kwargs)

    async def _led(self, address: str, req: aiohttp.ClientRequest, seconds: float | None) -> socket.socket:
        """Return a socket that leads to where the request goes."""
        proxy = self._proxy
        kind = ProxyType.SOCKS4 if proxy.scheme.startswith("socks4") else ProxyType.SOCKS5
        asking = Dialogue(kind, address, proxy.port, proxy.user, proxy.password, rdns=proxy.scheme != "socks4")
        try:
            return await asking.connect(req.url.raw_host or "", req.port or 0, seconds)
        except ProxyConnectionError as error:
            reason = error.__cause__ if isinstance(error.__cause__, OSError) else error
            raise aiohttp.ClientProxyConnectionError(req.connection_key, reason) from error
        except ProxyError as error:
            raise Declined(str(error), error.error_code) from error
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            raise aiohttp.ClientConnectorError(req.connection_key, error) from error
