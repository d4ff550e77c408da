"""What a recorded exchange used, by the provider's own figures; written from the notes on the recordings."""

import json
from typing import Any

from replaying.exchanges import Exchange

# Answers whose usage is no charge: a count that was asked for, a cache's size.
NOT_CHARGED = {"count_tokens", "countTokens", "cachedContents"}
# What makes up input and output, told by the first names that are there; OpenAI's chat is below, it needs more care.
SHAPES: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    (("promptTokenCount", "toolUsePromptTokenCount"), ("candidatesTokenCount", "thoughtsTokenCount")),
    (("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"), ("outputTokens",)),
    (("prompt_token_count",), ("generation_token_count",)),
    (("prompt_eval_count",), ("eval_count",)),
    (("total_input_tokens", "total_tool_use_tokens"), ("total_output_tokens", "total_thought_tokens")),
    (("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"), ("output_tokens",)),
    (("inputTokenCount", "cacheReadInputTokenCount", "cacheWriteInputTokenCount"), ("outputTokenCount",)),
]


def expected_tokens(exchange: Exchange) -> tuple[int, int] | None:
    """Input and output tokens (cached input and reasoning included); None where the provider told none."""
    usage: dict[str, Any] = {}
    for report in exchange.usages:  # later reports are cumulative; a zero or a missing number takes none back
        usage |= {key: value for key, value in report.items() if value or key not in usage}
    usage = usage.get("billed_units") or usage  # Cohere's other figures are not what it charges
    counts = any("token" in key.lower() or "eval_count" in key for key in usage)
    if exchange.status >= 400 or exchange.endpoint in NOT_CHARGED or not counts:
        return None
    if "inputTextTokenCount" in usage and not exchange.streaming:  # Titan counts its output beside each result
        results = json.loads(exchange.reply).get("results") or []
        return _total(usage, ("inputTextTokenCount",)), sum(_total(result, ("tokenCount",)) for result in results)
    if "inputTextTokenCount" in usage:  # its streams count both, beside Bedrock's own count of the same
        written = _total(usage, ("totalOutputTextTokenCount",)) or _total(usage, ("outputTokenCount",))
        return _total(usage, ("inputTextTokenCount",)), written
    for read, names in SHAPES:
        if read[0] in usage or names[0] in usage:
            return _total(usage, read), _total(usage, names)
    if usage.keys() == {"total_tokens"}:
        return _total(usage, ("total_tokens",)), 0
    return _chat_tokens(exchange, usage)


def _chat_tokens(exchange: Exchange, usage: dict[str, Any]) -> tuple[int, int]:
    made = _total(usage, ("completion_tokens",))
    reasoning = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
    # xAI's chat, and what Vercel passes on: reasoning comes on top, as the costs in the same objects show.
    apart = exchange.endpoint == "chat/completions" and exchange.provider in ("xai", "vercel-gateway")
    if apart and (exchange.provider == "xai" or reasoning > made):
        made += reasoning
    audio = (usage.get("prompt_tokens_details") or {}).get("audio_tokens") or 0
    audio = audio if "prompt_audio_seconds" in usage else 0  # Mistral: beside the text
    return _total(usage, ("prompt_tokens",)) + audio, made


def _total(usage: dict[str, Any], names: tuple[str, ...]) -> int:
    """The sum of the numbers under these names; negative ones, which exist, count as none."""
    return sum(max(0, int(usage[name])) for name in names if isinstance(usage.get(name), int | float))
