"""Which page a request gets, and whether it gets one."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from outwarden.errors import OutwardenError
from outwarden.observe import CONTENT_TYPE
from outwarden.web.page import STYLE_HASH, page
from outwarden.web.snapshot import Snapshot

_log = logging.getLogger(__name__)

INTERNAL_HOST = "outwarden.internal"  # .internal is reserved for private use by ICANN, so no public name is shadowed

# The page needs nothing but its own style sheet, which it carries; the hash lets that one in and no other.
_SAFE = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src '{STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply in plain values; whoever serves it puts it on its wire. ``Content-Length`` counts the GET's body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False, default=b"")


class StatusApp:
    """Answers requests for the status page.

    ``snapshot`` and ``metrics`` are asked per request. ``ca_certificate`` is what clients trust (never its key).
    ``names`` are further host names under which the page may be asked for.
    """

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        metrics: Callable[[], str],
        ca_certificate: Path,
        names: frozenset[str] = frozenset(),
    ) -> None:
        self._snapshot = snapshot
        self._metrics = metrics
        self._ca_certificate = ca_certificate
        self._names = names | {INTERNAL_HOST, "localhost"}
        self._pages: Mapping[str, Callable[[], Answer]] = {
            "/": self._page,
            "/status.json": self._status_json,
            "/metrics": self._metrics_text,
            "/healthz": lambda: _answer(200, "text/plain; charset=utf-8", b"ok\n"),
            "/ca": self._ca,
        }

    def respond(self, method: str, host: str, path: str, query: str = "") -> Answer:
        """Answer one request. ``host`` is the Host header; ``query`` has no meaning on any page and is ignored."""
        if not self._is_ours(host):
            # A page elsewhere that points its own name at our address (DNS rebinding) must not read ours.
            return _answer(421, "text/plain; charset=utf-8", b"this host name is not served here\n")
        if method not in ("GET", "HEAD"):
            return _answer(405, "text/plain; charset=utf-8", b"only GET and HEAD\n", {"Allow": "GET, HEAD"})
        handler = self._pages.get(path)
        if handler is None:
            return _answer(404, "text/plain; charset=utf-8", b"there is no such page\n")
        try:
            answer = handler()
        except OutwardenError as error:  # the store does not answer: say so, the calls themselves are refused elsewhere
            _log.warning("status page %s: %s", path, type(error).__name__)
            return _answer(503, "text/plain; charset=utf-8", b"the state cannot be read now\n")
        return answer if method == "GET" else Answer(answer.status, answer.headers)

    def _is_ours(self, host: str) -> bool:
        name = _without_port(host)
        return name in self._names or _is_address(name)  # a bare address cannot be rebound: it is no name

    def _page(self) -> Answer:
        return _answer(200, "text/html; charset=utf-8", page(self._snapshot()).encode("utf-8", "replace"))

    def _status_json(self) -> Answer:
        body = json.dumps(self._snapshot().as_json(), indent=1, default=str)
        return _answer(200, "application/json", body.encode())

    def _metrics_text(self) -> Answer:
        return _answer(200, CONTENT_TYPE, self._metrics().encode())

    def _ca(self) -> Answer:
        try:
            body = self._ca_certificate.read_bytes()
        except OSError:
            return _answer(404, "text/plain; charset=utf-8", b"there is no CA certificate yet\n")
        name = {"Content-Disposition": 'attachment; filename="outwarden-ca-cert.pem"'}
        return _answer(200, "application/x-pem-file", body, name)


def _answer(status: int, content_type: str, body: bytes, more: Mapping[str, str] | None = None) -> Answer:
    headers = {"Content-Type": content_type, "Content-Length": str(len(body)), **_SAFE, **(more or {})}
    return Answer(status, headers, body)


def _without_port(host: str) -> str:
    name = host.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0].rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
