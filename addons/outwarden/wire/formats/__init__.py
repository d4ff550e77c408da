"""The API families that we read and write, one Format each. Knows paths, keys, events, usage and error shapes;
leaves to others what to do with a text (`pii`), a usage (`pricing`, `budget`) or an error (`routing`).

`format_named` gives the Format of a host. Most hosts speak more than one API (OpenAI's paths beside their own), so a
Format is a *mix* of dialects: the path decides which of them an operation speaks, and the operation remembers it.
"""

from outwarden.wire.format import Format
from outwarden.wire.formats.anthropic import Anthropic
from outwarden.wire.formats.ask_usage import ask_for_usage, may_be_asked, says_null_when_asked, sends_usage
from outwarden.wire.formats.base import Mixed
from outwarden.wire.formats.bedrock import Bedrock
from outwarden.wire.formats.cohere import Cohere
from outwarden.wire.formats.errors import grpc_reply
from outwarden.wire.formats.gemini import Gemini
from outwarden.wire.formats.generic import Generic
from outwarden.wire.formats.ollama import Ollama
from outwarden.wire.formats.openai import Mistral, OpenAI

__all__ = [
    "FORMAT_NAMES",
    "FormatNameError",
    "ask_for_usage",
    "format_named",
    "grpc_reply",
    "may_be_asked",
    "says_null_when_asked",
    "sends_usage",
]

_openai, _anthropic, _gemini, _bedrock, _ollama = OpenAI(), Anthropic(), Gemini(), Bedrock(), Ollama()

# The first dialect is the host's own, the others are what such hosts serve beside it. What speaks OpenAI's may be a
# gateway to all.
_FORMATS: dict[str, Format] = {
    "openai": Mixed("openai", _openai, _anthropic, _gemini, _bedrock, _ollama),
    "mistral": Mixed("mistral", Mistral(), _anthropic),
    "anthropic": Mixed("anthropic", _anthropic, _openai),
    "gemini": Mixed("gemini", _gemini, _anthropic, _openai),
    "cohere": Mixed("cohere", Cohere(), _openai),
    "ollama": Mixed("ollama", _ollama, _openai, _anthropic),
    "bedrock": Mixed("bedrock", _bedrock, _anthropic, _openai),
    "generic": Mixed("generic", Generic(), _ollama, _openai, _anthropic, _gemini, _bedrock),
}
FORMAT_NAMES = frozenset(_FORMATS)


class FormatNameError(KeyError):
    """No Format has this name."""

    def __str__(self) -> str:
        return str(self.args[0])


def format_named(name: str) -> Format:
    """The Format that rules call ``name``; raises FormatNameError."""
    try:
        return _FORMATS[name]
    except KeyError:
        raise FormatNameError(f"unknown format {name!r}; known are {', '.join(sorted(_FORMATS))}") from None
