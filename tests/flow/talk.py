"""What a client and OpenAI's chat API say to each other, as short as it can be."""

import json
from typing import Any

from playbook import request

from outwarden.audit import read
from outwarden.flow.services import Services

PATH = "/v1/chat/completions"
EMAIL = "ada.quill@brightquill-mail.com"  # invented, and of a kind that the rules here take out
USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}


def chat(model: str = "gpt-4o", text: str = "hello", **more: Any) -> bytes:
    """A request's body."""
    return json.dumps({"model": model, "messages": [{"role": "user", "content": text}]} | more).encode()


def asks(model: str = "gpt-4o", text: str = "hello", *, headers: dict[str, str] | None = None, **more: Any) -> bytes:
    """A whole request."""
    return request(PATH, chat(model, text, **more), headers)


def said(text: str, usage: dict[str, int] | None = USAGE) -> bytes:
    """A whole answer's body."""
    message = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return json.dumps({"model": "gpt-4o", "choices": [message]} | ({"usage": usage} if usage else {})).encode()


def event(data: Any) -> bytes:
    """One event of a stream."""
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def delta(**fields: Any) -> bytes:
    """One event with a piece of the answer."""
    return event({"model": "gpt-4o", "choices": [{"index": 0, "delta": fields}]})


ROLE = delta(role="assistant", content="")
STOP = event({"model": "gpt-4o", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
BILL = event({"model": "gpt-4o", "choices": [], "usage": USAGE})
DONE = b"data: [DONE]\n\n"
FAULT = event({"error": {"message": "overloaded", "type": "server_error", "code": "overloaded"}})


def piece(text: str) -> bytes:
    """One event with text."""
    return delta(content=text)


def text_of(stream: bytes) -> str:
    """What a stream says, errors left out."""
    found = []
    for line in stream.decode().splitlines():
        if line.startswith("data: {"):
            for choice in json.loads(line[6:]).get("choices", []):
                found.append(choice["delta"].get("content") or "")
    return "".join(found)


def error_of(stream: bytes) -> str | None:
    """The code of the error event in a stream, if there is one."""
    for line in stream.decode().splitlines():
        if line.startswith("data: {") and "error" in (data := json.loads(line[6:])):
            return str(data["error"]["code"])
    return None


def record(services: Services) -> dict[str, Any]:
    """The audit record of the call that ended last."""
    *_, last = read(services.state.audit)
    return last


def attempts(services: Services) -> list[tuple[str, str, int | None]]:
    """Upstream, outcome and status of each attempt of the call that ended last."""
    return [(each["upstream"], each["outcome"], each["status"]) for each in record(services)["attempts"]]
