"""A client that sends recorded requests through a proxy, as they were sent, and keeps what comes back."""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from replaying.exchanges import Exchange
from replaying.upstream import REPLAY_HEADER

TIMEOUT_S = 120.0  # one that hangs must show as such; a busy machine is slow


@dataclass(frozen=True, slots=True)
class Got:
    """What came back: status 0 where the exchange broke off; ``call_id`` is empty where nobody read the call."""

    status: int
    body: bytes = field(repr=False)
    call_id: str = ""
    http_version: str = ""
    problem: str = ""
    grpc_status: str = ""


class Http2Context(ssl.SSLContext):
    """A context that offers HTTP/2 and nothing else: httpx offers HTTP/1.1 first, and mitmproxy obeys that order."""

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """Offer h2, whatever was asked."""
        super().set_alpn_protocols(["h2"])


def trusting(ca: Path, *, http2: bool = False) -> ssl.SSLContext:
    """A client context that trusts one CA and nothing else."""
    context = Http2Context(ssl.PROTOCOL_TLS_CLIENT) if http2 else ssl.create_default_context(cafile=ca)
    context.load_verify_locations(ca)
    return context


class Client:
    """Sends exchanges through one proxy in one version of HTTP; connections are kept per host."""

    def __init__(self, proxy: str, ca: Path, *, http2: bool = False) -> None:
        """``proxy`` is a URL; ``ca`` the only CA that is trusted."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=32)
        self._http = httpx.AsyncClient(
            proxy=proxy,
            verify=trusting(ca, http2=http2),
            http2=http2,
            timeout=TIMEOUT_S,
            limits=limits,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def send(self, exchange: Exchange, name: str, body: bytes | None = None) -> Got:
        """Send a request that bears ``name``; the recorded body where none is given."""
        request = self._http.build_request(
            exchange.method,
            httpx.URL(f"https://{exchange.host}", raw_path=exchange.target.encode("ascii")),
            headers=exchange.headers | {REPLAY_HEADER: name},
            content=(exchange.body if body is None else body) or None,
        )
        kept = bytearray()
        try:
            answer = await self._http.send(request, stream=True)
            try:
                async for piece in answer.aiter_raw():
                    kept += piece
            finally:
                await answer.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as problem:
            return Got(0, bytes(kept), problem=type(problem).__name__)
        call_id = answer.headers.get("x-outwarden-call-id", "")
        grpc_status = answer.headers.get("grpc-status", "")
        return Got(answer.status_code, bytes(kept), call_id, answer.http_version, grpc_status=grpc_status)
