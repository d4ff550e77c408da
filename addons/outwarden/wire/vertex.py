"""Claude at Vertex AI: Anthropic's messages, but the path says model and whether to stream, and the body the version.

As Anthropic's own SDK writes them (anthropic/lib/vertex). The replies are the same.
"""

from typing import NamedTuple
from urllib.parse import quote

from outwarden.wire.top_level import replace_string, replace_value, value_spans, without

PUBLISHER = "/publishers/anthropic"
VERSION = "vertex-2023-10-16"
_COUNTS = "/models/count-tokens:rawPredict"
_STREAMS = ":streamRawPredict"


class Written(NamedTuple):
    """A call as one side spells it: the path, below the base of its URL, without a query; and the body."""

    path: str
    body: bytes


def is_vertex(path: str) -> bool:
    """Whether a path, or the base of a URL, is one of Claude at Vertex AI."""
    return f"{PUBLISHER}/" in f"{path}/"


def to_vertex(path: str, body: bytes, model: str) -> Written:
    """A call of Anthropic's (or of another project's at Vertex) for Vertex; raises BodyError for no JSON object."""
    bare = path.partition("?")[0]
    version = {} if "anthropic_version" in value_spans(body) else {"anthropic_version": VERSION}
    for name, value in version.items():
        body = replace_string(body, name, value)
    if bare.endswith((_COUNTS, "/count_tokens")):
        return Written(_COUNTS, replace_string(body, "model", model))
    verb = _STREAMS if bare.endswith(_STREAMS) or _asks_for_stream(body) else ":rawPredict"
    return Written(f"/models/{quote(model, safe='@')}{verb}", without(body, ["model"]))


def from_vertex(path: str, body: bytes, model: str) -> Written:
    """A call at Vertex for whoever has Anthropic's own paths; raises as `to_vertex`."""
    bare = path.partition("?")[0]
    body = replace_string(without(body, ["anthropic_version"]), "model", model)
    if bare.endswith(_COUNTS):
        return Written("/v1/messages/count_tokens", body)
    if bare.endswith(_STREAMS) and not _asks_for_stream(body):
        body = replace_value(body, "stream", b"true")
    return Written("/v1/messages", body)


def _asks_for_stream(body: bytes) -> bool:
    span = value_spans(body).get("stream")
    return span is not None and body[slice(*span)] == b"true"
