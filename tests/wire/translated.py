"""Conversations and replies that the translated formats can say, and how a client puts a stream together."""

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from outwarden.wire.format import Framing
from outwarden.wire.translation import Translation, translated_pairs, translation
from outwarden.wire.translation.deltas import Argued, Began, Called, Over, Said, Stopped, Used
from outwarden.wire.translation.neutral import (
    Asked,
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
from outwarden.wire.translation.pairs import StreamTranslation
from outwarden.wire.translation.tongue import TONGUES

BOTH = sorted(translated_pairs())
TARGETS = {
    "openai": "/v1/chat/completions",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/gemini-3-flash:generateContent",
}

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
def conversations(draw: st.DrawFn, *formats: str) -> Conversation:
    """Any conversation that all these formats can say."""
    gemini = "gemini" in formats
    turns: list[Turn] = [Turn("user", tuple(draw(st.lists(texts | images, min_size=1, max_size=3))))]
    for number in range(draw(st.integers(0, 2))):
        said: tuple[Part, ...] = tuple(draw(st.lists(texts, min_size=1, max_size=2)))
        ids = [f"call_{number}_{each}" for each in range(draw(st.integers(0, 2)))]
        calls = tuple(ToolCall(each, draw(names), draw(objects)) for each in ids)
        results = tuple(ToolResult(each, tuple(draw(st.lists(texts, max_size=2)))) for each in ids)
        rest = tuple(draw(st.lists(texts | images, min_size=0 if ids else 1, max_size=2)))
        turns += [Turn("assistant", (*said, *calls)), Turn("user", (*results, *rest))]
    strict = draw(st.booleans())  # Gemini says it of all tools at once, and not where one of them must be called
    tools = tuple(
        Tool(
            name,
            draw(words),
            {"type": "object", "properties": draw(objects)},
            draw(st.just(strict) if gemini else st.booleans()),
        )
        for name in draw(st.lists(names, unique=True, max_size=2))
    )
    choice = draw(choices(tools, gemini, strict)) if tools else ToolChoice()
    stream, schema = draw(st.booleans()), draw(st.none() | objects.filter(bool))
    return Conversation(
        model=draw(names),
        turns=tuple(turns),
        system=tuple(draw(st.lists(texts, max_size=2))),
        tools=tools,
        tool_choice=choice,
        output_schema=schema,
        output_json=schema is None and "anthropic" not in formats and draw(st.booleans()),
        max_tokens=draw(st.integers(1, 9999)),
        temperature=draw(st.none() | st.floats(0, 1)),
        top_p=draw(st.none() | st.floats(0, 1)),
        top_k=None if "openai" in formats else draw(st.none() | st.integers(1, 99)),
        seed=None if "anthropic" in formats else draw(st.none() | st.integers(0, 2**31 - 1)),
        stop=tuple(draw(st.lists(names, max_size=4))),
        user=None if gemini else draw(st.none() | words),
        stream=stream,
        tells_usage=stream,
    )


def choices(tools: tuple[Tool, ...], gemini: bool, strict: bool) -> st.SearchStrategy[ToolChoice]:
    """Any choice among these tools that the formats know."""
    if gemini and strict:
        return st.just(ToolChoice())
    parallel = st.just(True) if gemini else st.booleans()
    named = st.sampled_from([tool.name for tool in tools])
    kinds = ["auto"] if gemini and len(tools) == 1 else ["auto", "any"]  # to choose the only one is to name it
    return st.one_of(
        st.just(ToolChoice("none")),
        st.builds(ToolChoice, st.sampled_from(kinds), parallel=parallel),
        st.builds(ToolChoice, st.just("named"), named, parallel),
    )


def replies(*formats: str) -> st.SearchStrategy[Reply]:
    """Any reply that all these formats can say; Gemini does not tell what was written to a cache."""
    written = st.just(0) if "gemini" in formats else st.integers(0, 99)
    spent = st.builds(
        lambda fresh, cached, written, out, thought: Spent(
            fresh + cached + written, cached, written, out + thought, thought
        ),
        *(st.integers(0, 99), st.integers(0, 99), written, st.integers(0, 99), st.integers(0, 99)),
    )
    return st.builds(
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


def streamed(name: str, reply: Reply) -> bytes:
    """The reply as a stream of this format, its text and arguments in small pieces."""
    return b"".join(map(TONGUES[name].writer(Asked()).write, pieces_of(reply)))


def pieces_of(reply: Reply) -> Iterator[Any]:
    """A reply in pieces of two characters; what it used comes last, as from OpenAI."""
    yield Began(reply.id, reply.model, Spent())
    yield from (Said(reply.text[at : at + 2]) for at in range(0, len(reply.text), 2))
    for call in reply.calls:
        yield Called(call.id, call.name)
        spelled = json.dumps(call.arguments)
        yield from (Argued(spelled[at : at + 2]) for at in range(0, len(spelled), 2))
    yield Stopped(reply.stop, reply.stop_sequence)
    yield Used(reply.spent)
    yield Over()


def collected(name: str, stream: bytes, framing: Framing = "sse") -> Reply:
    """The reply that a client puts together from a stream."""
    heard: list[Any] = []
    reader, writer = TONGUES[name].reader(), _Keep(heard)
    translating = StreamTranslation(reader, writer, framing)
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


def translate(caller: str, upstream: str, body: Any, model: str | None = None, target: str = "") -> Translation:
    """Translate a request's body."""
    data = json.dumps(body).encode()
    return translation(caller, upstream, TONGUES[caller].operation, target or TARGETS[caller], data, model)
