"""The recorded provider traffic, played by its own replay server, and a client that sends a record as it was sent."""

from __future__ import annotations

import base64
import http.client
import importlib.util
import json
import ssl
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from outwarden.rules import load_rules, shipped_rules
from outwarden.simulate import Certificates

CORPUS = Path(__file__).parents[2].parent / "shared" / "wire"
MISSING = "the recorded corpus is not beside the repository"
NOT_SENT = {"expect", "content-length", "transfer-encoding", "connection", "host"}


def replay_module() -> Any:
    """The corpus's own replay server, imported by its path."""
    spec = importlib.util.spec_from_file_location("outwarden_corpus_replay", CORPUS / "replay.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def hosts_of(records: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """The recorded https hosts that the shipped table opens, with their provider and format."""
    traffic = load_rules(shipped_rules()).traffic
    found: dict[str, tuple[str, str]] = {}
    for record in records:
        url = urlsplit(record["request"]["url"])
        host = traffic.find(url.hostname or "") if url.scheme == "https" else None
        if host is not None and url.hostname:
            found[url.hostname] = (host.provider, host.format)
    return found


def intercepted(hosts: dict[str, tuple[str, str]], address: str, certificates: Certificates) -> list[dict[str, Any]]:
    """Entries of traffic.yml that take these hosts to the replay server."""
    aim = {"connect_to": address, "trust": str(certificates.ca)}
    return [
        {"hosts": [host], "provider": provider, "format": format_} | aim
        for host, (provider, format_) in sorted(hosts.items())
    ]


@dataclass(frozen=True)
class Got:
    """What came back for a record."""

    status: int
    body: bytes
    call_id: str
    usage_asked: bool = False


class Sender:
    """Sends records through the interceptor; one connection per thread and host."""

    def __init__(self, port: int, trust: ssl.SSLContext) -> None:
        self._port = port
        self._trust = trust
        self._own = threading.local()

    def send(self, record: dict[str, Any], body: bytes | None = None, **replay: str) -> Got:
        """Send a record's request; ``replay`` gives options of the replay server (split, delay, framing …)."""
        url = urlsplit(record["request"]["url"])
        assert url.hostname is not None
        headers = {k: v for k, v in record["request"]["headers"].items() if k.lower() not in NOT_SENT and plain(v)}
        headers["x-replay-id"] = record["id"]
        headers |= {f"x-replay-{name}": value for name, value in replay.items()}
        data = request_body(record) if body is None else body
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        connection = self._connection(url.hostname)
        try:
            connection.request(record["request"]["method"], target, body=data or None, headers=headers)
            answer = connection.getresponse()
            return Got(answer.status, answer.read(), answer.headers.get("x-outwarden-call-id", ""))
        except http.client.IncompleteRead as broken:
            connection.close()
            return Got(0, broken.partial, "")
        except (http.client.HTTPException, OSError):
            connection.close()
            return Got(0, b"", "")

    def _connection(self, host: str) -> http.client.HTTPSConnection:
        pool: dict[str, http.client.HTTPSConnection] = self._own.__dict__.setdefault("pool", {})
        if host not in pool:
            pool[host] = http.client.HTTPSConnection("127.0.0.1", self._port, context=self._trust, timeout=60)
            pool[host].set_tunnel(host, 443)
        return pool[host]


def plain(value: str) -> bool:
    """Whether a header value can be sent as it was recorded."""
    return value.isascii() and "\n" not in value


def request_body(record: dict[str, Any]) -> bytes:
    """The recorded request's bytes."""
    return base64.b64decode(record["request"]["body_b64"])


def response_body(record: dict[str, Any]) -> bytes:
    """The recorded reply's bytes."""
    return base64.b64decode(record["response"]["body_b64"])


def received(log: Path) -> dict[str, bytes]:
    """What the replay server received, by record id; the last request of each."""
    found = {}
    for line in log.read_text().splitlines():
        entry = json.loads(line)
        if entry["kind"] == "request":
            found[entry["record"]] = base64.b64decode(entry["body_b64"])
    return found


# Answers whose usage is no charge: a count that was asked for, a cache's size.
NOT_CHARGED = {"count_tokens", "countTokens", "cachedContents"}


def expected_tokens(record: dict[str, Any]) -> tuple[int, int] | None:
    """Input and output tokens by the provider's own usage (cached input and reasoning included), None without any.

    Written from the notes on the corpus and not from the code under test.
    """
    reports = record.get("usage_all") or ([record["usage_in_body"]] if record["usage_in_body"] else [])
    usage: dict[str, Any] = {}
    for report in reports:  # later reports are cumulative; a zero or a missing number does not take one back
        usage |= {key: value for key, value in report.items() if value or key not in usage}
    usage = usage.get("billed_units") or usage  # Cohere's other figures are not what it charges
    if record["endpoint"] in NOT_CHARGED or not any("token" in key.lower() or "eval_count" in key for key in usage):
        return None
    if "inputTextTokenCount" in usage and not record["streaming"]:  # Titan counts its output beside each result
        results = json.loads(response_body(record)).get("results") or []
        return total(usage, ("inputTextTokenCount",)), sum(total(result, ("tokenCount",)) for result in results)
    if "inputTextTokenCount" in usage:  # its streams count both, beside Bedrock's own count of the same
        written = total(usage, ("totalOutputTextTokenCount",)) or total(usage, ("outputTokenCount",))
        return total(usage, ("inputTextTokenCount",)), written
    for read, written in SHAPES:
        if read[0] in usage or written[0] in usage:
            return total(usage, read), total(usage, written)
    made = total(usage, ("completion_tokens",))
    reasoning = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
    # xAI's chat, and what Vercel passes on: reasoning comes on top, as the costs in the same objects show.
    apart = record["endpoint"] == "chat/completions" and record["provider"] in ("xai", "vercel-gateway")
    if apart and (record["provider"] == "xai" or reasoning > made):
        made += reasoning
    audio = (usage.get("prompt_tokens_details") or {}).get("audio_tokens") or 0
    audio = audio if "prompt_audio_seconds" in usage else 0  # Mistral: beside the text
    if usage.keys() == {"total_tokens"}:
        return total(usage, ("total_tokens",)), 0
    return total(usage, ("prompt_tokens",)) + audio, made


# What makes up input and output, told by the first names that are there; OpenAI's chat is below, it needs more care.
SHAPES: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    (("promptTokenCount", "toolUsePromptTokenCount"), ("candidatesTokenCount", "thoughtsTokenCount")),
    (("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"), ("outputTokens",)),
    (("prompt_token_count",), ("generation_token_count",)),
    (("prompt_eval_count",), ("eval_count",)),
    (("total_input_tokens", "total_tool_use_tokens"), ("total_output_tokens", "total_thought_tokens")),
    (("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"), ("output_tokens",)),
    (("inputTokenCount", "cacheReadInputTokenCount", "cacheWriteInputTokenCount"), ("outputTokenCount",)),
]


def total(usage: dict[str, Any], names: tuple[str, ...]) -> int:
    """The sum of the numbers under these names; negative ones, which exist, count as none."""
    return sum(max(0, int(usage[name])) for name in names if isinstance(usage.get(name), int | float))
