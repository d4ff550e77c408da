"""A last message of the assistant's, as the providers take it."""

import json
from typing import Any

import pytest

from outwarden.simulate import Script
from outwarden.simulate.exchange import Received
from outwarden.simulate.paths import reply_to

ASKED = [{"role": "user", "content": "Count."}]
SAID = "one two three"


def ask(api: str, begun: dict[str, Any], script: Script, **more: Any) -> tuple[int, str]:
    """Status, and the text or the error's words."""
    body = {"model": "claude-opus-4-5", "max_tokens": 50, "messages": [*ASKED, {"role": "assistant", **begun}]} | more
    path = "/v1/messages" if api == "anthropic" else "/v1/chat/completions"
    host = "api.anthropic.com" if api == "anthropic" else "api.openai.com"
    received = Received("POST", path, host, (), json.dumps(body).encode(), "1.1")
    reply = reply_to(received, script, 0.0)
    told = json.loads(b"".join(part.data for part in reply.parts))
    if reply.status != 200:
        return reply.status, told["error"]["message"]
    return 200, told["content"][0]["text"] if api == "anthropic" else told["choices"][0]["message"]["content"]


def test_anthropic_goes_on() -> None:
    """With what is left of its text; content blocks are a beginning as well."""
    assert ask("anthropic", {"content": "one"}, Script(text=SAID)) == (200, " two three")
    assert ask("anthropic", {"content": [{"type": "text", "text": "one t"}]}, Script(text=SAID)) == (200, "wo three")
    assert ask("anthropic", {"content": "uno"}, Script(text=SAID)) == (200, SAID)


@pytest.mark.parametrize(
    ("begun", "more", "why"),
    [
        ("one ", {}, "trailing whitespace"),
        ("one", {"model": "claude-opus-4-6"}, "does not support assistant message prefill"),
        ("one", {"model": "claude-sonnet-5"}, "does not support assistant message prefill"),
        ("one", {"thinking": {"type": "enabled", "budget_tokens": 1024}}, "cannot be prefilled"),
    ],
)
def test_where_anthropic_does_not(begun: str, more: dict[str, Any], why: str) -> None:
    """400, in its words."""
    status, told = ask("anthropic", {"content": begun}, Script(text=SAID), **more)

    assert status == 400
    assert why in told


@pytest.mark.parametrize("mark", ["prefix", "partial"])
def test_a_marked_message_is_gone_on_with(mark: str) -> None:
    """As Mistral, DeepSeek and Moonshot want it; one of them says it again first."""
    assert ask("openai", {"content": "one", mark: True}, Script(text=SAID)) == (200, " two three")
    assert ask("openai", {"content": "one", mark: True}, Script(text=SAID, echoes=True)) == (200, SAID)


def test_vllm_has_its_two_fields() -> None:
    """Which exclude each other."""
    way = {"continue_final_message": True, "add_generation_prompt": False}

    assert ask("openai", {"content": "one"}, Script(text=SAID), **way) == (200, " two three")
    assert ask("openai", {"content": "one"}, Script(text=SAID), continue_final_message=True)[0] == 400


def test_a_plain_chat_answers_anew() -> None:
    """Unless this provider is one that goes on; a script may refuse it altogether."""
    assert ask("openai", {"content": "one"}, Script(text=SAID)) == (200, SAID)
    assert ask("openai", {"content": "one"}, Script(text=SAID, goes_on=True)) == (200, " two three")
    assert ask("openai", {"content": "one"}, Script(text=SAID, prefill=False))[0] == 400
