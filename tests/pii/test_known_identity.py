"""Redact, restore, redact again: text and bytes are what the provider said, in every format, whole or streamed."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outwarden.pii import PiiEngine, PiiPolicy, Vault
from outwarden.wire.body import Memory, rewrite_json
from outwarden.wire.formats import format_named
from outwarden.wire.sse import SseCodec
from outwarden.wire.stream import StreamRewriter

engine = PiiEngine(PiiPolicy(), b"a secret for tests only")
SAID = "I am ada.quill@brightquill-mail.com, my ssn is 281440067, phone +49 1512 7340918, call me 06 12 34 56 78."


def redacted(format, path, body, vault, memory=None):
    rewriter = engine.request(vault)
    one = format_named(format)
    rules = one.text_rules(one.identify("POST", path))
    return rewrite_json(body, rules, rewriter, memory=memory, find_known=rewriter.known).body


def names_of(vault):
    return sorted(vault._values)


_vault = Vault()
redacted("openai", "/v1/chat/completions", json.dumps([SAID]).encode(), _vault)
NAMES = names_of(_vault)
PHONE = next(name for name, value in _vault._values.items() if value == "06 12 34 56 78")
# What models put around a name. (A text that begins like JSON and breaks is read with JSON's escapes: not here.)
# No letter or digit touches it, and no digits follow: they may belong to the number.
between = st.sampled_from([" ", ", ", "\n", '"', "`", " (", ")", "|", "\\", "🙂", " é ", "**", "<", ">", "/ ", ": "])
word = st.sampled_from(["is", "Sent", "naïve", "x" * 160, "[EMAIL_ADDRESS]", "[1]"])
texts = st.lists(st.tuples(st.sampled_from(NAMES) | word, between), min_size=1, max_size=8).map(
    lambda pairs: "".join(a + b for a, b in pairs)
)
arguments = st.recursive(
    texts | st.booleans() | st.none() | st.sampled_from([0, 7, -12, 1.5, -1e-7, 1e100]),  # a long number may be a card
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
).map(lambda tree: {"to": tree})
manners = st.fixed_dictionaries(
    {
        "ensure_ascii": st.booleans(),
        "indent": st.sampled_from([None, 1]),
        "separators": st.sampled_from([None, (",", ":")]),
    }
)


def chat(text, tree):
    call = {"id": "call_1", "type": "function", "function": {"name": "send", "arguments": json.dumps(tree)}}
    return {"role": "assistant", "content": text, "tool_calls": [call]}


def responses(text, tree):
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    return [
        {"type": "message", "role": "assistant", "content": content},
        {"type": "function_call", "call_id": "call_1", "name": "send", "arguments": json.dumps(tree)},
    ]


def anthropic(text, tree):
    thinking = {"type": "thinking", "thinking": f"thinking of {NAMES[0]}", "signature": "c2lnbmF0dXJl" * 4}
    call = {"type": "tool_use", "id": "toolu_1", "name": "send", "input": tree}
    return {"role": "assistant", "content": [thinking, {"type": "text", "text": text}, call]}


def gemini(text, tree):
    thought = {"text": f"thinking of {NAMES[0]}", "thought": True, "thoughtSignature": "c2lnbmF0dXJl"}
    return {"role": "model", "parts": [thought, {"text": text}, {"functionCall": {"name": "send", "args": tree}}]}


def cohere(text, tree):
    call = {"id": "send_1", "type": "function", "function": {"name": "send", "arguments": json.dumps(tree)}}
    return {"role": "assistant", "content": [{"type": "text", "text": text}], "tool_calls": [call], "tool_plan": text}


def ollama(text, tree):
    return {"role": "assistant", "content": text, "tool_calls": [{"function": {"name": "send", "arguments": tree}}]}


def bedrock(text, tree):
    call = {"toolUse": {"toolUseId": "tooluse_1", "name": "send", "input": tree}}
    return {"role": "assistant", "content": [{"text": text}, call]}


SHAPES = [
    ("openai", "/v1/chat/completions", "messages", chat),
    ("openai", "/v1/responses", "input", responses),
    ("anthropic", "/v1/messages", "messages", anthropic),
    ("gemini", "/v1/models/g:generateContent", "contents", gemini),
    ("cohere", "/v2/chat", "messages", cohere),
    ("ollama", "/api/chat", "messages", ollama),
    ("bedrock", "/model/m/converse", "messages", bedrock),
]
IDS = [shape.__name__ for *_, shape in SHAPES]


@pytest.mark.parametrize(("format", "path", "key", "shape"), SHAPES, ids=IDS)
@given(text=texts, tree=arguments, manner=manners, slashes=st.booleans(), remembered=st.booleans())
@example(  # a tag between two telephones, which read as one number
    text=f"{PHONE}<is>{PHONE}/ ", tree={"to": {f"{PHONE}<is>{PHONE} ": 1}}, manner={}, slashes=False, remembered=True
)
def test_a_message_reaches_the_provider_as_it_left_it(
    format, path, key, shape, text, tree, manner, slashes, remembered
):
    """Byte for byte, however the provider spells its JSON; a client that spells anew keeps at least the texts."""
    asked = json.dumps({"role": "user", "content": SAID, "parts": [{"text": SAID}]}).encode()
    vault, memory = Vault(), Memory(10**6) if remembered else None
    first = redacted(format, path, b'{"%s": [%s]}' % (key.encode(), asked), vault, memory)
    said = json.dumps(shape(text, tree), **manner).encode()
    if slashes:
        said = said.replace(b"/", b"\\/")
    one = format_named(format)
    shown = rewrite_json(said, one.text_rules(one.identify("POST", path)), engine.reply(vault)).body
    before = first[len(key) + 6 : -2]
    for _ in range(2):
        second = redacted(format, path, b'{"%s": [%s, %s]}' % (key.encode(), asked, shown), Vault(), memory)
        assert second == b'{"%s": [%s, %s]}' % (key.encode(), before, said)
    again = json.dumps(json.loads(shown)).encode()
    third = redacted(format, path, b'{"%s": [%s, %s]}' % (key.encode(), asked, again), Vault(), memory)
    assert json.loads(third)[key][1] == json.loads(said)


def pieces_of(text, sizes):
    at = 0
    for size in sizes:
        yield text[at : at + size]
        at += size
    yield text[at:]


def stream_chat(text, spelled, sizes):
    for piece in pieces_of(text, sizes):
        yield {"choices": [{"index": 0, "delta": {"content": piece}}]}
    for piece in pieces_of(spelled, sizes):
        call = {"index": 0, "function": {"arguments": piece}}
        yield {"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}
    yield {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}


def stream_anthropic(text, spelled, sizes):
    for index, kind, key, said in ((0, "text_delta", "text", text), (1, "input_json_delta", "partial_json", spelled)):
        for piece in pieces_of(said, sizes):
            yield {"type": "content_block_delta", "index": index, "delta": {"type": kind, key: piece}}
        yield {"type": "content_block_stop", "index": index}
    yield {"type": "message_stop"}


def stream_responses(text, spelled, sizes):
    for place, kind, said in ((0, "output_text", text), (1, "function_call_arguments", spelled)):
        where = {"output_index": place, "content_index": 0}
        for piece in pieces_of(said, sizes):
            yield {"type": f"response.{kind}.delta", "delta": piece, **where}
        yield {"type": f"response.{kind}.done", "text": said, **where}
    yield {"type": "response.completed", "response": {"output": []}}


STREAMS = [
    ("openai", "/v1/chat/completions", stream_chat, ("content", "arguments")),
    ("openai", "/v1/responses", stream_responses, ("delta", "delta")),
    ("anthropic", "/v1/messages", stream_anthropic, ("text", "partial_json")),
]


def strings_under(node, key):
    if isinstance(node, list):
        return [found for child in node for found in strings_under(child, key)]
    if not isinstance(node, dict):
        return []
    here = [node[key]] if isinstance(node.get(key), str) else []
    return here + [found for child in node.values() for found in strings_under(child, key)]


@pytest.mark.parametrize(("format", "path", "stream", "keys"), STREAMS, ids=[s[2].__name__ for s in STREAMS])
@given(text=texts, tree=arguments, sizes=st.lists(st.integers(1, 9), max_size=30), manner=manners)
def test_a_stream_reaches_the_provider_as_it_left_it(format, path, stream, keys, text, tree, sizes, manner):
    """The pieces that a client joins and sends back become what the provider streamed: text and arguments to the
    character."""
    vault = Vault()
    redacted(format, path, json.dumps({"messages": [{"content": SAID}]}).encode(), vault)
    spelled = json.dumps(tree, **manner)
    one = format_named(format)
    rewriter = StreamRewriter(one, one.identify("POST", path), "sse", engine.reply(vault))
    raw = "".join(f"data: {json.dumps(event)}\n\n" for event in stream(text, spelled, sizes)).encode()
    out = b"".join([*(rewriter.feed(raw[at : at + 50]) for at in range(0, len(raw), 50)), rewriter.flush()])
    events = [json.loads(event.data) for event in SseCodec(10**7).feed(out)]
    if keys[0] == keys[1]:
        halves = ([e for e in events if e.get("output_index") == place] for place in (0, 1))
        shown = ["".join(strings_under(half, keys[0])) for half in halves]
    else:
        shown = ["".join(strings_under(events, key)) for key in keys]

    turn = {"messages": [{"content": SAID}, {"content": shown[0], "arguments": shown[1]}]}
    sent = json.loads(redacted(format, path, json.dumps(turn).encode(), Vault()))["messages"][1]
    assert (sent["content"], sent["arguments"]) == (text, spelled)
