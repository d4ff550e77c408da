"""A request from a file: raw HTTP as a recorder writes it, or JSON with ``url``, ``method``, ``headers``, ``body``."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from outwarden.errors import BodyError

FILE_BYTES_MAX = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RequestFile:
    """One request. Header names are lower-case; ``path`` is decoded and without ``query``."""

    method: str
    host: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


def read_request(content: bytes) -> RequestFile:
    """Read either form. Raises BodyError, whose message never shows what is in the file."""
    if len(content) > FILE_BYTES_MAX:
        raise BodyError(f"the request file is larger than {FILE_BYTES_MAX} bytes")
    return _from_json(content) if content.lstrip()[:1] == b"{" else _from_http(content)


def read_request_file(path: Path) -> RequestFile:
    """Read a file. Raises BodyError where it cannot be read or is no request."""
    try:
        with path.open("rb") as file:
            return read_request(file.read(FILE_BYTES_MAX + 1))
    except OSError as error:
        raise BodyError(f"{path} cannot be read: {error.strerror}") from None


def _from_json(content: bytes) -> RequestFile:
    try:
        told: Any = json.loads(content)
    except (ValueError, RecursionError):
        raise BodyError("the request file begins like JSON and is none") from None
    url, headers = told.get("url"), told.get("headers") or {}
    if not isinstance(url, str) or not isinstance(headers, dict):
        raise BodyError('a request in JSON needs "url", and "headers" as an object')
    body = told.get("body")
    raw = (
        b""
        if body is None
        else body.encode()
        if isinstance(body, str)
        else json.dumps(body, ensure_ascii=False).encode()
    )
    lower = {str(name).lower(): str(value) for name, value in headers.items()}
    return _request(str(told.get("method") or ("GET" if body is None else "POST")), url, lower, raw)


def _from_http(content: bytes) -> RequestFile:
    ends = [(content.find(mark), len(mark)) for mark in (b"\r\n\r\n", b"\n\n") if mark in content]
    at, length = min(ends, default=(len(content), 0))
    head, body = content[:at], content[at + length :]
    first, *rest = head.decode("latin-1").replace("\r\n", "\n").split("\n")
    words = first.split()
    if len(words) != 3 or not words[2].startswith("HTTP/"):
        raise BodyError("the request file begins neither with JSON nor with `METHOD TARGET HTTP/1.1`")
    headers = {}
    for line in rest:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise BodyError("a header line of the request file has no name")
        headers[name.strip().lower()] = value.strip()
    return _request(words[0], words[1], headers, body)


def _request(method: str, target: str, headers: Mapping[str, str], body: bytes) -> RequestFile:
    try:
        parts = urlsplit(target)
        host = parts.hostname or urlsplit(f"//{headers.get('host', '')}").hostname
    except ValueError:
        raise BodyError("the target of the request is no address") from None
    if not host:
        raise BodyError("the request names no host: give a whole URL or a Host header")
    if headers.get("content-encoding", "identity") != "identity":
        raise BodyError("the body of the request file is compressed; decode it first")
    return RequestFile(method.upper(), host, unquote(parts.path) or "/", parts.query, headers, body)
