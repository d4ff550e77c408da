"""TLS towards upstreams that are verified against a CA of their own (``trust`` in the rules), and for probes of all."""

import ipaddress
import ssl
from functools import lru_cache
from pathlib import Path

import certifi
from mitmproxy import ctx
from mitmproxy.connection import Server
from mitmproxy.net import tls as net_tls
from mitmproxy.tls import TlsData
from OpenSSL import SSL

# X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, as mitmproxy's own tlsconfig sets them.
_HOST_FLAGS = 0x4 | 0x20


def start_trusted(tls_start: TlsData, trust: Path) -> None:
    """Prepare the handshake with ``tls_start.conn``; its name is verified against the CA file ``trust`` alone."""
    server, client = tls_start.conn, tls_start.context.client
    assert isinstance(server, Server)
    context = net_tls.create_proxy_server_context(
        method=net_tls.Method.TLS_CLIENT_METHOD,
        min_version=net_tls.Version[ctx.options.tls_version_server_min],
        max_version=net_tls.Version[ctx.options.tls_version_server_max],
        cipher_list=None,
        ecdh_curve=None,
        verify=net_tls.Verify.VERIFY_PEER,
        ca_path=None,
        ca_pemfile=str(trust),
        client_cert=None,
        legacy_server_connect=False,
    )
    tls_start.ssl_conn = SSL.Connection(context)
    name = server.sni or (server.address[0] if server.address else "")
    _verify_name(tls_start.ssl_conn, name)
    http2 = ctx.options.http2 and client.alpn == b"h2"  # the upstream is spoken to in the client's own protocol version
    offers = [offer for offer in client.alpn_offers or () if http2 or offer != b"h2"]
    server.alpn_offers = offers
    if offers:
        tls_start.ssl_conn.set_alpn_protos(offers)
    tls_start.ssl_conn.set_connect_state()


def trusted_context(trust: Path | None) -> ssl.SSLContext:
    """Verify an upstream that is probed as mitmproxy and we do for a call: against ``trust``, else by its options.

    Raises OSError where the certificates cannot be read.
    """
    if trust is not None:
        return _context(str(trust), None, verifies=True)
    file, folder = ctx.options.ssl_verify_upstream_trusted_ca, ctx.options.ssl_verify_upstream_trusted_confdir
    return _context(file, folder, verifies=not ctx.options.ssl_insecure)


@lru_cache(64)  # reading the system's certificates takes some 20 ms
def _context(file: str | None, folder: str | None, *, verifies: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not verifies:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    elif file or folder:
        context.load_verify_locations(file, folder)
    else:
        context.load_verify_locations(certifi.where())
    return context


def _verify_name(connection: SSL.Connection, name: str) -> None:
    # pyOpenSSL has no public way to ask for host name verification; this is what mitmproxy does, too.
    lib = SSL._lib  # type: ignore[attr-defined]
    param = lib.SSL_get0_param(connection._ssl)
    lib.X509_VERIFY_PARAM_set_hostflags(param, _HOST_FLAGS)
    try:
        packed = ipaddress.ip_address(name).packed
    except ValueError:
        host = name.encode("idna")
        connection.set_tlsext_host_name(host)
        done = lib.X509_VERIFY_PARAM_set1_host(param, host, len(host))
    else:
        done = lib.X509_VERIFY_PARAM_set1_ip(param, packed, len(packed))
    if done != 1:
        raise ValueError("the upstream's name cannot be verified")
