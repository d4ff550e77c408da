"""Addon: find out how upstreams do beside the calls: by probes of our own, and from other processes."""

import asyncio

from mitmproxy import ctx

from outwarden.flow.master import is_stopping
from outwarden.flow.probes import Prober
from outwarden.flow.upstream_tls import trusted_context
from outwarden.load_rules import Shelf, every

ROUND_EVERY_S = 0.5
# What is drained, or found by another process, counts within two seconds: one to be written, one to be read.
SHARE_EVERY_S = 0.5


class WatchUpstreams:
    """Probe the upstreams whose rules say so, and exchange what is known of all with the other processes."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._prober: Prober | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def running(self) -> None:
        self._prober = Prober(self._shelf.services.health, trusted_context)
        self._tasks = [
            asyncio.create_task(every(SHARE_EVERY_S, lambda: self._shelf.services.share_health())),
            asyncio.create_task(every(ROUND_EVERY_S, self._probe)),
        ]

    def done(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._prober:
            self._prober.close()

    def _probe(self) -> None:
        """Nobody is probed for calls that will not come, nor past a proxy that calls have to take."""
        if self._prober is None:
            return
        behind_proxy = any(mode.startswith("upstream:") for mode in ctx.options.mode)
        if is_stopping() or behind_proxy:
            self._prober.close()
        else:
            self._prober.round(self._shelf.services.engines.rules.routes.upstreams)
