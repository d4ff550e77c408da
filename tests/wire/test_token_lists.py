"""What a reply says as a list of pieces changes as its text does: no value can be put together from them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.wire.body import rewrite_json, rewrite_text
from outwarden.wire.formats import format_named
from outwarden.wire.sse import SseCodec
from outwarden.wire.stream import StreamRewriter
from outwarden.wire.token_lists import token_lists

words = st.sampled_from(
    ["ann@x.example", "4111111111111111", "é", "😀", " ", "plain ", "flag", "日本", '{"to": "', '"}']
)
texts = st.lists(words, min_size=1, max_size=8).map(" ".join)
sizes = st.lists(st.integers(1, 6), max_size=40)


def pieces_of(text, sizes):
    at, pieces = 0, []
    for size in sizes:
        pieces.append(text[at : at + size])
        at += size
    return [piece for piece in (*pieces, text[at:]) if piece]


def token(piece):
    bytes_ = list(piece.encode())
    return {"token": piece, "logprob": -0.5, "bytes": bytes_, "top_logprobs": [{"token": piece, "logprob": -0.5}]}


def chat(pieces):
    return {"choices": [{"message": {"content": "".join(pieces)}, "logprobs": {"content": [*map(token, pieces)]}}]}


def completion(pieces):
    lists = {"tokens": pieces, "top_logprobs": [{piece: -1} for piece in pieces], "token_logprobs": [-1] * len(pieces)}
    return {"choices": [{"text": "".join(pieces), "logprobs": lists}]}


def gemini(pieces):
    result = {
        "topCandidates": [{"candidates": [{"token": piece, "logProbability": -1}]} for piece in pieces],
        "chosenCandidates": [{"token": piece, "logProbability": -1} for piece in pieces],
    }
    return {"candidates": [{"content": {"parts": [{"text": "".join(pieces)}]}, "logprobsResult": result}]}


def replicate(pieces):
    return {"output": list(pieces), "status": "succeeded"}


def cohere(pieces):
    return {"text": "".join(pieces), "logprobs": [{"token_ids": [1], "text": piece} for piece in pieces]}


WHOLE = [
    ("openai", "/v1/chat/completions", chat),
    ("openai", "/v1/completions", completion),
    ("gemini", "/v1/models/g:generateContent", gemini),
    ("generic", "/v1/predictions", replicate),
    ("cohere", "/v2/chat", cohere),
]


def rules_of(format, path):
    one = format_named(format)
    return one.text_rules(one.identify("POST", path))


@pytest.mark.parametrize(("format", "path", "shape"), WHOLE, ids=[shape.__name__ for *_, shape in WHOLE])
@given(text=texts, sizes=sizes)
def test_joined_pieces_are_the_rewritten_text(word_rewriter, format, path, shape, text, sizes):
    """In a whole reply, however the text is cut; what stands beside an unchanged piece stays."""
    pieces = pieces_of(text, sizes)
    body = json.dumps(shape(pieces)).encode()
    out = json.loads(rewrite_json(body, rules_of(format, path), word_rewriter()).body)
    new = rewrite_text(text, word_rewriter())

    for tokens in token_lists(out):
        assert "".join(tokens.pieces) == new
        assert len(tokens.pieces) == len(pieces)
        for old, piece, element in zip(pieces, tokens.pieces, tokens.elements, strict=True):
            if isinstance(element, dict) and "bytes" in element:
                assert bytes(element["bytes"]).decode() == piece
                assert element["top_logprobs"] == (token(old)["top_logprobs"] if piece == old else [])
    if new == text:
        assert out == json.loads(body)


@pytest.mark.parametrize("shape", [chat, completion, gemini], ids=lambda shape: shape.__name__)
def test_alternatives_of_a_changed_piece_are_left_out(word_rewriter, shape):
    """They are other ways to spell it; those of the others stay."""
    body = json.dumps(shape(["to ", "an", "n@x", ".example", " now"])).encode()
    out = rewrite_json(body, rules_of("openai", "/v1/chat/completions"), word_rewriter()).body.decode()

    assert "n@x" not in out
    assert out.count(" now") == body.decode().count(" now")


def spelled_in_escapes(tree):
    """JSON with each letter of each key as an escape, which says the same."""
    if isinstance(tree, dict):
        keys = ("".join(f"\\u{ord(letter):04x}" for letter in key) for key in tree)
        pairs = zip(keys, map(spelled_in_escapes, tree.values()), strict=True)
        return "{" + ", ".join(f'"{key}": {value}' for key, value in pairs) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(spelled_in_escapes, tree)) + "]"
    return json.dumps(tree)


@pytest.mark.parametrize(("format", "path", "shape"), WHOLE, ids=[shape.__name__ for *_, shape in WHOLE])
def test_keys_may_be_spelled_in_escapes(word_rewriter, format, path, shape):
    """A list under `"\\u0074okens"` is a list under `"tokens"`, whole or in an event."""
    tree, rules = shape(["to ", "an", "n@x", ".example", " now"]), rules_of(format, path)
    plain = rewrite_json(json.dumps(tree).encode(), rules, word_rewriter()).body
    escaped = spelled_in_escapes(tree).encode()

    assert b"n@x" not in plain
    assert json.loads(rewrite_json(escaped, rules, word_rewriter()).body) == json.loads(plain)


def test_pieces_count_in_the_field_that_they_stand_in():
    """A rule for one field is asked for the text that pieces in it join to, and for no other."""
    asked = []

    class ByField:
        by_field = True

        def edits_in(self, texts, places):
            asked.extend((places[text], text) for text in texts)
            return [() for _ in texts]

    messages = [
        {"role": "tool", "content": [{"tokens": ["an", "n@x", ".example"]}]},
        {"role": "user", "content": [{"tokens": ["bo", "b@x", ".example"]}]},
    ]
    body = json.dumps({"messages": messages}).encode()
    rewrite_json(body, rules_of("openai", "/v1/chat/completions"), ByField())

    assert (frozenset({"tool_result"}), "ann@x.example") in asked
    assert (frozenset({"message"}), "bob@x.example") in asked
    assert len(asked) == len(set(asked))


def test_timed_words_are_joined_by_spaces(word_rewriter):
    """A number spoken in groups is in no single word."""

    class Groups(word_rewriter):
        def edits(self, texts):
            cards = [text.replace("4111 1111", "4111@1111") for text in texts]
            return super().edits(cards)

    words = [
        {"word": w, "start": n, "punctuated_word": w.title()} for n, w in enumerate(["card", "4111", "1111", "ok"])
    ]
    out = json.loads(rewrite_json(json.dumps({"words": words}).encode(), rules_of("openai", "/v1/x"), Groups()).body)

    assert [w["word"] for w in out["words"]] == ["card", word_rewriter.replacement, "", "ok"]
    assert [w["punctuated_word"] for w in out["words"]] == ["Card", word_rewriter.replacement, "", "Ok"]
    assert [w["start"] for w in out["words"]] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "body",
    [
        {"tokens": [1, 2]},
        {"tokens": [["a"]]},
        {"content": [{"type": "text", "text": "ann@x.example"}, {"type": "text", "text": "b"}]},
        {"output": [{"type": "message"}, "x"]},
        {"tokens": 7, "words": None, "logprobs": {"text": "a"}, "chosenCandidates": {}},
        {"output": []},
    ],
)
def test_other_lists_are_none(body):
    """Token ids, content parts, output items."""
    assert not list(token_lists(body))


def stream_chat(pieces):
    for piece in pieces:
        yield {"choices": [{"index": 0, "delta": {"content": piece}, "logprobs": {"content": [token(piece)]}}]}
    yield {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def stream_cut_otherwise(pieces):
    for piece in pieces:
        tokens = [token(half) for half in (piece[:1], piece[1:] + "~")]
        yield {"choices": [{"index": 0, "delta": {"content": piece}, "logprobs": {"content": tokens}}]}


def stream_responses(pieces):
    text, all_ = "".join(pieces), [*map(token, pieces)]
    kind, part = "response.output_text", {"type": "output_text", "text": text, "logprobs": all_}
    yield from ({"type": f"{kind}.delta", "output_index": 0, "delta": p, "logprobs": [token(p)]} for p in pieces)
    yield {"type": f"{kind}.done", "output_index": 0, "text": text, "logprobs": all_}
    yield {"type": "response.completed", "response": {"output": [{"type": "message", "content": [part]}]}}


def stream_cohere(pieces):
    for piece in pieces:
        lists = {"token_ids": [1], "text": piece, "logprobs": [-1]}
        yield {
            "type": "content-delta",
            "index": 0,
            "delta": {"message": {"content": {"text": piece}}},
            "logprobs": lists,
        }
    yield {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}}


STREAMS = [
    ("openai", "/v1/chat/completions", stream_chat),
    ("openai", "/v1/responses", stream_responses),
    ("cohere", "/v2/chat", stream_cohere),
]


def run(format, path, rewriter, events, step=1 << 20):
    one = format_named(format)
    stream = StreamRewriter(one, one.identify("POST", path), "sse", rewriter)
    raw = "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()
    out = b"".join([*(stream.feed(raw[at : at + step]) for at in range(0, len(raw), step)), stream.flush()])
    return [json.loads(event.data) for event in SseCodec(10**7).feed(out)]


@pytest.mark.parametrize(("format", "path", "stream"), STREAMS, ids=[stream.__name__ for *_, stream in STREAMS])
@given(text=texts, sizes=sizes)
def test_streamed_pieces_join_to_the_rewritten_text(word_rewriter, format, path, stream, text, sizes):
    """Piece by piece, and in every copy of the whole list; one byte at a time or at once."""
    pieces = pieces_of(text, sizes)
    events = run(format, path, word_rewriter(), stream(pieces))
    new = rewrite_text(text, word_rewriter())
    lists = [tokens for event in events for tokens in token_lists(event, 1)]

    assert "".join(tokens.text for tokens in lists[: len(pieces)]) == new
    assert all(tokens.text == new for tokens in lists[len(pieces) :])
    assert events == run(format, path, word_rewriter(), stream(pieces), 1)


def test_tokens_cut_in_another_way_go_with_the_text(word_rewriter):
    """A relay that shifts tokens against the text: those of a changed event are left out."""
    events = run(
        "openai", "/v1/chat/completions", word_rewriter(), stream_cut_otherwise(["to ann", "@x.exa", "mple now"])
    )
    said = "".join(tokens.text for event in events for tokens in token_lists(event, 1))

    assert said == ""


def test_tokens_without_a_text_are_scanned(word_rewriter):
    """As the text that they join to."""
    tokens = [token("ann"), token("@x.example")]
    (event,) = run("openai", "/v1/x", word_rewriter(), [{"type": "x.done", "logprobs": tokens}])

    assert [one["token"] for one in event["logprobs"]] == [word_rewriter.replacement, ""]


def test_streamed_keys_may_be_spelled_in_escapes(word_rewriter):
    """As in a whole reply."""
    events = [*stream_chat(["to an", "n@x", ".example now"])]
    outs = []
    for spell in (json.dumps, spelled_in_escapes):
        one = format_named("openai")
        stream = StreamRewriter(one, one.identify("POST", "/v1/chat/completions"), "sse", word_rewriter())
        raw = "".join(f"data: {spell(event)}\n\n" for event in events).encode()
        outs.append([json.loads(event.data) for event in SseCodec(10**7).feed(stream.feed(raw) + stream.flush())])

    assert outs[0] == outs[1]
    assert "n@x" not in json.dumps(outs[1])
