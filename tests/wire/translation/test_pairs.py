"""OpenAI's chat and Anthropic's messages say the same: requests, whole replies, streams at any cut, errors."""

import base64
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.errors import NotTranslatable
from outwarden.wire.translation import pairs, translated_pairs, translation
from outwarden.wire.translation.neutral import (
    Conversation,
    Image,
    Part,
    Reply,
    Spent,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from outwarden.wire.translation.pairs import TONGUES, StreamTranslation

RECORDED = Path(__file__).parents[4] / "shared" / "wire"
BOTH = sorted(translated_pairs())


@pytest.fixture(autouse=True, scope="module")
def one_moment() -> Iterator[None]:
    """The clock stands still: an answer says the second at which it was made, and two answers are compared."""
    with mock.patch.object(pairs, "time", SimpleNamespace(time=lambda: 1_800_000_000.0)):
        yield


words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
names = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)
texts = st.builds(Text, words)
images = st.one_of(
    st.builds(Image, st.just("image/png"), st.just("aGVsbG8=")),
    st.builds(Image, url=st.just("https://pictures.example/cat.png")),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)
objects = st.dictionaries(words, values, max_size=3)


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """Any conversation that both formats can say."""
    turns: list[Turn] = [Turn("user", tuple(draw(st.lists(texts | images, min_size=1, max_size=3))))]
    for number in range(draw(st.integers(0, 2))):
        said: tuple[Part, ...] = tuple(draw(st.lists(texts, min_size=1, max_size=2)))
        ids = [f"call_{number}_{each}" for each in range(draw(st.integers(0, 2)))]
        calls = tuple(ToolCall(each, draw(names), draw(objects)) for each in ids)
        results = tuple(ToolResult(each, tuple(draw(st.lists(texts, max_size=2)))) for each in ids)
        rest = tuple(draw(st.lists(texts | images, min_size=0 if ids else 1, max_size=2)))
        turns += [Turn("assistant", (*said, *calls)), Turn("user", (*results, *rest))]
    tools = tuple(
        Tool(name, draw(words), {"type": "object", "properties": draw(objects)}, draw(st.booleans()))
        for name in draw(st.lists(names, unique=True, max_size=2))
    )
    stream = draw(st.booleans())
    return Conversation(
        model=draw(names),
        turns=tuple(turns),
        system=tuple(draw(st.lists(texts, max_size=2))),
        tools=tools,
        tool_choice=draw(choices(tools)) if tools else ToolChoice(),
        output_schema=draw(st.none() | objects),
        max_tokens=draw(st.integers(1, 9999)),
        temperature=draw(st.none() | st.floats(0, 1)),
        top_p=draw(st.none() | st.floats(0, 1)),
        stop=tuple(draw(st.lists(names, max_size=4))),
        user=draw(st.none() | words),
        stream=stream,
        tells_usage=stream,
    )


def choices(tools: tuple[Tool, ...]) -> st.SearchStrategy[ToolChoice]:
    """Any choice among these tools."""
    return st.one_of(
        st.just(ToolChoice("none")),
        st.builds(ToolChoice, st.sampled_from(["auto", "any"]), parallel=st.booleans()),
        st.builds(ToolChoice, st.just("named"), st.sampled_from([tool.name for tool in tools]), st.booleans()),
    )


spent = st.builds(
    lambda fresh, cached, written, out, thought: Spent(
        fresh + cached + written, cached, written, out + thought, thought
    ),
    *[st.integers(0, 99)] * 5,
)
replies = st.builds(
    lambda text, calls, stop, used: Reply(
        "m_1",
        "model-1",
        text,
        tuple(ToolCall(f"c_{number}", name, arguments) for number, (name, arguments) in enumerate(calls)),
        "tool_calls" if calls else stop,
        None,
        used,
    ),
    words,
    st.lists(st.tuples(names, objects), max_size=2),
    st.sampled_from(["end", "length", "refusal"]),
    spent,
)


@pytest.mark.parametrize("name", sorted(TONGUES))
@settings(max_examples=40)
@given(conversations())
def test_a_request_that_is_written_reads_the_same(name: str, conversation: Conversation) -> None:
    """Reading what was written gives the conversation that was written."""
    tongue = TONGUES[name]

    assert conversation == tongue.read_request(json.loads(json.dumps(tongue.write_request(conversation))))


@pytest.mark.parametrize(("caller", "upstream"), BOTH)
@settings(max_examples=40)
@given(conversations())
def test_there_and_back_a_request_is_the_same(caller: str, upstream: str, conversation: Conversation) -> None:
    """Translated to the other format and back again, the bytes are the same."""
    own, other = TONGUES[caller], TONGUES[upstream]
    body = json.dumps(own.write_request(conversation), separators=(",", ":"), ensure_ascii=False).encode()
    there = translation(caller, upstream, own.operation, body, None).body

    assert body == translation(upstream, caller, other.operation, there, None).body


@pytest.mark.parametrize("name", sorted(TONGUES))
@settings(max_examples=40)
@given(replies)
def test_a_reply_that_is_written_reads_the_same(name: str, reply: Reply) -> None:
    """Reading what was written gives the reply that was written."""
    assert reply == TONGUES[name].read_reply(json.loads(json.dumps(TONGUES[name].write_reply(reply))))


def streamed(name: str, reply: Reply) -> bytes:
    """The reply as a stream of this format, its text and arguments in small pieces."""
    return b"".join(map(TONGUES[name].writer(True).write, pieces_of(reply)))


def pieces_of(reply: Reply) -> Iterator[Any]:
    """A reply in pieces of two characters; what it used comes last, as from OpenAI."""
    from outwarden.wire.translation.deltas import Argued, Began, Called, Over, Said, Stopped, Used

    yield Began(reply.id, reply.model, Spent())
    yield from (Said(reply.text[at : at + 2]) for at in range(0, len(reply.text), 2))
    for call in reply.calls:
        yield Called(call.id, call.name)
        spelled = json.dumps(call.arguments)
        yield from (Argued(spelled[at : at + 2]) for at in range(0, len(spelled), 2))
    yield Stopped(reply.stop, reply.stop_sequence)
    yield Used(reply.spent)
    yield Over()


def collected(name: str, stream: bytes) -> Reply:
    """The reply that a client puts together from a stream."""
    from outwarden.wire.translation.deltas import Argued, Began, Called, Over, Said, Stopped, Used

    heard: list[Any] = []
    reader, writer = TONGUES[name].reader(), _Keep(heard)
    translating = StreamTranslation(reader, writer)
    translating.feed(stream)
    translating.flush()
    began = next(piece for piece in heard if isinstance(piece, Began))
    stopped = next(piece for piece in heard if isinstance(piece, Stopped))
    used = [piece.spent for piece in heard if isinstance(piece, Used)]
    calls: list[tuple[str, str, str]] = []
    for piece in heard:
        if isinstance(piece, Called):
            calls.append((piece.id, piece.name, ""))
        elif isinstance(piece, Argued):
            calls[-1] = (*calls[-1][:2], calls[-1][2] + piece.json)
    assert isinstance(heard[-1], Over)
    return Reply(
        began.id,
        began.model,
        "".join(piece.text for piece in heard if isinstance(piece, Said)),
        tuple(ToolCall(id, called, json.loads(arguments or "{}")) for id, called, arguments in calls),
        stopped.stop,
        stopped.stop_sequence,
        used[-1] if used else began.spent,
    )


class _Keep:
    """Writes nothing; keeps the pieces."""

    def __init__(self, heard: list[Any]) -> None:
        self._heard = heard

    def write(self, piece: Any) -> bytes:
        self._heard.append(piece)
        return b""


@pytest.mark.parametrize(("caller", "upstream"), BOTH)
@settings(max_examples=40)
@given(replies, st.integers(1, 40))
def test_a_stream_says_what_the_whole_says_at_any_cut(caller: str, upstream: str, reply: Reply, size: int) -> None:
    """Cut into pieces of any size, the translated bytes are the same, and say what the whole reply says."""
    stream = streamed(upstream, reply)

    def translated(step: int) -> bytes:
        translating = StreamTranslation(TONGUES[upstream].reader(), TONGUES[caller].writer(True))
        cuts = [stream[at : at + step] for at in range(0, len(stream), step)]
        return b"".join(map(translating.feed, cuts)) + translating.flush()

    assert translated(len(stream)) == translated(size)
    assert reply == collected(caller, translated(size))


@pytest.mark.parametrize(("caller", "upstream"), BOTH)
def test_a_stream_that_is_cut_gets_no_end(caller: str, upstream: str) -> None:
    """A cut answer never looks whole."""
    stream = streamed(upstream, Reply("m_1", "model-1", "Hello there."))
    translating = StreamTranslation(TONGUES[upstream].reader(), TONGUES[caller].writer(True))
    out = translating.feed(stream[: stream.index(b"there"[:2])]) + translating.flush()

    assert b"He" in out
    assert b"[DONE]" not in out
    assert b"message_stop" not in out


def openai(**more: Any) -> tuple[str, str, dict[str, Any]]:
    """A chat request for an Anthropic upstream."""
    return "openai", "anthropic", {"model": "m", "messages": [{"role": "user", "content": "Hi"}]} | more


def anthropic(**more: Any) -> tuple[str, str, dict[str, Any]]:
    """A messages request for an OpenAI upstream."""
    said = {"role": "user", "content": "Hi"}
    return "anthropic", "openai", {"model": "m", "max_tokens": 9, "messages": [said]} | more


USER, CALL = (
    {"role": "user", "content": "Hi"},
    {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}},
)
RESULT = {"type": "tool_result", "tool_use_id": "c", "content": "no", "is_error": True}
USE = {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {}}]}


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (openai(n=2), "'n' of the request"),
        (openai(seed=1), "'seed' of the request"),
        (openai(logprobs=True), "'logprobs'"),
        (openai(store=True), "'store'"),
        (openai(temperature=1.5), "temperature above 1"),
        (openai(stop=[" "]), "stop sequence is blank"),
        (openai(response_format={"type": "json_object"}), "'response_format'"),
        (openai(messages=[USER, {"role": "system", "content": "x"}, USER]), "behind the first turn"),
        (openai(messages=[USER, {"role": "assistant", "content": "x"}]), "does not end with the user's turn"),
        (openai(messages=[{"role": "user", "content": [{"type": "input_audio"}]}]), "another type than text and image"),
        (openai(messages=[USER, {"role": "assistant", "tool_calls": [CALL]}, USER]), "arguments of a tool call"),
        (openai(tools=[{"type": "custom", "custom": {}}]), "another type than 'function'"),
        (openai(**{"Ann Example, 12": 1}), "an unknown field of the request"),
        (anthropic(top_k=5), "'top_k' of the request"),
        (anthropic(thinking={"type": "enabled", "budget_tokens": 1024}), "'thinking' of the request"),
        (anthropic(stop_sequences=list("abcde")), "more than 4 stop sequences"),
        (anthropic(tools=[{"type": "web_search_20250305", "name": "web_search"}]), "a tool of the provider's own"),
        (anthropic(messages=[USER, USE, {"role": "user", "content": [RESULT]}]), "'is_error'"),
        (anthropic(messages=[{"role": "user", "content": [{"type": "document"}]}]), "a content block of another type"),
        (anthropic(messages=[USER, USE, USER]), "do not match"),
    ],
)
def test_what_has_no_counterpart_is_refused(case: tuple[str, str, dict[str, Any]], reason: str) -> None:
    """Nothing is dropped in silence; the reason names the field, and no name that may be a person's."""
    caller, upstream, body = case

    with pytest.raises(NotTranslatable) as refused:
        translation(caller, upstream, TONGUES[caller].operation, json.dumps(body).encode(), None)
    assert reason in str(refused.value)
    assert "Ann" not in str(refused.value)


def test_marks_of_the_cache_and_thinking_stay_behind() -> None:
    """What the other provider can make nothing of, and the answer does not depend on, does not stop a call."""
    mark = {"cache_control": {"type": "ephemeral"}}
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
    said = {"role": "assistant", "content": [thought, {"type": "text", "text": "Yes?"} | mark]}
    caller, upstream, body = anthropic(
        messages=[USER, said, USER], system=[{"type": "text", "text": "Be kind."} | mark]
    )
    done = json.loads(translation(caller, upstream, "messages", json.dumps(body).encode(), "gpt-x").body)

    assert done["model"] == "gpt-x"
    assert done["messages"] == [
        {"role": "system", "content": "Be kind."},
        USER,
        {"role": "assistant", "content": "Yes?"},
        USER,
    ]


def test_numbers_keep_all_their_digits() -> None:
    """An integer beyond 64 bits in a tool's arguments is the same on the other side."""
    arguments = '{"n":123456789012345678901234567890}'
    call = CALL | {"function": {"name": "f", "arguments": arguments}}
    result = {"role": "tool", "tool_call_id": "c", "content": "ok"}
    caller, upstream, body = openai(messages=[USER, {"role": "assistant", "tool_calls": [call]}, result])

    assert arguments.encode() in translation(caller, upstream, "chat", json.dumps(body).encode(), None).body


@pytest.mark.parametrize(
    ("caller", "upstream", "body", "expected"),
    [
        (
            "openai",
            "anthropic",
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
            {"error": {"message": "Overloaded", "type": "server_error", "param": None, "code": None}},
        ),
        (
            "anthropic",
            "openai",
            {"error": {"message": "No more.", "type": "insufficient_quota", "code": "insufficient_quota"}},
            {"type": "error", "error": {"type": "billing_error", "message": "No more."}},
        ),
    ],
)
def test_an_error_has_the_callers_shape(caller: str, upstream: str, body: Any, expected: Any) -> None:
    """The kind goes over where both have it; the message is the provider's."""
    own = TONGUES[caller]
    request = (openai() if caller == "openai" else anthropic())[2]
    done = translation(caller, upstream, own.operation, json.dumps(request).encode(), None)

    assert expected == json.loads(done.error(json.dumps(body).encode()))
    assert json.loads(done.error(b"<html>502</html>"))["error"]["message"] == "The upstream answered with an error."


def recorded(provider: str, endpoint: str) -> Iterator[dict[str, Any]]:
    """The recorded exchanges of one endpoint."""
    path = RECORDED / f"http-{provider}.jsonl.gz"
    if not path.exists():
        pytest.skip("the recorded traffic is not here")
    with gzip.open(path) as lines:
        yield from (record for line in lines if (record := json.loads(line))["endpoint"] == endpoint)


@pytest.mark.parametrize(
    ("name", "other", "endpoint"), [("openai", "anthropic", "chat/completions"), ("anthropic", "openai", "messages")]
)
def test_recorded_traffic_is_translated_or_refused_with_a_reason(name: str, other: str, endpoint: str) -> None:
    """Each recorded request and reply either goes over, whole, or says why not; requests come back the same."""
    counts = Counter[str]()
    for record in recorded(name, endpoint):
        asked, said = (base64.b64decode(record[side]["body_b64"]) for side in ("request", "response"))
        counts[judge("request", lambda: _request(name, other, asked))] += 1  # noqa: B023  # called at once
        if record["response"]["status"] != 200:
            continue
        if record["stream_format"] == "sse":
            counts[judge("stream", lambda: _stream(name, other, said))] += 1  # noqa: B023
        elif said[:1] in b"{ \n":
            counts[judge("reply", lambda: _reply(name, other, said))] += 1  # noqa: B023
    for what, number in sorted(counts.items()):
        print(f"{number:5} {name} {what}")
    assert counts["request: translated"] > counts.total() / 10
    assert counts["reply: translated"] > counts.total() / 10
    assert counts["stream: translated"] > counts.total() / 20


def judge(what: str, step: Any) -> str:
    """Whether it went over, or why not."""
    try:
        step()
    except NotTranslatable as refused:
        return f"{what}: {refused}"
    return f"{what}: translated"


def _request(name: str, other: str, body: bytes) -> None:
    there = translation(name, other, TONGUES[name].operation, body, None)
    want = TONGUES[name].read_request(json.loads(body))
    got = TONGUES[other].read_request(json.loads(there.body))
    assert (want.turns, want.system, want.tools, want.stop) == (got.turns, got.system, got.tools, got.stop)


def _reply(name: str, other: str, body: bytes) -> None:
    reply = TONGUES[name].read_reply(json.loads(body))
    got = TONGUES[other].read_reply(TONGUES[other].write_reply(reply))
    assert (reply.text, reply.calls, reply.spent) == (got.text, got.calls, got.spent)


def _stream(name: str, other: str, body: bytes) -> None:
    translating = StreamTranslation(TONGUES[name].reader(), TONGUES[other].writer(True))
    out = translating.feed(body) + translating.flush()
    whole, got = collected(name, body), collected(other, out)
    assert (whole.text, whole.calls, whole.spent) == (got.text, got.calls, got.spent)
