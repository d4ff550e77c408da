"""A folder of recorded exchanges (``*.jsonl.gz``), read into frozen values."""

import base64
import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

NOT_SENT = {"expect", "content-length", "transfer-encoding", "connection", "host"}
HOP_BY_HOP = NOT_SENT | {"keep-alive", "content-encoding", "te", "upgrade", "proxy-connection"}
NO_BODY = (204, 304)
_AS_IT_IS = "!#$%&'()*+,/:;=?@[]|^`{}\\~"  # a path as recorded; what no client sends as it is (< >) is quoted


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded HTTP request and its reply.

    ``host`` is a name (``PROVIDER.here.example`` for the recorder's own machine). ``target`` is the raw path with its
    query. ``exact``: the recorder kept both bodies byte for byte. ``framing``: ``sse``, ``ndjson``, ``json-array`` or
    ``aws-eventstream`` where the reply streams. ``chunk_sizes``: the real boundaries of the reply's chunks, where they
    were kept. ``usages``: the provider's own usage objects, in order.
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


def read_folder(folder: Path) -> list[Exchange]:
    """Read every ``http-*.jsonl.gz`` of a folder. Raises FileNotFoundError where there is none."""
    return _exchanges(folder, "http-*.jsonl.gz")


def read_negatives(folder: Path) -> list[Exchange]:
    """Read the exchanges with hosts that are no model APIs; none where the folder has none."""
    return _exchanges(folder, "negatives.jsonl.gz") if (folder / "negatives.jsonl.gz").exists() else []


def count_lines(folder: Path, pattern: str) -> int:
    """How many exchanges the files of a kind hold."""
    return sum(1 for file in folder.glob(pattern) for _ in gzip.open(file))


def exchange(record: dict[str, Any]) -> Exchange:
    """One line of a recording."""
    request, response = record["request"], record["response"]
    url = urlsplit(request["url"])
    usages = record.get("usage_all") or ([record["usage_in_body"]] if record.get("usage_in_body") else [])
    return Exchange(
        id=record["id"],
        provider=record["provider"],
        endpoint=record["endpoint"],
        scheme=url.scheme,
        host=_name(url.hostname or "", record["provider"]),
        method=request["method"],
        target=quote((url.path or "/") + (f"?{url.query}" if url.query else ""), safe=_AS_IT_IS),
        headers={k: v for k, v in request["headers"].items() if k.lower() not in NOT_SENT and _plain(v)},
        body=base64.b64decode(request["body_b64"]),
        status=response["status"],
        reply_headers=tuple((k, v) for k, v in response["headers"].items() if k not in HOP_BY_HOP and _plain(v)),
        reply=base64.b64decode(response["body_b64"]),
        streaming=bool(record.get("streaming")),
        framing=record.get("stream_format"),
        chunk_sizes=tuple(response.get("chunk_sizes") or ()),
        exact=request.get("fidelity") == response.get("fidelity") == "exact",
        usages=tuple(usages),
        source=record.get("source", ""),
    )


def sample(exchanges: Sequence[Exchange], per_row: int) -> list[Exchange]:
    """The first ``per_row`` exchanges of every row, in their order."""
    counts: dict[tuple[str, str, str], int] = {}
    taken = []
    for each in exchanges:
        counts[each.row] = counts.get(each.row, 0) + 1
        if counts[each.row] <= per_row:
            taken.append(each)
    return taken


def _exchanges(folder: Path, pattern: str) -> list[Exchange]:
    files = sorted(folder.glob(pattern))
    if not files:
        raise FileNotFoundError(f"no {pattern} in {folder}")
    return [exchange(record) for file in files for record in _lines(file)]


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _name(host: str, provider: str) -> str:
    """The host; a name that stands for it where it was the recorder's own machine, which no server can prove to be."""
    here = host in ("", "localhost") or host.replace(".", "").isdigit()
    return f"{provider}.here.example" if here else host


def _plain(value: str) -> bool:
    """Whether a header value can be sent as it was recorded."""
    return value.isascii() and "\n" not in value
