"""Offsets follow the text they point into: whole or streamed, whatever is put in or taken out before them."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.wire.body import Memory, rewrite_json, rewrite_text
from outwarden.wire.edits import Edit, apply_edits
from outwarden.wire.formats import format_named
from outwarden.wire.offsets import Moves
from outwarden.wire.sse import SseCodec
from outwarden.wire.stream import StreamRewriter

SAID = "Zoë 😀 ann@x.example wrote é: see [1] and flag [2]."  # ann@… becomes something longer and wider
MARKS = ("[1]", "[2]")
words = st.sampled_from(["ann@x.example", "4111111111111111", "é", "😀", " ", "plain ", "[1]", "flag", "日本"])
said = st.lists(words, max_size=8).map(" ".join)


def number_of(text, place, unit):
    return len(text[:place].encode()) if unit == "utf-8" else place


def cut(text, start, end, unit):
    return text.encode()[start:end].decode() if unit == "utf-8" else text[start:end]


# --- the arithmetic


@given(said, st.sampled_from(["code points", "utf-8"]), st.data())
def test_moved_spans_say_the_same(word_rewriter, text, unit, data):
    """A span outside of findings says the same after the edits; one that cuts a finding takes all of it."""
    edits = word_rewriter().edits([text])[0]
    new, moves = apply_edits(text, edits), Moves(text, edits, unit)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    first = moves.place(number_of(text, start, unit))
    last = moves.place(number_of(text, end, unit), is_end=True)
    done = [edit for edit in edits if edit.replacement is not None]
    whole_start = min([start, *(e.start for e in done if e.start < start < e.end)])
    whole_end = max([end, *(e.end for e in done if e.start < end < e.end)])

    assert cut(new, first, last, unit) == apply_edits(
        text[whole_start:whole_end],
        [
            Edit(e.start - whole_start, e.end - whole_start, e.replacement)
            for e in done
            if whole_start <= e.start and e.end <= whole_end
        ],
    )


def test_offsets_out_of_range_move_by_the_whole_difference(word_rewriter):
    """A provider that counts wrongly stays wrong by as much."""
    moves = Moves("a@b.c x", [Edit(0, 5, "longer one")], "code points")

    assert [moves.place(n) for n in (-1, 0, 3, 5, 7, 99)] == [-1, 0, 0, 10, 12, 104]


# --- the records of each format


def openai_responses(text, spans):
    notes = [{"type": "url_citation", "end_index": b, "url": "https://x", "start_index": a} for a, b in spans]
    notes += [{"type": "file_citation", "index": b, "file_id": "file-1"} for _, b in spans]
    content = [{"type": "output_text", "annotations": notes, "text": text, "logprobs": []}]
    return {"object": "response", "output": [{"type": "message", "content": content}]}


def openai_chat(text, spans):
    notes = [{"type": "url_citation", "url_citation": {"start_index": a, "end_index": b}} for a, b in spans]
    return {"choices": [{"index": 0, "message": {"content": text, "annotations": notes}}]}


def openai_thread(text, spans):
    notes = [
        {"type": "file_citation", "text": text[a:b], "start_index": a, "end_index": b, "index": n}
        for n, (a, b) in enumerate(spans)
    ]
    return {"object": "thread.message", "content": [{"type": "text", "text": {"value": text, "annotations": notes}}]}


def gemini(text, spans, names=("groundingMetadata", "groundingSupports", "startIndex", "endIndex")):
    supports = [
        {"segment": {names[2]: a, names[3]: b, "text": text.encode()[a:b].decode()}, "groundingChunkIndices": [0]}
        for a, b in spans
    ]
    sources = [{names[2]: a, names[3]: b, "uri": "https://x"} for a, b in spans]
    thought = {"thought": True, "text": "I think of ann@x.example"}
    return {
        "candidates": [
            {
                "content": {"parts": [thought, {"text": text}], "role": "model"},
                names[0]: {names[1]: supports},
                "citationMetadata": {"citationSources" if "I" in names[2] else "citation_sources": sources},
            }
        ]
    }


def gemini_snake(text, spans):
    return gemini(text, spans, ("grounding_metadata", "grounding_supports", "start_index", "end_index"))


def cohere_v2(text, spans):
    cited = [{"start": a, "end": b, "text": text[a:b], "content_index": 1, "type": "TEXT_CONTENT"} for a, b in spans]
    return {"message": {"content": [{"thinking": "hm d@e.f"}, {"type": "text", "text": text}], "citations": cited}}


def cohere_v1(text, spans):
    return {"text": text, "citations": [{"start": a, "end": b, "text": text[a:b]} for a, b in spans]}


def bedrock_agent(text, spans):
    cited = [{"textResponsePart": {"span": {"end": b - 1, "start": a}, "text": text[a:b]}} for a, b in spans]
    return {"citations": [{"generatedResponsePart": one} for one in cited], "output": {"text": text}}


SHAPES = [
    ("openai", "/v1/responses", openai_responses, "code points"),
    ("openai", "/v1/chat/completions", openai_chat, "code points"),
    ("openai", "/v1/threads/t/messages", openai_thread, "code points"),
    ("gemini", "/v1/models/g:generateContent", gemini, "utf-8"),
    ("gemini", "/v1/models/g:generateContent", gemini_snake, "utf-8"),
    ("cohere", "/v2/chat", cohere_v2, "code points"),
    ("cohere", "/v1/chat", cohere_v1, "code points"),
    ("bedrock", "/retrieveAndGenerate", bedrock_agent, "code points"),
]
IDS = [shape.__name__ for _, _, shape, _ in SHAPES]


def rules_of(format, path):
    one = format_named(format)
    return one.text_rules(one.identify("POST", path))


def rewritten(format, path, body, rewriter, **options):
    return rewrite_json(body, rules_of(format, path), rewriter, **options).body


@pytest.mark.parametrize(("format", "path", "shape", "unit"), SHAPES, ids=IDS)
@pytest.mark.parametrize("history", [False, True])
def test_a_text_is_as_if_the_new_one_had_been_said(word_rewriter, format, path, shape, unit, history):
    """Rewriting gives what the provider would have said of the rewritten text: numbers and repetitions.

    In a reply, and in a message of a request that quotes the reply, remembered or not.
    """
    spans = [(number_of(SAID, SAID.index(m), unit), number_of(SAID, SAID.index(m) + 3, unit)) for m in MARKS]
    new = rewrite_text(SAID, word_rewriter())
    new_spans = [(number_of(new, new.index(m), unit), number_of(new, new.index(m) + 3, unit)) for m in MARKS]
    for separators in ((",", ":"), (", ", " : ")):
        before, after = shape(SAID, spans), shape(new, new_spans)
        if history:
            before, after = {"messages": [before, before]}, {"messages": [after, after]}
        body = json.dumps(before, ensure_ascii=False, separators=separators).encode()
        expected = json.dumps(after, ensure_ascii=False, separators=separators).encode()
        for other in ("ann@x.example", "d@e.f"):
            plain = json.dumps(word_rewriter.replacement, ensure_ascii=False)[1:-1].encode()
            expected = expected.replace(other.encode(), plain)
        memory = Memory(10**6) if history else None

        for _ in range(2):
            assert rewritten(format, path, body, word_rewriter(), memory=memory) == expected


@pytest.mark.parametrize(("format", "path", "shape", "unit"), SHAPES, ids=IDS)
def test_a_span_that_cuts_a_finding_takes_all_of_it(word_rewriter, format, path, shape, unit):
    """Half an address in a repetition is not found there, so the repetition is cut again."""
    at = number_of(SAID, SAID.index("ann@"), unit)
    spans = [(at + 2, number_of(SAID, SAID.index("wrote") + 5, unit)), (0, at + 5)]
    out = rewritten(format, path, json.dumps(shape(SAID, spans)).encode(), word_rewriter()).decode()

    assert "x.example" not in out
    assert "ann@" not in out
    assert "n@x" not in out


@pytest.mark.parametrize(("format", "path", "shape", "unit"), SHAPES, ids=IDS)
def test_without_a_finding_nothing_moves(word_rewriter, format, path, shape, unit):
    """The same bytes, also where the offsets are nonsense."""
    body = json.dumps(shape("nothing here", [(3, 7), (0, 2000), (5, 2)])).encode().replace(b"@", b" at ")

    assert rewritten(format, path, body, word_rewriter()) is body


@pytest.mark.parametrize(
    "record",
    [
        {"start_index": "4", "end_index": 5},
        {"start_index": None, "end_index": 5},
        {"start_index": True, "end_index": 5},
        {"start_index": 4.5, "end_index": 5},
        {"index": 9},
        {},
        [],
        "text",
        None,
    ],
)
def test_odd_records_stay(word_rewriter, record):
    """What is no offset is not touched, and breaks nothing."""
    body = json.dumps({"text": "ann@x.example is", "annotations": [record], "citations": 7, "annotation": [1]}).encode()
    for format in ("openai", "gemini", "cohere", "bedrock"):
        out = json.loads(rewritten(format, "/v1/responses", body, word_rewriter()))
        assert out["annotations"] == [record]


def test_a_text_that_is_a_document_keeps_its_offsets_true(word_rewriter):
    """Structured output: edits inside the document move what points behind them."""
    text = json.dumps({"to": "ann@x.example", "n": 1}) + " "
    at = text.index('"n"')
    body = json.dumps(openai_responses(text, [(at, at + 3)])).encode()
    content = json.loads(rewritten("openai", "/v1/responses", body, word_rewriter()))["output"][0]["content"][0]
    note = content["annotations"][0]

    assert content["text"][note["start_index"] : note["end_index"]] == '"n"'


# --- streams: (path, events of (name, data) for the pieces of a text and spans, how to read text and records back)


def stream_responses(pieces, text, spans):
    place = {"output_index": 1, "content_index": 0, "item_id": "msg_1"}
    kind = "response.output_text"
    notes = [{"type": "url_citation", "start_index": a, "end_index": b} for a, b in spans]
    part = {"type": "output_text", "annotations": notes, "text": text}
    item = {"type": "message", "content": [part]}
    yield {"type": f"{kind}.delta", "delta": "Other answer by ann@x.example. ", **place, "content_index": 1}
    yield from ({"type": f"{kind}.delta", "delta": piece, **place} for piece in pieces)
    for n, note in enumerate(notes):
        yield {"type": f"{kind}.annotation.added", "annotation": note, "annotation_index": n, **place}
    yield {"type": f"{kind}.done", "text": text, **place}
    yield {"type": "response.content_part.done", "part": part, **place}
    yield {"type": "response.output_item.done", "item": item, "output_index": 1}
    yield {"type": "response.completed", "response": {"output": [item]}}


def stream_chat(pieces, text, spans):
    notes = [{"type": "url_citation", "url_citation": {"start_index": a, "end_index": b}} for a, b in spans]
    yield {"choices": [{"index": 1, "delta": {"content": "Other answer by ann@x.example. "}}]}
    yield from ({"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces)
    yield {"choices": [{"index": 0, "delta": {"content": "", "annotations": notes}}]}
    yield {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def stream_thread(pieces, text, spans):
    notes = [
        {"index": n, "type": "file_citation", "text": text[a:b], "start_index": a, "end_index": b}
        for n, (a, b) in enumerate(spans)
    ]
    thread = {"id": "msg_1", "object": "thread.message.delta"}
    for value in pieces:
        yield {**thread, "delta": {"content": [{"index": 0, "type": "text", "text": {"value": value}}]}}
    yield {**thread, "delta": {"content": [{"index": 0, "type": "text", "text": {"annotations": notes}}]}}
    content = [{"type": "text", "text": {"value": text, "annotations": notes}}]
    yield {"id": "msg_1", "object": "thread.message", "content": content}


def stream_gemini(pieces, text, spans):
    for piece in pieces:
        yield {"candidates": [{"content": {"parts": [{"text": piece}]}}]}
    data = gemini("", [])
    data["candidates"][0]["content"]["parts"] = [{"text": ""}]
    supports = [{"segment": {"startIndex": a, "endIndex": b, "text": text.encode()[a:b].decode()}} for a, b in spans]
    data["candidates"][0] |= {"finishReason": "STOP", "groundingMetadata": {"groundingSupports": supports}}
    yield data


def stream_interactions(pieces, text, spans):
    for piece in pieces:
        yield {"event_type": "content.delta", "index": 2, "delta": {"type": "text", "text": piece}}
    notes = [{"start_index": a, "end_index": b, "url": "https://x"} for a, b in spans]
    yield {"event_type": "content.delta", "index": 2, "delta": {"type": "text_annotation", "annotations": notes}}
    yield {"event_type": "content.stop", "index": 2}


def stream_cohere_v2(pieces, text, spans):
    for piece in pieces:
        yield {"type": "content-delta", "index": 1, "delta": {"message": {"content": {"text": piece}}}}
    for n, (a, b) in enumerate(spans):
        cited = {"start": a, "end": b, "text": text[a:b], "content_index": 1, "type": "TEXT_CONTENT"}
        yield {"type": "citation-start", "index": n, "delta": {"message": {"citations": cited}}}
    yield {"type": "content-end", "index": 1}
    yield {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}}


def stream_cohere_v1(pieces, text, spans):
    cited = [{"start": a, "end": b, "text": text[a:b]} for a, b in spans]
    yield from ({"event_type": "text-generation", "text": piece} for piece in pieces)
    yield {"event_type": "citation-generation", "citations": cited}
    yield {"event_type": "stream-end", "finish_reason": "COMPLETE", "response": {"text": text, "citations": cited}}


STREAMS = [
    ("openai", "/v1/responses", stream_responses, "code points"),
    ("openai", "/v1/chat/completions", stream_chat, "code points"),
    ("openai", "/v1/threads/t/runs", stream_thread, "code points"),
    ("gemini", "/v1/models/g:streamGenerateContent", stream_gemini, "utf-8"),
    ("gemini", "/v1/interactions", stream_interactions, "utf-8"),
    ("cohere", "/v2/chat", stream_cohere_v2, "code points"),
    ("cohere", "/v1/chat", stream_cohere_v1, "code points"),
]
STREAM_IDS = [stream.__name__ for _, _, stream, _ in STREAMS]
NAMES = (("start_index", "end_index"), ("startIndex", "endIndex"), ("start", "end"))


def pieces_of(text, sizes):
    at = 0
    for size in sizes:
        yield text[at : at + size]
        at += size
    yield text[at:]


def framed(events):
    return "".join(f"data: {json.dumps(event, ensure_ascii=False)}\n\n" for event in events).encode()


def streamed(format, path, rewriter, pieces):
    one = format_named(format)
    stream = StreamRewriter(one, one.identify("POST", path), "sse", rewriter)
    return b"".join([*(stream.feed(piece) for piece in pieces), stream.flush()])


def spans_in(node):
    """Every record in a document, with the text that stands for it there."""
    if isinstance(node, list):
        return [span for child in node for span in spans_in(child)]
    if not isinstance(node, dict):
        return []
    here = [(node[a], node[b], node.get("text")) for a, b in NAMES if a in node]
    return here + [span for child in node.values() for span in spans_in(child)]


@pytest.mark.parametrize(("format", "path", "stream", "unit"), STREAMS, ids=STREAM_IDS)
@given(
    before=said,
    after=said,
    sizes=st.lists(st.integers(1, 12), max_size=20),
    cuts=st.lists(st.integers(1, 90), max_size=20),
)
def test_streamed_offsets_are_whole_offsets(word_rewriter, format, path, stream, unit, before, after, sizes, cuts):
    """However the text is cut into events and the events into bytes: each record says where it stands in the new
    text, in every copy of it."""
    text = f"{before} [7] {after}"
    new = rewrite_text(text, word_rewriter())
    start = number_of(text, text.index("[7]"), unit)
    out = framed(stream(list(pieces_of(text, sizes)), text, [(start, start + 3)]))
    results = {
        streamed(format, path, word_rewriter(), pieces)
        for pieces in ([out], (bytes([b]) for b in out), (out[a:b] for a, b in ranges(out, cuts)))
    }
    assert len(results) == 1
    events = [json.loads(event.data) for event in SseCodec(10**7).feed(results.pop())]

    found = [span for event in events for span in spans_in(event)]
    assert found
    new_start = number_of(new, new.index("[7]"), unit)
    assert {(a, b) for a, b, _ in found} == {(new_start, new_start + 3)}
    assert {copy for _, _, copy in found} <= {"[7]", None}


def ranges(data, sizes):
    at = 0
    for size in sizes:
        yield at, at + size
        at += size
    yield at, len(data)


@pytest.mark.parametrize(("format", "path", "stream", "unit"), STREAMS, ids=STREAM_IDS)
def test_a_streamed_repetition_shows_no_half_of_a_finding(word_rewriter, format, path, stream, unit):
    """The provider cites a part of an address: the whole replacement is cited."""
    at = number_of(SAID, SAID.index("ann@"), unit)
    events = stream(list(pieces_of(SAID, [3] * 9)), SAID, [(at, at + 5)])
    out = streamed(format, path, word_rewriter(), [framed(events)])
    found = {(cut(rewrite_text(SAID, word_rewriter()), a, b, unit)) for a, b, _ in spans_in(events_of(out))}

    assert b"ann@" not in out
    assert found == {word_rewriter.replacement}


def events_of(out):
    return [json.loads(event.data) for event in SseCodec(10**7).feed(out)]


def test_a_record_before_its_text_moves_by_what_is_known(word_rewriter):
    """Some relays send the citations first, with no place in the text: nothing to move, and nothing is held."""
    note = {"type": "url_citation", "url_citation": {"start_index": 0, "end_index": 0}}
    first = {"choices": [{"index": 0, "delta": {"content": "", "annotations": [note]}}]}
    then = {"choices": [{"index": 0, "delta": {"content": "ann@x.example "}}]}
    out = streamed("openai", "/v1/chat/completions", word_rewriter(), [framed([first, then])])

    assert events_of(out)[0] == first


def test_many_records_cost_linear_time(word_rewriter):
    """Hostile or not: ten thousand records in a megabyte of text are done in seconds."""
    text = "ann@x.example é " * 20_000
    spans = [(n * 30, n * 30 + 5) for n in range(10_000)]
    body = json.dumps(openai_responses(text, spans), ensure_ascii=False).encode()

    assert rewritten("openai", "/v1/responses", body, word_rewriter()) != body


@pytest.mark.parametrize(("format", "path", "shape", "unit"), SHAPES, ids=IDS)
@given(before=said, after=said, ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
def test_only_texts_and_their_offsets_change(
    word_rewriter, format, path, shape, unit, before, after, ascii_only, indent
):
    """With every string and number of a record blanked, the rewritten body is the old one, byte for byte."""
    text = f"{before} [7] {after}"
    start = number_of(text, text.index("[7]"), unit)
    body = json.dumps(shape(text, [(start, start + 3)]), ensure_ascii=ascii_only, indent=indent).encode()
    out = rewritten(format, path, body, word_rewriter())

    def blank(raw):
        return re.sub(rb'"(?:[^"\\]|\\.)*"(\s*:)?|[0-9]+', lambda found: found[0] if found[1] else b"0", raw)

    assert blank(out) == blank(body)
