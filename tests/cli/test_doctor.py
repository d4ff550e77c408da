"""The doctor finds what is missing, says what to do, and is content when all is there."""

import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from outwarden.cli.app import app
from outwarden.cli.doctor import examine
from outwarden.simulate import Certificates, make_certificates


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A CA and what it signed for the host that is asked for."""
    return make_certificates(tmp_path_factory.mktemp("made"), ["api.openai.com"])


@pytest.fixture
def listen(certificates: Certificates) -> Iterator[str]:
    """The address of a stand-in for the interceptor: the health page, and a TLS server behind CONNECT."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked = self.request.recv(4096)
            if asked.startswith(b"CONNECT api.openai.com:443 "):
                self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(certificates.chain, certificates.key)
                try:
                    context.wrap_socket(self.request, server_side=True).close()
                except (ssl.SSLError, OSError):
                    return  # a client that does not trust us
            else:
                self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def state(tmp_path: Path, certificates: Certificates) -> Path:
    """A state folder with the CA's certificate."""
    folder = tmp_path / "state"
    (folder / "ca").mkdir(parents=True)
    (folder / "ca" / "outwarden-ca-cert.pem").write_bytes(certificates.ca.read_bytes())
    return folder


def settings(state: Path, listen: str) -> dict[str, str]:
    ca = str(state / "ca" / "outwarden-ca-cert.pem")
    names = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CODEX_CA_CERTIFICATE")
    return {"HTTPS_PROXY": f"http://{listen}", **dict.fromkeys(names, ca)}


def problems(state: Path, listen: str, environment: dict[str, str], rules: Path | None = None) -> dict[str, str]:
    return {found.check: found.text for found in examine(listen, rules, state, environment) if not found.ok}


def test_a_sound_setting_has_no_problem(state: Path, listen: str) -> None:
    """Everything there: nothing to say."""
    assert problems(state, listen, settings(state, listen)) == {}


def test_an_empty_machine_has_them_all(tmp_path: Path) -> None:
    """No certificate, nothing listening, no settings: each is said, with what to do."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = f"127.0.0.1:{server.getsockname()[1]}"
    found = problems(tmp_path / "new", free, {})

    assert set(found) == {
        "certificate",
        "interceptor",
        "interception",
        "proxy",
        "SSL_CERT_FILE",
        "NODE_EXTRA_CA_CERTS",
        "REQUESTS_CA_BUNDLE",
        "CODEX_CA_CERTIFICATE",
    }
    assert "outwarden run" in found["certificate"]
    assert "outwarden env" in found["proxy"]


def test_a_stale_certificate_path_is_found(state: Path, listen: str, tmp_path: Path) -> None:
    """Node fails quietly with a path that is gone, or with a bundle of another state folder."""
    other = tmp_path / "other.pem"
    other.write_text("-----BEGIN CERTIFICATE-----\n")
    environment = settings(state, listen) | {"NODE_EXTRA_CA_CERTS": "/gone.pem", "SSL_CERT_FILE": str(other)}
    found = problems(state, listen, environment)

    assert set(found) == {"NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"}
    assert "No such file" in found["NODE_EXTRA_CA_CERTS"]
    assert "does not hold our CA" in found["SSL_CERT_FILE"]


def test_a_proxy_elsewhere_is_found_and_its_password_unsaid(state: Path, listen: str) -> None:
    """The port differs; the address may carry a password."""
    environment = settings(state, listen) | {"HTTPS_PROXY": "http://me:hunter2@proxy.example:1"}
    found = problems(state, listen, environment)

    assert set(found) == {"proxy"}
    assert "hunter2" not in found["proxy"]


def test_another_program_on_the_port_is_not_taken_for_us(state: Path) -> None:
    """A web server that answers in its own way is no interceptor."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(4096)
            self.request.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{server.server_address[1]}"
        found = problems(state, address, settings(state, address))
        server.shutdown()

    assert set(found) == {"interceptor", "interception"}
    assert "is not Outwarden" in found["interceptor"]


def test_the_certificate_of_another_state_folder_is_found(state: Path, listen: str, tmp_path: Path) -> None:
    """The interceptor runs with another CA than the one these clients trust."""
    other = make_certificates(tmp_path / "other", ["api.openai.com"])
    (state / "ca" / "outwarden-ca-cert.pem").write_bytes(other.ca.read_bytes())
    found = problems(state, listen, settings(state, listen))

    assert set(found) == {"interception"}
    assert "--state" in found["interception"]


def test_broken_rules_a_broken_certificate_and_a_broken_database(state: Path, listen: str, tmp_path: Path) -> None:
    """What lies in the folders is looked into, not only looked for."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "pii.yml").write_text("entites: all\n")
    (state / "ca" / "outwarden-ca-cert.pem").write_text("no certificate")
    (state / "outwarden.db").write_text("no database, but long enough to be looked at " * 10)
    found = problems(state, listen, settings(state, listen), rules)

    assert {"rules", "certificate", "state"} <= set(found)
    assert "pii.yml:1" in found["rules"]


def test_the_exit_code_says_whether_there_is_a_problem(state: Path, listen: str) -> None:
    """0 or 1, for people and for programs."""
    arguments = ["doctor", "--state", str(state), "--listen", listen]
    good = CliRunner().invoke(app, [*arguments, "--json"], env=settings(state, listen))
    bad = CliRunner().invoke(app, arguments, env=settings(state, listen) | {"HTTPS_PROXY": ""})

    assert good.exit_code == 0
    assert all(found["ok"] for found in json.loads(good.stdout))
    assert bad.exit_code == 1
    assert "PROBLEM  proxy" in bad.stdout
