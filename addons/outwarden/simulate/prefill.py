"""A last message of the assistant's: who goes on with it, who answers anew, and who refuses it."""

import re

from outwarden.simulate.reply import Call
from outwarden.simulate.text import spoken

# https://platform.claude.com/docs: "Prefilling assistant messages returns a 400 error" from Claude 4.6 on.
REFUSED = "This model does not support assistant message prefill. The conversation must end with a user message."
TRAILING = "messages: final assistant content cannot end with trailing whitespace"
THINKING = (
    "Expected `thinking` or `redacted_thinking`, but found `text`: a final assistant message cannot be prefilled."
)
BOTH = "Cannot set both `continue_final_message` and `add_generation_prompt` to True."  # vLLM's protocol.py
_NEWER = re.compile(r"claude-(?:[a-z]+-)?(?:4-(?:[6-9]|1[0-9])|[5-9])(?!\d)|claude-(?:fable|mythos)")


def prefill(call: Call) -> str:
    """What the caller said as the beginning of the answer; empty where the last message is not the assistant's."""
    last = _last(call)
    return spoken(last.get("content")) if last.get("role") == "assistant" else ""


def refusal(call: Call, *, anthropic: bool) -> str | None:
    """Why such a message is refused here; None: it is taken, or there is none."""
    if _last(call).get("role") != "assistant":
        return None
    if not call.script.prefill:
        return REFUSED
    if not anthropic:
        both = call.body.get("continue_final_message") and call.body.get("add_generation_prompt", True)
        return BOTH if both else None
    if _NEWER.search(str(call.body.get("model"))):
        return REFUSED
    thinking = call.body.get("thinking")
    if isinstance(thinking, dict) and thinking.get("type") != "disabled":
        return THINKING
    return TRAILING if prefill(call) != prefill(call).rstrip() else None


def rest(call: Call, text: str, *, anthropic: bool) -> str:
    """What is left of ``text`` for an answer that was begun; all of it where nothing begins it."""
    last, begun = _last(call), prefill(call)
    marked = last.get("prefix") or last.get("partial") or call.body.get("continue_final_message")
    if not begun or not (anthropic or marked or call.script.goes_on):
        return text
    left = text.removeprefix(begun)
    return begun + left if call.script.echoes else left


def _last(call: Call) -> dict[str, object]:
    said = call.body.get("messages")
    return said[-1] if isinstance(said, list) and said and isinstance(said[-1], dict) else {}
