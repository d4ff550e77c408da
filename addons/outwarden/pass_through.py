"""Addon: open only the hosts of ``traffic.yml``; everything else passes as it is, unread."""

from mitmproxy import http, tls

from outwarden.flow.guard import fail_closed
from outwarden.flow.state import state_of
from outwarden.load_rules import Shelf
from outwarden.wire.traffic import Host


class PassThrough:
    """Decide per connection whether it is ours."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def _find(self, *names: str | None) -> Host | None:
        traffic = self._shelf.services.engines.rules.traffic
        return next((host for name in names if name and (host := traffic.find(name))), None)

    @fail_closed
    def http_connect(self, flow: http.HTTPFlow) -> None:
        self._refuse_unknown(flow)

    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        address = data.context.server.address
        if not self._find(address and address[0], data.client_hello.sni):
            data.ignore_connection = True

    @fail_closed
    def requestheaders(self, flow: http.HTTPFlow) -> None:
        if self._find(flow.request.host, flow.client_conn.sni):
            return
        self._refuse_unknown(flow)
        if not flow.response:
            flow.request.stream = True

    @fail_closed
    def responseheaders(self, flow: http.HTTPFlow) -> None:
        if state_of(flow) is None and flow.response:
            flow.response.stream = True

    def _refuse_unknown(self, flow: http.HTTPFlow) -> None:
        if self._shelf.services.engines.rules.traffic.otherwise == "refuse" and not self._find(flow.request.host):
            text = b"outwarden: this host is not in traffic.yml, and other traffic is refused (otherwise: refuse)\n"
            flow.response = http.Response.make(403, text, {"content-type": "text/plain"})
