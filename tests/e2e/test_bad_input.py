"""Requests that are broken, disguised or strange: refused in the provider's own shape, or read; never let by unread."""

import contextlib
import gzip
import json
import re
import socket
import ssl
import threading
import zlib
from collections.abc import Iterator
from typing import Any

import brotli
import httpx
import pytest
import zstandard
from interceptor import (
    ANTHROPIC,
    EMAIL,
    GEMINI,
    OLLAMA,
    OPENAI,
    RECORD,
    Interceptor,
    assert_clean,
    chat,
    contents,
    message,
    rules_for,
    trusted,
    trusting,
)

from outwarden.simulate import Certificates, SimulatedProvider

URLS = {
    "openai": f"https://{OPENAI}/v1/chat/completions",
    "anthropic": f"https://{ANTHROPIC}/v1/messages",
    "gemini": f"https://{GEMINI}/v1beta/models/gemini-2.5-flash:generateContent",
    "ollama": f"https://{OLLAMA}/api/chat",
}
JSON = {"content-type": "application/json"}
SECRET = f"tell {EMAIL} about {RECORD}"


@pytest.fixture(scope="module")
def outwarden(primary: SimulatedProvider, start: Any) -> Interceptor:
    """One interceptor that reads bodies of up to one mebibyte, and scans paths it does not know."""
    return start(rules_for(primary, traffic={"max_body_mib": 1, "unknown_path": "scan"}))


@pytest.fixture(scope="module")
def strict(primary: SimulatedProvider, start: Any) -> Interceptor:
    """One interceptor that refuses paths and hosts it does not know."""
    return start(rules_for(primary, traffic={"unknown_path": "refuse", "otherwise": "refuse"}))


def refused(answer: httpx.Response, provider: SimulatedProvider, name: str = "openai") -> None:
    """Refused by us, in this provider's shape, and nothing was sent on."""
    assert 400 <= answer.status_code < 500
    assert list(provider.requests) == []
    body = answer.json()
    assert body["error"]
    if name == "anthropic":
        assert body["type"] == "error"
    if name == "gemini":
        assert body["error"]["code"] == answer.status_code
    assert EMAIL not in answer.text


BROKEN = {
    "cut": b'{"model": "gpt-4o", "messages": [{"role": "user", "content": "tell ' + EMAIL.encode(),
    "quote": b'{"model": "gpt-4o", "messages": "' + EMAIL.encode() + b"}",
    "two": json.dumps(chat(SECRET)).encode() + b" " + json.dumps(chat(SECRET)).encode(),
    "latin-1": b'{"model": "gpt-4o", "messages": "\xe9\xff ' + EMAIL.encode() + b'"}',
    "deep": b'{"a":' * 12_000 + b'"' + EMAIL.encode() + b'"' + b"}" * 12_000,
    "control": b'{"model": "gpt-4o", "messages": "a\x00b\n' + EMAIL.encode() + b'"}',
}


@pytest.mark.parametrize("name", list(URLS))
@pytest.mark.parametrize("broken", list(BROKEN))
def test_broken_json_is_refused(outwarden: Interceptor, provider: SimulatedProvider, name: str, broken: str) -> None:
    """What does not parse as JSON is answered with a 400 of ours and goes nowhere."""
    with outwarden.http() as client:
        answer = client.post(URLS[name], content=BROKEN[broken], headers=JSON)

    refused(answer, provider, name)


ODD = {
    "duplicate-keys": b'{"model":"gpt-4o","messages":[{"role":"user","content":"%s","content":"%s"}]}',
    "escaped": b'{"model":"gpt-4o","messages":[{"role":"user","content":"%s\\u0020\\/ %s"}]}',
    "bom": b'\xef\xbb\xbf{"model":"gpt-4o","messages":[{"role":"user","content":"%s %s"}]}',
    "surrogate": b'{"model":"gpt-4o","messages":[{"role":"user","content":"\\ud800 %s %s"}]}',
    "nan": b'{"model":"gpt-4o","seed":NaN,"messages":[{"role":"user","content":"%s %s"}]}',
    "huge-number": b'{"model":"gpt-4o","seed":1e999,"messages":[{"role":"user","content":"%s %s"}]}',
    "keys": b'{"model":"gpt-4o","messages":[{"role":"user","content":"x"}],"metadata":{"%s":"%s"}}',
    "unknown-field": b'{"model":"gpt-4o","messages":[],"brand_new":{"deep":[["%s"],{"x":"%s"}]}}',
    "array": b'[{"model":"gpt-4o","messages":[{"role":"user","content":"%s %s"}]}]',
    "string": b'"%s %s"',
    "lines": b'{"a":"%s"}\n{"b":"%s"}\n',
    "white": b' \n\t {"model":"gpt-4o","messages":[{"role":"user","content":"%s %s"}]} \r\n\r\n',
    "split-escape": b'{"model":"gpt-4o","messages":[{"role":"user","content":"\\u0061%s %s"}]}',
}


@pytest.mark.parametrize("odd", list(ODD))
def test_odd_json_is_refused_or_cleaned(outwarden: Interceptor, provider: SimulatedProvider, odd: str) -> None:
    """Odd but readable bodies go out without the values, or not at all."""
    body = ODD[odd] % (EMAIL.encode(), RECORD.encode())
    with outwarden.http() as client:
        answer = client.post(URLS["openai"], content=body, headers=JSON)

    assert_clean(provider)
    for seen in provider.requests:
        assert EMAIL not in re.sub(rb"\\u0061", b"a", seen.body).decode("utf-8", "replace")
    assert answer.status_code < 500


@pytest.mark.parametrize("kind", [None, "text/plain", "application/octet-stream", "image/png", "audio/wav", "x/y; a=b"])
def test_the_content_type_cannot_hide_json(
    outwarden: Interceptor, provider: SimulatedProvider, kind: str | None
) -> None:
    """JSON under another content-type is read all the same, or refused."""
    headers = {"content-type": kind} if kind else {}
    with outwarden.http() as client:
        client.post(URLS["openai"], content=json.dumps(chat(SECRET)).encode(), headers=headers)

    assert_clean(provider)


def zstd(data: bytes) -> bytes:
    """Compress as Codex does."""
    return zstandard.ZstdCompressor().compress(data)


@pytest.mark.parametrize("name", list(URLS))
@pytest.mark.parametrize(
    ("encoding", "encode"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("br", brotli.compress), ("zstd", zstd)],
)
def test_encoded_requests_are_read(
    outwarden: Interceptor, provider: SimulatedProvider, name: str, encoding: str, encode: Any
) -> None:
    """A compressed request is decoded, cleaned and answered; the reply is restored."""
    body = {"openai": chat(SECRET), "anthropic": message(SECRET), "gemini": contents(SECRET)}.get(
        name, {"model": "llama3.2:1b", "messages": chat(SECRET)["messages"], "stream": False}
    )
    with outwarden.http() as client:
        data = encode(json.dumps(body).encode())
        answer = client.post(URLS[name], content=data, headers=JSON | {"content-encoding": encoding})

    assert answer.status_code == 200
    assert EMAIL in answer.text
    seen = provider.requests[-1]
    plain = seen.body if seen.header("content-encoding") in (None, "identity") else None
    assert plain is not None, "a body that we changed goes out as it is"
    assert_clean(provider)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "rot13", "gzip, br", "compress"])
def test_fake_encodings_are_refused(outwarden: Interceptor, provider: SimulatedProvider, encoding: str) -> None:
    """Plain JSON that says it is compressed, or says what nobody knows, is a 4xx of ours."""
    with outwarden.http() as client:
        body = json.dumps(chat(SECRET)).encode()
        answer = client.post(URLS["openai"], content=body, headers=JSON | {"content-encoding": encoding})

    refused(answer, provider)


def test_a_bomb_is_refused(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """A few kilobytes that unpack to fifty megabytes do not get unpacked."""
    with outwarden.http() as client:
        body = gzip.compress(b'{"a":"' + b"x" * 50_000_000 + b'"}')
        answer = client.post(URLS["openai"], content=body, headers=JSON | {"content-encoding": "gzip"})

    refused(answer, provider)


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_over_long_bodies_are_refused(
    outwarden: Interceptor, provider: SimulatedProvider, http2: bool, chunked: bool
) -> None:
    """A body beyond max_body_mib is a 413, announced or not, and the connection still serves the next call."""
    data = json.dumps(chat("x" * 1_200_000)).encode()

    def pieces() -> Any:
        for at in range(0, len(data), 65_536):
            yield data[at : at + 65_536]

    with outwarden.http(http2=http2) as client:
        answer = client.post(URLS["openai"], content=pieces() if chunked else data, headers=JSON)
        after = client.post(URLS["openai"], json=chat("hello"))

    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "body_too_large"
    assert after.status_code == 200
    assert len(provider.requests) == 1


def test_chunked_requests_are_read(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """A body that the client streams does not bypass anything."""
    data = json.dumps(chat(SECRET)).encode()

    def pieces() -> Any:
        for at in range(0, len(data), 7):
            yield data[at : at + 7]

    with outwarden.http() as client:
        answer = client.post(URLS["openai"], content=pieces(), headers=JSON)

    assert answer.json()["choices"][0]["message"]["content"] == SECRET
    assert_clean(provider)


@pytest.mark.parametrize("path", ["/v1/brand/new", "/v1/chat/completions/", "/v1//chat/completions", "/anything"])
def test_unknown_paths_are_scanned(outwarden: Interceptor, provider: SimulatedProvider, path: str) -> None:
    """A path that nobody described is scanned in full."""
    with outwarden.http() as client:
        client.post(f"https://{OPENAI}{path}", json=chat(SECRET))
        client.put(f"https://{OPENAI}{path}", content=f"plain {SECRET}", headers={"content-type": "text/plain"})

    assert len(provider.requests) == 2
    assert_clean(provider)


def test_unknown_paths_are_refused_where_the_rules_say_so(strict: Interceptor, provider: SimulatedProvider) -> None:
    """``unknown_path: refuse`` refuses them in the provider's shape, and known ones pass."""
    with strict.http() as client:
        answer = client.post(f"https://{OPENAI}/v1/brand/new", json=chat("x"))
        known = client.post(URLS["openai"], json=chat("x"))

    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "path_refused"
    assert known.status_code == 200
    assert len(provider.requests) == 1


def test_unknown_hosts_are_refused_where_the_rules_say_so(
    strict: Interceptor, provider: SimulatedProvider, certificates: Certificates
) -> None:
    """With ``otherwise: refuse`` an unknown host is never reached; known ones are."""
    origin = trusting(certificates.ca)
    with httpx.Client(proxy=strict.url, verify=origin, timeout=20) as client, pytest.raises(httpx.HTTPError):
        client.post(f"https://127.0.0.1:{provider.port}/v1/chat/completions", json=chat("x"))
    with httpx.Client(proxy=strict.url, timeout=20) as client:
        plain = client.get("http://plain.example/")

    assert plain.status_code in (403, 502)
    assert list(provider.requests) == []
    assert strict.openai().chat.completions.create(**chat("hello")).choices[0].message.content == "hello"


def test_multipart_uploads_are_cleaned_or_refused(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """The text parts of an upload (fine-tuning lines, prompts) leave without the values."""
    lines = "".join(json.dumps({"messages": [{"role": "user", "content": SECRET}]}) + "\n" for _ in range(3))
    with outwarden.http() as client:
        answer = client.post(
            f"https://{OPENAI}/v1/files",
            data={"purpose": f"fine-tune for {EMAIL}"},
            files={"file": ("train.jsonl", lines, "application/jsonl")},
        )

    assert answer.status_code in (404, 400, 403, 415)
    assert_clean(provider)


def test_an_upgrade_that_nobody_described_is_refused_at_once(
    outwarden: Interceptor, provider: SimulatedProvider
) -> None:
    """Nobody could read or pay for it; a client must hear no quickly, so that it falls back to HTTPS."""
    headers = {
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-version": "13",
    }
    with outwarden.http(timeout=5) as client:
        answer = client.get(f"https://{OPENAI}/v1/chat/completions", headers=headers)

    assert answer.status_code == 426
    assert answer.json()["error"]
    assert list(provider.requests) == []


def test_grpc_is_refused(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """Bodies of a kind that nobody reads do not pass."""
    with outwarden.http() as client:
        answer = client.post(
            f"https://{OPENAI}/xai_api.Chat/GetCompletion",
            content=b"\0\0\0\0\x05" + EMAIL.encode(),
            headers={"content-type": "application/grpc"},
        )

    assert (answer.status_code, answer.headers["grpc-status"]) == (200, "12")
    assert list(provider.requests) == []


def raw(outwarden: Interceptor, request: bytes, wait_s: float = 10) -> bytes:
    """Send bytes as they are through a tunnel to OpenAI's name; read until the end, or for a while."""
    with socket.create_connection(("127.0.0.1", outwarden.port), timeout=10) as plain:
        plain.sendall(f"CONNECT {OPENAI}:443 HTTP/1.1\r\nHost: {OPENAI}:443\r\n\r\n".encode())
        assert plain.recv(1000).startswith(b"HTTP/1.1 200")
        with outwarden.trust().wrap_socket(plain, server_hostname=OPENAI) as tls:
            tls.settimeout(wait_s)
            tls.sendall(request)
            answer = b""
            with contextlib.suppress(TimeoutError, ConnectionError, ssl.SSLError):
                while data := tls.recv(65536):
                    answer += data
            return answer


BODY = json.dumps(chat(SECRET)).encode()
LENGTH = str(len(BODY)).encode()
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: " + OPENAI.encode() + b"\r\nConnection: close\r\n"
SMUGGLED = {
    "two-lengths": HEAD + b"Content-Length: " + LENGTH + b"\r\nContent-Length: 3\r\n\r\n" + BODY,
    "length-and-chunked": HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + BODY,
    "odd-chunked": HEAD + b"Transfer-Encoding: xchunked\r\nContent-Length: " + LENGTH + b"\r\n\r\n" + BODY,
    "bad-chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + BODY + b"\r\n0\r\n\r\n",
    "no-host": b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: " + LENGTH + b"\r\n\r\n" + BODY,
    "http-1.0": b"POST /v1/chat/completions HTTP/1.0\r\nContent-Length: " + LENGTH + b"\r\n\r\n" + BODY,
    "absolute": HEAD.replace(b" /v1", b" https://other.example/v1").replace(OPENAI.encode(), b"other.example")
    + b"Content-Length: "
    + LENGTH
    + b"\r\n\r\n"
    + BODY,
}


@pytest.mark.parametrize("case", list(SMUGGLED))
def test_smuggling_gets_nothing_through(outwarden: Interceptor, provider: SimulatedProvider, case: str) -> None:
    """Requests with contradicting framing or hosts are refused or read; the values stay in, the connection ends."""
    raw(outwarden, SMUGGLED[case])

    assert_clean(provider)
    assert outwarden.alive


def test_expect_continue_is_served(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """A client that waits for 100 Continue is not left waiting."""
    head = HEAD + b"Expect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: " + LENGTH + b"\r\n\r\n"
    answer = raw(outwarden, head + BODY)

    assert b"HTTP/1.1 200" in answer
    assert EMAIL.encode() in answer
    assert_clean(provider)


def test_garbage_harms_nobody(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """Noise on the proxy port, in a tunnel and after TLS ends those connections and nothing else."""
    for noise in (b"\x00\x01\x02\x03" * 100, b"GET / HTTP/9.9\r\n\r\n", b"CONNECT :::: HTTP/1.1\r\n\r\n", b"\r\n" * 50):
        with socket.create_connection(("127.0.0.1", outwarden.port), timeout=5) as plain:
            plain.sendall(noise)
            plain.shutdown(socket.SHUT_WR)
            plain.recv(4096)
    raw(outwarden, b"what is this\r\n\r\n")

    assert outwarden.openai().chat.completions.create(**chat("hello")).choices[0].message.content == "hello"


@pytest.fixture(scope="module")
def overheard(certificates: Certificates) -> Iterator[tuple[int, list[bytes]]]:
    """A TLS server that notes whatever bytes reach it: its port, and what came."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.chain, certificates.key)
    received: list[bytes] = []

    def listen(server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                with contextlib.suppress(ssl.SSLError), context.wrap_socket(server.accept()[0], True) as peer:
                    peer.settimeout(2)
                    received.append(peer.recv(65536))

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=listen, args=(server,), daemon=True).start()
        yield server.getsockname()[1], received


@pytest.fixture(scope="module")
def overheard_outwarden(primary: SimulatedProvider, overheard: tuple[int, list[bytes]], start: Any) -> Interceptor:
    """One interceptor that takes OpenAI's name to that server."""
    aim = {"hosts": [OPENAI], "connect_to": f"127.0.0.1:{overheard[0]}", "trust": str(trusted(primary))}
    return start(rules_for(primary, traffic={"intercept": [aim]}))


NOISE = {
    "binary": b"\x00\x01\x02 tell ",
    "ssh": b"SSH-2.0-tell ",
    "tls-in-tls": b"\x16\x03\x01\x02\x00 tell ",
    "smtp": b"EHLO ",
    "http2-preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("noise", list(NOISE))
def test_what_is_not_http_is_not_relayed(
    overheard_outwarden: Interceptor, overheard: tuple[int, list[bytes]], noise: str
) -> None:
    """Bytes that are no HTTP inside the TLS of a known host reach nobody: they would pass unread."""
    raw(overheard_outwarden, NOISE[noise] + EMAIL.encode() + b"\r\n\r\n", wait_s=1)

    assert EMAIL.encode() not in b"".join(overheard[1])


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS", "HEAD"])
def test_calls_without_a_body_pass(outwarden: Interceptor, provider: SimulatedProvider, method: str) -> None:
    """Listings, deletions and probes have no body and reach the provider."""
    with outwarden.http() as client:
        answer = client.request(method, f"https://{OPENAI}/v1/models")

    assert len(provider.requests) == 1
    assert answer.headers["x-outwarden-call-id"]
