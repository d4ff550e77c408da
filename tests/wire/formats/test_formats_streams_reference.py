"""Each SDK's own list of stream events: what grows piece by piece is read as one text, whatever the event is called.

The recordings hold the events that somebody happened to get. A newer SDK brings new ones: what fails here then grows
under a name that no Format knows, or goes into the table below with its reason.
"""

import enum
import json
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pydantic
import pytest

from outwarden.wire.edits import Edit
from outwarden.wire.formats import format_named
from outwarden.wire.stream import StreamRewriter

Path = tuple[str | int, ...]
TEXT = "\0text"  # stands for a string that may be anybody's
ADDRESS = "ada.quill@brightquill-mail.com"
PIECES = ("Write to ada.q", "uill@bright", "quill-mail.com now")
# Keys of strings that grow in an event that is a delta.
GROWS = frozenset(
    {"delta", "text", "partial_json", "arguments", "input", "value", "refusal", "content", "transcript", "logs"}
    | {"stdout", "stderr", "string_value", "stringValue"}
)
# (SDK, type of the event or of an object in it) with such a key that does not grow, and why.
WHOLE = {
    ("openai", "response.audio.delta"): "sound",
    ("openai", "response.output_audio.delta"): "sound",
    ("openai", "file_citation"): "a whole copy of the span",
    ("openai", "file_path"): "likewise",
    ("anthropic", "compaction_delta"): "signed: it passes as it is",
    ("google", "word_info"): "a whole word",
    ("google", "function_result"): "whole, though it comes as a delta",
}
# Objects in which nothing grows: what was searched, and what only the user of an SDK sees.
APART = frozenset({"groundingMetadata", "automaticFunctionCallingHistory"})


def instances(annotation: Any, depth: int = 0) -> list[Any]:
    """JSON values of a type: one with each of its alternatives, TEXT for every free string."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    deeper = partial(instances, depth=depth + 1)
    if isinstance(annotation, typing.TypeAliasType):
        return instances(annotation.__value__, depth)
    if origin is Annotated:
        return instances(arguments[0], depth)
    if origin is Literal:
        return [arguments[0]]
    if origin in (Union, types.UnionType):
        return [one for argument in arguments if argument is not type(None) for one in instances(argument, depth)]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return [{"key": one} for one in deeper(arguments[1])]
    if origin is not None:
        return [[one] for one in deeper(arguments[0])] if depth < 9 and arguments else [[]]
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return of_model(annotation, depth) if depth < 9 else [{}]
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return [next(iter(annotation)).value] if len(annotation) else ["value"]
    return {str: [TEXT], bool: [True], int: [0], float: [0.5]}.get(annotation, [None])


def of_model(model: type[pydantic.BaseModel], depth: int) -> list[Any]:
    fields = {field.serialization_alias or field.alias or name: field for name, field in model.model_fields.items()}
    values = {key: instances(field.annotation, depth + 1) for key, field in fields.items() if "finish" not in key}
    first = {key: found[0] for key, found in values.items() if found}
    return [first, *(first | {key: other} for key, found in values.items() for other in found[1:])]


def texts(value: Any, at: Path = ()) -> Iterator[Path]:
    """Where TEXT stands."""
    if value == TEXT:
        yield at
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, child in pairs:
        yield from texts(child, (*at, step))


def with_piece(value: Any, at: Path | None, piece: str) -> Any:
    """The value with ``piece`` at a place, and nothing in all other texts."""
    if value == TEXT:
        return piece if at == () else ""
    if isinstance(value, dict):
        return {key: with_piece(child, at[1:] if at and at[0] == key else None, piece) for key, child in value.items()}
    if isinstance(value, list):
        return [with_piece(each, at[1:] if at and at[0] == n else None, piece) for n, each in enumerate(value)]
    return value


class Hider:
    """Replaces the address, in a whole text or in pieces."""

    def edits(self, found: Sequence[str]) -> list[Sequence[Edit]]:
        return [[Edit(at, at + len(ADDRESS), "[E]", "E")] if (at := one.find(ADDRESS)) >= 0 else [] for one in found]

    def note(self, found: Iterable[tuple[Edit, str]]) -> None:
        """Nobody asks."""

    def channel(self) -> "HiderChannel":
        return HiderChannel(self)


class HiderChannel:
    """Decides nothing before the end."""

    def __init__(self, hider: Hider) -> None:
        self._hider, self._said = hider, ""

    def feed(self, text: str) -> tuple[int, Sequence[Edit]]:
        self._said += text
        return 0, ()

    def finish(self) -> Sequence[Edit]:
        return self._hider.edits([self._said])[0]


def streamed(name: str, target: str, events: Iterable[Any]) -> list[Any]:
    """The events after their way through a stream of lines."""
    format_ = format_named(name)
    stream = StreamRewriter(format_, format_.identify("POST", target), "ndjson", Hider())
    out = b"".join(stream.feed(json.dumps(event).encode() + b"\n") for event in events) + stream.flush()
    return [json.loads(line) for line in out.splitlines()]


def said_at(events: Iterable[Any], at: Path) -> str:
    """What the strings at a place join to."""
    said = ""
    for event in events:
        for step in at:
            event = event[step]
        said += event
    return said


def may_grow(at: Path) -> bool:
    return at[-1] in GROWS and APART.isdisjoint(at)


def kinds_above(event: Any, at: Path) -> set[str]:
    """The types of all objects around a place."""
    kinds = set()
    for step in at:
        kind = event.get("type") if isinstance(event, dict) else None
        kinds |= {kind} if isinstance(kind, str) else set()
        event = event[step]
    return kinds


def is_delta(event: dict[str, Any]) -> bool:
    """Whether an event brings a piece: by its name, or because events of its API have none."""
    named = [str(event[key]) for key in ("event_type", "type", "object") if event.get(key)]
    return not named or any(name.endswith(("delta", "chunk", "text_completion")) for name in named)


# SDK, type of its events (module:name), format, path, the fewest places that were ever found to grow
STREAMS = [
    ("openai", "openai.types.responses:ResponseStreamEvent", "openai", "/v1/responses", 12),
    ("openai", "openai.types.beta:BetaResponseStreamEvent", "openai", "/v1/responses", 12),
    ("openai", "openai.types.realtime:RealtimeServerEvent", "openai", "/v1/realtime", 5),
    ("openai", "openai.types.chat:ChatCompletionChunk", "openai", "/v1/chat/completions", 4),
    ("openai", "openai.types.audio:TranscriptionStreamEvent", "openai", "/v1/audio/transcriptions", 1),
    ("openai", "openai.types.beta.threads:MessageDeltaEvent", "openai", "/v1/threads/t/runs", 2),
    ("openai", "openai.types.beta.threads.runs:RunStepDeltaEvent", "openai", "/v1/threads/t/runs", 2),
    ("anthropic", "anthropic.types:RawMessageStreamEvent", "anthropic", "/v1/messages", 2),
    ("anthropic", "anthropic.types.beta:BetaRawMessageStreamEvent", "anthropic", "/v1/messages", 2),
    ("google", "google.genai.types:GenerateContentResponse", "gemini", "/v1beta/models/g:streamGenerateContent", 2),
    (
        "google",
        "google.genai._gaos.types.interactions.interactionsseevent:InteractionSSEEvent",
        "gemini",
        "/v1beta/interactions",
        2,
    ),
]


@pytest.mark.parametrize(("sdk", "kind", "name", "target", "fewest"), STREAMS, ids=[row[1] for row in STREAMS])
def test_what_grows_is_one_text(sdk: str, kind: str, name: str, target: str, fewest: int) -> None:
    """An address in three pieces, under any key that grows in any event that is a delta, does not come out whole."""
    module, _, member = kind.partition(":")
    annotation = getattr(pytest.importorskip(module, reason=f"{sdk} is not installed"), member)
    seen: set[object] = set()
    readable = set()
    for event in instances(annotation):
        for at in filter(may_grow, texts(event)) if is_delta(event) else ():
            kinds = kinds_above(event, at)
            case = (tuple(str(step) for step in at), *sorted(kinds))
            if case in seen or any((sdk, each) in WHOLE for each in kinds):
                continue
            seen.add(case)
            if ADDRESS in said_at(streamed(name, target, [with_piece(event, at, piece) for piece in PIECES]), at):
                readable.add(case)

    assert readable == set()
    assert len(seen) >= fewest, seen
