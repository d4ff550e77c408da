"""Paths, secrets, patterns and addresses that a rule names: checked where they are written."""

import os
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import re2  # type: ignore[import-untyped]

from outwarden.rules.nodes import Node, NodeError
from outwarden.rules.values import Reader, text

PATTERN_CHARS_MAX = 4096
PIECE_CHARS_MAX = 6  # the longest operator, such as "(?<!"


def path_in(folder: Path) -> Reader[Path]:
    """Read the path of a file that must be there: as seen from the rules folder, else from the working directory."""
    return lambda node: _find(folder, text(node), node.line)


def secret_in(folder: Path) -> Reader[str]:
    """Read ``env:NAME`` or ``file:PATH`` and check that it is there; the secret itself is not kept."""

    def read(node: Node) -> str:
        kind, _, name = text(node).partition(":")
        if kind == "env" and name:
            if not os.environ.get(name, "").strip():
                raise NodeError((node.line, f"environment variable {name} is not set"))
            return f"env:{name}"
        if kind == "file" and name:
            return f"file:{_find(folder, name, node.line)}"
        raise NodeError((node.line, "expected env:NAME or file:PATH; a secret itself does not belong in a rule file"))

    return read


def _find(folder: Path, name: str, line: int) -> Path:
    try:
        named = Path(name).expanduser()
        for place in (folder / named, Path.cwd() / named):
            if place.is_file():
                if not os.access(place, os.R_OK):
                    raise NodeError((line, f"file {name} cannot be read"))
                return place.resolve()
    except (OSError, RuntimeError, ValueError):  # a name too long, without a home, with a NUL in it
        raise NodeError((line, "not the path of a file")) from None
    raise NodeError((line, f"file {name} does not exist"))


def pattern(node: Node) -> str:
    """Read a pattern in RE2 syntax: linear in time, so no rule can hang the proxy."""
    compile_pattern(text(node), node.line)
    return text(node)


def compile_pattern(written: str, line: int) -> "re2._Regexp":
    """Compile in RE2 syntax, without a word on stderr. Raises `NodeError`."""
    if len(written) > PATTERN_CHARS_MAX:
        raise NodeError((line, f"the pattern is longer than {PATTERN_CHARS_MAX} characters"))
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(written, options)
    except re2.error as error:
        raise NodeError((line, f"not a pattern in RE2 syntax: {_reason(error)}")) from None


def _reason(error: Exception) -> str:
    """RE2's reason, with the piece of the pattern it is about where that is short: a pattern may name a person."""
    said = error.args[0] if error.args else ""
    reason, _, piece = (said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)).partition(": ")
    return f"{reason}: {piece}" if 0 < len(piece) <= PIECE_CHARS_MAX else reason


def network(node: Node) -> str:
    """Read an address or a network (``10.1.0.0/16``)."""
    try:
        return str(ip_network(text(node)))
    except ValueError:
        raise NodeError((node.line, "expected an address or a network such as 10.1.0.0/16")) from None


def address(node: Node) -> tuple[str, int]:
    """Read ``host:port``; IPv6 in brackets."""
    written = text(node)
    try:
        parts = urlsplit(f"//{written}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port or parts.path or parts.query or "@" in written:
        raise NodeError((node.line, "expected host:port"))
    return host, port
