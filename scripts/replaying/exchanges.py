"""One recorded exchange, made out of a line of a recording: frozen values, or the reason why it cannot be played."""

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import quote, urlsplit

NOT_SENT = {"expect", "content-length", "transfer-encoding", "connection", "host"}
HOP_BY_HOP = NOT_SENT | {"keep-alive", "content-encoding", "te", "upgrade", "proxy-connection"}
NO_BODY = (204, 304)
_AS_IT_IS = "!#$%&'()*+,/:;=?@[]|^`{}\\~"  # a path as recorded; what no client sends as it is (< >) is quoted
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, 5.6.2
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
Record = dict[str, Any]


class Unplayable(ValueError):
    """This cannot be played; the message says why."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded request and its reply.

    ``host`` is a name (``PROVIDER.here.example`` for the recorder's own machine). ``target`` is the raw path with its
    query. ``exact``: the recorder kept both bodies byte for byte. ``framing``: ``sse``, ``ndjson``, ``json-array``,
    ``aws-eventstream`` or ``grpc`` where the reply streams. ``chunk_sizes``: the real boundaries of the reply's chunks,
    where they were kept. ``usages``: the provider's own usage objects, in order.
    """

    id: str
    provider: str
    endpoint: str
    scheme: str
    host: str
    method: str
    target: str
    headers: dict[str, str]
    body: bytes = field(repr=False)
    status: int
    reply_headers: tuple[tuple[str, str], ...]
    reply: bytes = field(repr=False)
    streaming: bool = False
    framing: str | None = None
    chunk_sizes: tuple[int, ...] = ()
    exact: bool = False
    usages: tuple[dict[str, Any], ...] = ()
    source: str = ""

    @property
    def row(self) -> tuple[str, str, str]:
        """Where it is counted: provider, endpoint, streamed or not."""
        return self.provider, self.endpoint, "stream" if self.streaming else ""

    @property
    def expected_reply(self) -> bytes:
        """The body that a client gets: none where HTTP forbids one."""
        return b"" if self.status in NO_BODY or self.method == "HEAD" else self.reply

    @property
    def content_type(self) -> str:
        """The request's content type."""
        return next((value for key, value in self.headers.items() if key.lower() == "content-type"), "")

    def slim(self) -> Self:
        """The same without its bodies: what a report needs."""
        return replace(self, body=b"", reply=b"", chunk_sizes=(), usages=(), headers={}, reply_headers=())


def exchange(record: Record) -> Exchange:
    """Read one line of a recording. Raises Unplayable."""
    request, response = part(record, "request"), part(record, "response")
    url = _url(request)
    provider, endpoint = label(record, "provider"), label(record, "endpoint")
    return Exchange(
        id=label(record, "id"),
        provider=provider,
        endpoint=endpoint,
        scheme=url.scheme or "https",
        host=host_name(url.hostname or "", provider),
        method=_method(request),
        target=quote(f"/{url.path.removeprefix('/')}" + (f"?{url.query}" if url.query else ""), safe=_AS_IT_IS),
        headers={k: v for k, v in _headers(request, "request") if k.lower() not in NOT_SENT},
        body=_body(request, "request"),
        status=_status(response),
        reply_headers=tuple((k, v) for k, v in _headers(response, "reply") if k.lower() not in HOP_BY_HOP),
        reply=_body(response, "reply"),
        streaming=bool(record.get("streaming")),
        framing=record.get("stream_format") if isinstance(record.get("stream_format"), str) else None,
        chunk_sizes=_sizes(response),
        exact=request.get("fidelity") == response.get("fidelity") == "exact",
        usages=tuple(usages(record)),
        source=str(record.get("source", "")),
    )


def usages(record: Record) -> Iterator[dict[str, Any]]:
    """The provider's own usage objects, in order."""
    told = record.get("usage_all") or [record.get("usage_in_body")]
    yield from (each for each in (told if isinstance(told, list) else [told]) if isinstance(each, dict) and each)


def sample(exchanges: Sequence[Exchange], per_row: int) -> list[Exchange]:
    """The first ``per_row`` exchanges of every row, in their order."""
    counts: dict[tuple[str, str, str], int] = {}
    taken = []
    for each in exchanges:
        counts[each.row] = counts.get(each.row, 0) + 1
        if counts[each.row] <= per_row:
            taken.append(each)
    return taken


def label(record: Record, key: str) -> str:
    """A word that names a record in tables; ``unknown`` where it has none."""
    value = record.get(key)
    return str(value) if isinstance(value, str | int) and str(value).strip() else "unknown"


def host_name(host: str, provider: str) -> str:
    """The host; a name that stands for it where it was the recorder's own machine, which no server can prove to be."""
    host = host.lower().rstrip(".")
    if host in ("", "localhost") or _is_address(host):
        return f"{provider_name(provider)}.here.example"
    if not _HOST.fullmatch(host):
        raise Unplayable("its host is no name that a certificate can hold")
    return host


def provider_name(provider: str) -> str:
    """A provider's label as rule files and host names take it."""
    return re.sub(r"[^a-z0-9]+", "-", provider.lower()).strip("-")[:50].strip("-") or "unknown"


def part(record: Record, name: str) -> dict[str, Any]:
    """The request or the response. Raises Unplayable where there is none."""
    found = record.get(name)
    if not isinstance(found, dict):
        raise Unplayable(f"it has no {name}")
    return found


def decoded(text: Any, of: str) -> bytes:
    """Bytes out of base64. Raises Unplayable."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError) as problem:
        raise Unplayable(f"its {of} is not base64") from problem


def _url(request: dict[str, Any]) -> Any:
    try:
        url = urlsplit(request["url"])
        _ = url.hostname
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise Unplayable("its request has no URL") from problem
    if not isinstance(url.path, str):
        raise Unplayable("its request has no URL")
    return url


def _method(request: dict[str, Any]) -> str:
    method = request.get("method")
    if not isinstance(method, str) or not _TOKEN.fullmatch(method) or method == "CONNECT":
        raise Unplayable("its request has no method")
    return method


def _status(response: dict[str, Any]) -> int:
    status = response.get("status")
    if not isinstance(status, int) or not 200 <= status <= 999:
        raise Unplayable("its reply has no final status")
    return status


def _body(message: dict[str, Any], of: str) -> bytes:
    return decoded(message.get("body_b64") or "", of)


def _headers(message: dict[str, Any], of: str) -> Iterator[tuple[str, str]]:
    """The headers that can be sent as they were recorded."""
    found = message.get("headers") or {}
    if not isinstance(found, dict):
        raise Unplayable(f"its {of}'s headers are no object")
    for name, values in found.items():
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, str) and value.isascii() and not _CONTROL.search(value) and _TOKEN.fullmatch(name):
                yield name, value.strip()


def _sizes(response: dict[str, Any]) -> tuple[int, ...]:
    sizes = response.get("chunk_sizes") or ()
    usable = isinstance(sizes, list) and all(isinstance(size, int) and size > 0 for size in sizes)
    return tuple(sizes) if usable else ()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
