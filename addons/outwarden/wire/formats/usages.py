"""The providers' usage objects, each read into `Usage` with its own rule of what includes what.

| shape      | input includes cached | output includes reasoning |
|------------|-----------------------|---------------------------|
| chat       | yes                   | yes, but xAI's chat API, some Gemini relays and Perplexity's deep research: no |
| responses  | yes                   | yes                       |
| anthropic  | no: added here        | yes                       |
| gemini     | yes; tool-use prompts: no | no: added here        |
| bedrock    | no: added here        | yes                       |
| cohere     | yes; what it bills: no | yes                      |
| ollama     | yes                   | yes                       |

Measured on the recorded bodies: each rule makes input + output equal the provider's own total wherever it gives one.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from outwarden.wire.formats.bills import on_tier, stated_cost, tier_named
from outwarden.wire.formats.units import billed_units, seconds_usage
from outwarden.wire.formats.values import count, first_count, mapping, number, objects, text
from outwarden.wire.usage import Usage

Raw = Mapping[str, Any]


def _bounded(usage: Usage) -> Usage:
    """Parts never exceed their whole (Azure's Grok has reported 161 cached of 10)."""
    inputs, outputs = usage.input_tokens, usage.output_tokens
    if (
        usage.cached_input_tokens + usage.cache_write_tokens <= inputs
        and usage.cached_audio_tokens <= min(usage.cached_input_tokens, usage.input_audio_tokens) <= inputs
        and usage.input_audio_tokens <= inputs
        and max(usage.reasoning_tokens, usage.output_audio_tokens) <= outputs
    ):
        return usage
    cached = min(usage.cached_input_tokens, inputs)
    return replace(
        usage,
        cached_audio_tokens=min(usage.cached_audio_tokens, cached, usage.input_audio_tokens),
        cached_input_tokens=cached,
        cache_write_tokens=min(usage.cache_write_tokens, inputs - cached),
        reasoning_tokens=min(usage.reasoning_tokens, outputs),
        input_audio_tokens=min(usage.input_audio_tokens, inputs),
        output_audio_tokens=min(usage.output_audio_tokens, outputs),
    )


def _details(raw: Raw, *keys: str) -> Raw:
    return next((found for key in keys if (found := mapping(raw.get(key)))), {})


def _searches(raw: Raw) -> int:
    """Web searches, wherever a provider counts them."""
    for key in ("server_tool_use", "server_tool_use_details"):
        if searches := count(mapping(raw.get(key)).get("web_search_requests")):
            return searches
    xai = count(mapping(raw.get("server_side_tool_usage_details")).get("web_search_calls"))
    mistral = sum(count(n) for name, n in mapping(raw.get("connectors")).items() if name.startswith("web_search"))
    perplexity = count(mapping(mapping(raw.get("tool_calls_details")).get("search_web")).get("invocation"))
    return xai or mistral or perplexity or first_count(raw, "num_search_queries", "num_sources_used")


def _rest_of_chat(raw: Raw) -> int:
    named = count(raw.get("prompt_tokens")) + count(raw.get("completion_tokens"))
    return max(count(raw.get("total_tokens")) - named, 0)


def _missing_in_chat(raw: Raw, reasoning: int, audio: int) -> tuple[int, int]:
    """(input, output) tokens that a chat usage bills beside prompt_tokens and completion_tokens.

    xAI and Gemini's OpenAI endpoint leave reasoning out of completion_tokens, but not out of the total; Mistral leaves
    the audio out of prompt_tokens. A remainder that nobody explains counts as output, the dearer side.
    """
    rest = _rest_of_chat(raw)
    if rest and rest in (audio, count(raw.get("connector_tokens"))) and not reasoning:
        return rest, 0  # Mistral: sound, and in conversations what tools found
    if not rest and reasoning > count(raw.get("completion_tokens")) and "market_cost" in raw:
        # More reasoning than output: Vercel's relay (nobody else states a market cost) kept the total, but not Gemini's
        # habit. OpenRouter bills completion_tokens alone where its count of the reasoning is higher.
        return 0, reasoning
    return 0, rest


def chat_usage(raw: Raw) -> Usage | None:
    """OpenAI's chat shape: ``prompt_tokens``, ``completion_tokens`` and their details."""
    inputs = _details(raw, "prompt_tokens_details", "prompt_token_details", "input_tokens_details")
    outputs = _details(raw, "completion_tokens_details", "completion_token_details", "output_tokens_details")
    apart = count(raw.get("reasoning_tokens")) if "citation_tokens" in raw else 0  # Perplexity's deep research
    reasoning = count(outputs.get("reasoning_tokens"))
    seconds = count(raw.get("prompt_audio_seconds"))
    audio = count(inputs.get("audio_tokens")) or (_rest_of_chat(raw) if seconds else 0)
    more_input, more_output = _missing_in_chat(raw, reasoning, audio)
    return _bounded(
        Usage(
            input_tokens=count(raw.get("prompt_tokens")) + more_input,
            cached_input_tokens=count(inputs.get("cached_tokens"))
            or first_count(
                raw, "prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens", "cache_read_input_tokens"
            ),
            cache_write_tokens=first_count(
                inputs, "cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens"
            )
            or count(raw.get("cache_creation_input_tokens")),
            output_tokens=count(raw.get("completion_tokens")) + more_output + apart,
            reasoning_tokens=reasoning or apart,
            input_audio_tokens=audio,
            output_audio_tokens=count(outputs.get("audio_tokens")),
            web_searches=_searches(raw),
            input_audio_ms=count(seconds * 1000),
            raw=raw,
        )
    )


def responses_usage(raw: Raw) -> Usage | None:
    """OpenAI's newer shape (Responses, images, transcriptions): ``input_tokens``, ``output_tokens``, details."""
    inputs = _details(raw, "input_tokens_details", "input_token_details", "prompt_tokens_details")  # Alibaba's: last
    outputs = _details(raw, "output_tokens_details", "output_token_details")
    return _bounded(
        Usage(
            input_tokens=count(raw.get("input_tokens")),
            cached_input_tokens=first_count(inputs, "cached_tokens", "cache_read_input_tokens"),  # Perplexity's names
            cached_audio_tokens=count(mapping(inputs.get("cached_tokens_details")).get("audio_tokens")),
            cache_write_tokens=first_count(inputs, "cache_write_tokens", "cache_creation_input_tokens"),
            output_tokens=count(raw.get("output_tokens")),
            reasoning_tokens=count(outputs.get("reasoning_tokens")),
            input_audio_tokens=count(inputs.get("audio_tokens")),
            output_audio_tokens=count(outputs.get("audio_tokens")),
            web_searches=_searches(raw),
            raw=raw,
        )
    )


_PASSED = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "cache_write_1h_tokens", "output_tokens")
_ADVISOR, _FALLBACK = "advisor_message", "fallback_message"


def _one_anthropic(raw: Raw) -> Usage:
    cached = count(raw.get("cache_read_input_tokens"))
    written = count(raw.get("cache_creation_input_tokens"))
    written = written or sum(map(count, mapping(raw.get("cache_creation")).values()))
    return Usage(
        input_tokens=count(raw.get("input_tokens")) + cached + written,
        cached_input_tokens=cached,
        cache_write_tokens=written,
        cache_write_1h_tokens=min(written, count(mapping(raw.get("cache_creation")).get("ephemeral_1h_input_tokens"))),
        output_tokens=count(raw.get("output_tokens")),
        reasoning_tokens=count(mapping(raw.get("output_tokens_details")).get("thinking_tokens")),
        web_searches=_searches(raw),
        raw=raw,
    )


def anthropic_usage(raw: Raw) -> Usage | None:
    """Anthropic's shape: cached input is reported beside ``input_tokens`` and added here.

    Where the reply was made in several passes (compaction, an advisor model) ``iterations`` lists them and the numbers
    at the top leave some out: the sum of all passes is what was used. An advisor is another model, its pass names it;
    so is one that declined before a fallback answered, which the top counts or not.
    """
    usage = _one_anthropic(raw)
    iterations = list(objects(raw.get("iterations")))
    served = next((text(one.get("model")) for one in iterations if one.get("type") == _FALLBACK), None)
    apart = [one for one in iterations if _is_of_another(one, served)]
    others = tuple((str(one["model"]), _bounded(_one_anthropic(one))) for one in apart)
    passes = [_one_anthropic(one) for one in iterations if one not in apart]
    sums = {name: sum(getattr(one, name) for one in passes) for name in _PASSED}
    if not served:
        sums = {name: max(getattr(usage, name), total) for name, total in sums.items()}
    return _bounded(replace(usage, others=others, **(sums if passes else {})))


def _is_of_another(one: Raw, served: str | None) -> bool:
    """Whether a pass was another model's than that which answered."""
    model = text(one.get("model"))
    return model is not None and (one.get("type") == _ADVISOR or (served is not None and model != served))


def _modality(details: object, name: str, code: int) -> int:
    """Tokens of one modality in Gemini's list; clients may ask for enums as numbers (AUDIO is 4)."""
    if not details:
        return 0
    return sum(
        count(d.get("tokenCount", d.get("token_count"))) for d in objects(details) if d.get("modality") in (name, code)
    )


def gemini_usage(raw: Raw) -> Usage | None:
    """Gemini's shape, camelCase or snake_case: thoughts and tool-use prompts are counted apart and added here."""

    def field(camel: str, snake: str) -> object:
        value = raw.get(camel)
        return raw.get(snake) if value is None else value

    prompt = count(field("promptTokenCount", "prompt_token_count"))
    tool_use = count(field("toolUsePromptTokenCount", "tool_use_prompt_token_count"))
    thoughts = count(field("thoughtsTokenCount", "thoughts_token_count"))
    # The Live API says response where all others say candidates.
    answer = field("candidatesTokenCount", "candidates_token_count")
    output = count(answer or field("responseTokenCount", "response_token_count")) + thoughts
    modalities = field("candidatesTokensDetails", "candidates_tokens_details")
    modalities = modalities or field("responseTokensDetails", "response_tokens_details")
    total = count(field("totalTokenCount", "total_token_count"))
    if not (prompt or tool_use or output or total):
        return None  # Vertex: early chunks carry {"trafficType": …} only
    if not (prompt or tool_use or output):
        prompt = total  # cachedContents: all of it was read, nothing written
    unexplained = max(total - prompt - tool_use - output, 0)
    return _bounded(
        Usage(
            input_tokens=prompt + tool_use,
            cached_input_tokens=count(field("cachedContentTokenCount", "cached_content_token_count")),
            output_tokens=output + unexplained,
            reasoning_tokens=thoughts,
            cached_audio_tokens=_modality(field("cacheTokensDetails", "cache_tokens_details"), "AUDIO", 4),
            input_audio_tokens=_modality(field("promptTokensDetails", "prompt_tokens_details"), "AUDIO", 4),
            output_audio_tokens=_modality(modalities, "AUDIO", 4),
            tier=tier_named(raw),
            raw=raw,
        )
    )


def _sound(details: object) -> int:
    return sum(count(one.get("tokens")) for one in objects(details) if str(one.get("modality")).lower() == "audio")


def interactions_usage(raw: Raw) -> Usage | None:
    """Gemini's Interactions API: thoughts and tool use are counted apart and added here."""
    thoughts = count(raw.get("total_thought_tokens"))
    tools = objects(raw.get("grounding_tool_count"))
    return _bounded(
        Usage(
            input_tokens=count(raw.get("total_input_tokens")) + count(raw.get("total_tool_use_tokens")),
            cached_input_tokens=count(raw.get("total_cached_tokens")),
            output_tokens=count(raw.get("total_output_tokens")) + thoughts,
            reasoning_tokens=thoughts,
            cached_audio_tokens=_sound(raw.get("cached_tokens_by_modality")),
            input_audio_tokens=_sound(raw.get("input_tokens_by_modality")),
            output_audio_tokens=_sound(raw.get("output_tokens_by_modality")),
            web_searches=sum(count(tool.get("count")) for tool in tools),
            raw=raw,
        )
    )


def bedrock_usage(raw: Raw) -> Usage | None:
    """Bedrock's Converse, Nova and invocation metrics; cached input is reported beside ``inputTokens``.

    Vercel's gateway says ``inputTokens`` too, ``cachedInputTokens`` being part of them, or tells all one level down.
    """
    if isinstance(raw.get("inputTokens"), dict) or isinstance(raw.get("outputTokens"), dict):
        return _ai_sdk_usage(raw)
    cached = first_count(raw, "cacheReadInputTokens", "cacheReadInputTokenCount")
    written = first_count(raw, "cacheWriteInputTokens", "cacheWriteInputTokenCount")
    hour = sum(count(one.get("inputTokens")) for one in objects(raw.get("cacheDetails")) if one.get("ttl") == "1h")
    return _bounded(
        Usage(
            input_tokens=first_count(raw, "inputTokens", "inputTokenCount", "inputTextTokenCount") + cached + written,
            cached_input_tokens=cached or count(raw.get("cachedInputTokens")),
            cache_write_tokens=written,
            cache_write_1h_tokens=min(written, hour),
            output_tokens=first_count(raw, "outputTokens", "outputTokenCount", "totalOutputTextTokenCount"),
            reasoning_tokens=count(raw.get("reasoningTokens")),
            raw=raw,
        )
    )


def _ai_sdk_usage(raw: Raw) -> Usage | None:
    """The AI SDK's newer shape (`LanguageModelV3Usage`): totals that include what is cached, and reasoning."""
    inputs, outputs = mapping(raw.get("inputTokens")), mapping(raw.get("outputTokens"))
    parts = sum(count(inputs.get(key)) for key in ("noCache", "cacheRead", "cacheWrite"))
    written = count(outputs.get("text")) + count(outputs.get("reasoning"))
    return _bounded(
        Usage(
            input_tokens=max(count(inputs.get("total")), parts),
            cached_input_tokens=count(inputs.get("cacheRead")),
            cache_write_tokens=count(inputs.get("cacheWrite")),
            output_tokens=max(count(outputs.get("total")), written),
            reasoning_tokens=count(outputs.get("reasoning")),
            raw=raw,
        )
    )


def llama_usage(raw: Raw) -> Usage | None:
    """Meta's models on Bedrock: the counts stand beside the text."""
    return Usage(
        input_tokens=count(raw.get("prompt_token_count")),
        output_tokens=count(raw.get("generation_token_count")),
        raw=raw,
    )


def cohere_usage(raw: Raw) -> Usage | None:
    """Cohere's ``usage`` or ``meta``: what is billed where it says so, else the tokens; images count as input.

    ``cached_tokens`` are some of the tokens, not of what is billed: 144 of 267, where 51 are billed.
    """
    tokens = mapping(raw.get("tokens"))
    billed = mapping(raw.get("billed_units"))
    in_tokens = any(number(billed.get(key)) is not None for key in ("input_tokens", "output_tokens", "image_tokens"))
    if not in_tokens and (units := billed_units(billed)):
        return units  # rerank bills searches, parse pages, whatever it counts beside
    if not (tokens or in_tokens):
        return None
    billed_input = count(billed.get("input_tokens")) + count(billed.get("image_tokens"))
    return _bounded(
        Usage(
            input_tokens=billed_input or count(tokens.get("input_tokens")),
            cached_input_tokens=0 if billed_input else count(raw.get("cached_tokens")),
            output_tokens=count(billed.get("output_tokens")) or count(tokens.get("output_tokens")),
            reasoning_tokens=count(tokens.get("reasoning_tokens")),
            raw=raw,
        )
    )


# What servers of their own kind call the prompt and the answer: watsonx, text generation servers, llama.cpp, Aleph
# Alpha, the AI SDK of old and Oracle, Tencent, Yandex, DeepInfra.
_COUNTED = (
    "input_token_count",
    "input_length",
    "tokens_evaluated",
    "num_tokens_prompt_total",
    "promptTokens",
    "PromptTokens",
    "inputTextTokens",
    "tokens_input",
)
_WRITTEN = (
    "generated_token_count",
    "output_token_count",
    "generated_tokens",
    "tokens_predicted",
    "num_tokens_generated",
    "completionTokens",
    "CompletionTokens",
    "tokens_generated",
)


def counts_usage(raw: Raw) -> Usage | None:
    """Two counts, no details."""
    return Usage(input_tokens=first_count(raw, *_COUNTED), output_tokens=first_count(raw, *_WRITTEN), raw=raw)


def ollama_usage(raw: Raw) -> Usage | None:
    """Ollama's last object: the counts stand beside the text, and a prompt that was cached has none."""
    kept = {key: raw[key] for key in raw if key.endswith(("_count", "_duration"))}
    return Usage(input_tokens=count(raw.get("prompt_eval_count")), output_tokens=count(raw.get("eval_count")), raw=kept)


def duration_usage(raw: object) -> Usage | None:
    """Speech that is counted in seconds (whisper-1)."""
    source = mapping(raw)
    found = seconds_usage(source.get("seconds")) if source.get("type") == "duration" else None
    return None if found is None else replace(found, raw=source)


def total_usage(raw: Raw) -> Usage | None:
    """Only a total (Voyage): embeddings and rerankers have input alone."""
    return Usage(input_tokens=count(raw.get("total_tokens")), raw=raw)


# Which keys give a shape away, most telling first.
_SHAPES: tuple[tuple[frozenset[str], Callable[[Raw], Usage | None]], ...] = (
    (frozenset({"prompt_tokens", "completion_tokens"}), chat_usage),
    (frozenset({"generation_token_count"}), llama_usage),
    (frozenset({"promptTokenCount", "totalTokenCount", "candidatesTokenCount"}), gemini_usage),
    (frozenset({"prompt_token_count", "total_token_count"}), gemini_usage),
    (frozenset({"total_input_tokens", "total_output_tokens"}), interactions_usage),
    (frozenset({"cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation"}), anthropic_usage),
    (frozenset({"input_tokens", "output_tokens"}), responses_usage),
    (frozenset({"inputTokens", "outputTokens"}), bedrock_usage),
    (frozenset({"inputTokenCount", "outputTokenCount", "inputTextTokenCount"}), bedrock_usage),
    (frozenset({"billed_units", "tokens"}), cohere_usage),
    (frozenset({"prompt_eval_count", "eval_count"}), ollama_usage),
    (frozenset({*_COUNTED, *_WRITTEN} - {"input_length"}), counts_usage),
    (frozenset({"total_tokens"}), total_usage),
)  # fmt: skip


def any_usage(raw: object) -> Usage | None:
    """Read a usage object by the keys it has; None where it is none, or has no token count at all."""
    if not isinstance(raw, dict):
        return None
    for keys, read in _SHAPES:
        if any(number(raw.get(key)) is not None or isinstance(raw.get(key), dict) for key in keys & raw.keys()):
            return _with_bill((anthropic_usage if raw.get("iterations") else read)(raw), raw)
    return duration_usage(raw)


_BILL = frozenset(
    {
        "cost",
        "cost_in_usd_ticks",
        "estimated_cost",
        "service_tier",
        "serviceTier",
        "speed",
        "trafficType",
        "traffic_type",
    }
)


def _with_bill(usage: Usage | None, raw: Raw) -> Usage | None:
    if usage is None or _BILL.isdisjoint(raw):
        return usage
    return on_tier(replace(usage, stated_usd=stated_cost(raw)), raw)
