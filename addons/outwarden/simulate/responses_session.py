"""OpenAI responses over a WebSocket: the stream's events as messages, each turn with only what is new.

As Codex speaks it (codex-rs, responses_websocket) and the provider's guide to WebSocket mode describes it, read
2026-11-24: ``previous_response_id`` names what this connection answered before, ``generate: false`` only warms up,
``stream_id`` names a lane, and what cannot be answered is an ``error`` with a ``status``.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from outwarden.simulate import openai_responses
from outwarden.simulate.conversation import Ask, Said, Turn
from outwarden.simulate.openai_errors import HEADERS, error_object
from outwarden.simulate.reply import Call, Part, Reply, compact
from outwarden.simulate.script import Script

REMEMBERED_RESPONSES = 32
_NOT_PART_OF_A_CALL = ("type", "stream_id", "generate")


class ResponsesSession:
    """What one connection has said."""

    headers: tuple[tuple[str, str], ...] = HEADERS
    binary = False

    def __init__(self, path: str, clock: Callable[[], float]) -> None:
        """``clock`` gives the seconds that replies name as their creation time."""
        self._path = path
        self._clock = clock
        self._said: dict[str, list[Any]] = {}  # response id → everything said up to its end
        self._asked = 0

    def opening(self) -> Iterable[str]:
        """Nothing: the client begins."""
        return ()

    def take(self, message: dict[str, Any], ask: Ask) -> Iterator[Said]:
        """Answer ``response.create``; ``response.processed`` only tells that the client has read a response."""
        if message.get("type") == "response.create":
            yield self._create(message, ask)
        elif message.get("type") != "response.processed":
            yield self.wrong(f"unknown message type {message.get('type')!r}")

    def wrong(self, problem: str) -> str:
        """The error for a message that cannot be understood."""
        return _failed(Script(), 400, {"message": problem, "code": "invalid_request"})

    def _create(self, message: dict[str, Any], ask: Ask) -> Said:
        lane = message.get("stream_id")
        marks = {} if lane is None else {"stream_id": lane}
        previous = message.get("previous_response_id")
        if previous is not None and previous not in self._said:
            problem = f"Previous response with id '{previous}' not found."
            code = {"message": problem, "code": "previous_response_not_found", "param": "previous_response_id"}
            return Turn(_whole(_failed(Script(), 400, code, marks)), Script(), str(lane or ""))
        body = self._body(message)
        generate = message.get("generate", True)
        script = ask(body) if generate else Script()  # warming up is no response that a script is for
        if script.status >= 400:
            alone = Script(headers_delay_s=script.headers_delay_s, close_code=script.close_code)
            return Turn(_whole(_failed(script, script.status, marks=marks)), alone, str(lane or ""))
        self._asked += 1
        call = Call.of(f"{self._path}#{self._asked}", {}, body, script, self._clock())
        reply, finished = openai_responses.messages(call, marks, generate=generate)
        self._remember(finished["id"], [*body["input"], *finished["output"]])
        return Turn(reply, script, str(lane or ""))

    def _body(self, message: dict[str, Any]) -> dict[str, Any]:
        """The message as the body of a call, with everything that was said before."""
        new = message.get("input") or []
        items = [{"role": "user", "content": new}] if isinstance(new, str) else list(new)
        so_far = self._said.get(str(message.get("previous_response_id")), [])
        body = {key: value for key, value in message.items() if key not in _NOT_PART_OF_A_CALL}
        return body | {"input": [*so_far, *items]}

    def _remember(self, response_id: str, items: list[Any]) -> None:
        self._said[response_id] = items
        while len(self._said) > REMEMBERED_RESPONSES:
            del self._said[next(iter(self._said))]


def _failed(
    script: Script, status: int, more: dict[str, Any] | None = None, marks: dict[str, Any] | None = None
) -> str:
    """The error of a response that never began, as one message."""
    error = error_object(script, status)["error"] | (more or {})
    headers = {} if script.retry_after is None else {"headers": {"retry-after": script.retry_after}}
    return compact({"type": "error", "status": status, "error": error} | headers | (marks or {}))


def _whole(text: str) -> Reply:
    """One message that is all there is."""
    return Reply(200, (), (Part(text.encode("utf-8")),))
