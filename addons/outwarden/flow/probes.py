"""Active probes: upstreams are asked, each at its own pace, whether they are there, before a call finds out."""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import uniform

from mitmproxy import http
from mitmproxy.net.http.http1 import assemble_request

from outwarden.errors import StateError
from outwarden.flow.aiming import sign_in_as
from outwarden.flow.signing import sign_as
from outwarden.routing import Health, Probes, Upstream
from outwarden.wire.translation.anthropic_request import VERSION as ANTHROPIC_VERSION

logger = logging.getLogger(__name__)

AT_ONCE_MAX = 16  # probes under way; the others wait for the next round
JITTER = 0.1  # of the pace, earlier or later: interceptors that started together must not ask together for ever
STATUS_LINE_BYTES_MAX = 8 * 1024


@dataclass(slots=True)
class _Turn:
    """When an upstream is to be probed next; ``task`` is the last probe."""

    due: float
    task: asyncio.Task[None] | None = None

    def is_running(self) -> bool:
        return self.task is not None and not self.task.done()


class Prober:
    """Probes the upstreams that ask for it. ``trust``: what verifies those without a CA of their own."""

    def __init__(self, health: Health, trust: Callable[[Path | None], ssl.SSLContext]) -> None:
        self._health = health
        self._trust = trust
        self._turns: dict[str, _Turn] = {}

    def round(self, upstreams: Mapping[str, Upstream]) -> None:
        """Begin the probes that are due. Called every second or so, from the event loop; never waits."""
        now = time.monotonic()
        probed = {name: each for name, each in upstreams.items() if each.health}
        for name in self._turns.keys() - probed.keys():
            self._end(self._turns.pop(name))
        for name, upstream in probed.items():
            assert upstream.health
            every = upstream.health.every
            turn = self._turns.setdefault(name, _Turn(now + uniform(0, every)))  # noqa: S311 - no secret
            turn.due = min(turn.due, now + every * (1 + JITTER))  # the rules may ask for a faster pace now
            if turn.due > now or turn.is_running() or self._health.is_drained(name) or self._is_busy():
                continue
            turn.due = now + every * uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
            turn.task = asyncio.create_task(self._probe(upstream, upstream.health))

    def close(self) -> None:
        """End what is under way; nothing of it counts."""
        for turn in self._turns.values():
            self._end(turn)
        self._turns.clear()

    def _is_busy(self) -> bool:
        return sum(turn.is_running() for turn in self._turns.values()) >= AT_ONCE_MAX

    @staticmethod
    def _end(turn: _Turn) -> None:
        if turn.task is not None:
            turn.task.cancel()

    async def _probe(self, upstream: Upstream, probes: Probes) -> None:
        try:
            async with asyncio.timeout(probes.timeout):
                status = await ask(upstream, probes.path, self._trust)
            ok, said = is_good(status, upstream), f"status {status}"
        except StateError as error:  # it names the reference to a secret, never the secret
            ok, said = False, str(error)
        except (OSError, TimeoutError, ValueError) as error:
            ok, said = False, type(error).__name__
        if ok is None:
            return
        was_left = self._health.open_until(upstream.name, time.monotonic()) is not None
        self._health.probed(upstream.name, ok, time.monotonic(), probes)
        is_left = self._health.open_until(upstream.name, time.monotonic()) is not None
        if was_left != is_left:
            logger.warning("upstream %s: %s (probe: %s)", upstream.name, "unhealthy" if is_left else "is back", said)


def is_good(status: int, upstream: Upstream) -> bool | None:
    """What a probe's answer says; None: nothing.

    A full queue (429) does not make an upstream a dead one, nor a live one. Without a secret of ours it is good enough
    that we are told to bring one.
    """
    if status == 429:
        return None
    has_secret = upstream.auth is not None and upstream.auth.kind != "keep"
    return 200 <= status < 300 or (status in (401, 403) and not has_secret)


async def ask(upstream: Upstream, path: str, trust: Callable[[Path | None], ssl.SSLContext]) -> int:
    """GET ``path`` below the upstream's url, over a connection of its own, and return the status.

    Of the answer only the first line is read. Raises OSError, ValueError for what is no HTTP, StateError for a secret
    that is not there.
    """
    head = assemble_request(_request(upstream, path))
    tls = trust(upstream.trust) if upstream.scheme == "https" else None
    reader, writer = await asyncio.open_connection(upstream.host, upstream.port, ssl=tls, limit=STATUS_LINE_BYTES_MAX)
    try:
        writer.write(head)
        return _status_in(await reader.readline())
    finally:
        writer.transport.abort()  # a proper goodbye would wait for the other side


def _request(upstream: Upstream, path: str) -> http.Request:
    host = f"[{upstream.host}]" if ":" in upstream.host else upstream.host
    url = f"{upstream.scheme}://{host}:{upstream.port}{upstream.path}{path}{'?' * bool(upstream.query)}{upstream.query}"
    request = http.Request.make("GET", url, headers=http.Headers(accept="*/*", user_agent="outwarden"))
    request.headers["host"] = host if upstream.port in (80, 443) else f"{host}:{upstream.port}"
    request.headers["connection"] = "close"
    if upstream.format == "anthropic":
        request.headers["anthropic-version"] = ANTHROPIC_VERSION
    if upstream.auth and upstream.auth.identity:
        sign_as(upstream.auth.identity, request)
    elif upstream.auth:
        sign_in_as(upstream.auth, request)
    return request


def _status_in(line: bytes) -> int:
    protocol, _, rest = line.partition(b" ")
    status = rest[:3]
    if not protocol.startswith(b"HTTP/1.") or len(status) != 3 or not status.isdigit():
        raise ValueError("the answer is no HTTP/1")
    return int(status)
