"""A lean mitmproxy: only the addons that a proxy needs, and ours (DESIGN.md §3.4: 1.3 times mitmdump's throughput)."""

import asyncio
import inspect
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, Literal

from mitmproxy import exceptions, flow, hooks, options
from mitmproxy.addonmanager import AddonManager
from mitmproxy.addons import (
    core,
    disable_h2c,
    dns_resolver,
    errorcheck,
    next_layer,
    proxyauth,
    proxyserver,
    tlsconfig,
    upstream_auth,
)
from mitmproxy.master import Master

from outwarden.errors import OutwardenError
from outwarden.flow.guard import where
from outwarden.flow.handler import handle_surely
from outwarden.flow.lean import make_lean
from outwarden.flow.state import in_flight

logger = logging.getLogger(__name__)

Face = Literal["lean", "web", "tui"]

DRAIN_S = 30.0  # how long calls in flight may go on after a signal


class LeanAddons(AddonManager):
    """mitmproxy's addon manager with the handlers of each hook looked up once.

    Looking through every addon for every hook of every flow is a tenth of a small call's time. The ``update`` hook
    exists for views, so it is triggered only where somebody listens.
    """

    def __init__(self, master: Master) -> None:
        super().__init__(master)  # type: ignore[no-untyped-call]
        self._handlers: dict[str, list[Callable[..., Any]]] = {}

    def register(self, addon: Any) -> Any:
        """Register an addon; what was looked up before is forgotten."""
        self._handlers = {}
        return super().register(addon)  # type: ignore[no-untyped-call]

    def _of(self, event: hooks.Hook) -> list[Callable[..., Any]]:
        found = self._handlers.get(event.name)
        if found is None:
            found = [func for addon in self.chain for _, func in self._iter_hooks(addon, event)]
            self._handlers[event.name] = found
        return found

    async def handle_lifecycle(self, event: hooks.Hook) -> None:
        """Trigger a hook of a flow or connection."""
        await self.trigger_event(event)
        message = event.args()[0]
        if isinstance(message, flow.Flow):
            update = hooks.UpdateHook([message])
            if self._of(update):
                await self.trigger_event(update)

    async def trigger_event(self, event: hooks.Hook) -> None:
        """Call every handler in order; one that raises is logged and the others still run."""
        args = event.args()
        for handler in self._of(event):
            try:
                result = handler(*args)
                if result is not None and inspect.isawaitable(result):
                    await result
            except exceptions.AddonHalt:
                return
            except exceptions.OptionsError:
                raise
            except Exception as error:  # as mitmproxy does, but without the text, which may quote a body
                logger.error("addon failed in %s: %s", event.name, where(error))


class LeanMaster(Master):
    """Master with core, proxy server, TLS and our chain."""

    def __init__(self, opts: options.Options, chain: Sequence[Any]) -> None:
        super().__init__(opts)
        make_lean()
        self.addons = LeanAddons(self)
        self.addons.add(  # type: ignore[no-untyped-call]
            core.Core(),
            disable_h2c.DisableH2C(),
            proxyauth.ProxyAuth(),
            proxyserver.Proxyserver(),
            dns_resolver.DnsResolver(),
            next_layer.NextLayer(),
            *chain,
            tlsconfig.TlsConfig(),
            upstream_auth.UpstreamAuth(),
            errorcheck.ErrorCheck(),
        )


async def serve(settings: list[str], face: Face, chain: Callable[[], Sequence[Any]]) -> int:
    """Run with ``name=value`` settings until a signal; a second one does not wait for calls in flight.

    Returns the exit code; what is wrong at the start is one line on stderr.
    """
    log_to_stderr() if face == "lean" else log_to_face()
    handle_surely()
    try:
        master = LeanMaster(options.Options(), chain()) if face == "lean" else hosted_master(face, chain())
        master.addons.add(Announce(master))
        master.options.set(*settings)
    except (exceptions.OptionsError, OutwardenError) as error:
        print(f"outwarden: {error}", file=sys.stderr)
        return 1
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, shut_down, master, DRAIN_S)
    try:
        await master.run()
    except SystemExit as stopped:  # mitmproxy's errorcheck: the reason is on stderr
        return int(stopped.code or 0)
    return 0


def hosted_master(face: Face, chain: Sequence[Any]) -> Master:
    """mitmweb (``web``) or mitmproxy's terminal interface (``tui``) with our chain where ``-s`` scripts have theirs.

    That place is before mitmproxy's own `Save`, so that a saved flow holds what we left of it.
    """
    opts = options.Options()
    if face == "web":
        from mitmproxy.tools.web.master import WebMaster

        master: Master = WebMaster(opts)
    else:
        from mitmproxy.tools.console.master import ConsoleMaster

        master = ConsoleMaster(opts)
    master.addons.add(*chain)
    order = master.addons.chain
    del order[-len(chain) :]
    place = order.index(master.addons.get("scriptloader")) + 1
    order[place:place] = chain
    return master


class Announce:
    """Print the one line of the contract when the proxy is ready."""

    def __init__(self, master: Master) -> None:
        self._master = master

    def running(self) -> None:
        for address in self._master.addons.get("proxyserver").listen_addrs():
            host, port = address[0], address[1]
            print(f"listening on [{host}]:{port}" if ":" in host else f"listening on {host}:{port}", flush=True)


def log_to_stderr() -> None:
    """Show our own messages from WARNING on."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    quiet_peers()


def log_to_face() -> None:
    """Let mitmproxy's own log views show what they are made for."""
    logging.getLogger().setLevel(logging.INFO)
    quiet_peers()


def quiet_peers() -> None:
    """Leave out the logs that quote what peers send."""
    for name in ("mitmproxy.proxy.server", "hpack", "h2", "tornado.access"):
        logging.getLogger(name).setLevel(logging.ERROR)


def shut_down(master: Master, drain_s: float) -> None:
    """Stop listening, let the calls in flight end within ``drain_s`` seconds, then stop; at once if asked again."""
    if _stopping:
        master.shutdown()
        return
    master.options.update(server=False)
    _stopping.append(asyncio.ensure_future(_drain(master, drain_s)))


def is_stopping() -> bool:
    """Whether the process drains: calls in flight end, no other comes."""
    return bool(_stopping)


_stopping: list[asyncio.Future[None]] = []  # keeps the task alive, and tells a second signal from the first


async def _drain(master: Master, drain_s: float) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + drain_s
    while in_flight() and loop.time() < end:  # noqa: ASYNC110  # a state of many calls, asked for once in a process's life
        await asyncio.sleep(0.05)
    master.shutdown()
