"""The connection itself, with real sockets: encodings, uploads, framing and headers both ways, odd upstreams, keys."""

import asyncio
import contextlib
import gzip
import json
import os
import socket
import ssl
import subprocess
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import brotli
import httpx
import pytest
import zstandard
from interceptor import EMAIL, OPENAI, RECORD, Interceptor, assert_clean, chat, rules_for, trusted

from outwarden.simulate import Certificates, Script, SimulatedProvider, provider_thread

URL = f"https://{OPENAI}/v1/chat/completions"
ODD = "flaky.example"  # leads to a server that says what it likes
JSON = {"content-type": "application/json"}
SAID = json.dumps({"model": "gpt-4o", "choices": [{"index": 0, "message": {"content": "hi"}}]}).encode()
LIMIT_MIB = 4


# -- an upstream that says what it likes ------------------------------------------------------------------------------


def whole(body: bytes = SAID, *lines: bytes, status: bytes = b"200 OK") -> bytes:
    """An answer of these bytes."""
    head = b"\r\n".join([b"HTTP/1.1 " + status, b"content-type: application/json", *lines])
    return head + b"\r\ncontent-length: %d\r\n\r\n" % len(body) + body


def head(*lines: bytes, status: bytes = b"200 OK") -> bytes:
    """The head of an answer."""
    return b"\r\n".join([b"HTTP/1.1 " + status, b"content-type: application/json", *lines, b"", b""])


COOKIES = [b"Set-Cookie: a=1", b"Vary: Origin", b"set-cookie: b=2", b"Vary: Accept"]
# What it says, and what the client then gets: status, and the body, or the code of the error.
ANSWERS: dict[str, tuple[bytes, int, bytes | str]] = {
    "early-hint": (b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + whole(), 200, SAID),
    "continue": (b"HTTP/1.1 100 Continue\r\n\r\n" + whole(), 200, SAID),
    "no-content": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "not-modified": (b'HTTP/1.1 304 Not Modified\r\netag: "x"\r\n\r\n', 304, b""),
    "redirect": (whole(b'{"moved": 1}', b"location: https://a.example/", status=b"302 Found"), 302, b'{"moved": 1}'),
    "empty-500": (b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n", 500, b""),
    "plain-404": (whole(b"Not Found", status=b"404 Not Found"), 404, b"Not Found"),
    "until-closed": (head(b"connection: close") + SAID, 200, SAID),
    "chunks": (head(b"transfer-encoding: chunked") + b"%x\r\n%s\r\n0\r\n\r\n" % (len(SAID), SAID), 200, SAID),
    "trailers": (head(b"transfer-encoding: chunked") + b"%x\r\n%s\r\n0\r\na: b\r\n\r\n" % (len(SAID), SAID), 200, SAID),
    "repeated": (whole(SAID, *COOKIES), 200, SAID),
    "length-too-long": (head(b"content-length: 1000") + SAID, 502, "upstream_failed"),
    "length-too-short": (head(b"content-length: 30") + SAID, 502, "reply_unreadable"),
    "bad-chunks": (head(b"transfer-encoding: chunked") + b"zz\r\n" + SAID, 502, "upstream_failed"),
    "no-last-chunk": (
        head(b"transfer-encoding: chunked") + b"%x\r\n%s\r\n" % (len(SAID), SAID),
        502,
        "upstream_failed",
    ),
    "two-lengths": (head(b"content-length: 5", b"content-length: 6") + SAID, 502, "upstream_unreachable"),
    "odd-coding": (head(b"transfer-encoding: gzip, chunked") + b"0\r\n\r\n", 502, "outwarden_error"),
    "folded": (whole(SAID, b"x: a\r\n b"), 502, "outwarden_error"),
    "garbage": (b"what is this\r\n\r\n", 502, "upstream_unreachable"),
    "endless-head": (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50_000, 502, "upstream_unreachable"),
    "nothing": (b"", 502, "upstream_unreachable"),
}


def say(connection: ssl.SSLSocket) -> None:
    """Read requests, and give the answers that their headers name, until one ends the connection."""
    got = b""
    while True:
        while b"\r\n\r\n" not in got:
            got += connection.recv(65536) or b"\r\n\r\n"
        asked, _, got = got.partition(b"\r\n\r\n")
        lines = dict(line.split(b": ", 1) for line in asked.lower().split(b"\r\n")[1:] if b": " in line)
        while len(got) < (length := int(lines.get(b"content-length", b"0"))):
            got += connection.recv(65536)
        got = got[length:]
        answer, status, _ = ANSWERS[lines.get(b"x-case", b"nothing").decode()]
        connection.sendall(answer)
        if status == 502 or b"connection: close" in answer:
            return


@pytest.fixture(scope="module")
def odd_upstream(certificates: Certificates) -> Iterator[int]:
    """The port of that server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.chain, certificates.key)

    def serve(plain: socket.socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(plain, True) as connection:
            say(connection)
            connection.unwrap()

    def listen(server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=listen, args=(server,), daemon=True).start()
        yield server.getsockname()[1]


@pytest.fixture(scope="module")
def outwarden(primary: SimulatedProvider, odd_upstream: int, start: Any) -> Interceptor:
    """One interceptor for all of this, which takes bodies of up to four mebibytes."""
    rules = rules_for(primary, traffic={"max_body_mib": LIMIT_MIB})
    odd = {"provider": "openai", "format": "openai", "trust": str(trusted(primary))}
    rules["traffic"]["intercept"].append({"hosts": [ODD], "connect_to": f"127.0.0.1:{odd_upstream}", **odd})
    return start(rules)


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_odd_answers_end_in_right_ones(outwarden: Interceptor, http2: bool) -> None:
    """Whatever an upstream says, the client gets that answer or an error, whole, and its connection goes on."""
    wrong = []
    with outwarden.http(http2=http2, timeout=10) as client:
        for case, (_, status, expected) in ANSWERS.items():
            answer = client.post(f"https://{ODD}/v1/chat/completions", json=chat("x"), headers={"x-case": case})
            got: bytes | str = answer.content
            if isinstance(expected, str):
                got = answer.json()["error"]["code"]
            if (answer.status_code, got) != (status, expected):
                wrong.append(f"{case}: {answer.status_code} {got!r}")
            if case == "repeated":
                sent = [line for line in answer.headers.raw if line[0].lower() in (b"set-cookie", b"vary")]
                assert [value for _, value in sent] == [line.partition(b": ")[2] for line in COOKIES]
        assert client.head(f"https://{ODD}/v1/models", headers={"x-case": "no-content"}).status_code == 204

    assert wrong == []


# -- encodings --------------------------------------------------------------------------------------------------------

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


def test_requests_in_every_encoding_leave_as_they_came_or_clean(
    outwarden: Interceptor, provider: SimulatedProvider
) -> None:
    """Untouched: the same bytes. Changed: no encoding, the right length, and no digest of what was there before."""
    with outwarden.http() as client:
        for names in (["gzip"], ["deflate"], ["br"], ["zstd"], ["gzip", "br"], ["zstd", "gzip"]):
            for text in ("hello", f"to {EMAIL} and {RECORD}"):
                body = json.dumps(chat(text)).encode()
                for name in names:
                    body = PACK[name](body)
                headers = JSON | {"content-encoding": ", ".join(names), "content-md5": "x", "digest": "y"}
                provider.clear()
                provider.queue(Script(text="yes"))
                assert client.post(URL, content=body, headers=headers).status_code in (200, 400)
                seen = provider.requests[-1]
                if text == "hello":
                    assert (seen.body, seen.header("content-encoding")) == (body, ", ".join(names))
                    assert seen.header("content-md5") == "x"
                else:
                    assert json.loads(seen.body)["model"] == "gpt-4o"
                    assert seen.header("content-length") == str(len(seen.body))
                    assert {seen.header(each) for each in ("content-encoding", "content-md5", "digest")} == {None}
                assert_clean(provider)


@pytest.mark.parametrize("encoding", list(PACK))
def test_replies_are_right_for_what_the_client_reads(
    outwarden: Interceptor, provider: SimulatedProvider, encoding: str
) -> None:
    """Whole: untouched bytes stay encoded where that was asked for; changed or unasked ones leave as they are."""
    with outwarden.http() as client:
        for offer, text in ((encoding, "hello"), ("identity", "hello"), (encoding, f"to {EMAIL}")):
            provider.queue(Script(encoding=encoding))
            headers = {"accept-encoding": offer}
            with client.stream("POST", URL, json=chat(text), headers=headers) as answer:
                raw = b"".join(answer.iter_raw())
            kept = offer == encoding and text == "hello"
            assert answer.headers.get("content-encoding") == (encoding if kept else None)
            assert (EMAIL.encode() in raw) == (EMAIL in text)
            assert raw.startswith(b"{") != kept


@pytest.mark.parametrize("encoding", list(PACK))
def test_encoded_streams_stay_streams(outwarden: Interceptor, provider: SimulatedProvider, encoding: str) -> None:
    """We ask for a stream as it is; compressed all the same it leaves event by event, decoded and restored."""
    provider.queue(Script(encoding=encoding, event_delay_s=0.1))
    arrived: list[float] = []
    text = f"one two three four {EMAIL} five"
    said = ""
    with outwarden.http() as client:
        body = chat(text, stream=True)
        with client.stream("POST", URL, json=body, headers={"accept-encoding": "gzip, br, zstd"}) as answer:
            for line in answer.iter_lines():
                if line.startswith("data: {"):
                    arrived.append(time.monotonic())
                    for choice in json.loads(line[6:])["choices"]:
                        said += choice["delta"].get("content") or ""

    assert said == text
    assert provider.requests[-1].header("accept-encoding") == "identity"
    assert "content-encoding" not in answer.headers
    assert arrived[-1] - arrived[0] > 0.3


# -- uploads ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def tunnel(outwarden: Interceptor) -> Iterator[ssl.SSLSocket]:
    """A connection to OpenAI's name through the interceptor, for bytes as they are."""
    with socket.create_connection(("127.0.0.1", outwarden.port), timeout=10) as plain:
        plain.sendall(f"CONNECT {OPENAI}:443 HTTP/1.1\r\nHost: {OPENAI}:443\r\n\r\n".encode())
        assert plain.recv(1000).startswith(b"HTTP/1.1 200")
        with outwarden.trust().wrap_socket(plain, server_hostname=OPENAI) as tls:
            yield tls


def whole_answer(tls: ssl.SSLSocket) -> bytes:
    """Read one answer that states its length, and nothing after it."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += tls.recv(65536)
    head, _, body = got.partition(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while len(body) < length:
        body += tls.recv(65536)
    return head + b"\r\n\r\n" + body


def post(*lines: str) -> bytes:
    """The head of a call."""
    named = ["POST /v1/chat/completions HTTP/1.1", f"Host: {OPENAI}", "Content-Type: application/json", *lines]
    return "".join(f"{line}\r\n" for line in [*named, ""]).encode()


def test_a_client_that_waits_is_invited(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """100 Continue comes before the body, and the upstream does not hear of it."""
    body = json.dumps(chat(f"to {EMAIL}")).encode()
    with tunnel(outwarden) as tls:
        tls.sendall(post(f"Content-Length: {len(body)}", "Expect: 100-continue"))
        assert tls.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert list(provider.requests) == []
        tls.sendall(body)
        assert whole_answer(tls).startswith(b"HTTP/1.1 200")

    assert provider.requests[-1].header("expect") is None
    assert_clean(provider)


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_curl_is_served_and_refused(
    outwarden: Interceptor, provider: SimulatedProvider, tmp_path: Path, version: str
) -> None:
    """The most patient of clients: what it may send is taken, what is too long is refused before it is sent."""
    seen = []
    for size in (100_000, (LIMIT_MIB << 20) + 1):
        (tmp_path / "body").write_bytes(json.dumps(chat("x" * size)).encode())
        command = ["curl", "-sS", version, "--max-time", "20", "--proxy", outwarden.url, "--cacert", str(outwarden.ca)]
        command += ["-H", "Expect: 100-continue", "-H", "content-type: application/json", "--expect100-timeout", "5"]
        command += ["--data-binary", f"@{tmp_path / 'body'}", "-o", str(tmp_path / "answer")]
        command += ["-w", "%{http_code} %{size_upload} %{http_version}", URL]
        environment = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=environment)
        seen.append((done.stdout, done.stderr, (tmp_path / "answer").read_bytes()))
    (taken, _, answer), (refused, _, error) = seen

    assert taken.split()[0] == "200", seen
    assert int(taken.split()[1]) > 100_000
    assert json.loads(answer)["choices"]
    assert refused.split()[0] == "413", seen
    assert json.loads(error)["error"]["code"] == "body_too_large"
    if version == "--http1.1":  # over HTTP/2 curl does not wait
        assert refused.split()[1] == "0"
    assert taken.split()[2] == ("1.1" if version == "--http1.1" else "2")
    assert len(provider.requests) == 1


def resident_mib(outwarden: Interceptor) -> float:
    """The most memory that the process had."""
    assert outwarden._process
    status = Path(f"/proc/{outwarden._process.pid}/status").read_text()
    return float(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the memory of a process is read from /proc")
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_an_endless_upload_takes_no_memory(outwarden: Interceptor, chunked: bool) -> None:
    """A gigabyte: refused at once or at the limit, answered, read a little further, and cut off."""
    assert outwarden.openai().chat.completions.create(**chat("warm")).choices
    assert outwarden._process
    Path(f"/proc/{outwarden._process.pid}/clear_refs").write_text("5")  # proc(5): its highest is now what it has
    before, piece, sent = resident_mib(outwarden), b"x" * (1 << 16), 0
    with tunnel(outwarden) as tls:
        tls.sendall(post("Transfer-Encoding: chunked" if chunked else f"Content-Length: {1 << 30}"))
        answer = b"" if chunked else whole_answer(tls)
        with contextlib.suppress(OSError):
            while sent < 1 << 30:
                tls.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
                sent += len(piece)
        answer = answer or whole_answer(tls)

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"body_too_large" in answer
    assert sent < 80 << 20
    print(f"sent {sent >> 20} MiB, memory grew by {resident_mib(outwarden) - before:.1f} MiB")
    assert resident_mib(outwarden) - before < 6 * LIMIT_MIB


def test_many_streams_of_one_connection_and_one_refused(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """Over HTTP/2 a call that is too long takes nothing from the others."""

    async def work() -> list[httpx.Response]:
        trust = outwarden.trust(http2=True)
        async with httpx.AsyncClient(proxy=outwarden.url, verify=trust, http2=True, timeout=20) as client:
            texts = ["x" * (LIMIT_MIB << 20) if number == 3 else f"call {number}" for number in range(8)]
            return list(await asyncio.gather(*(client.post(URL, json=chat(text)) for text in texts)))

    answers = asyncio.run(work())

    assert [answer.status_code for answer in answers] == [200] * 3 + [413] + [200] * 4
    assert answers[3].json()["error"]["code"] == "body_too_large"
    for number in (0, 1, 2, 4, 5, 6, 7):
        assert answers[number].json()["choices"][0]["message"]["content"] == f"call {number}"
    assert len(provider.requests) == 7


def test_many_long_answers_of_an_upstream_that_speaks_http_1(certificates: Certificates, start: Any) -> None:
    """A client of HTTP/2 with twelve calls at a time: none waits for the connection of another."""
    with provider_thread(certificates, http2=False, script=Script(first_content_delay_s=3.0)) as slow:
        route = {"name": "all", "match": {"model": "*"}, "targets": ["original"], "timeouts": {"connect": "2s"}}
        interceptor = start(rules_for(slow, routes={"routes": [route]}))

        async def work() -> list[httpx.Response]:
            trust = interceptor.trust(http2=True)
            async with httpx.AsyncClient(proxy=interceptor.url, verify=trust, http2=True, timeout=30) as client:
                asked = (client.post(URL, json=chat(f"call {number}", stream=True)) for number in range(12))
                return list(await asyncio.gather(*asked))

        answers = asyncio.run(work())

    assert [answer.status_code for answer in answers] == [200] * 12
    assert all(answer.text.endswith("data: [DONE]\n\n") for answer in answers)


# -- headers and keys -------------------------------------------------------------------------------------------------


def test_headers_go_both_ways_as_they_are(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """Repeated ones stay repeated and in order, in their own case; what is for the proxy, or of it, goes nowhere."""
    lines = ["X-Own: 1", "Accept: a", "x-own: 2", "Proxy-Connection: keep-alive", "X-Outwarden-Try: 1", "Accept: b"]
    lines += ["Connection: keep-alive, X-Hop", "X-Hop: 1", "Keep-Alive: 5", "TE: gzip", "Content-Length: 2"]
    with tunnel(outwarden) as tls:
        tls.sendall(post(*lines) + b"{}")
        assert tls.recv(65536).startswith(b"HTTP/1.1 ")
    (seen,) = provider.requests

    names = [name for name, _ in seen.headers]
    assert [(n, v) for n, v in seen.headers if n.lower() in ("x-own", "accept")] == [
        ("X-Own", "1"),
        ("Accept", "a"),
        ("x-own", "2"),
        ("Accept", "b"),
    ]
    gone = ("proxy-", "x-outwarden", "x-hop", "keep-alive", "te", "via", "x-forwarded", "forwarded")
    assert [name for name in names if name.lower().startswith(gone)] == []


KEY = "planted-credential-5514"
CARRIERS: list[dict[str, str]] = [
    {"authorization": f"Bearer {KEY}"},
    {"authorization": f"Token {KEY}"},
    {"authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/us-east-1/bedrock/aws4_request"},
    {"x-api-key": KEY},
    {"api-key": KEY},
    {"x-goog-api-key": KEY},
    {"cookie": f"session={KEY}"},
    {"x-amz-security-token": KEY},
    {"sec-websocket-protocol": f"realtime, openai-insecure-api-key.{KEY}"},
    {"proxy-authorization": f"Basic {KEY}"},
]
FAILURES: dict[str, dict[str, Any]] = {
    "fine": {"json": chat("x")},
    "stream": {"json": chat("x", stream=True)},
    "broken": {"content": b'{"model": ', "headers": JSON},
    "encoded": {"content": b"no gzip", "headers": JSON | {"content-encoding": "gzip"}},
    "refused": {"json": chat("my key is sk-proj-" + "aB3" * 16)},
    "long": {"content": b"x" * ((LIMIT_MIB << 20) + 1), "headers": JSON},
    "grpc": {"content": b"\0\0\0\0\0", "headers": {"content-type": "application/grpc"}},
}
RAW = {
    "folded": "POST /v1/chat/completions?key={key} HTTP/1.1\r\nHost: {host}\r\n{carrier}\r\n more\r\n\r\n",
    "bare": "POST /v1/chat/completions?key={key} HTTP/1.1\r\nHost: {host}\n{carrier}\r\n\r\n",
    "no-version": "POST /v1/chat/completions?key={key}\r\nHost: {host}\r\n{carrier}\r\n\r\n",
    "cut": "POST /v1/chat/completions?key={key} HTTP/1.1\r\nHost: {host}\r\n{carrier}\r\nContent-Length: 50\r\n\r\n{{",
    "two-lengths": "POST /v1/x?key={key} HTTP/1.1\r\nHost: {host}\r\n{carrier}\r\nContent-Length: 1\r\n"
    "Content-Length: 2\r\n\r\n",
}


def test_keys_are_written_nowhere(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """Wherever a key travels, and however its call ends; the module's end looks through all that was written."""
    outwarden.planted.append(KEY)
    with outwarden.http(timeout=10) as client:
        for carrier in CARRIERS:
            for call in FAILURES.values():
                own = call.get("headers", {}) | carrier
                client.post(f"{URL}?key={KEY}", **call | {"headers": own})
            client.post(f"https://{ODD}/v1/chat/completions?key={KEY}", json=chat("x"), headers=carrier)
    for raw in RAW.values():
        for carrier in CARRIERS[:2]:
            ((name, value),) = carrier.items()
            with tunnel(outwarden) as tls, contextlib.suppress(OSError):
                tls.settimeout(0.3)
                tls.sendall(raw.format(key=KEY, host=OPENAI, carrier=f"{name}: {value}").encode())
                answer = tls.recv(65536)
                assert KEY.encode() not in answer

    assert any(KEY in repr(seen.headers) for seen in provider.requests)  # else nothing was shown
    assert outwarden.leaks() == []


def test_saved_flows_hold_no_key(primary: SimulatedProvider, provider: SimulatedProvider, start: Any) -> None:
    """With mitmweb's face flows can be saved: neither keys nor values are in them, and what we did is."""
    one: Interceptor = start(rules_for(primary), running=False)
    one.options = ["--web", "127.0.0.1:0", "--set", f"save_stream_file={one.state / 'flows'}"]
    one.planted.append(KEY)
    one.start()
    carried = {name: value for carrier in CARRIERS for name, value in carrier.items()}
    with one.http() as client:
        for stream in (False, True):
            body = chat(f"to {EMAIL}", stream=stream)
            answer = client.post(f"{URL}?key={KEY}", json=body, headers={**carried, "authorization": f"Token {KEY}"})
            assert EMAIL in answer.text
            one.record(answer)
    assert one.stop() == 0

    saved = (one.state / "flows").read_bytes()
    assert saved.count(b"via original") == 2
    assert KEY not in saved.decode("latin-1")
    assert EMAIL not in saved.decode("latin-1")
    assert KEY in repr(provider.requests[-1].headers)
