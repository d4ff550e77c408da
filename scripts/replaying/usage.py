"""What a recorded exchange used, by the provider's own figures; written from the notes on the recordings."""

import json
from collections.abc import Iterable
from typing import Any

from replaying.exchanges import Exchange

Tokens = tuple[int, int]
MANY = 1e15  # what is more (an infinity, a NaN) is no count
# Answers whose usage is no charge: a count that was asked for, a cache's size.
NOT_CHARGED = {"count_tokens", "countTokens", "cachedContents"}
# What makes up input and output, told by the first names that are there; OpenAI's chat is below, it needs more care.
SHAPES: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    (
        ("promptTokenCount", "toolUsePromptTokenCount"),
        ("candidatesTokenCount", "responseTokenCount", "thoughtsTokenCount"),
    ),
    (("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"), ("outputTokens",)),
    (("prompt_token_count",), ("generation_token_count",)),
    (("prompt_eval_count",), ("eval_count",)),
    (("total_input_tokens", "total_tool_use_tokens"), ("total_output_tokens", "total_thought_tokens")),
    (("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"), ("output_tokens",)),
    (("inputTokenCount", "cacheReadInputTokenCount", "cacheWriteInputTokenCount"), ("outputTokenCount",)),
]


def expected_tokens(exchange: Exchange) -> Tokens | None:
    """Input and output tokens (cached input and reasoning included); None where the provider told none."""
    usage: dict[str, Any] = {}
    for report in exchange.usages:  # later reports are cumulative; a zero or a missing number takes none back
        usage |= {key: value for key, value in report.items() if value or key not in usage}
    usage = _mapping(usage.get("billed_units")) or usage  # Cohere's other figures are not what it charges
    counts = any("token" in key.lower() or "eval_count" in key for key in usage)
    if exchange.status >= 400 or exchange.endpoint in NOT_CHARGED or exchange.framing == "grpc" or not counts:
        return None  # of gRPC, which passes unread, nobody can tell
    if "inputTextTokenCount" in usage and not exchange.streaming:  # Titan counts its output beside each result
        return _total(usage, ("inputTextTokenCount",)), _titan_output(exchange.reply)
    if "inputTextTokenCount" in usage:  # its streams count both, beside Bedrock's own count of the same
        written = _total(usage, ("totalOutputTextTokenCount",)) or _total(usage, ("outputTokenCount",))
        return _total(usage, ("inputTextTokenCount",)), written
    if (told := _by_shape(usage)) is not None:
        return told
    if usage.keys() == {"total_tokens"}:
        return _total(usage, ("total_tokens",)), 0
    return _chat_tokens(exchange, usage)


def total_tokens(usages: Iterable[dict[str, Any]]) -> Tokens | None:
    """The tokens of several answers together; None where none of them told any."""
    told = [tokens for usage in usages if (tokens := _by_shape(usage)) is not None]
    return (sum(read for read, _ in told), sum(made for _, made in told)) if told else None


def _by_shape(usage: dict[str, Any]) -> Tokens | None:
    for read, names in SHAPES:
        if read[0] in usage or names[0] in usage:
            return _total(usage, read), _total(usage, names)
    return None


def _titan_output(reply: bytes) -> int:
    try:
        results = _mapping(json.loads(reply)).get("results")
    except ValueError:
        return 0
    return sum(_total(_mapping(result), ("tokenCount",)) for result in (results if isinstance(results, list) else []))


def _chat_tokens(exchange: Exchange, usage: dict[str, Any]) -> tuple[int, int]:
    made = _total(usage, ("completion_tokens",))
    reasoning = _total(_mapping(usage.get("completion_tokens_details")), ("reasoning_tokens",))
    # xAI's chat, and what Vercel passes on: reasoning comes on top, as the costs in the same objects show.
    apart = exchange.endpoint == "chat/completions" and exchange.provider in ("xai", "vercel-gateway")
    if apart and (exchange.provider == "xai" or reasoning > made):
        made += reasoning
    audio = _total(_mapping(usage.get("prompt_tokens_details")), ("audio_tokens",))
    audio = audio if "prompt_audio_seconds" in usage else 0  # Mistral: beside the text
    return _total(usage, ("prompt_tokens",)) + audio, made


def _total(usage: dict[str, Any], names: tuple[str, ...]) -> int:
    """The sum of the numbers under these names; negative ones, which exist, count as none."""
    numbers = (usage[name] for name in names if isinstance(usage.get(name), int | float))
    return sum(max(0, int(number)) for number in numbers if -MANY < number < MANY)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
