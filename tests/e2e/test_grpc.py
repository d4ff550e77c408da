"""gRPC through the running interceptor, spoken by real grpcio on both ends: tunnelled unread, or refused."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from interceptor import EMAIL, Interceptor, pii_rules, until

from outwarden.simulate import Certificates, make_certificates

HOST = "grpc.here.example"
SERVICE = "outwarden.test.Chat"
BIG = b"\x00\xff" * 400_000  # more than one HTTP/2 window and many frames
SECRET = f"Write to {EMAIL}.".encode()


class Server:
    """A gRPC server of bytes: every kind of method, what it was asked, and trailers with each answer."""

    def __init__(self, certificates: Certificates) -> None:
        self.ca = certificates.ca
        self.asked: list[bytes] = []
        self.metadata: list[dict[str, Any]] = []
        self._server = grpc.server(ThreadPoolExecutor(4))
        handlers = {
            "Echo": grpc.unary_unary_rpc_method_handler(self._echo),
            "Count": grpc.unary_stream_rpc_method_handler(self._count),
            "Join": grpc.stream_unary_rpc_method_handler(self._join),
            "Talk": grpc.stream_stream_rpc_method_handler(self._talk),
            "Fail": grpc.unary_unary_rpc_method_handler(self._fail),
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        key, chain = certificates.key.read_bytes(), certificates.chain.read_bytes()
        self.port = self._server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, chain)]))

    def __enter__(self) -> "Server":
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(None).wait(10)

    def clear(self) -> None:
        """Forget what was asked."""
        self.asked.clear()
        self.metadata.clear()

    def _note(self, request: bytes, context: grpc.ServicerContext) -> None:
        self.asked.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        context.set_trailing_metadata((("x-trailer", "told"), ("x-bytes-bin", b"\x00\x01\xff")))

    def _echo(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        self._note(request, context)
        return request

    def _count(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        self._note(request, context)
        yield from (b"%d" % number for number in range(int(request)))

    def _join(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        whole = b"".join(requests)
        self._note(whole, context)
        return whole

    def _talk(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        for request in requests:
            self._note(request, context)
            yield request.upper()

    def _fail(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        self._note(request, context)
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not today: 100 %")
        raise AssertionError


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A gRPC server that shows the host's name."""
    certificates = make_certificates(tmp_path_factory.mktemp("grpc"), [HOST])
    with Server(certificates) as running:
        yield running


def rules(server: Server, grpc_rule: str) -> dict[str, Any]:
    """Rule files that take the host to the server."""
    host = {"hosts": [HOST], "provider": "here", "format": "generic"}
    aim = {"connect_to": f"127.0.0.1:{server.port}", "trust": str(server.ca)}
    return {"traffic": {"intercept": [host | aim], "grpc": grpc_rule}, "pii": pii_rules()}


@pytest.fixture(scope="module")
def tunnelling(server: Server, start: Any) -> Interceptor:
    """An interceptor that lets gRPC pass."""
    return start(rules(server, "tunnel"))  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def refusing(server: Server, start: Any) -> Interceptor:
    """An interceptor that does not."""
    return start(rules(server, "refuse"))  # type: ignore[no-any-return]


@contextmanager
def channel(outwarden: Interceptor) -> Iterator[grpc.Channel]:
    """A channel to the host through the interceptor, that trusts its CA and nothing else."""
    credentials = grpc.ssl_channel_credentials(Path(outwarden.ca).read_bytes())
    options = [("grpc.http_proxy", outwarden.url), ("grpc.enable_retries", 0)]
    with grpc.secure_channel(f"{HOST}:443", credentials, options=options) as opened:
        yield opened


def method(opened: grpc.Channel, name: str) -> Any:
    """A method of the service, on bytes."""
    kinds = {"Count": opened.unary_stream, "Join": opened.stream_unary, "Talk": opened.stream_stream}
    return kinds.get(name, opened.unary_unary)(f"/{SERVICE}/{name}")


@pytest.mark.parametrize("request_bytes", [b"", SECRET, BIG], ids=["empty", "small", "big"])
def test_a_unary_call_passes(tunnelling: Interceptor, server: Server, request_bytes: bytes) -> None:
    """Bytes, metadata and trailers both ways; nothing is read, so nothing is taken out, and the record says so."""
    server.clear()
    before = {record["call_id"] for record in tunnelling.records()}
    with channel(tunnelling) as opened:
        metadata = [("x-team", "blue"), ("x-blob-bin", b"\x00\xfe")]
        answer, call = method(opened, "Echo").with_call(request_bytes, metadata=metadata, timeout=30)

    assert answer == request_bytes
    assert server.asked == [request_bytes]
    assert server.metadata[0]["x-team"] == "blue"
    assert server.metadata[0]["x-blob-bin"] == b"\x00\xfe"
    assert dict(call.trailing_metadata())["x-trailer"] == "told"
    assert dict(call.trailing_metadata())["x-bytes-bin"] == b"\x00\x01\xff"
    (record,) = until(lambda: [each for each in tunnelling.records() if each["call_id"] not in before])
    assert (record["operation"], record["verdict"], record["flagged"]) == ("grpc", "allowed", {"grpc": 1})


def test_a_stream_of_answers_passes(tunnelling: Interceptor, server: Server) -> None:
    """Each message comes, in order."""
    with channel(tunnelling) as opened:
        found = list(method(opened, "Count")(b"500", timeout=30))

    assert found == [b"%d" % number for number in range(500)]


def test_a_stream_of_requests_passes(tunnelling: Interceptor, server: Server) -> None:
    """All of it arrives, more than fits into any window."""
    with channel(tunnelling) as opened:
        answer = method(opened, "Join")(iter([BIG, SECRET, b"", BIG]), timeout=30)

    assert answer == BIG + SECRET + BIG


def test_both_sides_talk_at_once(tunnelling: Interceptor, server: Server) -> None:
    """Each request is answered before the next one is sent: nothing waits for an end that does not come."""
    with channel(tunnelling) as opened:
        answered: list[bytes] = []

        def requests() -> Iterator[bytes]:
            for number, each in enumerate([b"one", b"two", b"three"]):
                until(lambda number=number: len(answered) >= number, 10)
                yield each

        for answer in method(opened, "Talk")(requests(), timeout=30):
            answered.append(answer)

    assert answered == [b"ONE", b"TWO", b"THREE"]


def test_an_error_of_the_servers_is_the_callers(tunnelling: Interceptor, server: Server) -> None:
    """Status and message travel in trailers."""
    with channel(tunnelling) as opened, pytest.raises(grpc.RpcError) as failed:
        method(opened, "Fail")(b"x", timeout=30)

    assert failed.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert failed.value.details() == "not today: 100 %"


@pytest.mark.parametrize("name", ["Echo", "Count", "Join", "Talk"])
def test_a_refused_call_does_not_leave(refusing: Interceptor, server: Server, name: str) -> None:
    """Every kind of call gets a status that says which rule it was, and the server is never asked."""
    server.clear()
    with channel(refusing) as opened:
        asked = iter([SECRET]) if name in ("Join", "Talk") else SECRET
        with pytest.raises(grpc.RpcError) as failed:
            iter(method(opened, name)(asked, timeout=30)).__next__()

    assert failed.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert "grpc: refuse" in failed.value.details()
    assert server.asked == []
    assert until(lambda: [each for each in refusing.records() if each["rule"] == "grpc_not_supported"])
