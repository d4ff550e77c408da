"""`outwarden doctor`: is everything in place for calls to go through?"""

import os
import socket
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import typer

from outwarden.cli.options import (
    CA_CERTIFICATE,
    DEFAULT_LISTEN,
    JsonOption,
    ListenOption,
    RulesOption,
    StateOption,
    host_and_port,
    open_state,
    print_json,
    reachable_url,
    rules_folder,
)
from outwarden.errors import OutwardenError, RulesError

CONNECT_S_MAX = 5.0  # also for each answer
ANSWER_BYTES_MAX = 16 * 1024
INTERNAL = b"outwarden.internal"
PYTHON_MIN = (3, 12)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says; ``text`` of a problem says what to do."""

    check: str
    ok: bool
    text: str


def doctor(
    listen: ListenOption = DEFAULT_LISTEN,
    rules: RulesOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Check Python, rules, state, CA, the running interceptor and this shell; exit code 1 for any problem."""
    findings = list(examine(listen, rules, state, os.environ))
    if json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            print(f"{'ok     ' if finding.ok else 'PROBLEM'}  {finding.check:<20} {finding.text}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def examine(listen: str, rules: Path | None, state: Path | None, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Every finding, in the order things depend on each other."""
    yield _python()
    yield _said("rules", lambda: _rules(rules))
    yield _said("state", lambda: _state(state))
    yield _said("certificate", lambda: _certificate(state))
    yield _said("interceptor", lambda: _interceptor(listen))
    yield _said("interception", lambda: _interception(listen, rules, state))
    yield _said("proxy", lambda: _proxy(listen, environment))
    for name in ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CODEX_CA_CERTIFICATE"):
        yield _said(name, lambda name=name: _trusted_file(state, environment.get(name)))  # type: ignore[misc]


class CheckError(Exception):
    """A problem that a check found; its text says what to do."""


def _said(check: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(check, True, look())
    except (CheckError, OutwardenError) as error:
        return Finding(check, False, str(error))
    except OSError as error:
        return Finding(check, False, f"{error.strerror or type(error).__name__}: {error.filename or ''}".rstrip(": "))


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    needed = ".".join(map(str, PYTHON_MIN))
    return Finding("python", sys.version_info >= PYTHON_MIN, f"{found} (at least {needed} is needed)")


def _rules(given: Path | None) -> str:
    from outwarden.rules import load_rules

    place = rules_folder(given)
    try:
        load_rules(place)
    except RulesError as error:
        raise CheckError(
            f"{len(error.problems)} problems, the first: {error.problems[0]}; see `outwarden check`"
        ) from None
    return f"{place} can be used"


def _state(given: Path | None) -> str:
    from outwarden.cli.budgets import read_states

    folder = open_state(given)
    if not os.access(folder.path, os.W_OK):
        raise CheckError(f"{folder.path} is not writable for this user")
    accounts = len(read_states(folder.database_url))
    return f"{folder.path}, {accounts} budget accounts"


def _certificate(given: Path | None) -> str:
    from cryptography import x509

    ca = open_state(given).ca / CA_CERTIFICATE
    if not ca.is_file():
        raise CheckError(f"{ca} does not exist yet; `outwarden run` makes it when it starts")
    try:
        certificate = x509.load_pem_x509_certificate(ca.read_bytes())
    except ValueError:
        raise CheckError(f"{ca} is not a certificate in PEM form") from None
    if certificate.not_valid_after_utc <= datetime.now(UTC):
        raise CheckError(f"{ca} has expired; remove the folder {ca.parent} and start `outwarden run` again")
    return f"{ca}, valid until {certificate.not_valid_after_utc:%Y-%m-%d}"


def _interceptor(listen: str) -> str:
    request = b"GET http://%b/healthz HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % (INTERNAL, INTERNAL)
    with _connected(listen) as connection:
        connection.sendall(request)
        if not connection.makefile("rb").read(ANSWER_BYTES_MAX).endswith(b"\r\n\r\nok\n"):
            raise CheckError(f"what listens on {listen} is not Outwarden; name its address with --listen")
    return f"Outwarden listens on {listen}"


def _interception(listen: str, rules: Path | None, state: Path | None) -> str:
    """Open a connection to a provider through the interceptor; nothing is sent to the provider itself."""
    host = _known_host(rules)
    trusted = ssl.create_default_context(cafile=str(open_state(state).ca / CA_CERTIFICATE))
    with _connected(listen) as connection:
        connection.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
        if b" 200 " not in connection.recv(ANSWER_BYTES_MAX).split(b"\r\n")[0]:
            raise CheckError(f"the interceptor refuses connections to {host}")
        try:
            trusted.wrap_socket(connection, server_hostname=host).close()
        except OSError:  # also what ssl raises
            text = f"{host} is not opened with the CA of this state folder; does the interceptor run with this --state?"
            raise CheckError(text) from None
    return f"{host} is opened with our certificate"


def _known_host(given: Path | None) -> str:
    from outwarden.rules import load_rules

    traffic = load_rules(rules_folder(given)).traffic
    names = (host for entry in traffic.intercept if not entry.tunnel for host in entry.hosts if "*" not in host)
    if (host := next(names, None)) is None:
        raise CheckError("traffic.yml names no host that is opened")
    return host


def _connected(listen: str) -> socket.socket:
    url = urlsplit(reachable_url(listen))
    try:
        return socket.create_connection((url.hostname or "", url.port or 0), CONNECT_S_MAX)
    except OSError:
        text = f"nothing listens on {listen}; start `outwarden run`, or name its address with --listen"
        raise CheckError(text) from None


def _proxy(listen: str, environment: Mapping[str, str]) -> str:
    named = environment.get("HTTPS_PROXY") or environment.get("https_proxy")
    if not named:
        raise CheckError('HTTPS_PROXY is not set in this shell: `eval "$(outwarden env)"`')
    parts = urlsplit(named if "//" in named else f"//{named}")
    try:
        port = parts.port
    except ValueError:
        raise CheckError("HTTPS_PROXY is not an address") from None
    if port != host_and_port(listen)[1]:
        raise CheckError(f"HTTPS_PROXY leads to port {port}, not to {listen}")  # its password, if any, stays unsaid
    return f"HTTPS_PROXY leads to {parts.hostname}:{port}"


def _trusted_file(given: Path | None, named: str | None) -> str:
    if not named:
        raise CheckError('is not set in this shell: `eval "$(outwarden env)"`')
    ours = open_state(given).ca / CA_CERTIFICATE
    content = Path(named).read_bytes()
    if not ours.is_file() or ours.read_bytes().strip() not in content:
        raise CheckError(f'{named} does not hold our CA certificate: `eval "$(outwarden env)"` again')
    return named
