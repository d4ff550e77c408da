"""What only one provider can read does not go to another, and every other byte of the history does."""

import json

import pytest

from outwarden.wire.signed import UNSIGNED, reads_signed, without_signed

ANTHROPIC = (
    b'{ "model":"claude", "seed":1.50, "thinking":{"type":"enabled","budget_tokens":1024}, "messages":[\n'
    b'{"role":"user","content":"hi"},\n'
    b'{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"Eq=="}]},\n'
    b'{"role":"assistant","content":[{"type":"redacted_thinking","data":"Eq=="},'
    b'{"type":"tool_use","id":"t","name":"f","input":{"thinking":12345678901234567890}}]},\n'
    b'{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"the \\"thinking\\" of \\u00e9"}]}]}'
)


def test_thinking_of_claude_is_left_behind() -> None:
    """The blocks go, a message of nothing else goes with them, and thinking is off: it may not begin in the middle."""
    changed = without_signed("anthropic", ANTHROPIC)

    assert b"Eq==" not in changed
    assert b'"seed":1.50' in changed
    assert b'{"thinking":12345678901234567890}' in changed
    assert b'"the \\"thinking\\" of \\u00e9"' in changed
    asked = json.loads(changed)
    assert [message["role"] for message in asked["messages"]] == ["user", "assistant", "user"]
    assert [block["type"] for block in asked["messages"][1]["content"]] == ["tool_use"]
    assert asked["thinking"] == {"type": "disabled"}


def test_adaptive_thinking_stays_on() -> None:
    """It asks for no thinking before a tool's result."""
    adaptive = ANTHROPIC.replace(b'{"type":"enabled","budget_tokens":1024}', b'{"type":"adaptive"}')

    assert json.loads(without_signed("anthropic", adaptive))["thinking"] == {"type": "adaptive"}


def test_sealed_reasoning_is_left_behind() -> None:
    """OpenAI's reasoning items are for the organisation that they were made for."""
    body = (
        b'{"model":"gpt-5","input":[{"role":"user","content":"hi"}, {"type":"reasoning","id":"rs_1",'
        b'"encrypted_content":"gAAA","summary":[]}, {"type":"function_call","call_id":"c","name":"f","arguments":""}]}'
    )
    changed = without_signed("openai", body)

    assert changed == body.replace(
        body[body.index(b' {"type":"reasoning"') : body.index(b' {"type":"function')], b""
    ).replace(b', {"type":"f', b',{"type":"f')


def test_signatures_of_gemini_become_its_mark_for_foreign_parts() -> None:
    """Its newer models refuse a call of theirs without any."""
    body = (
        b'{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f","args":{}},"thoughtSignature":"CiQ="}]}]}'
    )

    assert without_signed("gemini", body) == body.replace(b"CiQ=", UNSIGNED.encode())


@pytest.mark.parametrize(
    ("format_", "body"),
    [
        ("anthropic", b'{"messages":[{"role":"user","content":"say \\"thinking\\""}],"thinking":{"type":"enabled"}}'),
        ("anthropic", b'{"messages":"thinking", "x":"thinking"}'),
        ("anthropic", b'{"messages":[{"content":{"thinking":1}},"thinking",1]}'),
        ("openai", b'{"input":"\\"reasoning\\"","reasoning":{"effort":"low"}}'),
        ("openai", b'{"messages":[],"reasoning":{"effort":"low"}}'),
        ("gemini", b'{"contents":{"parts":"thoughtSignature"}}'),
        ("cohere", b'{"messages":[{"type":"thinking"}]}'),
        ("anthropic", b"no JSON, but thinking"),
    ],
)
def test_where_nothing_is_signed_the_bytes_stay(format_: str, body: bytes) -> None:
    """Also where the words stand in texts, or the shape is no request's of this API."""
    assert without_signed(format_, body) is body


@pytest.mark.parametrize(
    ("format_", "one", "other", "reads"),
    [
        ("anthropic", "anthropic", "aws", True),
        ("anthropic", "anthropic", "google", True),
        ("anthropic", "anthropic", "deepseek", False),
        ("anthropic", "deepseek", "deepseek", True),
        ("openai", "openai", "azure", False),
        ("gemini", "google", "google", True),
    ],
)
def test_who_reads_whose(format_: str, one: str, other: str, reads: bool) -> None:
    """Claude's signatures hold wherever Claude runs; what OpenAI seals is an organisation's."""
    assert reads_signed(format_, one, other) == reads
