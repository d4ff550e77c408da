"""What a simulated provider is told to do with one call: what to say, and how to fail."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

HEADER = "x-simulate"  # a request may carry its own script here, as a JSON object
STALL_S = 3600.0  # "for ever", yet bounded: no test and no client waits an hour


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call in the answer. ``arguments`` is JSON text; it need not parse, real ones do not always either."""

    name: str
    arguments: str = "{}"


@dataclass(frozen=True, slots=True)
class Script:
    """One answer. Without any field set: echo the last user text.

    What is said: ``text`` (None: echo; left out when only ``tool_calls`` are given), ``thinking``, ``tool_calls``,
    ``model`` (the model that the reply names), ``usage`` (laid over the computed usage object), ``no_usage``,
    ``finish`` (why a chat completion or a message of Anthropic's ended, where the provider's filter ended it).
    How it is sent: ``piece_chars`` (code points per delta, 0: uneven, as providers do), ``encoding`` (gzip, deflate,
    br, zstd), ``chunking`` (``event``, ``whole``, ``bytes:N``, ``random:SEED[:MAX]``), the three delays in seconds.
    How it fails, streams counted in content events already sent: ``status`` with ``retry_after``, ``error`` (an error's
    code) and ``message`` (its words), ``prefill`` False (a last message of the assistant's is refused; else it is gone
    on with where the API does that: ``goes_on`` for a chat that is not told to, ``echoes`` repeats it first),
    ``silence`` (read the request, never answer), ``reset`` (TCP reset before headers),
    ``error_after`` (in-band error event), ``cut_after`` (connection lost), ``truncate_after`` (the body ends cleanly,
    but too early), ``stall_after`` with ``stall_s``, ``malformed_after``, ``end_marker`` False (all is said, the end
    is not). On a whole answer ``error_after`` gives a 200 with an error body, ``cut_after`` loses half of it.
    On a WebSocket each response has its script, ``chunking`` cuts messages into fragments, ``truncate_after`` closes
    with ``close_code`` (which, given alone, closes after the response), ``ping_every`` sends a ping before each such
    message, ``upgrade`` other than 101 refuses the handshake with that status, ``deflate`` False compresses nothing;
    ``transcript`` is what the provider hears in audio. A huge message is a long ``text`` with large ``piece_chars``.
    """

    text: str | None = None
    thinking: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    model: str | None = None
    usage: Mapping[str, Any] | None = None
    no_usage: bool = False
    finish: str | None = None
    piece_chars: int = 0
    encoding: str | None = None
    chunking: str = "event"
    headers_delay_s: float = 0.0
    first_content_delay_s: float = 0.0
    event_delay_s: float = 0.0
    status: int = 200
    retry_after: str | None = None
    error: str | None = None
    message: str | None = None
    prefill: bool = True
    goes_on: bool = False
    echoes: bool = False
    silence: bool = False
    reset: bool = False
    error_after: int | None = None
    cut_after: int | None = None
    truncate_after: int | None = None
    stall_after: int | None = None
    stall_s: float = STALL_S
    malformed_after: int | None = None
    end_marker: bool = True
    upgrade: int = 101
    deflate: bool = True
    ping_every: int = 0
    close_code: int | None = None
    transcript: str = "Hello there."

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a script from a JSON object with this class's field names. Raises ValueError for anything else."""
        told = json.loads(text)
        if not isinstance(told, dict):
            raise ValueError("a script is a JSON object")
        if unknown := told.keys() - {field.name for field in fields(cls)}:
            raise ValueError(f"unknown keys in a script: {', '.join(sorted(unknown))}")
        if "tool_calls" in told:
            told["tool_calls"] = tuple(_tool_call(each) for each in told["tool_calls"])
        return cls(**told)


def _tool_call(told: Any) -> ToolCall:
    if not isinstance(told, dict) or not isinstance(told.get("name"), str):
        raise ValueError("a tool call is an object with a name")
    arguments = told.get("arguments", "{}")
    return ToolCall(told["name"], arguments if isinstance(arguments, str) else json.dumps(arguments))
