"""What of a history only the provider that made it can read: signed thinking, sealed reasoning. And a history without.

Another provider refuses it, or cannot use it; the answer does not depend on it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from outwarden.errors import BodyError
from outwarden.wire.top_level import replace_value, value_spans

# Google's mark for parts that its models did not make (ai.google.dev/gemini-api/docs/thought-signatures, FAQ).
UNSIGNED = "skip_thought_signature_validator"
_THOUGHTS = frozenset({"thinking", "redacted_thinking"})
_SIGNATURES = ("thoughtSignature", "thought_signature")
# Who reads whose: Claude's signatures hold wherever Claude runs (platform.claude.com, "Extended thinking").
_CLAUDE = frozenset({"anthropic", "aws", "google"})

_LIST: Any = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT: Any = msgspec.json.Decoder(dict[str, msgspec.Raw])


def reads_signed(format_name: str, one: str, other: str) -> bool:
    """Whether the provider ``other`` reads what ``one`` has signed."""
    return one == other or (format_name == "anthropic" and {one, other} <= _CLAUDE)


def without_signed(format_name: str, body: bytes) -> bytes:
    """The request without what only its provider reads; the same object where there is none of it.

    Every other byte stays. Raises BodyError where the body is no JSON object.
    """
    change = _CHANGES.get(format_name)
    if change is None or not any(word in body for word in change[0]):
        return body
    try:
        return change[1](body)
    except msgspec.DecodeError:
        return body  # of another shape than this API's


def _without_thinking(body: bytes) -> bytes:
    """Anthropic's messages. A turn that goes on after tool calls has to begin with thinking where that is on
    ("enabled"; "adaptive" does not ask for it), so without it, it goes on without any."""
    changed = _in_list(body, "messages", _message_without_thinking)
    if changed is body:
        return body
    thinking = _member(changed, "thinking")
    if thinking and _kind(thinking) == "enabled":
        changed = replace_value(changed, "thinking", b'{"type":"disabled"}')
    return changed


def _message_without_thinking(message: bytes) -> bytes | None:
    if not any(word in message for word in _THINKING[0]):
        return message
    content = _member(message, "content")
    if not content or not content.startswith(b"["):
        return message
    changed = _in_list(message, "content", lambda block: None if _kind(block) in _THOUGHTS else block)
    return None if _member(changed, "content") == b"[]" else changed


def _without_reasoning(body: bytes) -> bytes:
    """OpenAI's responses."""
    sealed = _member(body, "input")
    if not sealed or not sealed.startswith(b"["):
        return body
    return _in_list(body, "input", lambda item: None if _kind(item) == "reasoning" else item)


def _with_marks(body: bytes) -> bytes:
    """Gemini's contents."""
    return _in_list(body, "contents", lambda content: _in_list(content, "parts", _marked))


def _marked(part: bytes) -> bytes:
    for name in _SIGNATURES:
        if _member(part, name):
            return replace_value(part, name, b'"%s"' % UNSIGNED.encode())
    return part


def _in_list(body: bytes, key: str, change: Callable[[bytes], bytes | None]) -> bytes:
    """The object with each element of the list under ``key`` changed; those of which nothing is left are taken out."""
    listed = _member(body, key)
    if listed is None:
        return body
    before: Sequence[bytes] = [bytes(raw) for raw in _LIST.decode(listed)]
    after = [kept for each in before if (kept := change(each)) is not None]
    return body if after == before else replace_value(body, key, b"[" + b",".join(after) + b"]")


def _member(body: bytes, key: str) -> bytes | None:
    try:
        span = value_spans(body).get(key)
    except BodyError:
        return None
    return body[slice(*span)] if span else None


def _kind(raw: bytes) -> str:
    try:
        kind = _OBJECT.decode(raw).get("type")
        return str(msgspec.json.decode(kind)) if kind is not None else ""
    except msgspec.DecodeError:
        return ""


_THINKING = ((b'"thinking"', b'"redacted_thinking"'), _without_thinking)
_CHANGES: dict[str, tuple[tuple[bytes, ...], Callable[[bytes], bytes]]] = {
    "anthropic": _THINKING,
    "openai": ((b'"reasoning"',), _without_reasoning),
    "gemini": (tuple(name.encode() for name in _SIGNATURES), _with_marks),
}
