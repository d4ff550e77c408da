"""Addon: the status page, at http://outwarden.internal/ through the proxy and on the admin port."""

import logging
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from mitmproxy import ctx, exceptions, http
from mitmproxy.addonmanager import Loader
from tornado.httpserver import HTTPServer

from outwarden.flow.authority import certificate_path
from outwarden.flow.guard import fail_closed
from outwarden.flow.room import held_bytes
from outwarden.load_rules import Shelf
from outwarden.web import INTERNAL_HOST, Snapshot, StatusApp, start_admin, summarize

logger = logging.getLogger(__name__)


class ServeStatus:
    """Answer requests for the page; everything it shows is counts and names."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._app: StatusApp | None = None
        self._server: HTTPServer | None = None

    def load(self, loader: Loader) -> None:
        loader.add_option("outwarden_admin", str, "", "HOST:PORT of the status page and metrics; empty: nowhere.")

    def configure(self, updated: set[str]) -> None:
        if "outwarden_admin" in updated and ctx.options.outwarden_admin:
            parse_address(ctx.options.outwarden_admin)

    def running(self) -> None:
        self._app = StatusApp(self.snapshot, self.metrics, certificate_path(ctx.options.confdir))
        if ctx.options.outwarden_admin:
            host, port = parse_address(ctx.options.outwarden_admin)
            try:
                self._server, bound = start_admin(host, port, self._app)
            except OSError as error:
                logger.error("the admin port %s:%d cannot be used: %s", host, port, error.strerror)
                ctx.master.shutdown()
                return
            logger.warning("status page on http://%s:%d/", host, bound)

    async def done(self) -> None:
        if self._server:
            self._server.stop()
            await self._server.close_all_connections()

    @fail_closed
    def request(self, flow: http.HTTPFlow) -> None:
        if flow.request.host != INTERNAL_HOST or flow.response or self._app is None:
            return
        path, _, query = flow.request.path.partition("?")
        answer = self._app.respond(flow.request.method, flow.request.host, path, query)
        flow.response = http.Response.make(answer.status, answer.body, dict(answer.headers))

    def snapshot(self) -> Snapshot:
        """The state at this moment."""
        services = self._shelf.services
        now = time.monotonic()
        return Snapshot(
            version=installed_version(),
            started_at=services.started_at,
            now=datetime.now(UTC),
            budgets=self._budgets(),
            recent=services.recent.newest_first(),
            upstreams=[{"name": name, "state": state} for name, state in services.health.states(now).items()],
            rules=summarize(services.engines.rules),
        )

    def metrics(self) -> str:
        """The Prometheus text."""
        return self._shelf.services.metrics.text(self._budgets(), held_bytes())

    def _budgets(self) -> list[dict[str, Any]]:
        services = self._shelf.services
        return [dict(state.as_json()) for state in services.ledger.states(services.engines.rules.budgets)]


def installed_version() -> str:
    """The package's version; empty where it runs from a bare checkout."""
    try:
        return version("outwarden")
    except PackageNotFoundError:
        return ""


def parse_address(text: str) -> tuple[str, int]:
    """Read HOST:PORT ([::1]:8080 for IPv6)."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise exceptions.OptionsError(f"{text!r} is not HOST:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)
