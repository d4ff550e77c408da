"""Hosts that are not ours pass unopened."""

import json
import socket
import ssl
from typing import Any

import httpx
import pytest
from interceptor import EMAIL, OPENAI, Interceptor, chat, rules_for

from outwarden.simulate import Certificates, Script, SimulatedProvider
from replaying.client import trusting


@pytest.fixture(scope="module")
def outwarden(primary: SimulatedProvider, start: Any) -> Interceptor:
    """One interceptor that tunnels what it does not know."""
    return start(rules_for(primary))


@pytest.fixture
def origin(certificates: Certificates) -> ssl.SSLContext:
    """A context that trusts the origin's own CA and nothing else: our CA would not do."""
    return trusting(certificates.ca)


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_an_unknown_host_is_tunnelled(
    outwarden: Interceptor, provider: SimulatedProvider, certificates: Certificates, http2: bool
) -> None:
    """The client sees the origin's own certificate, the origin the client's own bytes, and no record is written."""
    before = outwarden.count_records()
    origin = trusting(certificates.ca, http2=http2)
    with httpx.Client(proxy=outwarden.url, verify=origin, http2=http2, timeout=20) as client:
        url = f"https://127.0.0.1:{provider.port}/v1/chat/completions"
        answer = client.post(url, json=chat(EMAIL))

    assert answer.json()["choices"][0]["message"]["content"] == EMAIL
    assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
    assert EMAIL.encode() in provider.requests[-1].body
    assert "x-outwarden-call-id" not in answer.headers
    assert outwarden.count_records() == before + 1, "its own call and nothing else"


def test_a_known_host_shows_our_certificate(outwarden: Interceptor, origin: ssl.SSLContext) -> None:
    """A client that trusts only the origin's CA notices that a known host is opened."""
    with (
        httpx.Client(proxy=outwarden.url, verify=origin, timeout=20) as client,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.post(f"https://{OPENAI}/v1/chat/completions", json=chat("x"))


def test_a_tunnel_that_is_no_tls_passes(outwarden: Interceptor) -> None:
    """Bytes that are not TLS go both ways through a tunnel (SSH, databases)."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        with socket.create_connection(("127.0.0.1", outwarden.port), timeout=10) as client:
            client.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
            client.sendall(b"SSH-2.0-client\r\n")
            server.settimeout(10)
            peer, _ = server.accept()
            with peer:
                assert peer.recv(100) == b"SSH-2.0-client\r\n"
                peer.sendall(b"SSH-2.0-server\r\n")
                assert client.recv(100) == b"SSH-2.0-server\r\n"


def test_an_unreachable_host_is_an_error_and_not_a_hang(outwarden: Interceptor, origin: ssl.SSLContext) -> None:
    """A tunnel to a closed port fails at once."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with httpx.Client(proxy=outwarden.url, verify=origin, timeout=10) as client, pytest.raises(httpx.HTTPError):
        client.get(f"https://127.0.0.1:{port}/")


def test_sni_and_host_cannot_disagree_unread(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """A call to a known host stays one, whatever its Host header says."""
    with outwarden.http() as client:
        answer = client.post(
            f"https://{OPENAI}/v1/chat/completions", json=chat(EMAIL), headers={"host": "harmless.example"}
        )

    assert EMAIL.encode() not in b"".join(seen.body for seen in provider.requests)
    assert answer.status_code != 200 or EMAIL in json.dumps(answer.json())


def test_connecting_by_address_with_a_known_name_is_ours(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """CONNECT to an address with the TLS name of a known host does not slip past: the name decides, too."""
    context = outwarden.trust()
    target = f"127.0.0.1:{provider.port}"
    with socket.create_connection(("127.0.0.1", outwarden.port), timeout=10) as plain:
        plain.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        assert plain.recv(1000).startswith(b"HTTP/1.1 200")
        body = json.dumps(chat(EMAIL)).encode()
        with context.wrap_socket(plain, server_hostname=OPENAI) as tls:
            head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {OPENAI}\r\ncontent-type: application/json\r\n"
            tls.sendall(f"{head}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
            answer = b"".join(iter(lambda: tls.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.1 200")
    assert EMAIL.encode() not in b"".join(seen.body for seen in provider.requests)


def test_a_slow_tunnel_is_left_alone(
    outwarden: Interceptor, provider: SimulatedProvider, origin: ssl.SSLContext
) -> None:
    """A tunnelled stream reaches the client piece by piece."""
    provider.queue(Script(text="one two three four five six", event_delay_s=0.05, piece_chars=5))
    with httpx.Client(proxy=outwarden.url, verify=origin, timeout=20) as client:
        url = f"https://127.0.0.1:{provider.port}/v1/chat/completions"
        with client.stream("POST", url, json=chat("x", stream=True)) as answer:
            pieces = list(answer.iter_raw())

    assert len(pieces) > 3
