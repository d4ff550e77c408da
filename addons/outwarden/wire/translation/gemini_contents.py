"""What is said in Gemini's requests, ``contents`` and their parts, and the neutral turns.

Source: the types of the google-genai SDK 3.4 (``Content``, ``Part``, ``FunctionResponse``), 2026-11, and what Google's
servers answered to the recorded requests.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from outwarden.errors import NotTranslatable
from outwarden.wire.translation.gemini_fields import listed, named
from outwarden.wire.translation.neutral import (
    Image,
    Part,
    Text,
    ToolCall,
    ToolResult,
    Turn,
    flag,
    need,
    obj,
    string,
    turns_of,
)

# For a call that Gemini did not make itself: its models from 3 on refuse one without a signature of theirs, or this
# (ai.google.dev/gemini-api/docs/thought-signatures, FAQ: "transferring a trace from a different model").
UNSIGNED = "skip_thought_signature_validator"
_BEFORE_3 = re.compile(r"(?:models/)?gemini-[12](?:[.-]|$)")
# Which pictures all of them read; Gemini reads no GIF (docs "Image understanding" of each).
_PICTURES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp"}
_OTHERS_PICTURES = frozenset({*_PICTURES.values(), "image/gif"})
_OWN_FILE = re.compile(r"(?:^|[.-])(?:generativelanguage\.googleapis\.com|youtube\.com|youtu\.be)$")
OTHERS_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # of a tool, at OpenAI and Anthropic
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")
_USERS = (None, "", "user", "function")
_PART = frozenset({"text", "thought", "thoughtSignature", "inlineData", "fileData", "functionCall", "functionResponse"})


def signs_calls(model: str) -> bool:
    """Whether a model refuses its own tool calls unsigned, reads pictures in tool results, and answers in JSON where it
    has tools: all of Google's from Gemini 3 on."""
    return not _BEFORE_3.match(model)


def read_turns(contents: object) -> tuple[Turn, ...]:
    """Read ``contents``. Raises NotTranslatable."""
    calls = _Calls()
    return turns_of([_read_content(content, calls) for content in listed(contents, "'contents'")])


class _Calls:
    """Which call a result answers: by id, or by name and order where the call has no id (Google's often have none)."""

    def __init__(self) -> None:
        self._made = 0
        self._open: list[tuple[str, str, bool]] = []  # id, name, whether the id is ours

    def begin(self) -> None:
        """A turn of the model's begins."""
        self._open.clear()

    def make(self, id: str, name: str) -> str:
        """Note a call and return its id."""
        self._made += 1  # counted from the first turn on, so that a history keeps its ids when it grows
        self._open.append((id or f"call_{self._made}", name, not id))
        return self._open[-1][0]

    def answer(self, id: str, name: str) -> str:
        """Find the call that a result is for, and return its id."""
        for place, (own, called, is_ours) in enumerate(self._open):
            if called == name and (own == id or not id or is_ours):
                return self._open.pop(place)[0]
        raise NotTranslatable("a function response answers no function call")


def _read_content(content: object, calls: _Calls) -> Turn:
    source = named(content, frozenset({"role", "parts"}), "a content")
    role = source.get("role")
    parts = listed(source.get("parts"), "'parts'")
    if role == "model":
        calls.begin()
        said = tuple(part for each in parts for part in _read_models(each, calls))
    else:
        need(role in _USERS, "a content has a role without a counterpart")
        said = tuple(part for each in parts for part in _read_users(each, calls))
    need(bool(said), "a content is empty")
    return Turn("assistant" if role == "model" else "user", said)


def _read_models(part: object, calls: _Calls) -> Iterator[Part]:
    source = read_part(part)
    if flag(source.get("thought"), "'thought'"):
        return  # it stays with who thought it
    if "functionCall" in source:
        yield read_call(source["functionCall"], calls.make)
    else:
        yield from _read_texts(source)


def _read_users(part: object, calls: _Calls) -> Iterator[Part]:
    source = read_part(part)
    need(not flag(source.get("thought"), "'thought'"), "a thought in a user's turn has no counterpart")
    if "functionResponse" in source:
        yield _read_result(source["functionResponse"], calls)
    elif "inlineData" in source or "fileData" in source:
        yield _read_picture(source)
    else:
        yield from _read_texts(source)


def read_part(part: object) -> dict[str, Any]:
    """A part, without the signature of who thought it. Raises NotTranslatable."""
    source = named(part, _PART, "a part")
    source.pop("thoughtSignature", None)
    need(len(source.keys() - {"thought"}) <= 1, "a part says two things")
    return source


def _read_texts(source: dict[str, Any]) -> Iterator[Text]:
    only_text = source.keys() <= {"text", "thought"}
    need(only_text, "a part stands in a turn where no other API has its like")
    if said := string(source.get("text") or "", "a text"):
        yield Text(said)


def read_call(call: object, make: Any) -> ToolCall:
    """Read a ``functionCall``; ``make(id, name)`` returns the id that the call gets."""
    source = named(call, frozenset({"id", "name", "args"}), "a function call")
    name = tool_name(source.get("name"))
    return ToolCall(
        make(string(source.get("id") or "", "a call's 'id'"), name), name, obj(source.get("args") or {}, "'args'")
    )


def tool_name(name: object) -> str:
    """The name of a tool, which other APIs have to allow."""
    found = string(name, "a tool's 'name'")
    need(bool(OTHERS_NAME.fullmatch(found)), "a tool has a name that other APIs do not allow")
    return found


def _read_result(result: object, calls: _Calls) -> ToolResult:
    source = named(result, frozenset({"id", "name", "response", "parts"}), "a function response")
    name = string(source.get("name"), "a tool's 'name'")
    call_id = calls.answer(string(source.get("id") or "", "a function response's 'id'"), name)
    response = obj(source.get("response") or {}, "'response'")
    # "output" and "error" are Google's words, whatever else is there is the output as a whole (`FunctionResponse`).
    word = next(iter(response)) if len(response) == 1 else ""
    said = response[word] if word in ("output", "error") else response
    several = isinstance(said, list) and len(said) > 1 and all(isinstance(each, str) and each for each in said)
    texts = [
        Text(_spelled(each))
        for each in (said if several and isinstance(said, list) else [said])
        if each not in ("", {})
    ]
    pictures = [_read_picture(named(part, _PART, "a part")) for part in listed(source.get("parts"), "'parts'")]
    return ToolResult(call_id, (*texts, *pictures), word == "error")


def _spelled(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _read_picture(source: dict[str, Any]) -> Image:
    if "inlineData" in source:
        blob = named(source["inlineData"], frozenset({"mimeType", "data"}), "'inlineData'")
        kind = _picture(blob.get("mimeType"))
        data = string(blob.get("data"), "'data'").translate(_STANDARD)
        return Image(kind, data + "=" * (-len(data) % 4))
    file = named(source.get("fileData"), frozenset({"mimeType", "fileUri"}), "'fileData'")
    url = string(file.get("fileUri"), "'fileUri'")
    host = _host(url)
    need(host is not None and not _OWN_FILE.search(host), "a file that Google keeps has no counterpart")
    kind = _picture(file.get("mimeType"))
    return Image("" if kind == _kind_of(url) else kind, url=url)


_STANDARD = str.maketrans("-_", "+/")  # Google reads base64 of both alphabets, with padding or without


def _picture(kind: object) -> str:
    found = string(kind, "'mimeType'").lower()
    need(found in _OTHERS_PICTURES, "a file of another type than a PNG, JPEG, WebP or GIF picture has no counterpart")
    return found


def _host(url: str) -> str | None:
    """The host of an https address; None where it is none."""
    try:
        split = urlsplit(url)
        return split.hostname if split.scheme == "https" else None
    except ValueError:
        return None


def _kind_of(url: str) -> str:
    """What the end of an address says of its type; empty where it says nothing."""
    return _PICTURES.get(urlsplit(url).path.rpartition(".")[2].lower(), "")


def write_turns(turns: tuple[Turn, ...], model: str) -> list[dict[str, Any]]:
    """Write ``contents`` for ``model``. Raises NotTranslatable."""
    contents: list[dict[str, Any]] = []
    names: dict[str, str] = {}
    for turn in turns:
        if turn.role == "assistant":
            names = {part.id: part.name for part in turn.parts if isinstance(part, ToolCall)}
            contents.append({"role": "model", "parts": write_models(turn.parts, model)})
            continue
        results = [
            write_result(part, names[part.call_id], model) for part in turn.parts if isinstance(part, ToolResult)
        ]
        rest = [_write_shown(part) for part in turn.parts if isinstance(part, Text | Image)]
        # What answers calls is a turn of its own (Gemini's error where their numbers differ).
        contents += [{"role": "user", "parts": parts} for parts in (results, rest) if parts]
    return contents


def write_models(parts: tuple[Part, ...], model: str) -> list[dict[str, Any]]:
    """Write texts and calls of the model's; the first call alone is signed, as Google's own are."""
    written: list[dict[str, Any]] = []
    signed = not signs_calls(model)
    for part in parts:
        if isinstance(part, ToolCall):
            written.append(write_call(part) | ({} if signed else {"thoughtSignature": UNSIGNED}))
            signed = True
        else:
            written.append(_write_shown(part))
    return written


def write_call(call: ToolCall) -> dict[str, Any]:
    """Write a part that is a call."""
    return {"functionCall": {"id": call.id, "name": write_name(call.name), "args": call.arguments}}


def write_name(name: str) -> str:
    """The name of a tool. Raises NotTranslatable where Gemini does not allow it."""
    need(bool(_NAME.fullmatch(name)), "a tool has a name that Gemini does not allow")
    return name


def write_result(result: ToolResult, name: str, model: str) -> dict[str, Any]:
    """Write a part that answers a call of ``name``."""
    texts = [part.text for part in result.content if isinstance(part, Text)]
    pictures = [part for part in result.content if isinstance(part, Image)]
    need(all(isinstance(part, Image) for part in result.content[len(texts) :]), "a text stands behind a picture")
    need(not pictures or signs_calls(model), "a picture in a tool result has no counterpart before Gemini 3")
    said = texts[0] if len(texts) == 1 else texts or ""
    response = {"id": result.call_id, "name": name, "response": {"error" if result.is_error else "output": said}}
    return {"functionResponse": response | ({"parts": list(map(_write_shown, pictures))} if pictures else {})}


def _write_shown(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"text": part.text}
    assert isinstance(part, Image)
    kind = part.media_type or _kind_of(part.url)
    need(kind in _PICTURES.values(), "a picture of another type than PNG, JPEG and WebP has no counterpart")
    if part.url:
        return {"fileData": {"fileUri": part.url, "mimeType": kind}}
    return {"inlineData": {"mimeType": kind, "data": part.data}}
