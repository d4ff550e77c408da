"""Upstreams with a CA of their own: their name is verified against it, and against it alone."""

import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mitmproxy import ctx
from mitmproxy.connection import Client, Server
from OpenSSL import SSL

from outwarden.flow import upstream_tls
from outwarden.flow.upstream_tls import start_trusted
from outwarden.simulate import Certificates, make_certificates


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority and a certificate for a name and an address."""
    return make_certificates(tmp_path_factory.mktemp("right"), ["llm.corp.example", "127.0.0.1", "*.wild.example"])


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Another authority, for the same names."""
    return make_certificates(tmp_path_factory.mktemp("wrong"), ["llm.corp.example", "127.0.0.1"])


@pytest.fixture(autouse=True)
def mitmproxy_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """mitmproxy's defaults."""
    chosen = SimpleNamespace(tls_version_server_min="TLS1_2", tls_version_server_max="UNBOUNDED", http2=True)
    monkeypatch.setattr(ctx, "options", chosen, raising=False)


def begin(
    name: str, trust: Path, *, client_offers: list[bytes] | None = None, alpn: bytes | None = None, sni: bool = True
) -> Any:
    """Prepare a handshake; returns what mitmproxy's hook hands around."""
    server = Server(address=(name, 443))
    server.sni = name if sni else None
    client = Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2), alpn=alpn)
    client.alpn_offers = client_offers or []
    data: Any = SimpleNamespace(conn=server, context=SimpleNamespace(client=client), ssl_conn=None)
    start_trusted(data, trust)
    return data


def shake_hands(client: Any, certificates: Certificates, offers: bytes | None = None) -> SSL.Connection:
    """Let a server with this certificate answer; raises SSL.Error where the client does not trust it."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_certificate_chain_file(str(certificates.chain))
    context.use_privatekey_file(str(certificates.key))
    if offers:
        context.set_alpn_select_callback(
            lambda _, offered: offers if offers in offered else SSL.NO_OVERLAPPING_PROTOCOLS
        )
    server = SSL.Connection(context)
    server.set_accept_state()
    for _ in range(10):
        for one, other in ((client, server), (server, client)):
            with contextlib.suppress(SSL.WantReadError):
                one.do_handshake()
            with contextlib.suppress(SSL.WantReadError):
                other.bio_write(one.bio_read(65536))
    return server


@pytest.mark.parametrize("name", ["llm.corp.example", "127.0.0.1", "a.wild.example"])
@pytest.mark.parametrize("sni", [True, False])
def test_the_right_name_under_the_right_authority(certificates: Certificates, name: str, sni: bool) -> None:
    """A host name, an address and a wildcard are accepted; without SNI the address that is dialled counts."""
    data = begin(name, certificates.ca, sni=sni)
    server = shake_hands(data.ssl_conn, certificates)

    assert data.ssl_conn.get_peer_certificate()
    is_address = name[0].isdigit()
    assert server.get_servername() == (None if is_address else name.encode())


@pytest.mark.parametrize("name", ["other.corp.example", "127.0.0.2", "corp.example", "b.a.wild.example"])
def test_another_name_is_refused(certificates: Certificates, name: str) -> None:
    """The authority is trusted for the names it gave out, not for every name."""
    with pytest.raises(SSL.Error):
        shake_hands(begin(name, certificates.ca).ssl_conn, certificates)


@pytest.mark.parametrize("name", ["llm.corp.example", "127.0.0.1"])
def test_another_authority_is_refused(certificates: Certificates, stranger: Certificates, name: str) -> None:
    """The right name from a stranger is worth nothing; nor are the system's roots asked."""
    with pytest.raises(SSL.Error):
        shake_hands(begin(name, certificates.ca).ssl_conn, stranger)


@pytest.mark.parametrize(
    ("alpn", "offered", "spoken"),
    [(b"h2", [b"h2", b"http/1.1"], b"h2"), (b"http/1.1", [b"h2", b"http/1.1"], b"http/1.1"), (None, [], b"")],
)
def test_the_upstream_is_spoken_to_as_the_client_speaks(
    certificates: Certificates, alpn: bytes | None, offered: list[bytes], spoken: bytes
) -> None:
    """HTTP/2 is offered only for a client that speaks it."""
    data = begin("llm.corp.example", certificates.ca, client_offers=offered, alpn=alpn)
    shake_hands(data.ssl_conn, certificates, spoken or None)

    assert data.ssl_conn.get_alpn_proto_negotiated() == spoken
    assert data.conn.alpn_offers == [offer for offer in offered if offer != b"h2" or alpn == b"h2"]


def test_a_name_that_cannot_be_verified_is_an_error(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the library will not check the name, there is no handshake."""
    connection = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD))
    refusing = SimpleNamespace(
        SSL_get0_param=lambda _: None,
        SSL_set_tlsext_host_name=lambda *_: 1,
        X509_VERIFY_PARAM_set_hostflags=lambda *_: None,
        X509_VERIFY_PARAM_set1_host=lambda *_: 0,
    )
    monkeypatch.setattr(upstream_tls.SSL, "_lib", refusing)

    with pytest.raises(ValueError, match="cannot be verified"):
        upstream_tls._verify_name(connection, "llm.corp.example")
