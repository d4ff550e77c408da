"""A conversation as no provider spells it: what several formats can all say, and nothing else.

Everything here is in one canonical form, so that two conversations that mean the same are equal: neighbouring turns of
one role are one turn, tool results come first in theirs, and a choice that is the default is not told apart from one
that was spelled out.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

from outwarden.errors import NotTranslatable
from outwarden.wire.format import Framing

Stop = Literal["end", "length", "stop_sequence", "tool_calls", "refusal"]
# A name is shown only where it looks like one of an API's own: what a caller invents may be personal.
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class Text:
    """A text that is not empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture: base64 ``data`` of a ``media_type``, or the ``url`` that the provider is to fetch."""

    media_type: str = ""
    data: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model calls a tool; ``arguments`` is a JSON object."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What the call of this id gave."""

    call_id: str
    content: tuple[Text | Image, ...]
    is_error: bool = False


type Part = Text | Image | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side says: results, texts and pictures of the user's, texts and then calls of the assistant's."""

    role: Literal["user", "assistant"]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call; ``schema`` is the JSON Schema of its arguments."""

    name: str
    description: str
    schema: Mapping[str, Any]
    strict: bool = False


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """``named``: the tool of that ``name`` must be called. ``parallel``: more than one call may come in a turn."""

    kind: Literal["auto", "none", "any", "named"] = "auto"
    name: str = ""
    parallel: bool = True


@dataclass(frozen=True, slots=True)
class Conversation:
    """A request. ``output_schema``: what the answer must fit, as JSON Schema; None: it is free text, or with
    ``output_json`` some JSON object.

    ``max_tokens``: None where the request names none. ``tells_usage``: a stream is to end with the usage.
    """

    model: str
    turns: tuple[Turn, ...]
    system: tuple[Text, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = ToolChoice()
    output_schema: Mapping[str, Any] | None = None
    output_json: bool = False
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    user: str | None = None
    stream: bool = False
    tells_usage: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reply depends on that the caller's request said: the model, and how a stream is to come.

    ``tells_usage``: a stream is to end with the usage.
    """

    model: str = ""
    tells_usage: bool = True
    framing: Framing = "sse"


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens as the client is told them (what is charged is read in the provider's own format).

    ``input_tokens`` includes what was read from a cache and what was written to it.
    """

    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer: at most one text, then calls. ``stop_sequence``: which one ended it, where that is told."""

    id: str
    model: str
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    stop: Stop = "end"
    stop_sequence: str | None = None
    spent: Spent = field(default_factory=Spent)


def only(source: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    """Raise NotTranslatable where ``source`` says more than ``known``; null says nothing."""
    for name, value in source.items():
        if name not in known and value is not None:
            shown = f"'{name}'" if _FIELD.fullmatch(name) else "an unknown field"
            raise NotTranslatable(f"{shown} of {where} has no counterpart")


def need(condition: bool, reason: str) -> None:
    """Raise NotTranslatable for ``reason`` unless ``condition`` holds."""
    if not condition:
        raise NotTranslatable(reason)


def obj(value: object, where: str) -> dict[str, Any]:
    """``value``, which must be an object."""
    if not isinstance(value, dict):
        raise NotTranslatable(f"{where} is no object")
    return value


def array(value: object, where: str) -> list[Any]:
    """``value``, which must be a list; null is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise NotTranslatable(f"{where} is no list")
    return value


def string(value: object, where: str) -> str:
    """``value``, which must be a string."""
    if not isinstance(value, str):
        raise NotTranslatable(f"{where} is no string")
    return value


def real(value: object, where: str) -> float | None:
    """``value``, which must be a number or null."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise NotTranslatable(f"{where} is no number")
    return value


def whole(value: object, where: str) -> int | None:
    """``value``, which must be a whole number or null."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise NotTranslatable(f"{where} is no whole number")
    return value


def flag(value: object, where: str) -> bool:
    """``value``, which must be a boolean; null is false."""
    if value is not None and not isinstance(value, bool):
        raise NotTranslatable(f"{where} is no boolean")
    return bool(value)


def load(text: str | bytes, where: str) -> Any:
    """Parse JSON that means the same to every reader. Raises NotTranslatable where it does not."""
    try:
        return json.loads(text, object_pairs_hook=_unrepeated, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise NotTranslatable(f"{where} is no JSON, or not such that all read it alike") from None


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a key is repeated")
    return read


def _no_number(spelled: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")


def arguments_of(text: str) -> dict[str, Any]:
    """The arguments of a call that are JSON inside a string; an empty string is none."""
    where = "the arguments of a tool call"
    return obj(load(text, where) if text.strip() else {}, where)


def turns_of(said: list[Turn]) -> tuple[Turn, ...]:
    """Join neighbouring turns of one role, and check that all formats can say them in this order."""
    turns: list[Turn] = []
    for turn in said:
        if turns and turns[-1].role == turn.role:
            turns[-1] = Turn(turn.role, turns[-1].parts + turn.parts)
        elif turn.parts:
            turns.append(turn)
    need(bool(turns) and turns[-1].role == "user", "the conversation does not end with the user's turn")
    asked: set[str] = set()
    for turn in turns:
        need(bool(turn.parts), "a turn is empty")
        last = ToolCall if turn.role == "assistant" else ToolResult
        late = [isinstance(part, last) for part in turn.parts]
        ordered = sorted(late, reverse=turn.role == "user")
        need(late == ordered, "a text stands between tool results or behind tool calls")
        answered = [part.call_id for part in turn.parts if isinstance(part, ToolResult)]
        need(sorted(answered) == sorted(asked), "tool calls and tool results do not match")
        asked = {part.id for part in turn.parts if isinstance(part, ToolCall)}
        need(len(asked) == sum(isinstance(part, ToolCall) for part in turn.parts), "two tool calls have one id")
    return tuple(turns)


def checked(conversation: Conversation) -> Conversation:
    """Raise NotTranslatable where the request says what only one format knows."""
    choice, names = conversation.tool_choice, {tool.name for tool in conversation.tools}
    if choice != ToolChoice():
        need(bool(names), "a choice of tools stands without tools")
    need(choice.kind != "named" or choice.name in names, "the tool that is chosen is not among the tools")
    need(choice.kind != "none" or choice.parallel, "tools are switched off and limited at once")
    need(all(sequence.strip() for sequence in conversation.stop), "a stop sequence is blank")
    return conversation
