"""What is wrong with a record itself, by its own bytes: why the interceptor may rightly refuse or add something."""

import json
import re

from replaying import aws
from replaying.exchanges import Exchange

_ODD_FIELD = re.compile(rb"(?m)^(?!data|event|id|retry|:)[^\r\n:]+:[^\r\n]*(?:\r\n|\r|\n)+\Z")
LEVELS_MAX = 200  # deeper JSON is refused, https://datatracker.ietf.org/doc/html/rfc8259#section-9 allows it


def fault_of_request(exchange: Exchange) -> str:
    """Why a request cannot be read; empty where it can."""
    kind = exchange.content_type.lower()
    if kind.startswith("multipart/") and "boundary=" not in kind:
        return "its request is a form without a boundary"
    return _fault_of_json(exchange.body, "request", says_json="json" in kind)


def fault_of_reply(exchange: Exchange) -> str:
    """Why a reply cannot be read to its end; empty where it can."""
    kind = next((value.lower() for name, value in exchange.reply_headers if name.lower() == "content-type"), "")
    body = exchange.reply
    if exchange.framing == "aws-eventstream" or "eventstream" in kind:
        return "" if body and aws.intact(body) else "its reply holds no whole AWS frames"
    if "event-stream" in kind or (exchange.streaming and exchange.framing == "sse"):
        if not body.endswith((b"\n\n", b"\r\n\r\n", b"\r\r")):
            return "its stream ends inside an event"
        return "its stream breaks off in a field that SSE does not know" if _ODD_FIELD.search(body) else ""
    if exchange.streaming or "ndjson" in kind or "jsonl" in kind:
        return "" if not body or body.rstrip().endswith((b"}", b"]")) else "its stream ends inside a line"
    return _fault_of_json(body, "reply", says_json="json" in kind)


def tells_usage(exchange: Exchange) -> bool:
    """Whether the usage that was recorded stands in the reply: each of its figures of two digits and more."""
    body = aws.unwrap(exchange.reply) if exchange.framing == "aws-eventstream" else exchange.reply
    figures = [value for value in (exchange.usages[-1] if exchange.usages else {}).values() if type(value) is int]
    return all(str(figure).encode() in body for figure in figures if figure > 9)


def _fault_of_json(body: bytes, of: str, *, says_json: bool) -> str:
    if not body.strip() or not (says_json or body.lstrip()[:1] in (b"{", b"[")):
        return ""
    try:
        tree = json.loads(body)
    except RecursionError:
        return f"its {of} is nested too deeply"
    except ValueError:
        return "" if _is_lines(body) else f"its {of} says JSON and is none"
    return f"its {of} is nested too deeply" if _is_deep(tree) else ""


def _is_lines(body: bytes) -> bool:
    try:
        return all(isinstance(json.loads(line), dict | list) for line in body.splitlines() if line.strip())
    except ValueError:
        return False


def _is_deep(tree: object) -> bool:
    level = [tree]
    for _ in range(LEVELS_MAX):
        level = [below for each in level for below in _below(each)]
        if not level:
            return False
    return True


def _below(tree: object) -> list[object]:
    if isinstance(tree, dict):
        return list(tree.values())
    return tree if isinstance(tree, list) else []
