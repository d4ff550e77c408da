"""Each usage shape is read by its own rule; odd values never make a count negative, absurd or larger than its whole."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.wire.formats import format_named
from outwarden.wire.formats.usages import any_usage
from outwarden.wire.formats.values import TOKENS_MAX
from outwarden.wire.usage import Usage

CASES: list[tuple[str, dict[str, Any], dict[str, int]]] = [
    (
        "OpenAI chat: cached and reasoning are parts",
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "total_tokens": 150,
            "prompt_tokens_details": {"cached_tokens": 80, "audio_tokens": 3},
            "completion_tokens_details": {"reasoning_tokens": 30, "audio_tokens": 2},
        },
        {
            "input_tokens": 100,
            "cached_input_tokens": 80,
            "output_tokens": 50,
            "reasoning_tokens": 30,
            "input_audio_tokens": 3,
            "output_audio_tokens": 2,
        },
    ),
    (
        "xAI chat: reasoning is beside the output",
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "total_tokens": 115,
            "completion_tokens_details": {"reasoning_tokens": 100},
        },
        {"input_tokens": 10, "output_tokens": 105, "reasoning_tokens": 100},
    ),
    (
        "Gemini's OpenAI endpoint: thoughts are in the total only",
        {"prompt_tokens": 35, "completion_tokens": 12, "total_tokens": 109},
        {"input_tokens": 35, "output_tokens": 74},
    ),
    (
        "Perplexity's deep research: reasoning and searches beside",
        {
            "prompt_tokens": 7,
            "completion_tokens": 9,
            "total_tokens": 16,
            "reasoning_tokens": 40,
            "citation_tokens": 3,
            "num_search_queries": 2,
        },
        {"input_tokens": 7, "output_tokens": 49, "reasoning_tokens": 40, "web_searches": 2},
    ),
    (
        "DeepSeek's cache hit",
        {"prompt_tokens": 20, "completion_tokens": 1, "prompt_cache_hit_tokens": 16, "prompt_cache_miss_tokens": 4},
        {"input_tokens": 20, "cached_input_tokens": 16, "output_tokens": 1},
    ),
    (
        "Vercel's gateway, as the AI SDK has it since its third version",
        {
            "inputTokens": {"total": 20, "noCache": 4, "cacheRead": 15, "cacheWrite": 1},
            "outputTokens": {"total": 7, "text": 4, "reasoning": 3},
        },
        {
            "input_tokens": 20,
            "cached_input_tokens": 15,
            "cache_write_tokens": 1,
            "output_tokens": 7,
            "reasoning_tokens": 3,
        },
    ),
    (
        "the same without totals",
        {"inputTokens": {"noCache": 4, "cacheRead": 15}, "outputTokens": {"text": 4, "reasoning": 3}},
        {"input_tokens": 19, "cached_input_tokens": 15, "output_tokens": 7, "reasoning_tokens": 3},
    ),
    (
        "its second version",
        {"inputTokens": 20, "outputTokens": 7, "totalTokens": 27, "reasoningTokens": 3, "cachedInputTokens": 15},
        {"input_tokens": 20, "cached_input_tokens": 15, "output_tokens": 7, "reasoning_tokens": 3},
    ),
    ("its first", {"promptTokens": 20, "completionTokens": 7}, {"input_tokens": 20, "output_tokens": 7}),
    ("llama.cpp", {"tokens_evaluated": 20, "tokens_predicted": 7}, {"input_tokens": 20, "output_tokens": 7}),
    (
        "Aleph Alpha",
        {"num_tokens_prompt_total": 20, "num_tokens_generated": 7},
        {"input_tokens": 20, "output_tokens": 7},
    ),
    (
        "Databricks: Anthropic's name for it in a chat's usage, which includes it",
        {"prompt_tokens": 20, "completion_tokens": 1, "total_tokens": 21, "cache_read_input_tokens": 16},
        {"input_tokens": 20, "cached_input_tokens": 16, "output_tokens": 1},
    ),
    (
        "Alibaba: what a cache was made of stands among the details",
        {
            "prompt_tokens": 100,
            "completion_tokens": 1,
            "total_tokens": 101,
            "prompt_tokens_details": {"cached_tokens": 10, "cache_creation_input_tokens": 50},
        },
        {"input_tokens": 100, "cached_input_tokens": 10, "cache_write_tokens": 50, "output_tokens": 1},
    ),
    (
        "Tencent",
        {"PromptTokens": 20, "CompletionTokens": 7, "TotalTokens": 27},
        {"input_tokens": 20, "output_tokens": 7},
    ),
    (
        "Alibaba's own API",
        {"input_tokens": 22, "output_tokens": 17, "total_tokens": 39, "prompt_tokens_details": {"cached_tokens": 10}},
        {"input_tokens": 22, "cached_input_tokens": 10, "output_tokens": 17},
    ),
    ("Yandex", {"inputTextTokens": "20", "completionTokens": "7"}, {"input_tokens": 20, "output_tokens": 7}),
    (
        "Mistral's Voxtral: the sound is in the total alone, and sold by its time",
        {"prompt_tokens": 4, "completion_tokens": 635, "total_tokens": 3264, "prompt_audio_seconds": 203},
        {"input_tokens": 2629, "output_tokens": 635, "input_audio_tokens": 2625, "input_audio_ms": 203_000},
    ),
    (
        "Mistral's conversations: what tools found is input, and their searches are counted",
        {
            "prompt_tokens": 188,
            "completion_tokens": 55,
            "total_tokens": 7355,
            "connector_tokens": 7112,
            "connectors": {"web_search": 1, "code_interpreter": 2},
        },
        {"input_tokens": 7300, "output_tokens": 55, "web_searches": 1},
    ),
    (
        "OpenAI Realtime: cached sound",
        {
            "input_tokens": 100,
            "output_tokens": 10,
            "input_token_details": {
                "audio_tokens": 60,
                "cached_tokens": 50,
                "cached_tokens_details": {"audio_tokens": 40, "text_tokens": 10},
            },
        },
        {
            "input_tokens": 100,
            "output_tokens": 10,
            "input_audio_tokens": 60,
            "cached_input_tokens": 50,
            "cached_audio_tokens": 40,
        },
    ),
    (
        "Perplexity's Responses: Anthropic's names under OpenAI's",
        {
            "input_tokens": 100,
            "output_tokens": 10,
            "input_tokens_details": {"cache_read_input_tokens": 60, "cache_creation_input_tokens": 30},
            "tool_calls_details": {"search_web": {"invocation": 3}},
        },
        {
            "input_tokens": 100,
            "cached_input_tokens": 60,
            "cache_write_tokens": 30,
            "output_tokens": 10,
            "web_searches": 3,
        },
    ),
    (
        "Gemini's Interactions: sound, and searches",
        {
            "total_input_tokens": 50,
            "total_output_tokens": 9,
            "input_tokens_by_modality": [{"modality": "audio", "tokens": 30}, {"modality": "text", "tokens": 20}],
            "grounding_tool_count": [{"type": "google_search", "count": 2}],
        },
        {"input_tokens": 50, "output_tokens": 9, "input_audio_tokens": 30, "web_searches": 2},
    ),
    (
        "Bedrock: cache entries that live an hour",
        {
            "inputTokens": 10,
            "outputTokens": 2,
            "cacheWriteInputTokens": 30,
            "cacheDetails": [{"ttl": "1h", "inputTokens": 20}, {"ttl": "5m", "inputTokens": 10}],
        },
        {"input_tokens": 40, "cache_write_tokens": 30, "cache_write_1h_tokens": 20, "output_tokens": 2},
    ),
    ("OpenAI's whisper-1: seconds", {"type": "duration", "seconds": 7}, {"input_audio_ms": 7000}),
    ("Cohere's rerank", {"billed_units": {"search_units": 1}}, {"search_units": 1}),
    (
        "a rerank that also counts tokens",
        {"billed_units": {"search_units": 1, "input_tokens": None}, "tokens": {"input_tokens": 12}},
        {"search_units": 1},
    ),
    (
        "null details (OpenRouter, Mistral, Writer)",
        {"prompt_tokens": 4, "completion_tokens": 2, "prompt_tokens_details": None, "completion_tokens_details": None},
        {"input_tokens": 4, "output_tokens": 2},
    ),
    (
        "Azure's Grok: more cached than there was",
        {"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 161}},
        {"input_tokens": 10, "cached_input_tokens": 10, "output_tokens": 2},
    ),
    (
        "OpenAI Responses with a negative output (deep research)",
        {"input_tokens": 30, "output_tokens": -9, "total_tokens": -9},
        {"input_tokens": 30, "output_tokens": 0},
    ),
    (
        "Responses: cache writes and reasoning",
        {
            "input_tokens": 158,
            "input_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 43},
            "output_tokens": 32,
            "output_tokens_details": {"reasoning_tokens": 10},
        },
        {
            "input_tokens": 158,
            "cached_input_tokens": 10,
            "cache_write_tokens": 43,
            "output_tokens": 32,
            "reasoning_tokens": 10,
        },
    ),
    (
        "Anthropic: the cache stands beside the input",
        {
            "input_tokens": 5,
            "cache_read_input_tokens": 1000,
            "cache_creation_input_tokens": 200,
            "output_tokens": 7,
            "server_tool_use": {"web_search_requests": 3},
        },
        {
            "input_tokens": 1205,
            "cached_input_tokens": 1000,
            "cache_write_tokens": 200,
            "output_tokens": 7,
            "web_searches": 3,
        },
    ),
    (
        "Anthropic: a compaction that the numbers at the top leave out",
        {
            "input_tokens": 50,
            "cache_read_input_tokens": 0,
            "output_tokens": 20,
            "iterations": [
                {"type": "compaction", "input_tokens": 9000, "output_tokens": 300},
                {"type": "message", "input_tokens": 50, "output_tokens": 20},
            ],
        },
        {"input_tokens": 9050, "output_tokens": 320},
    ),
    (
        "Gemini: thoughts and tool-use prompts beside",
        {
            "promptTokenCount": 10,
            "candidatesTokenCount": 20,
            "thoughtsTokenCount": 30,
            "toolUsePromptTokenCount": 5,
            "cachedContentTokenCount": 4,
            "totalTokenCount": 65,
            "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 6}, {"modality": 1, "tokenCount": 4}],
        },
        {
            "input_tokens": 15,
            "cached_input_tokens": 4,
            "output_tokens": 50,
            "reasoning_tokens": 30,
            "input_audio_tokens": 6,
        },
    ),
    (
        "Gemini in snake_case",
        {"prompt_token_count": 10, "candidates_token_count": 2, "total_token_count": 12},
        {"input_tokens": 10, "output_tokens": 2},
    ),
    (
        "Bedrock Converse: the cache stands beside the input",
        {"inputTokens": 3, "outputTokens": 4, "cacheReadInputTokens": 50, "cacheWriteInputTokens": 6},
        {"input_tokens": 59, "cached_input_tokens": 50, "cache_write_tokens": 6, "output_tokens": 4},
    ),
    ("Titan: floats and nulls", {"inputTextTokenCount": 7.0, "outputTokenCount": None}, {"input_tokens": 7}),
    (
        "Cohere bills other numbers than it counts",
        {
            "billed_units": {"input_tokens": 9, "output_tokens": 3},
            "tokens": {"input_tokens": 80, "output_tokens": 5},
            "cached_tokens": 64,
        },
        {"input_tokens": 9, "output_tokens": 3},
    ),
    (
        "Cohere's cached ones are some of what it counts",
        {"tokens": {"input_tokens": 80, "output_tokens": 5}, "cached_tokens": 64},
        {"input_tokens": 80, "cached_input_tokens": 64, "output_tokens": 5},
    ),
    ("Ollama", {"prompt_eval_count": 26, "eval_count": 290}, {"input_tokens": 26, "output_tokens": 290}),
    ("Ollama: a prompt from its cache", {"eval_count": 290, "eval_duration": 1}, {"output_tokens": 290}),
    ("Voyage: a total alone", {"total_tokens": 12}, {"input_tokens": 12}),
    ("explicit zeros are counts", {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, {}),
]


@pytest.mark.parametrize(("raw", "counts"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_shape(raw: dict[str, Any], counts: dict[str, int]) -> None:
    """Exactly these counts, and the provider's own object kept."""
    usage = any_usage(raw)

    assert usage == Usage(**counts)
    assert usage is not None
    assert usage.raw is not None


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "text",
        [],
        {},
        {"type": "duration", "seconds": 0},
        {"cost_in_usd_ticks": 700},
        {"trafficType": "ON_DEMAND"},
        {"billed_units": {"search_units": 0}},
        {"prompt_tokens": None, "completion_tokens": None},
        {"input_tokens": "many"},
    ],
)
def test_no_tokens_counted(raw: object) -> None:
    """An object without a token count is no usage: it must not pass for zero."""
    assert any_usage(raw) is None


_NUMBERS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just([]), st.just({"a": 1})
)
_KEYS = sorted({key for _, raw, _ in CASES for key in raw} | {"cached_tokens", "reasoning_tokens", "audio_tokens"})
_RAW = st.recursive(
    st.dictionaries(st.sampled_from(_KEYS), _NUMBERS, max_size=8),
    lambda inner: st.dictionaries(st.sampled_from(_KEYS), st.one_of(_NUMBERS, inner, st.lists(inner)), max_size=8),
    max_leaves=6,
)


@given(_RAW)
def test_odd_values(raw: dict[str, Any]) -> None:
    """Whatever stands in a usage object: counts stay within 0 … and parts within their whole."""
    usage = any_usage(raw)
    if usage is None:
        return

    counts = [value for name in Usage.__slots__ if isinstance(value := getattr(usage, name), int)]
    assert all(0 <= value <= 8 * TOKENS_MAX for value in counts)
    assert usage.cached_input_tokens + usage.cache_write_tokens <= usage.input_tokens
    assert usage.reasoning_tokens <= usage.output_tokens


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_input_and_output_are_the_total(prompt: int, output: int, reasoning: int, cached: int) -> None:
    """Reasoning beside the output (xAI, Gemini) is added once, cached input (Anthropic) too."""
    xai = {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output + reasoning,
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }
    gemini = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": output,
        "thoughtsTokenCount": reasoning,
        "totalTokenCount": prompt + output + reasoning,
    }
    claude = {"input_tokens": prompt, "cache_read_input_tokens": cached, "output_tokens": output}

    for raw, total in ((xai, prompt + output + reasoning), (claude, prompt + cached + output)):
        usage = any_usage(raw)
        assert usage is not None
        assert usage.input_tokens + usage.output_tokens == total
    usage = any_usage(gemini)
    assert usage is None or usage.input_tokens + usage.output_tokens == prompt + output + reasoning
    assert (usage is None) == (prompt + output + reasoning == 0)


def test_reports_of_a_stream_merge() -> None:
    """Anthropic's last report wins, and one without an input keeps the first one's."""
    start = any_usage({"input_tokens": 727, "cache_read_input_tokens": 10, "output_tokens": 1})
    older = any_usage({"output_tokens": 80})
    newer = any_usage({"input_tokens": 1595, "cache_read_input_tokens": 10, "output_tokens": 90})
    assert start is not None
    assert older is not None
    assert newer is not None

    assert start.latest(older) == Usage(input_tokens=737, cached_input_tokens=10, output_tokens=80)
    assert start.latest(newer) == Usage(input_tokens=1605, cached_input_tokens=10, output_tokens=90)


CHAT = {"prompt_tokens": 9, "completion_tokens": 3}


@pytest.mark.parametrize(
    ("bill", "dollars"),
    [
        ({"cost": 0.00129, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.00129}}, "0.00129"),
        ({"cost": "0.003576", "market_cost": 0.003576}, "0.003576"),
        ({"cost": 1.2e-08}, "0.000000012"),
        ({"cost": 0.0001, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.002}}, "0.0021"),
        ({"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": 19}}, "19"),
        ({"cost_in_usd_ticks": 37756000}, "0.0037756"),
        ({"cost_in_usd_ticks": 400000000000}, "40"),
        ({"cost": {"input_tokens_cost": 5e-05, "request_cost": 0.006, "total_cost": 0.00614}}, "0.00614"),
        ({"cost": 0}, "0"),
        ({"estimated_cost": 2.68e-05}, "0.0000268"),
        ({"cost": 0.0000344, "surcharge_cost": 0.0001, "gateway_cost": 0.0001344}, "0.0001344"),
    ],
)
def test_what_a_provider_says_a_call_costs_is_read(bill: dict[str, Any], dollars: str) -> None:
    """OpenRouter, Vercel, a key of the caller's own, xAI's ticks, Perplexity: exactly, as it is written."""
    usage = any_usage(CHAT | bill)

    assert usage is not None
    assert usage.stated_usd == Decimal(dollars)
    assert (usage.input_tokens, usage.output_tokens) == (9, 3)
    assert usage.raw == CHAT | bill


@pytest.mark.parametrize(
    "bill",
    [
        {},
        {"cost": None},
        {"cost": True},
        {"cost": -0.5},
        {"cost": float("nan")},
        {"cost": float("inf")},
        {"cost": "1e300"},
        {"cost": 10**9},
        {"cost": "a dollar"},
        {"cost": "9" * 5000},
        {"cost": []},
        {"cost": {"total_cost": "x"}},
        {"cost": {"total_cost": -1}},
        {"cost": 0.0001, "is_byok": True},
        {"cost": 0.0001, "is_byok": True, "cost_details": {"upstream_inference_cost": None}},
        {"cost_in_usd_ticks": -5},
        {"cost_in_usd_ticks": "many"},
        {"cost_in_usd_ticks": 10**30},
    ],
)
def test_what_can_be_no_bill_is_none(bill: dict[str, Any]) -> None:
    """Negative, endless, absurd, or the fee for a key of the caller's own alone: the price of the tokens holds."""
    usage = any_usage(CHAT | bill)

    assert usage is not None
    assert usage.stated_usd is None


def test_bills_of_steps_add_up_and_later_ones_win() -> None:
    """As the counts do."""
    one, other = any_usage(CHAT | {"cost": 0.1}), any_usage(CHAT | {"cost": 0.25, "service_tier": "Priority"})
    assert one is not None
    assert other is not None

    assert one.plus(other).stated_usd == Decimal("0.35")
    assert one.latest(other).stated_usd == Decimal("0.25")
    assert one.plus(Usage(output_tokens=1)).stated_usd == Decimal("0.1")
    assert other.tier == one.latest(other).tier == one.plus(other).tier == "priority"
    assert "stated_usd" not in one.counts()


@pytest.mark.parametrize(
    ("said", "tier"),
    [
        ({"service_tier": "standard", "speed": "fast"}, "fast"),  # Anthropic: up to six times the standard price
        ({"service_tier": "priority", "speed": "standard"}, "priority"),
        ({"serviceTier": "flex"}, "flex"),
        ({"speed": 2}, ""),
        ({"service_tier": "x" * 30}, ""),
    ],
)
def test_the_price_list_that_a_usage_names(said: dict[str, Any], tier: str) -> None:
    """Fast is a list of its own, whatever the tier beside it is."""
    usage = any_usage({"input_tokens": 5, "output_tokens": 3, **said})

    assert usage is not None
    assert usage.tier == tier


@pytest.mark.parametrize(
    ("said", "tier"),
    [
        ({"serviceTier": "flex"}, "flex"),
        ({"serviceTier": "standard"}, "standard"),
        ({"trafficType": "ON_DEMAND_PRIORITY"}, "priority"),  # Vertex AI, where a header asks for it
        ({"traffic_type": "ON_DEMAND_FLEX"}, "flex"),
        ({"trafficType": "ON_DEMAND"}, "on_demand"),
        ({"trafficType": 1}, ""),  # clients may ask for enums as numbers
    ],
)
def test_the_price_list_that_gemini_names(said: dict[str, Any], tier: str) -> None:
    """In a reply and in a chunk alike."""
    gemini = format_named("gemini")
    operation = gemini.identify("POST", "/v1beta/models/g:generateContent")
    body = {"usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 3, "totalTokenCount": 8, **said}}
    usages = gemini.read_reply(operation, body, {}).usage, gemini.read_event(operation, None, body).usage

    assert [usage and usage.tier for usage in usages] == [tier, tier]


@pytest.mark.parametrize(
    ("model", "queries", "searches"),
    [
        ("gemini-3.1-pro-preview", ["a", "b", "a", ""], 2),
        ("gemini-2.5-flash", ["a", "b"], 1),  # billed by the prompt
        ("gemini-2.5-flash", [], 0),
        (None, ["a", "b", {}], 2),
    ],
)
def test_searches_that_gemini_bills(model: str | None, queries: list[object], searches: int) -> None:
    """Each other query, or the prompt, whatever it was searched for."""
    gemini = format_named("gemini")
    operation = gemini.identify("POST", "/v1beta/models/g:generateContent")
    candidates = [{"groundingMetadata": {"webSearchQueries": queries}}]
    body = {"modelVersion": model, "candidates": candidates, "usageMetadata": {"promptTokenCount": 5}}
    usage = gemini.read_reply(operation, body, {}).usage

    assert usage is not None
    assert usage.web_searches == searches


def test_the_price_list_that_an_interaction_names() -> None:
    """Beside its usage."""
    gemini = format_named("gemini")
    operation = gemini.identify("POST", "/v1beta/interactions")
    said = {"usage": {"total_input_tokens": 5, "total_output_tokens": 3}, "service_tier": "flex"}
    event = {"event_type": "interaction.completed", "interaction": said}
    usages = gemini.read_reply(operation, said, {}).usage, gemini.read_event(operation, None, event).usage

    assert [usage and usage.tier for usage in usages] == ["flex", "flex"]


def test_what_palm_counted_on_vertex() -> None:
    """Tokens and characters of both sides; only the tokens are taken."""
    gemini = format_named("gemini")
    operation = gemini.identify("POST", "/v1/projects/p/locations/l/publishers/google/models/text-bison:predict")
    sides = {
        "inputTokenCount": {"totalTokens": 5, "totalBillableCharacters": 18},
        "outputTokenCount": {"totalTokens": 24},
    }
    body = {"predictions": [{"content": "Hi"}], "metadata": {"tokenMetadata": sides}}

    assert gemini.read_reply(operation, body, {}).usage == Usage(input_tokens=5, output_tokens=24)


def test_an_advisor_is_another_model() -> None:
    """Its tokens are not the model's own."""
    passes = [{"type": "advisor_message", "model": "claude-opus-4-6", "input_tokens": 700, "output_tokens": 90}]
    usage = any_usage({"cache_read_input_tokens": 0, "input_tokens": 50, "output_tokens": 20, "iterations": passes})

    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (50, 20)
    assert [(model, used.input_tokens, used.output_tokens) for model, used in usage.others] == [
        ("claude-opus-4-6", 700, 90)
    ]


def test_a_model_that_declined_is_another() -> None:
    """Its attempt is charged at its own price, whether the top counts it or not; the answer at that of the fallback."""
    declined = {"type": "message", "model": "claude-opus-5-5", "input_tokens": 10, "output_tokens": 40}
    answered = {"type": "fallback_message", "model": "claude-opus-4-8", "input_tokens": 12, "output_tokens": 30}
    for top in ({"input_tokens": 12, "output_tokens": 30}, {"output_tokens": 70}):
        usage = any_usage({"iterations": [declined, answered], **top})
        assert usage is not None
        assert (usage.input_tokens, usage.output_tokens) == (12, 30)
        assert [(model, used.input_tokens, used.output_tokens) for model, used in usage.others] == [
            ("claude-opus-5-5", 10, 40)
        ]
