"""Tokens of Google Cloud: fetched before they are needed, renewed before they end, and never waited for twice."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from outwarden.errors import StateError
from outwarden.routing import google
from outwarden.routing.google import GoogleIdentity, find_token, prepare


class TokenServer:
    """Google's token endpoint: counts what it gives, and may refuse."""

    def __init__(self) -> None:
        self.asked: list[dict[str, list[str]]] = []
        self.status = 200
        self.expires_in = 3600
        here = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                here.asked.append(parse_qs(self.rfile.read(int(self.headers["content-length"])).decode()))
                token = {"access_token": f"token-{len(here.asked)}", "expires_in": here.expires_in}
                answer = token if here.status == 200 else {"error": "invalid_grant", "error_description": "invented"}
                body = json.dumps(answer).encode()
                self.send_response(here.status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where tokens are."""
        return f"http://127.0.0.1:{self.server.server_port}/token"


@pytest.fixture(scope="module")
def key() -> str:
    """An invented key."""
    private = rsa.generate_private_key(65537, 2048)
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def tokens() -> Iterator[TokenServer]:
    """A token endpoint."""
    server = TokenServer()
    yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.fixture
def account(tmp_path: Path, key: str, tokens: TokenServer, monkeypatch: pytest.MonkeyPatch) -> GoogleIdentity:
    """A service account whose key lies in a file."""
    monkeypatch.setattr(google, "_table", {})
    fields = {"type": "service_account", "client_email": "egress@invented.iam.gserviceaccount.com"}
    fields |= {"private_key": key, "token_uri": tokens.url, "project_id": "invented", "private_key_id": "1"}
    (tmp_path / "key.json").write_text(json.dumps(fields))
    return GoogleIdentity(str(tmp_path / "key.json"))


def came(account: GoogleIdentity, token: str) -> bool:
    """Whether a token comes within some seconds."""
    return any(find_token(account) == token or bool(time.sleep(0.02)) for _ in range(250))


def test_a_token_is_there_when_the_first_call_is(account: GoogleIdentity, tokens: TokenServer) -> None:
    """It is asked for when the rules are read, once, with a signed assertion."""
    prepare(account)

    assert {find_token(account) for _ in range(5)} == {"token-1"}
    (asked,) = tokens.asked
    assert asked["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]


def test_a_token_is_renewed_before_it_ends(
    account: GoogleIdentity, tokens: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one serves until the new one is there."""
    tokens.expires_in = 200  # less than is left when it is renewed
    monkeypatch.setattr(google, "AGAIN_S", 0.0)

    assert find_token(account) == "token-1"
    assert came(account, "token-2")


def test_a_token_that_ended_is_not_used(account: GoogleIdentity, tokens: TokenServer) -> None:
    """While none comes a call learns it at once, so that it can move on."""
    tokens.status = 400
    with pytest.raises(StateError, match="no token came"):
        find_token(account)
    began = time.monotonic()
    with pytest.raises(StateError, match="no token came"):
        find_token(account)

    assert time.monotonic() - began < google.FIRST_WAIT_S
    assert len(tokens.asked) == 1  # nor is the endpoint asked by every call


def test_no_key_is_told_by_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of what stands in the file is repeated."""
    monkeypatch.setattr(google, "_table", {})
    (tmp_path / "key.json").write_text('{"type": "service_account", "private_key": "invented-secret"}')

    with pytest.raises(StateError, match=r"key\.json") as caught:
        prepare(GoogleIdentity(str(tmp_path / "key.json")))
    assert "invented-secret" not in str(caught.value)


def test_without_the_library_nothing_is_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""

    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    assert google.is_installed()
    monkeypatch.setattr(google, "find_spec", missing)
    assert not google.is_installed()
