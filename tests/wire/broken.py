"""Bodies and streams that are almost right: seeds in every framing, and ways to break them."""

import json
import os
from typing import Any

from hypothesis import strategies as st

# A bounded minute for all of this in CI; more by the environment, where somebody wants to look for longer.
EXAMPLES = int(os.environ.get("OUTWARDEN_FUZZ_EXAMPLES", "150"))
MAIL = "ada.quill@brightquill-mail.com"


def sse(*events: object, end: str = "\n", done: bool = False) -> bytes:
    """Events as server-sent events; a pair is (name, data)."""
    out = ""
    for event in events:
        name, data = event if isinstance(event, tuple) else (None, event)
        out += (f"event: {name}{end}" if name else "") + f"data: {json.dumps(data, ensure_ascii=False)}{end}{end}"
    return (out + (f"data: [DONE]{end}{end}" if done else "")).encode()


def chat(content: object, **more: Any) -> dict[str, Any]:
    """A chunk of a chat stream."""
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": None}
    return {"id": "c1", "object": "chat.completion.chunk", "model": "gpt-4o", "choices": [choice]} | more


CALL = [{"index": 0, "id": "call_1", "function": {"name": "mail", "arguments": f'{{"to": "{MAIL}", "n": 1.50}}'}}]
USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
CHAT = sse(
    chat("Write to ada.quill@bright"), chat("quill-mail.com é😀"), chat(None, choices=[], usage=USAGE), done=True
)
WHOLE = {
    "type": "message",
    "content": [
        {
            "type": "output_text",
            "text": MAIL,
            "annotations": [{"type": "url_citation", "start_index": 0, "end_index": 5}],
        }
    ],
}


def named(kind: str, **more: Any) -> tuple[str, dict[str, Any]]:
    """An event that says its name twice."""
    return kind, {"type": kind} | more


def said(kind: str, **more: Any) -> tuple[str, dict[str, Any]]:
    """An event of a Responses stream about one text."""
    return named(f"response.output_text.{kind}", item_id="m", output_index=0, content_index=0, **more)


def block(index: int, **delta: str) -> tuple[str, dict[str, Any]]:
    """A piece of a block in a messages stream."""
    return named("content_block_delta", index=index, delta=delta)


RESPONSES = sse(
    named("response.created", response={"id": "r", "output": [], "usage": None}),
    said("delta", delta="ada.quill@"),
    said("delta", delta="brightquill-mail.com"),
    said("done", text=MAIL),
    named("response.completed", response={"output": [WHOLE], "usage": {"input_tokens": 1, "output_tokens": 2}}),
)
MESSAGES = sse(
    named("message_start", message={"model": "claude", "usage": {"input_tokens": 3}}),
    named("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    block(0, type="text_delta", text=MAIL),
    block(1, type="input_json_delta", partial_json='{"to": "ada.qu'),
    block(1, type="input_json_delta", partial_json='ill@brightquill-mail.com\\n"}'),
    named("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 9}),
    named("message_stop"),
)
PART = {
    "candidates": [{"index": 0, "content": {"parts": [{"text": MAIL}], "role": "model"}}],
    "usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 2},
}
GEMINI = sse(PART, PART, end="\r\n")
GEMINI_ARRAY = json.dumps([PART, PART], indent=1).encode()
OLLAMA = b"".join(
    json.dumps({"model": "llama", "message": {"role": "assistant", "content": each}, "done": each == ""}).encode()
    + b"\n"
    for each in ("ada.quill@", "brightquill-mail.com", "")
)
COHERE = sse(
    ("content-delta", {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": MAIL}}}}),
    ("message-end", {"type": "message-end", "delta": {"usage": {"tokens": {"input_tokens": 1, "output_tokens": 2}}}}),
)
NESTED = json.dumps({"to": MAIL, "in": json.dumps([MAIL])})
BODIES = [
    json.dumps(body).encode()
    for body in (
        {"model": "gpt-4o", "messages": [{"role": "user", "content": f"Mail {MAIL}\n"}], "max_tokens": 5},
        {"input": [{"type": "message", "content": [{"type": "input_text", "text": MAIL}]}], "stream": True},
        {"choices": [{"index": 0, "message": {"content": MAIL, "tool_calls": CALL}}], "usage": USAGE},
        {"input": "x", "nested": NESTED, "n": [-0.0, 1e-7, 10**30]},
    )
]
BODIES += [
    json.dumps(PART, indent=2).encode(),
    b'\xef\xbb\xbf{"a":"\\ud83d\\ude00 \\/ \\u0040","a":[1.0,1e5,"' + MAIL.encode() + b'"]}',
]
STREAMS: list[tuple[str, str, str, bytes]] = [
    ("openai", "/v1/chat/completions", "sse", CHAT),
    ("openai", "/v1/responses", "sse", RESPONSES),
    ("anthropic", "/v1/messages", "sse", MESSAGES),
    ("gemini", "/v1beta/models/gemini-2.5-flash:streamGenerateContent", "sse", GEMINI),
    ("gemini", "/v1beta/models/gemini-2.5-flash:streamGenerateContent", "json-array", GEMINI_ARRAY),
    ("ollama", "/api/chat", "ndjson", OLLAMA),
    ("cohere", "/v2/chat", "sse", COHERE),
    ("generic", "/v1/chat/completions", "sse", CHAT),
]
NASTY = [
    b'"', b"\\", b"\\u", b"\\ud83d", b"{", b"}", b"[", b"]", b",", b":", b"\x00", b"\xff", b"\xe2\x82", b"\xef\xbb\xbf",
    b"\r", b"\n\n", b"\r\n\r\n", b"data:", b"data: [DONE]\n\n", b"event: error\n", b": hi\n", b"1e999", b"-", b"null",
    b"9" * 400, b"[[[[[[[[", b'{"a":' * 30, b"@", b" ", b"--frontier\r\n",
]  # fmt: skip


@st.composite
def broken(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A seed with up to four things done to it: cut, doubled, a byte changed, something nasty put in."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 4))):
        a, b = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        b = min(b, a + 200)
        what = draw(st.sampled_from(["cut", "double", "change", "nasty", "end"]))
        if what == "cut":
            data = data[:a] + data[b:]
        elif what == "double":
            data = data[:b] + data[a:]
        elif what == "change" and a < len(data):
            data = data[:a] + bytes([draw(st.integers(0, 255))]) + data[a + 1 :]
        elif what == "nasty":
            data = data[:a] + draw(st.sampled_from(NASTY)) + data[a:]
        elif what == "end":
            data = data[:b]
    return data


@st.composite
def in_pieces(draw: st.DrawFn, seeds: list[bytes]) -> list[bytes]:
    """A broken seed, cut anywhere."""
    data = draw(broken(seeds))
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=6)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


KEYS = ["type", "text", "content", "usage", "index", "delta", "error", "model"]
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([10**400, -1, 1e308])
ODD = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.sampled_from(["", "text", "-1", MAIL, "\ud83d"]),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(KEYS), below, max_size=3),
    max_leaves=6,
)


@st.composite
def odd_tree(draw: st.DrawFn, seeds: list[Any]) -> Any:
    """A seed tree in which up to three values are replaced by something of another kind."""
    tree = json.loads(json.dumps(draw(st.sampled_from(seeds))))
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(tree))
        if not places:
            return draw(ODD)
        parent, key = draw(st.sampled_from(places))
        parent[key] = draw(ODD)
    return tree


def _places(tree: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        found += [(tree, key), *_places(value)]
    return found
