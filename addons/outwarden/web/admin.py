"""The status page on a port of its own."""

import logging
from http import HTTPStatus

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine
from tornado.netutil import bind_sockets

from outwarden.web.status import Answer, StatusApp

_log = logging.getLogger(__name__)

BODY_BYTES_MAX = 1024  # no page takes a body
HEADER_BYTES_MAX = 16 * 1024
IDLE_S = 30.0


def start_admin(host: str, port: int, app: StatusApp) -> tuple[HTTPServer, int]:
    """Serve ``app`` on ``host:port`` from the running event loop; return the server and the port it listens on.

    Port 0 takes a free one. Raises OSError where the address cannot be used. Stop with ``server.stop()`` and
    ``await server.close_all_connections()``.
    """

    def serve(request: HTTPServerRequest) -> None:
        host = request.headers.get("Host", "")
        try:
            answer = app.respond(request.method or "", host, request.path, request.query)
        except (
            Exception
        ) as error:  # tornado would leave the client waiting; what broke may be in the text, so log its kind
            _log.error("status page failed: %s", type(error).__name__)
            answer = Answer(500, {"Content-Length": "0"})
        _send(request, answer)

    server = HTTPServer(
        serve,
        idle_connection_timeout=IDLE_S,
        body_timeout=IDLE_S,
        max_body_size=BODY_BYTES_MAX,
        max_header_size=HEADER_BYTES_MAX,
    )
    sockets = bind_sockets(port, host)
    server.add_sockets(sockets)
    return server, int(sockets[0].getsockname()[1])


def _send(request: HTTPServerRequest, answer: Answer) -> None:
    connection = request.connection
    if connection is None:
        return  # the client left before we answered
    line = ResponseStartLine("HTTP/1.1", answer.status, HTTPStatus(answer.status).phrase)
    connection.write_headers(line, HTTPHeaders(answer.headers), answer.body)
    connection.finish()
