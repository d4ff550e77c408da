"""Probes ask as a call would, believe only an answer, and never outlive their time, their rule or the process."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from mitmproxy import ctx

from outwarden.errors import StateError
from outwarden.flow import probes as probing
from outwarden.flow.probes import AT_ONCE_MAX, Prober, ask, is_good
from outwarden.flow.upstream_tls import trusted_context
from outwarden.routing import Auth, Health, Probes, Upstream
from outwarden.simulate import Certificates, make_certificates
from outwarden.wire.aws_signature import AwsIdentity

PROBES = Probes("/models", every=0.05, timeout=0.5, max_fails=2, passes=2)
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("probes"), ["127.0.0.1"])


@pytest.fixture(autouse=True)
def mitmproxy_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """mitmproxy's defaults."""
    chosen = {"ssl_verify_upstream_trusted_ca": None, "ssl_verify_upstream_trusted_confdir": None}
    monkeypatch.setattr(ctx, "options", SimpleNamespace(ssl_insecure=False, **chosen), raising=False)


class Server:
    """Answers each connection with ``answer`` (None: never), and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer: bytes | None = OK
        self.asked: list[bytes] = []
        self.port = 0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(await reader.readuntil(b"\r\n\r\n"))
        if self.answer is None:
            await reader.read()
        else:
            writer.write(self.answer)
        writer.close()

    @asynccontextmanager
    async def listening(self, tls: ssl.SSLContext | None = None) -> AsyncIterator["Server"]:
        server = await asyncio.start_server(self.connected, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()


def upstream(port: int, **more: object) -> Upstream:
    whole = Upstream("onprem", "http", "127.0.0.1", port, "/v1", "vllm", "openai", health=PROBES)
    return replace(whole, **more)  # type: ignore[arg-type]


async def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        await asyncio.sleep(0.005)


async def test_it_asks_as_a_call_would(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the url, with our secret, and for Anthropic with a version."""
    monkeypatch.setenv("INVENTED_KEY", "invented-key-of-ours")
    async with Server().listening() as server:
        bearer = Auth("bearer", secret="env:INVENTED_KEY")
        assert await ask(upstream(server.port, auth=bearer), "/models", trusted_context) == 200
        header = Auth("header", "x-api-key", "env:INVENTED_KEY")
        await ask(upstream(server.port, auth=header, format="anthropic", path=""), "/v1/models", trusted_context)
        await ask(upstream(server.port, auth=Auth()), "/models", trusted_context)
    first, second, third = (asked.lower() for asked in server.asked)
    assert first.startswith(b"get /v1/models http/1.1\r\n")
    assert f"\r\nhost: 127.0.0.1:{server.port}\r\n".encode() in first
    assert b"\r\nauthorization: bearer invented-key-of-ours\r\n" in first
    assert b"\r\nuser-agent: outwarden\r\n" in first
    assert second.startswith(b"get /v1/models http/1.1\r\n")
    assert b"\r\nx-api-key: invented-key-of-ours\r\n" in second
    assert b"\r\nanthropic-version: " in second
    assert b"invented-key" not in third


async def test_an_upstream_at_aws_is_asked_with_a_signature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As its calls are signed."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAINVENTED")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "invented")
    identity = AwsIdentity(region="us-east-1", service="bedrock")
    async with Server().listening() as server:
        await ask(upstream(server.port, auth=Auth("aws", identity=identity)), "/models", trusted_context)
    assert b"authorization: aws4-hmac-sha256 credential=akiainvented/" in server.asked[0].lower()


async def test_tls_is_verified_against_the_upstreams_own_ca(certificates: Certificates) -> None:
    """And against the system's where it has none, to whom our invented one is a stranger."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.chain, certificates.key)
    async with Server().listening(context) as server:
        known = upstream(server.port, scheme="https", trust=certificates.ca)
        assert await ask(known, "/models", trusted_context) == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            await ask(replace(known, trust=None), "/models", trusted_context)
        with pytest.raises(ssl.SSLCertVerificationError):
            await ask(replace(known, host="localhost"), "/models", trusted_context)
        with pytest.raises(OSError, match="No such file"):
            await ask(replace(known, trust=Path("gone.pem")), "/models", trusted_context)


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 \r\n", b"HTTP/1.1 2\xb2\xb2 OK\r\n", b"HTTP/1.1 " + b"2" * 100_000],
)
async def test_what_is_no_http_is_no_answer(answer: bytes) -> None:
    """Nothing, another protocol, a line without end (of which no more than 8 KiB is kept)."""
    async with Server().listening() as server:
        server.answer = answer
        with pytest.raises((ValueError, OSError)):
            await ask(upstream(server.port), "/models", trusted_context)


async def test_a_secret_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its reference."""
    monkeypatch.delenv("INVENTED_KEY", raising=False)
    with pytest.raises(StateError, match="env:INVENTED_KEY"):
        await ask(upstream(1, auth=Auth("bearer", secret="env:INVENTED_KEY")), "/models", trusted_context)


@pytest.mark.parametrize(
    ("status", "secret", "good"),
    [
        (200, True, True),
        (204, False, True),
        (401, True, False),
        (401, False, True),
        (403, False, True),
        (404, False, False),
        (429, True, None),
        (301, False, False),
        (500, False, False),
        (529, True, False),
    ],
)
def test_what_an_answer_says(status: int, secret: bool, good: bool | None) -> None:
    """A key of ours that is refused is a failure: calls would fail, too."""
    auth = Auth("bearer", secret="env:X") if secret else None
    assert is_good(status, upstream(1, auth=auth)) is good


async def test_an_upstream_is_left_alone_and_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    """By failures in a row (refused with 503, then silent for longer than it may be), and good answers in a row."""
    health, server = Health(), Server()
    prober = Prober(health, trusted_context)
    async with server.listening():
        one = {"onprem": upstream(server.port, health=replace(PROBES, timeout=0.1))}

        def state() -> str | None:
            prober.round(one)
            return health.states(time.monotonic()).get("onprem")

        server.answer = b"HTTP/1.1 503 Service Unavailable\r\n\r\n"
        await until(lambda: state() == "unhealthy")
        server.answer = None
        asked = len(server.asked)
        await until(lambda: state() == "unhealthy" and len(server.asked) > asked + 2)
        server.answer = OK
        await until(lambda: state() == "returning")
        prober.close()
    assert [record.getMessage() for record in caplog.records] == [
        "upstream onprem: unhealthy (probe: status 503)",
        "upstream onprem: is back (probe: status 200)",
    ]


async def test_who_is_drained_or_has_no_rule_any_more_is_not_asked() -> None:
    """And what was under way then says nothing any more."""
    health, server = Health(), Server()
    server.answer = None
    prober = Prober(health, trusted_context)
    async with server.listening():
        one = {"onprem": upstream(server.port, health=replace(PROBES, timeout=30))}

        def was_asked() -> bool:
            prober.round(one)
            return bool(server.asked)

        await until(was_asked)
        turn = prober._turns["onprem"]
        prober.round({"onprem": upstream(server.port, health=None)})
        await until(lambda: not turn.is_running())
        health.drain({"onprem"})
        for _ in range(20):
            prober.round(one)
            await asyncio.sleep(0.01)
        prober.close()
    assert len(server.asked) == 1
    assert health.states(time.monotonic()) == {"onprem": "drained"}


async def test_no_more_than_so_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred silent upstreams hold no hundred connections."""
    monkeypatch.setattr(probing, "uniform", lambda low, high: low)
    many = {f"u{number}": upstream(1, name=f"u{number}", health=replace(PROBES, timeout=30)) for number in range(100)}
    running = 0
    most = 0

    async def hang(*_: object) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return 200

    monkeypatch.setattr(probing, "ask", hang)
    prober = Prober(Health(), trusted_context)
    for _ in range(20):
        prober.round(many)
        await asyncio.sleep(0.005)
    prober.close()
    assert most == AT_ONCE_MAX
