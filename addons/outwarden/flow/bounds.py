"""The most that a call can use, and what it asks for; said before it is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from outwarden.pricing import Unseen, media_tokens, output_maximum, thinks_beyond_limit, unseen
from outwarden.wire.sameness import same_request
from outwarden.wire.usage import Usage

if TYPE_CHECKING:
    from outwarden.flow.state import CallState

# Operations that read text and write none: their output costs nothing.
WITHOUT_OUTPUT = frozenset({"embeddings", "embed", "embed_content", "count_tokens", "moderations", "rerank"})
# What the provider writes down of a caller's speech, which it may sell by the hour.
TRANSCRIPTION = "realtime_transcription"
# Speech takes no fewer bytes: Opus in voice messages has 16 kbit/s, what is spoken into an MP3 twice that and more.
SOUND_BYTES_PER_S_MIN = 2_000


def body_id(state: CallState, digest: Callable[..., str]) -> str:
    """Name what a call asks, so that the same call has the same name; the name tells nothing of it."""
    body = state.body
    asked = same_request(body.data, body.json if body.kind == "json" else None) if body else b""
    names = (state.host.provider, state.operation.name, state.model or "")
    return digest(*(name.encode("utf-8", "surrogatepass") for name in names), asked)


def counted_tokens(state: CallState) -> int:
    """The input tokens that the body itself holds, media included."""
    return state.body_tokens + media_tokens(state.media_bytes, state.model)


def unseen_of(state: CallState) -> Unseen:
    """What the call may be billed for that its body does not hold."""
    return unseen(state.body.data if state.body else b"", state.model)


def input_bound(state: CallState, more: Unseen) -> int:
    """The most input tokens the call can be billed for: what its body holds, and what the provider adds."""
    return counted_tokens(state) + more.tokens


def unit_bound(state: CallState, more: Unseen) -> Usage:
    """The most that the call is counted in beside tokens: as it says itself, or by the sound in it; and searches."""
    asked = state.facts.asks or Usage()
    asked = replace(asked, web_searches=more.web_searches, file_searches=more.file_searches)
    if state.operation.name == "transcriptions":
        return asked.filled({"input_audio_ms": -(-state.media_bytes * 1000 // SOUND_BYTES_PER_S_MIN)})
    return asked


def output_bound(state: CallState, provider: str, model: str | None) -> int:
    """The most output tokens the call can bring: its own limit or the model's maximum, for each choice."""
    if state.operation.name in WITHOUT_OUTPUT:
        return 0
    limit = state.facts.output_limit
    if limit is None:
        limit = output_maximum(provider, model)
    elif thinks_beyond_limit(model):
        limit += output_maximum(provider, model)
    return limit * max(1, state.facts.choices)
