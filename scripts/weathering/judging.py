"""Whether a reply is a whole answer, an explicit error, or neither, by the letter of its API."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from weathering.calls import Call
from weathering.client import Reply

type Kind = Literal["whole", "error", "left", "wrong"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """``kind``, and the words for it: an error's code, or what is wrong."""

    kind: Kind
    told: str = ""


_EVENTS = ["message_start", "content_block_start", "content_block_stop", "message_delta", "message_stop"]


class Wrong(Exception):
    """What no reply may be."""


def judge(call: Call, reply: Reply, limit_s: float, *, is_ended: bool = True) -> Judgement:
    """Judge one reply; a client that left saw nothing to judge but what came until then.

    ``is_ended``: whether the upstream sent the event that ends a stream. Where it sent all but that, why the answer
    ended is enough.
    """
    try:
        if reply.left:
            return Judgement("left")
        if reply.torn:
            raise Wrong(f"torn ({reply.torn}) after {len(reply.body)} bytes, status {reply.status}")
        if reply.seconds > limit_s:
            raise Wrong(f"took {reply.seconds:.1f} s")
        if reply.status != 200:
            code = _error_code(reply)
        else:
            code = _streamed(call, reply, is_ended) if call.stream else _whole(call, reply)
        return Judgement("error", code) if code else Judgement("whole")
    except Wrong as wrong:
        return Judgement("wrong", str(wrong))


def _json(data: bytes | str) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        raise Wrong("a body that is no JSON") from None


def _error_code(reply: Reply) -> str:
    if reply.status < 400:
        raise Wrong(f"status {reply.status}")
    return f"{reply.status} {code_of(_json(bytes(reply.body)))}"


def code_of(body: Any) -> str:
    """The code of an error in the shape of either API; raises Wrong for what is none."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        raise Wrong("an error without the shape of one")
    return str(error.get("code") or error.get("type"))


def _whole(call: Call, reply: Reply) -> str:
    body = _json(bytes(reply.body))
    if "error" in body and body.get("type") != "message":
        return f"200 {code_of(body)}"
    if call.api == "openai":
        choice = body["choices"][0]
        said, finish = choice["message"]["content"], choice["finish_reason"]
    else:
        said, finish = "".join(block["text"] for block in body["content"]), body["stop_reason"]
    _compare(call, said)
    if finish not in ("stop", "end_turn"):
        raise Wrong(f"finished by {finish}")
    return ""


def _compare(call: Call, said: str) -> None:
    if said == call.text:
        return
    if call.text.startswith(said):
        raise Wrong(f"a success of {len(said)} of {len(call.text)} characters")
    same = next((at for at, (a, b) in enumerate(zip(said, call.text, strict=False)) if a != b), len(call.text))
    raise Wrong(f"a success that says something else from character {same} of {len(call.text)} on")


def events(body: bytes) -> Iterator[str]:
    """The data of server-sent events, each as the one line that both APIs write. Raises Wrong for what is none."""
    *whole, rest = body.replace(b"\r\n", b"\n").split(b"\n\n")
    if rest.strip():
        raise Wrong("an event without its end")
    for event in filter(None, whole):
        data = [line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:")]
        if len(data) > 1:
            raise Wrong("an event with two lines of data")
        yield from (line.decode() for line in data)


def _streamed(call: Call, reply: Reply, is_ended: bool) -> str:
    if "text/event-stream" not in reply.headers.get("content-type", ""):
        return _whole(call, reply)
    seen = list(events(bytes(reply.body)))
    if not seen:
        raise Wrong("an empty stream")
    return (_openai if call.api == "openai" else _anthropic)(call, seen, is_ended)


def _openai(call: Call, seen: list[str], is_ended: bool) -> str:
    said, finishes, identities = "", [], set()
    for at, data in enumerate(seen):
        if data == "[DONE]":
            if at != len(seen) - 1:
                raise Wrong("events behind the end")
            break
        event = _json(data)
        if "error" in event:
            _must_be_last(seen, at)
            return f"in stream {code_of(event)}"
        identities.add((event["id"], event["model"]))
        for choice in event["choices"]:
            said += choice["delta"].get("content") or ""
            finishes += [choice["finish_reason"]] if choice.get("finish_reason") else []
    if len(identities) != 1:
        raise Wrong("a stream of two answers")
    _compare(call, said)
    if finishes != ["stop"] or (seen[-1] != "[DONE]" and is_ended):
        raise Wrong(f"a stream without its end ({finishes}, {seen[-1][:20]})")
    return ""


def _anthropic(call: Call, seen: list[str], is_ended: bool) -> str:
    said, kinds, finish = "", [], None
    for at, data in enumerate(seen):
        event = _json(data)
        kind = event["type"]
        if kind == "error":
            _must_be_last(seen, at)
            return f"in stream {code_of(event)}"
        kinds += [kind] if kind not in ("ping", "content_block_delta") else []
        if kind == "content_block_delta":
            said += event["delta"]["text"]
        elif kind == "message_delta":
            finish = event["delta"]["stop_reason"]
    _compare(call, said)
    if kinds not in (_EVENTS, _EVENTS if is_ended else _EVENTS[:-1]):
        raise Wrong(f"a stream of {' '.join(kinds)}")
    if finish != "end_turn":
        raise Wrong(f"finished by {finish}")
    return ""


def _must_be_last(seen: list[str], at: int) -> None:
    if at != len(seen) - 1:
        raise Wrong("events behind the error")
