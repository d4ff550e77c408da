"""The provider listens, records, pauses and runs as a command."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509

from outwarden import simulate
from outwarden.simulate import Certificates, Received, Script, SimulatedProvider, make_certificates, provider_thread

BODY = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}


def test_certificates_verify_and_cover_their_names(tmp_path: Path) -> None:
    """The chain names every host, address and pattern; the key is private."""
    made = make_certificates(tmp_path / "new", ["a.example", "*.b.example", "127.0.0.1"])
    leaf = x509.load_pem_x509_certificates(made.chain.read_bytes())[0]
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert names.get_values_for_type(x509.DNSName) == ["a.example", "*.b.example"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert made.key.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("names", [[], ["x.example"] * 1001])
def test_no_names_and_too_many_names_are_refused(tmp_path: Path, names: list[str]) -> None:
    """A certificate for nobody, or without a bound, is not made."""

    with pytest.raises(ValueError, match="1 to 1000"):
        make_certificates(tmp_path, names)


def test_another_host_name_does_not_verify(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """A client that verifies refuses the certificate under a name it does not have."""
    with socket.create_connection(("127.0.0.1", provider.port)) as plain, pytest.raises(ssl.SSLCertVerificationError):
        trust.wrap_socket(plain, server_hostname="other.example")


@pytest.mark.parametrize("http2", [False, True])
def test_requests_are_recorded_exactly(
    provider: SimulatedProvider, base: str, trust: ssl.SSLContext, http2: bool
) -> None:
    """Method, raw path, host, TLS name, headers and body bytes are what the client sent."""
    body = b' {"model" : "gpt-4o","messages":[{"role":"user","content":"h\\u00e9"}]}\n'
    with httpx.Client(verify=trust, http2=http2) as client:
        answer = client.post(
            f"{base}/v1/chat/completions?a=%20b", content=body, headers={"host": "api.openai.com", "x-two": "2"},
            extensions={"sni_hostname": "api.openai.com"},
        )  # fmt: skip

    seen = provider.requests[-1]
    assert answer.status_code == 200
    assert (seen.method, seen.path, seen.host) == ("POST", "/v1/chat/completions?a=%20b", "api.openai.com")
    assert seen.server_name == "api.openai.com"
    assert seen.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
    assert seen.body == body
    assert seen.header("X-Two") == "2"
    deadline = time.monotonic() + 5
    while not seen.complete and time.monotonic() < deadline:
        time.sleep(0.01)  # the provider notes the end after the client may have read it
    assert seen.complete
    assert seen.sent_bytes == len(answer.content)


def test_a_large_body_goes_both_ways(provider: SimulatedProvider, base: str, trust: ssl.SSLContext) -> None:
    """Three megabytes pass HTTP/2's flow control in both directions."""
    text = "word " * 600_000
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": text}]}
    with httpx.Client(verify=trust, http2=True, timeout=30) as client:
        answer = client.post(f"{base}/v1/chat/completions", json=body)

    assert answer.json()["choices"][0]["message"]["content"] == text


def test_expect_continue_is_answered(certificates: Certificates) -> None:
    """A client that waits for 100 Continue gets it before it sends its body."""
    with provider_thread() as provider, socket.create_connection(("127.0.0.1", provider.port), timeout=5) as raw:
        raw.sendall(b"POST /v1/nothing HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n")
        assert raw.recv(1000).startswith(b"HTTP/1.1 100 ")
        raw.sendall(b"{}")
        assert raw.recv(1000).startswith(b"HTTP/1.1 404 ")


def test_garbage_is_a_bad_request(certificates: Certificates) -> None:
    """What is not HTTP gets a 400 and a closed connection."""
    with provider_thread() as provider, socket.create_connection(("127.0.0.1", provider.port), timeout=5) as raw:
        raw.sendall(b"\x00\x01 nonsense\r\n\r\n")
        assert raw.recv(1000).startswith(b"HTTP/1.1 400 ")
        assert raw.recv(1000) == b""


def test_a_paused_provider_refuses_and_comes_back(certificates: Certificates, trust: ssl.SSLContext) -> None:
    """While paused connections are refused; afterwards the same port answers."""
    with provider_thread(certificates) as provider, httpx.Client(verify=trust) as client:
        url = f"https://localhost:{provider.port}/v1/chat/completions"
        assert provider.thread is not None
        assert client.post(url, json=BODY).status_code == 200
        provider.thread.pause()
        with pytest.raises((httpx.ConnectError, httpx.RemoteProtocolError)):
            client.post(url, json=BODY)
        provider.thread.resume()
        assert client.post(url, json=BODY).status_code == 200


def test_answers_can_be_held(certificates: Certificates, trust: ssl.SSLContext) -> None:
    """While held, a request is recorded and not answered; once released, it is."""
    with provider_thread(certificates) as provider, httpx.Client(verify=trust) as client:
        url = f"https://localhost:{provider.port}/v1/chat/completions"
        assert provider.thread is not None
        provider.thread.hold_answers()
        with pytest.raises(httpx.ReadTimeout):
            client.post(url, json=BODY, timeout=0.2)
        assert len(provider.requests) == 1
        provider.thread.release_answers()
        assert client.post(url, json=BODY).status_code == 200


def test_a_script_may_be_a_function(certificates: Certificates, trust: ssl.SSLContext) -> None:
    """A callable chooses per request."""

    def choose(received: Received) -> Script:
        return Script(text=received.header("x-who"))

    with provider_thread(certificates, script=choose) as provider, httpx.Client(verify=trust) as client:
        url = f"https://localhost:{provider.port}/v1/chat/completions"
        answer: Any = client.post(url, json=BODY, headers={"x-who": "me"}).json()

    assert answer["choices"][0]["message"]["content"] == "me"


def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    """`python -m outwarden.simulate` says where it listens, answers, and ends with 0 on SIGTERM."""
    command = [
        sys.executable,
        "-m",
        "outwarden.simulate",
        "--certificates",
        str(tmp_path),
        "--script",
        '{"text": "ok"}',
    ]
    environment = os.environ | {"PYTHONPATH": str(Path(simulate.__file__).parents[2])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        trust = process.stdout.readline().removeprefix("trust ").strip()
        address = process.stdout.readline().removeprefix("listening on ").strip()
        context = ssl.create_default_context(cafile=trust)
        answer = httpx.post(f"https://{address}/v1/chat/completions", json=BODY, verify=context).json()
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()

        assert process.wait(5) == 0
        assert time.monotonic() - began < 3
        assert answer["choices"][0]["message"]["content"] == "ok"
