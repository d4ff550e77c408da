"""Several streams as one: to its reader it is the first, uncut."""

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.errors import NotTranslatable
from outwarden.simulate import Script, anthropic, openai_chat
from outwarden.simulate.reply import Call
from outwarden.simulate.script import ToolCall
from outwarden.wire.continuation import PLAIN, PREFIX_ECHOED, Answer
from outwarden.wire.format import Operation
from outwarden.wire.formats import format_named
from outwarden.wire.sse import SseCodec
from outwarden.wire.usage import Usage

OPERATIONS = {"openai": Operation("chat", dialect="openai"), "anthropic": Operation("messages")}
BODY = {"model": "m", "max_tokens": 10_000, "stream": True, "stream_options": {"include_usage": True}}
SPENT = Usage(input_tokens=100, output_tokens=10, cached_input_tokens=40)
SAID = "Red green\n\nblue, ü and 𝄞 end."
WAYS = list(product(OPERATIONS, OPERATIONS))


def stream(format_name: str, script: Script, asked: str = "Count.") -> bytes:
    """A whole stream as the simulated provider says it."""
    answer = openai_chat.chat if format_name == "openai" else anthropic.messages
    body: dict[str, Any] = BODY | {"messages": [{"role": "user", "content": asked}]}
    return b"".join(part.data for part in answer(Call.of("/", {}, body, script, 0.0)).parts)


def answer_of(format_name: str) -> Answer:
    return Answer(format_name, format_named(format_name), OPERATIONS[format_name])


def resume(answer: Answer, format_name: str, script: Script, way: Any = PLAIN, spent: Usage = SPENT) -> str:
    """Let another upstream go on; returns what it is asked to go on with."""
    sent = answer.beginning
    answer.resume(format_name, format_named(format_name), OPERATIONS[format_name], way, sent, spent)
    return sent


class Read:
    """A stream as its client reads it."""

    def __init__(self, data: bytes) -> None:
        self.text = self.finish = ""
        self.ids: set[str] = set()
        self.begins = self.ends = 0
        self.usage: dict[str, Any] = {}
        self.calls = ""
        self.indexes: list[int] = []
        codec = SseCodec(1 << 20)
        for event in [*codec.feed(data), *codec.flush()]:
            if event.data is not None and event.data.strip() != b"[DONE]":
                self._take(json.loads(event.data))
            self.ends += event.data == b"[DONE]"

    def _take(self, event: dict[str, Any]) -> None:
        if "choices" in event:
            self.ids.add(event["id"])
            self.usage = event.get("usage") or self.usage
            for choice in event["choices"]:
                delta = choice["delta"]
                self.begins += "role" in delta
                self.text += delta.get("content") or ""
                self.finish += choice["finish_reason"] or ""
                for call in delta.get("tool_calls") or []:
                    self.calls += (call["function"].get("name") or "") + call["function"]["arguments"]
            return
        if event["type"] == "message_start":
            self.begins += 1
            self.ids.add(event["message"]["id"])
        self.ends += event["type"] == "message_stop"
        if event["type"] == "content_block_start":
            self.indexes.append(event["index"])
            self.calls += event["content_block"].get("name") or ""
        delta = event.get("delta") or {}
        self.text += delta.get("text") or ""
        self.calls += delta.get("partial_json") or ""
        self.finish += delta.get("stop_reason") or ""
        self.usage = (event.get("usage") if event["type"] == "message_delta" else None) or self.usage


def outputs(read: Read) -> tuple[int, int]:
    usage = read.usage
    if "prompt_tokens" in usage:
        return usage["prompt_tokens"], usage["completion_tokens"]
    return usage["input_tokens"] + usage["cache_read_input_tokens"], usage["output_tokens"]


@settings(max_examples=60, deadline=None)
@given(
    ways=st.sampled_from(WAYS),
    text=st.text(alphabet="ab \n,ü𝄞", min_size=1, max_size=40),
    at=st.integers(0, 4000),
    size=st.integers(1, 5),
    chunk=st.integers(1, 200),
    echoes=st.booleans(),
)
def test_a_stream_cut_anywhere_reads_as_one(
    ways: tuple[str, str], text: str, at: int, size: int, chunk: int, echoes: bool
) -> None:
    """At each byte, in pieces of any size, between any two formats: text, one begin, one end, one id, one sum."""
    first, other = ways
    whole = stream(first, Script(text=text, piece_chars=size))
    answer = answer_of(first)
    cut = whole[: at % (len(whole) + 1)]
    got = b"".join(answer.feed(cut[start : start + chunk]) for start in range(0, len(cut), chunk)) + answer.finish()
    if answer.ended or not answer.began:
        assert cut.startswith(got)
        assert not answer.cut
        return
    assert answer.cut == "cut"
    if answer.obstacle:
        assert b'"content_block_stop"' in got  # the text was over: what would have followed, nobody knows
        return
    sent = resume(answer, other, Script(), PREFIX_ECHOED if echoes else PLAIN)
    assert text.startswith(sent)
    rest = stream(other, Script(text=text if echoes else text[len(sent) :], piece_chars=size))
    got += b"".join(answer.feed(rest[start : start + chunk]) for start in range(0, len(rest), chunk)) + answer.finish()
    read, told = Read(got), answer.usage
    assert told

    assert (read.text, read.begins, read.ends, len(read.ids)) == (text, 1, 1, 1)
    assert read.finish == {"openai": "stop", "anthropic": "end_turn"}[first]
    assert read.ids == Read(whole).ids
    assert outputs(read) == (100 + told.input_tokens, 10 + told.output_tokens)
    assert answer.ended
    assert not answer.cut


@pytest.mark.parametrize(("first", "other"), WAYS)
def test_a_continuation_may_be_cut_itself(first: str, other: str) -> None:
    """Three upstreams, one answer, and the sum of all three."""
    answer = answer_of(first)
    got = answer.feed(stream(first, Script(text=SAID, piece_chars=2))[:900]) + answer.finish()
    one = resume(answer, other, Script())
    half = stream(other, Script(text=SAID[len(one) :], piece_chars=2))
    got += answer.feed(half[: len(half) // 2]) + answer.finish()
    assert answer.cut == "cut"
    two = resume(answer, first, Script(), spent=SPENT.plus(SPENT))
    assert len(two) > len(one)
    got += answer.feed(stream(first, Script(text=SAID[len(two) :]))) + answer.finish()
    read = Read(got)

    assert (read.text, read.begins, read.ends) == (SAID, 1, 1)
    assert answer.usage
    assert outputs(read) == (200 + answer.usage.input_tokens, 20 + answer.usage.output_tokens)


@pytest.mark.parametrize(("first", "other"), WAYS)
def test_what_goes_on_may_call_a_tool(first: str, other: str) -> None:
    """Behind the text, under the next number; from there on nobody else can go on."""
    answer = answer_of(first)
    whole = stream(first, Script(text=SAID, piece_chars=3))
    got = answer.feed(whole[: whole.index(b"lue")])
    sent = resume(answer, other, Script())
    tool = Script(text=SAID[len(sent) :], tool_calls=(ToolCall("send", '{"to":"x"}'),))
    got += answer.feed(stream(other, tool)) + answer.finish()
    read = Read(got)

    assert (read.text, read.calls) == (SAID, 'send{"to":"x"}')
    assert read.finish == {"openai": "tool_calls", "anthropic": "tool_use"}[first]
    assert read.indexes == ([0, 1] if first == "anthropic" else [])
    assert answer.obstacle


def events_until(data: bytes, mark: bytes) -> bytes:
    return data[: data.index(b"\n\n", data.index(mark)) + 2]


@pytest.mark.parametrize(
    ("format_name", "broken", "kind"),
    [
        ("openai", b'data: {"error": {"message": "no", "type": "server_error"}}\n\n', "error"),
        ("openai", b'data: {"id": "x", "choi\n\n', "malformed"),
        ("anthropic", b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n', "error"),
        ("anthropic", b'event: content_block_delta\ndata: {"type":"con\n\n', "malformed"),
    ],
)
def test_what_breaks_a_first_stream_is_withheld(format_name: str, broken: bytes, kind: str) -> None:
    """So that somebody may go on; nobody does: it comes out, with what was behind it."""
    begun = events_until(stream(format_name, Script(text=SAID, piece_chars=3)), b"Red")
    answer = answer_of(format_name)

    assert answer.feed(begun + broken + b": more\n\nda") == begun
    assert (answer.cut, answer.beginning) == (kind, "Red")
    assert answer.release() == broken + b": more\n\nda"


@pytest.mark.parametrize("format_name", list(OPERATIONS))
def test_what_breaks_before_the_first_content_passes(format_name: str) -> None:
    """Such a call moves in another way."""
    answer = answer_of(format_name)
    data = b'data: {"type": "error", "error": {"message": "no"}}\n\n'

    assert answer.feed(data) + answer.finish() == data
    assert not answer.cut


@pytest.mark.parametrize(("first", "other"), WAYS)
@pytest.mark.parametrize("broken", [b'data: {"error": {"message": "no"}, "type": "error"}\n\n', b"data: {\n\n"])
def test_what_breaks_a_continuation_is_never_shown(first: str, other: str, broken: bytes) -> None:
    """It is in another format's words; and another may still go on."""
    answer = answer_of(first)
    answer.feed(events_until(stream(first, Script(text=SAID, piece_chars=3)), b"Red"))
    resume(answer, other, Script())

    assert answer.feed(broken) == b""
    assert answer.cut
    assert answer.obstacle is None
    assert answer.release() == b""


def chunk(**delta: Any) -> bytes:
    return b"data: " + json.dumps({"id": "x", "choices": [{"index": 0, "delta": delta}]}).encode() + b"\n\n"


def named(**event: Any) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def obstacles() -> Iterator[tuple[str, bytes]]:
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": ""}}
    yield "openai", chunk(tool_calls=[call])
    yield "openai", chunk(refusal="I will not")
    yield "openai", chunk(reasoning_details=[{"type": "reasoning.encrypted", "data": "x"}])
    yield "openai", chunk(annotations=[{"type": "url_citation"}])
    yield "openai", chunk(images=[{}])
    yield "openai", chunk(something_new="x")
    yield "openai", chunk(content=[{"type": "text", "text": "x"}])
    logprobs = {"index": 0, "delta": {"content": "x"}, "logprobs": {"content": []}}
    yield "openai", b"data: " + json.dumps({"id": "x", "choices": [logprobs]}).encode() + b"\n\n"
    yield "openai", b"data: " + json.dumps({"id": "x", "choices": [{"index": 1, "delta": {}}]}).encode() + b"\n\n"
    yield "anthropic", named(type="content_block_start", index=1, content_block={"type": "text", "text": ""})
    yield "anthropic", named(type="content_block_start", index=1, content_block={"type": "thinking", "thinking": ""})
    yield "anthropic", named(type="content_block_stop", index=0)
    yield "anthropic", named(type="content_block_delta", index=0, delta={"type": "citations_delta", "citation": {}})
    yield "anthropic", named(type="content_block_delta", index=0, delta={"type": "signature_delta", "signature": "x"})


@pytest.mark.parametrize(("format_name", "event"), list(obstacles()))
def test_what_is_more_than_text_cannot_be_gone_on_with(format_name: str, event: bytes) -> None:
    """It passes, and the answer ends where it breaks off."""
    begun = events_until(stream(format_name, Script(text=SAID, piece_chars=3)), b"Red")
    answer = answer_of(format_name)

    assert answer.feed(begun) == begun
    assert answer.obstacle is None
    assert answer.feed(event) == event
    assert answer.obstacle


def test_thoughts_that_are_not_signed_are_left_behind() -> None:
    """Their text is gone on with, and it alone."""
    answer = answer_of("openai")
    answer.feed(chunk(role="assistant", reasoning_content="Hm.") + chunk(content="Red"))

    assert (answer.obstacle, answer.beginning) == (None, "Red")


def test_a_very_long_answer_is_not_kept() -> None:
    """Its text is forgotten at the bound."""
    answer = answer_of("openai")
    for _ in range(300):
        answer.feed(chunk(content="x" * 1000))

    assert answer.obstacle
    assert answer.beginning == ""


def test_what_cannot_be_carried_over_is_an_error() -> None:
    """As in a translation: it is not dropped in silence."""
    answer = answer_of("openai")
    answer.feed(chunk(content="Red"))
    resume(answer, "anthropic", Script())

    with pytest.raises(NotTranslatable):
        answer.feed(named(type="content_block_start", index=0, content_block={"type": "server_tool_use"}))


def test_an_answer_that_says_nothing_of_its_use_keeps_the_sum() -> None:
    """What was spent before is told all the same."""
    answer = answer_of("anthropic")
    got = answer.feed(events_until(stream("anthropic", Script(text=SAID, piece_chars=3)), b"Red"))
    resume(answer, "openai", Script())
    got += answer.feed(stream("openai", Script(text="x", no_usage=True))) + answer.finish()

    assert outputs(Read(got)) == (100, 10)


@pytest.mark.parametrize(("first", "other"), WAYS)
def test_an_error_behind_the_end_ends_it(first: str, other: str) -> None:
    """It is shown, in the reader's own words, and nothing follows it."""
    answer = answer_of(first)
    answer.feed(events_until(stream(first, Script(text=SAID, piece_chars=3)), b"Red"))
    resume(answer, other, Script())
    whole = stream(other, Script(text="Red."))
    mark = b"[DONE]" if other == "openai" else b"event: message_stop"
    broken = (
        whole[: whole.rindex(mark)].removesuffix(b"data: ") + b'data: {"error": {"message": "no"}, "type": "error"}\n\n'
    )
    got = answer.feed(broken) + answer.finish()

    assert got.count(b'"error"') >= 1
    assert Read(got.rpartition(b"event: error")[0] if first == "anthropic" else b"").ends == 0
    assert b"[DONE]" not in got
    assert not answer.cut
