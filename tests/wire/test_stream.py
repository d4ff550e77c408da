"""A streamed reply says the same as a whole one, at every cut, and nothing leaves before it is decided."""

import gc
import json
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outwarden.errors import BodyError
from outwarden.wire import stream as stream_module
from outwarden.wire.aws_events import AwsEventsCodec, make_frame
from outwarden.wire.body import rewrite_text
from outwarden.wire.format import Operation
from outwarden.wire.sse import SseCodec
from outwarden.wire.stream import StreamRewriter

OPERATION = Operation("small")
words = st.sampled_from(["ann@x.example", "4111111111111111", "flag", "so", " ", " ", "é😀", '"', "\n", "[", "a@b"])
texts = st.lists(words, max_size=8).map("".join)
arguments = st.dictionaries(texts, texts | st.integers(), max_size=3).map(json.dumps) | texts
cut_texts = st.lists(st.integers(1, 7), max_size=20)
framings = st.sampled_from(["sse", "ndjson", "json-array", "aws-event-stream"])


def pieces_of(whole, sizes):
    at = 0
    for size in sizes:
        yield whole[at : at + size]
        at += size
    yield whole[at:]


def data_of(channels, sizes):
    """The events of an answer: the channels' pieces in turns, each closed by its whole text, and the end."""
    queues = [(key, list(pieces_of(text, sizes)), text) for key, text in channels.items()]
    data = [{"type": "start", "model": "small-1"}]
    while any(queue for _, queue, _ in queues):
        data += [{"type": "delta", "at": at, kind: queue.pop(0)} for (at, kind), queue, _ in queues if queue]
    data += [{"type": "end", "at": at, "whole": text} for (at, _), _, text in queues]
    return [*data, {"type": "usage", "usage": 7}, {"done": True}]


def framed(framing, data, *, ascii_only=False, end="\n"):
    lines = [json.dumps(item, ensure_ascii=ascii_only) for item in data]
    if framing == "ndjson":
        return "".join(line + "\n" for line in lines).encode()
    if framing == "json-array":
        return ("[" + "\n,\r\n".join(lines) + "]\n").encode()
    if framing == "aws-event-stream":
        return b"".join(make_frame({":content-type": "application/json"}, line.encode()) for line in lines)
    return "".join(f": ping{end}event: e{end}data: {line}{end}{end}" for line in lines).encode()


def unframed(framing, stream):
    if framing == "ndjson":
        return [json.loads(line) for line in stream.splitlines()]
    if framing == "json-array":
        return json.loads(stream)
    if framing == "aws-event-stream":
        return [json.loads(event.data) for event in AwsEventsCodec(10**6).feed(stream)]
    return [json.loads(event.data) for event in SseCodec(10**6).feed(stream) if event.data is not None]


def run(format, framing, rewriter, pieces, **options):
    stream = StreamRewriter(format, OPERATION, framing, rewriter, **options)
    return stream, b"".join([*(stream.feed(piece) for piece in pieces), stream.flush()])


answers = st.dictionaries(st.tuples(st.integers(0, 2), st.just("text")), texts, max_size=2).flatmap(
    lambda plain: st.dictionaries(st.tuples(st.integers(0, 1), st.just("json")), arguments, max_size=2).map(
        lambda json_: plain | json_
    )
)


@given(answers, cut_texts, framings, st.booleans(), st.sampled_from(["\n", "\r\n", "\r"]))
@example({(0, "text"): "ann@x.example"}, [1] * 20, "sse", False, "\n")
def test_streamed_is_whole(small_format, word_rewriter, channels, sizes, framing, ascii_only, end):
    """Each channel's pieces join to its text rewritten as a whole; its copy at the end says the same."""
    stream = framed(framing, data_of(channels, sizes), ascii_only=ascii_only, end=end)
    _, out = run(small_format, framing, word_rewriter(), [stream])
    joined, copies = {}, {}
    for item in unframed(framing, out):
        for kind in ("text", "json"):
            if kind in item:
                joined[item["at"], kind] = joined.get((item["at"], kind), "") + item[kind]
        if "whole" in item:
            copies.setdefault(item["at"], []).append(item["whole"])

    expected = {key: rewrite_text(text, word_rewriter()) for key, text in channels.items()}
    assert joined == expected
    assert sorted(c for all_ in copies.values() for c in all_) == sorted(expected.values())


@given(answers, cut_texts, framings, st.lists(st.integers(1, 60), max_size=30), st.booleans())
def test_any_cut_gives_the_same_bytes(small_format, word_rewriter, channels, sizes, framing, cuts, ascii_only):
    """One byte at a time, whole, or anything between: bytes, findings and facts are the same."""
    stream = framed(framing, data_of(channels, sizes), ascii_only=ascii_only)
    results = []
    for pieces in ([stream], pieces_of(stream, cuts), (bytes([byte]) for byte in stream)):
        rewriter = word_rewriter()
        state, out = run(small_format, framing, rewriter, pieces)
        facts = (state.began, state.ended, state.error, state.usage, state.model, state.events, state.output_text_bytes)
        results.append((out, rewriter.counts, facts))

    assert results[0] == results[1] == results[2]


@given(answers, cut_texts, framings, st.booleans())
def test_without_findings_the_bytes_are_the_same(small_format, word_rewriter, channels, sizes, framing, ascii_only):
    """Where the rewriter only reports, the stream passes as it came."""

    class Reporting(word_rewriter):
        def _edit(self, word):
            return None

    stream = framed(framing, data_of(channels, sizes), ascii_only=ascii_only)

    assert run(small_format, framing, Reporting(), [stream])[1] == stream


@given(answers, cut_texts, framings)
def test_only_found_strings_change(small_format, word_rewriter, channels, sizes, framing):
    """Undoing what is said in the strings gives the same events: names, padding, numbers and comments stay."""
    data = data_of(channels, sizes)
    _, out = run(small_format, framing, word_rewriter(), [framed(framing, data)])
    rewritten = unframed(framing, out)

    assert framed(framing, rewritten) == out
    blank = [{k: "" if k in ("text", "json", "whole") else v for k, v in item.items()} for item in rewritten]
    assert blank == [{k: "" if k in ("text", "json", "whole") else v for k, v in item.items()} for item in data]


def sse(*data):
    return [b"data: " + (item if isinstance(item, bytes) else json.dumps(item).encode()) + b"\n\n" for item in data]


def test_an_event_leaves_when_it_is_decided(small_format, word_rewriter):
    """Not later than the next word's begin, and the replacement stands where the found span began."""
    rewriter = word_rewriter()
    rewriter.replacement = "[EMAIL]"
    stream = StreamRewriter(small_format, OPERATION, "sse", rewriter)
    events = sse({"text": "Hi "}, {"text": "ann"}, {"text": "@x"}, {"text": ".example, "}, {"text": "so "})
    out = [stream.feed(event) for event in events]

    assert out[0] == events[0]
    assert out[1:3] == [b"", b""]
    assert out[3] == b"".join(sse({"text": "[EMAIL]"}, {"text": ""}, {"text": ", "}))
    assert out[4] == events[4]


def test_an_open_event_holds_those_behind_it(small_format, word_rewriter):
    """The order of events is kept, also over channels."""
    stream = StreamRewriter(small_format, OPERATION, "sse", word_rewriter())
    events = sse({"at": 0, "text": "open"}, {"at": 1, "text": "closed "}, {"type": "ping"})

    assert [stream.feed(event) for event in events] == [b"", b"", b""]
    assert stream.feed(sse({"at": 0, "text": " "})[0]) == b"".join(events + sse({"at": 0, "text": " "}))


def test_a_closed_channel_is_decided(small_format, word_rewriter):
    """Before the event that closes it leaves; a later piece begins a new text."""
    stream = StreamRewriter(small_format, OPERATION, "sse", word_rewriter())
    events = sse({"text": "ann"}, {"whole": "x"}, {"text": "@x.example "})

    assert stream.feed(events[0]) == b""
    assert stream.feed(events[1]) == events[0] + events[1]
    assert stream.feed(events[2]) == events[2]


def test_facts_are_read(small_format, word_rewriter):
    """What the stream says about itself, as soon as it says it."""
    stream = StreamRewriter(small_format, OPERATION, "sse", word_rewriter())
    seen = []
    for event in sse({"model": "small-1"}, {"text": "é "}, {"usage": 3}, {"usage": 9, "done": False}, b"[DONE]"):
        stream.feed(event)
        seen.append((stream.model, stream.began, stream.usage.output_tokens if stream.usage else None, stream.ended))

    assert seen[0] == ("small-1", False, None, False)
    assert seen[1] == ("small-1", True, None, False)
    assert [usage for _, _, usage, _ in seen[2:]] == [3, 9, 9]
    assert seen[4][3]
    assert (stream.events, stream.output_text_bytes, stream.error) == (5, 3, None)


def test_the_first_error_is_kept(small_format, word_rewriter):
    """An error in a stream that said 200."""
    stream, _ = run(small_format, "sse", word_rewriter(), sse({"error": {}}, {"text": "x"}))

    assert (stream.error, stream.ended) == ("overloaded", False)


def test_an_error_may_be_told_in_words(small_format, word_rewriter):
    """A gateway's `event: error` is one whatever its data is; what was held before it leaves."""
    words = b"event: error\ndata: no more of ann@x.example today\n\n"
    stream, out = run(small_format, "sse", word_rewriter(), [*sse({"text": "to bob"}), words])

    assert (stream.error, stream.ended) == ("error", False)
    assert out.startswith(sse({"text": "to bob"})[0] + b"event: error\ndata: no more of ")
    assert b"ann@x.example" not in out


def test_the_usage_event_can_be_dropped(small_format, word_rewriter):
    """A client that did not ask for it does not see it, but we have read it."""
    events = sse({"text": "a "}, {"usage": 5}, b"[DONE]")
    stream, out = run(small_format, "sse", word_rewriter(), events, drop_usage_only=True)

    assert out == events[0] + events[2]
    assert stream.usage.output_tokens == 5


def test_rules_hold_for_whole_strings_not_for_pieces(small_format, word_rewriter):
    """Opaque strings of an event stay, its other strings are rewritten, keys too; a piece is always text."""
    data = {"signature": "a@b.c", "id": "x1", "a@b.c": "a@b.c", "input": {"n": 4111111111111111, "type": "a@b.c"}}
    _, out = run(small_format, "sse", word_rewriter(), sse(data | {"text": "a@b.c "}))
    found = json.loads(out[6:])
    new = word_rewriter.replacement

    assert found == {
        **{"signature": "a@b.c", "id": "x1", new: new},
        **{"input": {"n": "[CARD]", "type": new}, "text": f"{new} "},
    }


def test_a_text_so_far_is_cut_like_its_pieces(small_format, word_rewriter):
    """A provider that repeats the whole text in each event does not give the beginning of a finding away."""
    rewriter = word_rewriter()
    rewriter.replacement = "[EMAIL]"
    pieces, said = ["to ", "ann", "@x.exam", "ple now", "."], ""
    events = [{"text": piece, "so_far": (said := said + piece)} for piece in pieces]
    _, out = run(small_format, "sse", rewriter, sse(*events))
    shown = [(item["text"], item["so_far"]) for item in unframed("sse", out)]

    assert [so_far for _, so_far in shown] == ["to ", "to [EMAIL]", "to [EMAIL]", "to [EMAIL] now", "to [EMAIL] now."]
    assert all(before + text == after for (_, before), (text, after) in pairwise(shown))
    assert rewriter.counts["EMAIL_ADDRESS"] == 1


def test_repeated_keys_hide_nothing(small_format, word_rewriter):
    """The last of them is the piece, the others are rewritten as whole strings."""
    _, out = run(small_format, "sse", word_rewriter(), sse(b'{"text":"a@b.c","text":"d@e.f "}'))

    assert b"@" not in out
    assert json.loads(out[6:])["text"] == word_rewriter.replacement + " "


def test_half_surrogate_pairs_pass(small_format, word_rewriter):
    """A provider cut a character in two: both halves stay as they are, what is around them is rewritten."""
    events = sse(rb'{"text":"a@b.c \ud83d"}', rb'{"text":"\ude00 d@e.f "}')
    _, out = run(small_format, "sse", word_rewriter(), events)

    assert b"\\ud83d" in out
    assert b"\\ude00" in out
    assert b"@" not in out


@pytest.mark.parametrize("data", ["a@b.c", "{broken a@b.c", '{"text": "a@b.c', "\ufeff{} a@b.c"])
def test_data_that_is_no_json_is_text(small_format, word_rewriter, data):
    """It is rewritten, also where it is cut into events; a replacement makes no new fields of it."""
    stream, out = run(small_format, "sse", word_rewriter(), [f"data: {data[:-3]}\n\ndata: {data[-3:]} \n\n".encode()])

    assert b"@" not in out
    assert all(line.startswith(b"data: ") for line in out.splitlines() if line)
    assert stream.malformed == data.startswith("{")


def test_bytes_that_are_no_utf8_pass(small_format, word_rewriter):
    """They stay, and what is around them is rewritten."""
    _, out = run(small_format, "sse", word_rewriter(), [b"data: \xff\xfe a@b.c \xc3\n\n"])

    assert out.startswith(b"data: \xff\xfe <")
    assert out.endswith(b" \xc3\n\n")
    assert b"@" not in out


def test_comments_and_odd_lines_are_text(small_format, word_rewriter):
    """A client ignores them, a person with a debugger does not; an error page comes so, too."""
    _, out = run(small_format, "sse", word_rewriter(), [b": ping\n\n: a@b.c\ndata: {}\n\n<p>a@b.c</p>\n"])

    assert out.startswith(b": ping\n\n: <")
    assert b"@" not in out
    assert out.count(b"\n") == 6


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize("start", [b"", b"\n \r\n", b"\xef\xbb\xbf"])
def test_a_plain_body_under_a_streams_type_is_a_body(small_format, word_rewriter, size, start):
    """Errors come so: read and rewritten as one JSON body, whatever lines it has."""
    body = start + b'{\n\n "error": "for a@b.c",\n\n "id": "x1"}'
    stream, out = run(small_format, "sse", word_rewriter(), (body[i : i + size] for i in range(0, len(body), size)))

    assert out == start + '{\n\n "error": "for <\\"É\\n😀\\\\>",\n\n "id": "x1"}'.encode()
    assert (stream.error, stream.model, stream.ended, stream.began) == ("rate_limit", "small-1", False, False)


def test_a_broken_body_under_a_streams_type_is_text(small_format, word_rewriter):
    """Cut short: still nothing passes unread."""
    stream, out = run(small_format, "sse", word_rewriter(), [b'{"error": "for a@b.c'])

    assert b"@" not in out
    assert (stream.malformed, stream.ended) == (1, False)


@pytest.mark.parametrize("stream", [b"", b"\n", b" ", b"\xef", b"\xef\xbb\xbf", b"data: [DONE]", b": hi"])
def test_the_shortest_streams_pass(small_format, word_rewriter, stream):
    """Nothing, or next to nothing, is not an error of ours."""
    assert run(small_format, "sse", word_rewriter(), [stream])[1] == stream


@pytest.mark.parametrize(
    ("framing", "start"), [("sse", b"data: "), ("sse", b"{"), ("ndjson", b'"'), ("json-array", b'["')]
)
def test_an_event_is_bounded(small_format, word_rewriter, framing, start):
    """What never ends is an error, not a full memory."""
    stream = StreamRewriter(small_format, OPERATION, framing, word_rewriter(), max_event_bytes=1000)
    stream.feed(start)
    endless = (stream.feed(b"x") for _ in range(2000))
    with pytest.raises(BodyError, match="longer than 1000 bytes"):
        list(endless)


@pytest.mark.parametrize("bound", ["HELD_EVENTS_MAX", "HELD_BYTES_MAX"])
def test_the_queue_is_bounded(small_format, word_rewriter, monkeypatch, bound):
    """A text that stays open too long is closed: what is found so far is replaced, and the stream goes on."""
    monkeypatch.setattr(stream_module, bound, {"HELD_EVENTS_MAX": 10, "HELD_BYTES_MAX": 400}[bound])
    stream = StreamRewriter(small_format, OPERATION, "sse", word_rewriter())
    events = sse({"text": "a@b.c"}, *[{"type": "ping"}] * 30)
    out = [stream.feed(event) for event in events]

    assert out[0] == b""
    assert b"@" not in b"".join(out)
    assert out[-1] == events[-1]


def test_channels_are_bounded(small_format, word_rewriter, monkeypatch):
    """A provider that makes up a new channel for each event costs no memory, and nothing passes unread."""
    monkeypatch.setattr(stream_module, "CHANNELS_MAX", 10)
    events = sse(*({"at": number, "text": "a@b.c"} for number in range(35)))
    _, out = run(small_format, "sse", word_rewriter(), events)

    assert b"@" not in out
    assert out.count(b"data: ") == 35


@pytest.mark.parametrize("framing", ["sse", "ndjson", "json-array"])
def test_bare_strings_are_one_text(small_format, word_rewriter, framing):
    """An API that streams nothing but strings does not give a finding away in pieces."""
    _, out = run(small_format, framing, word_rewriter(), [framed(framing, ["to ann", "@b", ".c", " now"])])

    assert unframed(framing, out) == ["to " + word_rewriter.replacement, "", "", " now"]


def test_a_very_deep_event_ends_the_stream(small_format, word_rewriter):
    """It cannot be read to its end, so it does not pass."""
    with pytest.raises(BodyError, match="deeper"):
        run(small_format, "sse", word_rewriter(), sse(b'{"a":' * 300 + b"1" + b"}" * 300))


def messages(*data):
    return [json.dumps(item).encode() for item in data]


@given(answers, cut_texts, st.booleans())
def test_messages_stay_messages(small_format, word_rewriter, channels, sizes, ascii_only):
    """What a WebSocket brings is rewritten as a stream is, and no message is joined, cut, lost or made."""
    lines = framed("ndjson", data_of(channels, sizes), ascii_only=ascii_only).splitlines(keepends=True)
    _, expected = run(small_format, "ndjson", word_rewriter(), lines)
    stream = StreamRewriter(small_format, OPERATION, "messages", word_rewriter())
    out = [stream.feed_message(line[:-1]) for line in lines]
    out.append(stream.flush_messages())

    assert [message + b"\n" for left in out for message in left] == expected.splitlines(keepends=True)


def test_a_message_leaves_when_it_is_decided(small_format, word_rewriter):
    """Not later than the next word's begin, each on its own; a reply's end lets all go."""
    stream = StreamRewriter(small_format, OPERATION, "messages", word_rewriter())
    sent = messages({"text": "so "}, {"text": "open"}, {"type": "ping"}, {"text": " "}, {"text": "o"}, {"done": True})

    assert [stream.feed_message(message) for message in sent] == [sent[:1], [], [], sent[1:4], [], sent[4:]]
    assert stream.feed_message(b"") == [b""]


def test_held_messages_can_be_had(small_format, word_rewriter):
    """A session may pause in the middle of a text: what is held leaves, and the session goes on."""
    stream = StreamRewriter(small_format, OPERATION, "messages", word_rewriter())
    sent = messages({"text": "to a@b.c"}, {"text": "@d"}, {"text": " "})

    assert stream.feed_message(sent[0]) == []
    assert b"@" not in b"".join(stream.flush_messages())
    assert stream.flush_messages() == []
    assert stream.feed_message(sent[1]) == []
    assert stream.feed_message(sent[2]) == sent[1:]


@pytest.mark.parametrize("message", [b"ann", b'{"text": "ann', b"\xff ann", b'"ann"', b" ann "])
def test_a_message_that_is_no_object_waits_for_none(small_format, word_rewriter, message):
    """It is a text of its own: the next one may never come."""
    stream = StreamRewriter(small_format, OPERATION, "messages", word_rewriter())

    assert stream.feed_message(message) == [message]
    assert stream.malformed == message.startswith(b"{")


def test_a_dropped_message_is_not_sent(small_format, word_rewriter):
    """Not as an empty one either."""
    stream = StreamRewriter(small_format, OPERATION, "messages", word_rewriter(), drop_usage_only=True)

    assert stream.feed_message(b'{"usage": 5}') == []
    assert stream.usage.output_tokens == 5


def test_a_message_is_bounded(small_format, word_rewriter):
    """As an event is."""
    stream = StreamRewriter(small_format, OPERATION, "messages", word_rewriter(), max_event_bytes=1000)
    with pytest.raises(BodyError, match="longer than 1000 bytes"):
        stream.feed_message(b"x" * 1001)


def test_the_next_reply_begins_anew(small_format, word_rewriter):
    """On one connection: each reply's facts are its own, and no text goes on in the next."""
    stream = StreamRewriter(small_format, OPERATION, "messages", word_rewriter())
    first = messages({"text": "ann", "model": "m", "usage": 3}, {"error": {}})
    assert [stream.feed_message(message) for message in first] == [[], []]
    stream.forget()

    assert (stream.began, stream.ended, stream.error, stream.usage, stream.model) == (False, False, None, None, None)
    assert (stream.events, stream.malformed, stream.output_text_bytes) == (0, 0, 0)
    (next_one,) = messages({"text": "@b.c "})
    assert stream.feed_message(next_one) == [*first, next_one]


def reply(number):
    text = f"to a{number}@b.c and on"
    pieces = [{"at": number, "text": piece} for piece in (text[:5], text[5:9], text[9:])]
    return messages(*pieces, {"at": number, "whole": text, "id": f"id{number}"}, {"usage": number, "done": True})


def test_memory_stays_flat_over_a_session(small_format, word_rewriter):
    """5,000 replies leave no more behind than 500, edits and channels included."""

    class Forgetful(word_rewriter):
        def edits(self, texts):
            return [self._edits(text) for text in texts]

        def note(self, found):
            pass

    stream = StreamRewriter(small_format, OPERATION, "messages", Forgetful())
    sizes = []
    tracemalloc.start()
    try:
        for number in range(5_000):
            assert sum(len(stream.feed_message(message)) for message in reply(number)) == 5
            if number in (499, 4999):
                gc.collect()
                sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()

    assert sizes[1] - sizes[0] < 50_000
