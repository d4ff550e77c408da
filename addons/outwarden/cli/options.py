"""What all commands share: their common options, where rules and state lie, and how a command fails."""

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from outwarden.rules import Rules, StateFolder

DEFAULT_LISTEN = "127.0.0.1:8080"
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
CA_CERTIFICATE = "outwarden-ca-cert.pem"

RulesOption = Annotated[
    Path | None,
    typer.Option(
        "--rules", metavar="DIR", help="Folder of rule files. Default: ./rules if it exists, else the shipped rules."
    ),
]
StateOption = Annotated[
    Path | None, typer.Option("--state", metavar="DIR", help="Folder of the state. Default: a folder of this user.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
ListenOption = Annotated[str, typer.Option("--listen", metavar="HOST:PORT", help="Where the interceptor listens.")]


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what is wrong on stderr and end with ``code``."""
    print(f"outwarden: {message}", file=sys.stderr)
    raise typer.Exit(code)


def rules_folder(given: Path | None) -> Path:
    """The folder of rules in force: the one given, else ``./rules``, else the shipped one."""
    from outwarden.rules import shipped_rules

    if given is not None:
        return given
    here = Path("rules")
    return here if here.is_dir() else shipped_rules()


def open_rules(given: Path | None) -> "Rules":
    """Load the rules, or end with exit code 1 and every problem on stderr."""
    from outwarden.errors import RulesError
    from outwarden.rules import load_rules

    try:
        return load_rules(rules_folder(given))
    except RulesError as error:
        fail(f"the rules cannot be used:\n{error}")


def open_state(given: Path | None) -> "StateFolder":
    """The state folder given, or the default one. Raises StateError."""
    from outwarden.rules import StateFolder, default_state_folder

    return StateFolder(given or default_state_folder())


def ca_certificate(state: "StateFolder") -> Path:
    """The certificate that clients trust; ends with exit code 1 while `outwarden run` has not made it."""
    path = state.ca / CA_CERTIFICATE
    if not path.is_file():
        fail(f"there is no {path} yet; `outwarden run` makes it when it starts")
    return path


def print_json(value: Any) -> None:
    """Print one JSON document, in ASCII: a model's name may hold what no encoding can carry."""
    print(json.dumps(value, indent=2, default=str))


def printable(text: object) -> str:
    """A name for a terminal: what would move the cursor, or cannot be encoded, is a question mark."""
    return "".join(character if character.isprintable() else "?" for character in str(text))


def age_in(text: str) -> timedelta | None:
    """Read ``15m``, ``2h``, ``7d``, ``8w``; None for what is no age. Raises OverflowError for more than time has."""
    number, unit = text[:-1], text[-1:]
    return timedelta(**{_UNITS[unit]: int(number)}) if number.isdecimal() and unit in _UNITS else None


def host_and_port(listen: str) -> tuple[str, int]:
    """Read ``HOST:PORT`` (``[::1]:8080`` for IPv6), or end with exit code 2."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or not 0 <= int(port) <= 65535:
        fail(f"{listen!r} is not HOST:PORT", 2)
    return host.removeprefix("[").removesuffix("]"), int(port)


def reachable_url(listen: str) -> str:
    """The proxy's URL for clients on this machine; an address that means every interface becomes the loopback one."""
    host, port = host_and_port(listen)
    if host in ("0.0.0.0", "*"):  # noqa: S104  # read, not bound
        host = "127.0.0.1"
    host = "::1" if host == "::" else host
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
