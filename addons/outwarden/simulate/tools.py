"""Which tools a request offers, what they gave back, and a model that uses one and then speaks of its result."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from outwarden.simulate.exchange import Received
from outwarden.simulate.faults import decoded
from outwarden.simulate.script import Script, ToolCall
from outwarden.simulate.text import spoken, strings

_RESULTS = ("function_call_output", "custom_tool_call_output")
_SAID = ("messages", "input", "contents")


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool as a request describes it. ``free``: its input is text, not JSON; ``namespace``: where it stands."""

    name: str
    free: bool = False
    namespace: str | None = None


def offers(body: Any) -> Iterator[Offer]:
    """Every tool a body offers: in ``tools``, in items that add tools (as Codex sends them), inside namespaces."""
    if not isinstance(body, dict):
        return
    yield from _each(body.get("tools"), None)
    items = body.get("input")
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict) and item.get("type") == "additional_tools":
            yield from _each(item.get("tools"), None)


def _each(tools: Any, namespace: str | None) -> Iterator[Offer]:
    for tool in tools if isinstance(tools, list) else []:
        if not isinstance(tool, dict):
            continue
        name = tool.get("name") or (tool.get("function") or {}).get("name")
        if isinstance(declared := tool.get("functionDeclarations"), list):
            yield from _each(declared, None)  # Gemini's
        elif tool.get("type") == "namespace":
            yield from _each(tool.get("tools"), name)
        elif isinstance(name, str):
            yield Offer(name, tool.get("type") == "custom", namespace)


def offer_of(body: Any, name: str) -> Offer:
    """How a body offers a tool; a plain function where it does not."""
    return next((offer for offer in offers(body) if offer.name == name), Offer(name))


def last_result(body: Any) -> str | None:
    """What a tool gave back, where that is the last thing said; None where someone else spoke last."""
    said = next((body[key] for key in _SAID if key in body), None) if isinstance(body, dict) else None
    for item in reversed(said if isinstance(said, list) else []):
        if not isinstance(item, dict) or item.get("role") in ("system", "developer"):
            continue
        return spoken(item) if item.get("type") in _RESULTS or item.get("role") == "tool" else _tool_results(item)
    return None


def _tool_results(message: dict[str, Any]) -> str | None:
    """The results in a message of Anthropic or Gemini, None where it has none."""
    parts = message.get("content") or message.get("parts")
    found = [text for part in parts if (text := _result(part)) is not None] if isinstance(parts, list) else []
    return "\n".join(found) if found else None


def _result(part: Any) -> str | None:
    if not isinstance(part, dict):
        return None
    if isinstance(answered := part.get("functionResponse"), dict):
        return "\n".join(strings(answered.get("response")))
    return spoken(part) if part.get("type") == "tool_result" else None


def use_tool(
    *calls: ToolCall, otherwise: str = "Done.", quote: str = "It says: {result}"
) -> Callable[[Received], Script]:
    """A script for a provider whose model calls the first of these tools that is offered, then quotes what it gave.

    A request that offers none of them is answered with ``otherwise``.
    """

    def script(received: Received) -> Script:
        body = _body(received)
        if (result := last_result(body)) is not None:
            return Script(text=quote.format(result=result))
        offered = {offer.name for offer in offers(body)}
        call = next((call for call in calls if call.name in offered), None)
        return Script(text=otherwise) if call is None else Script(tool_calls=(call,))

    return script


def _body(received: Received) -> Any:
    try:
        return json.loads(decoded(received.body, (received.header("content-encoding") or "").lower()))
    except ValueError:
        return None
