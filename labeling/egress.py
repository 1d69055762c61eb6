"""Everything that this server asks of others goes out here: one client that connects only to what it has checked.

A project's manager names addresses (of webhooks, one day of models), and the worker that calls them stands inside the
operator's network. So an address is refused unless it is https on port 443 and its name leads to public addresses
only; the check is made again for every connection, and the connection goes to the very address that was checked, with
the name kept for TLS. Origins in ALLOWED_ENDPOINT_ORIGINS are the operator's own word and pass unchecked.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import httpcore2
import httpx2
from django.conf import settings

# One text for whatever is wrong, so that nobody learns from it what there is inside.
REFUSED = "This address leads to nothing that this server may call."
SECONDS = 15.0
MOST_READ = 16 * 1024
PORTS = {"http": 80, "https": 443}
# Global by their number, but not by their use: the metadata service of Azure, and relays of IPv4 in IPv6.
_INSIDE = [ip_network("168.63.129.16/32"), ip_network("192.88.99.0/24")]
_CARRIERS = {"64:ff9b::/96": 0, "64:ff9b:1::/48": 0, "2002::/16": 80, "::/96": 0}
_CARRYING = [(ip_network(network), shift) for network, shift in _CARRIERS.items()]


class Forbidden(Exception):
    """The address is not one that this server may call."""

    def __init__(self) -> None:
        super().__init__(REFUSED)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the beginning of the body as text, and after how many milliseconds."""

    status: int
    text: str
    ms: int


def check(url: str) -> None:
    """Raise Forbidden unless this server may call `url` now. Looks the name up."""
    parts = _allowed(url)
    if _origin(parts) not in _trusted():
        _resolve(parts.host, _port(parts))


def post(url: str, body: bytes, headers: dict[str, str], seconds: float = SECONDS) -> Answer:
    """Send a body and read the beginning of the answer, all of it within `seconds`; a redirect is an answer.

    Raises Forbidden, or httpx2.TransportError when no answer came.
    """
    began = time.monotonic()
    _allowed(url)  # what the client cannot even read, it would complain of in its own words
    headers = {"User-Agent": "Annotate", "Accept-Encoding": "identity"} | headers
    with client(until=began + seconds) as going, going.stream("POST", url, content=body, headers=headers) as answer:
        read = bytearray()
        for chunk in answer.iter_raw(chunk_size=4096):
            read += chunk
            if len(read) >= MOST_READ:
                break
    text = bytes(read[:MOST_READ]).decode(errors="replace").replace("\0", "\ufffd")
    return Answer(answer.status_code, text, round(1000 * (time.monotonic() - began)))


def client(*, until: float | None = None, timeout: float = SECONDS, redirects: bool = False) -> httpx2.Client:
    """A client whose every connection is checked, also after a redirect. No proxies from the environment.

    `timeout` is for each wait in seconds; `until`, a time of `time.monotonic`, ends them all.
    """
    return httpx2.Client(
        transport=_Transport(until), timeout=timeout, follow_redirects=redirects, max_redirects=5, trust_env=False
    )


class _Transport(httpx2.HTTPTransport):
    def __init__(self, until: float | None) -> None:
        super().__init__()
        context = httpx2.create_ssl_context()
        self._pool = httpcore2.ConnectionPool(ssl_context=context, network_backend=_Backend(until))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        _allowed(str(request.url))
        return super().handle_request(request)


class _Backend(httpcore2.NetworkBackend):
    """Connects to the address that it has just checked, never to a name: the name cannot change in between."""

    def __init__(self, until: float | None) -> None:
        self._plain, self._until = httpcore2.SyncBackend(), until

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        trusted = {(origin[1], origin[2]) for origin in _trusted()}
        *others, last = [host] if (host, port) in trusted else _resolve(host, port)
        for address in others:
            with suppress(httpcore2.ConnectError, httpcore2.ConnectTimeout):
                return self._connect(address, port, timeout, local_address, socket_options)
        return self._connect(last, port, timeout, local_address, socket_options)

    def _connect(self, address: str, port: int, timeout: float | None, *how: Any) -> httpcore2.NetworkStream:
        return _Timed(self._plain.connect_tcp(address, port, _left(timeout, self._until), *how), self._until)


class _Timed(httpcore2.NetworkStream):
    """A stream whose waits are also bounded by one end for all: a byte every few seconds must not hold a worker."""

    def __init__(self, stream: httpcore2.NetworkStream, until: float | None) -> None:
        self._stream, self._until = stream, until
        self.close, self.get_extra_info = stream.close, stream.get_extra_info  # type: ignore[method-assign]

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, self._until))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout, self._until))

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        inner = self._stream.start_tls(ssl_context, server_hostname, _left(timeout, self._until))
        return _Timed(inner, self._until)


def _left(timeout: float | None, until: float | None) -> float | None:
    if until is None:
        return timeout
    left = until - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("the time is over")
    return left if timeout is None else min(timeout, left)


def _allowed(url: str) -> httpx2.URL:
    """The parts of an address of a form that may be called, or Forbidden. Does not look the name up."""
    try:
        parts = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError, TypeError):
        raise Forbidden from None
    odd = not url.isprintable() or any(sign in url for sign in " \\")
    if odd or parts.scheme not in PORTS or not parts.host or parts.userinfo:
        raise Forbidden
    if _origin(parts) not in _trusted() and (parts.scheme, _port(parts)) != ("https", PORTS["https"]):
        raise Forbidden
    return parts


def _trusted() -> set[tuple[str, str, int]]:
    return {_origin(httpx2.URL(origin)) for origin in settings.ALLOWED_ENDPOINT_ORIGINS}


def _origin(parts: httpx2.URL) -> tuple[str, str, int]:
    return parts.scheme, parts.host, _port(parts)


def _port(parts: httpx2.URL) -> int:
    return parts.port or PORTS.get(parts.scheme, 0)


def _resolve(host: str, port: int) -> list[str]:
    """The addresses of a name if all of them are public, or Forbidden; also for a name that nobody knows."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Forbidden from None
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    if not addresses or not all(_is_public(ip_address(address.partition("%")[0])) for address in addresses):
        raise Forbidden
    return addresses


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is out there for everybody, whatever it is wrapped in."""
    if isinstance(address, IPv6Address):
        carried = address.ipv4_mapped or next(
            (IPv4Address((int(address) >> shift) & 0xFFFFFFFF) for net, shift in _CARRYING if address in net), None
        )
        if carried is not None:
            return _is_public(carried)
    special = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    return address.is_global and not special and not any(address in network for network in _INSIDE)
