"""On every recorded exchange: the operation is recognised, model and usage are read, streams begin and end.

What the usage must be is written down here by hand, provider by provider, from the provider's own documentation of what
includes what; nothing of the code under test is called for it. `pytest -s` prints the table.
"""

import base64
import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import pytest

from outwarden.pricing.price import Price, Rates
from outwarden.wire.aws_events import AwsEventsCodec
from outwarden.wire.format import EventFacts, Format, Operation
from outwarden.wire.formats import format_named
from outwarden.wire.usage import Usage

CORPUS = Path(__file__).parents[3].parent / "shared" / "wire"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the recorded corpus is not there")

FORMATS = {
    "anthropic": "anthropic",
    "gemini": "gemini",
    "vertex": "gemini",
    "bedrock": "bedrock",
    "bedrock-agent": "bedrock",
    "bedrock-mantle": "bedrock",
    "cohere": "cohere",
    "ollama": "ollama",
    "alephalpha": "generic",
    "deepgram": "generic",
    "replicate": "generic",
    "sagemaker": "generic",
    "watsonx": "generic",
    "writer": "generic",
}

# Recorded operations that no Format describes: two self-named inference endpoints.
UNKNOWN_PATHS = {"w2591ea797bc6e5", "w5c6da9168346c2"}
# A usage object in which no token is counted: seconds of audio, a price, searches.
NO_TOKENS = {"wdee6e234cd3f6b", "w44e98fa0105d4d"}
# llama-box broke off with a line `error: {…}` that is no event: the stream did not end well, and must not seem so.
CUT_STREAMS = {"wb20444afd6a2c7"}
# All output tokens went into hidden reasoning: the streams end without one piece of output.
EMPTY_STREAMS = {"w7c6fa6e2edd7de", "w8b39be7aa1ccc1", "we53d4a07d112c5"}
# JSON errors under `text/event-stream`; batch results, JSON lines that are no stream of a reply.
FRAMED_OTHERWISE = {"weac4d4d08ba84f", "w07d093515cb6ba", "wb056beff8039bf", "w51e0887773a3c5"}
# Aleph Alpha's counts stand beside the text, under names that the corpus did not look for.
ALEPH_ALPHA = {"w1981f6c7bfde74": (9, 1000)}
VERTEX_EMBEDDINGS = {"w2ccc76bebd9eb8": 10, "w19fd5b0d34f6aa": 4, "w64768a0cad288b": 4}
# Errors that only their status gives away: `{"detail": "…"}`.
UNSPOKEN_ERRORS = {"w04d7d110029ad5"}
# Azure answers by the deployment in the path and ignores the body's model; the corpus cuts ARNs and Replicate's owner
# off, and one recorded id is misspelled.
MODELS_NAMED_OTHERWISE = {
    "wc3c0f35e94f64d": "test-deployment",
    "w21fcad8587999e": "test-deployment",
    "wf2b5d04ef08b7d": "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/otnfa2ysixqd",
    "w1aa7c41ef73da9": "us.anthropic.claude-3-7-sonnet-20250219-v1:0",
    "w0d3c27bb8675e2": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/endpoint-quick-start-idr7y",
    "wefed0871952595": "us.amazon.nova-micro-v1:O",
    "wab419573ebf047": "meta/llama-2-70b-chat",
}


# Nano-dollars for a token that is read, made, cached, written to a cache, written for an hour, thought: primes.
RATES = (1009, 10_007, 101, 1259, 2003, 15_013)


class Read(NamedTuple):
    """A record and what the Format made of it."""

    record: dict[str, Any]
    format: Format
    operation: Operation
    request: Any
    reply: Any
    events: list[tuple[Any, EventFacts]]
    usage: Usage | None
    model: str | None
    error: str | None
    framing: str | None

    @property
    def is_stream(self) -> bool:
        return self.record["stream_format"] is not None


def sse(body: bytes) -> Iterator[tuple[str | None, bytes]]:
    """Split at blank lines; the simplest parser that can be right on complete streams."""
    for block in re.split(rb"\r\n\r\n|\n\n|\r\r", body):
        lines = [line.partition(b":") for line in re.split(rb"\r\n|\n|\r", block)]
        names = [value.strip().decode() for field, _, value in lines if field == b"event"]
        data = [value.removeprefix(b" ") for field, _, value in lines if field == b"data"]
        if data:
            yield names[-1] if names else None, b"\n".join(data)


def parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data.decode(errors="replace")


def events_of(record: dict[str, Any], body: bytes) -> list[tuple[str | None, Any]]:
    match record["stream_format"]:
        case "sse":
            return [(name, parsed(data)) for name, data in sse(body)]
        case "ndjson":
            return [(None, json.loads(line)) for line in body.splitlines() if line.strip()]
        case "json-array":
            return [(None, event) for event in json.loads(body)]
        case "aws-eventstream":
            return [(event.name, json.loads(event.data or b"null")) for event in AwsEventsCodec(2**20).feed(body)]
    return []


def read(record: dict[str, Any]) -> Read:
    format_ = format_named(FORMATS.get(record["provider"], "openai"))
    target = re.sub(r"^https?://[^/]+", "", record["request"]["url"]).partition("#")[0]
    operation = format_.identify(record["request"]["method"], unquote(target.partition("?")[0]))
    headers = record["response"]["headers"]
    body = base64.b64decode(record["response"]["body_b64"])
    usage = model = error = reply = None
    events = []
    for name, data in events_of(record, body):
        facts = format_.read_event(operation, name, data)
        events.append((data, facts))
        if facts.usage is not None:
            usage = facts.usage if usage is None else usage.latest(facts.usage)
        model, error = model or facts.model, error or facts.error
    if not events and isinstance(reply := parsed(body), dict | list):
        whole = format_.read_reply(operation, reply, headers)
        usage, model, error = whole.usage, whole.model, whole.error
    if record["provider"] == "groq" and usage is not None:
        usage = usage.whole  # a system of several models: the provider's number is their sum
    framing = format_.framing(operation, headers.get("content-type", ""), target)
    request = parsed(base64.b64decode(record["request"]["body_b64"]))
    return Read(record, format_, operation, request, reply, events, usage, model, error, framing)


@pytest.fixture(scope="module")
def reads() -> list[Read]:
    """Every HTTP record, read."""
    found = []
    for file in sorted(CORPUS.glob("http-*.jsonl.gz")):
        with gzip.open(file) as lines:
            found += [read(json.loads(line)) for line in lines]
    return found


# --- the usage that each provider means, by hand ---------------------------------------------------------------------


def chat(raw: dict[str, Any]) -> tuple[int, int]:
    return raw["prompt_tokens"], raw.get("completion_tokens") or 0


def xai_chat(raw: dict[str, Any]) -> tuple[int, int]:
    """xAI's total is prompt + completion + reasoning."""
    return raw["prompt_tokens"], raw["total_tokens"] - raw["prompt_tokens"]


def relayed_chat(raw: dict[str, Any]) -> tuple[int, int]:
    """Vercel passes on what the model's provider meant; OpenRouter bills completion_tokens, whatever the reasoning."""
    reasoning = (raw.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
    output = raw.get("completion_tokens") or 0
    return raw["prompt_tokens"], output + reasoning if reasoning > output and "market_cost" in raw else output


def mistral_chat(raw: dict[str, Any]) -> tuple[int, int]:
    """Voxtral's audio tokens are in the total and in the details, but not in prompt_tokens."""
    audio = (raw.get("prompt_tokens_details") or {}).get("audio_tokens") or 0
    return raw["prompt_tokens"] + audio, raw["completion_tokens"]


def responses(raw: dict[str, Any]) -> tuple[int, int]:
    return raw["input_tokens"], raw.get("output_tokens") or 0


def google(raw: dict[str, Any]) -> tuple[int, int]:
    """Everything that is no prompt is output: the total says how much."""
    prompt = (raw.get("promptTokenCount") or 0) + (raw.get("toolUsePromptTokenCount") or 0)
    return prompt, raw.get("totalTokenCount", prompt) - prompt


def interactions(raw: dict[str, Any]) -> tuple[int, int]:
    return raw["total_input_tokens"], raw["total_tokens"] - raw["total_input_tokens"]


def cohere(raw: dict[str, Any]) -> tuple[int, int]:
    billed = raw["billed_units"]
    return billed.get("input_tokens", 0) + billed.get("image_tokens", 0), billed.get("output_tokens", 0)


def bedrock(raw: dict[str, Any]) -> tuple[int, int]:
    """Converse and Nova; Claude, GPT and Llama keep their own names on invoke."""
    if "input_tokens" in raw:
        return anthropic([raw])
    if "prompt_tokens" in raw:
        return chat(raw)
    if "generation_token_count" in raw:
        return raw["prompt_token_count"], raw["generation_token_count"]
    if "inputTextTokenCount" in raw:
        return raw["inputTextTokenCount"], raw["totalOutputTextTokenCount"]
    if "inputTokenCount" in raw:  # a stream's invocation metrics
        return raw["inputTokenCount"], raw["outputTokenCount"]
    cached = raw.get("cacheReadInputTokens", raw.get("cacheReadInputTokenCount", 0))
    written = raw.get("cacheWriteInputTokens", raw.get("cacheWriteInputTokenCount", 0))
    return raw["inputTokens"] + cached + written, raw.get("outputTokens", 0)


def anthropic(reports: list[dict[str, Any]]) -> tuple[int, int]:
    """The last report of each number; what was read from and written to the cache stands beside the input."""
    last: dict[str, int] = {}
    for report in reports:
        last |= {key: value for key, value in report.items() if isinstance(value, int)}
    keys = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    return sum(last.get(key, 0) for key in keys), last["output_tokens"]


def expected(record: dict[str, Any]) -> tuple[int, int] | None:
    """(input, output) tokens of a record, or None where it reports none."""
    raw, provider, endpoint = record["usage_in_body"], record["provider"], record["endpoint"]
    headers = record["response"]["headers"]
    if provider == "bedrock" and endpoint == "invoke" and "x-amzn-bedrock-input-token-count" in headers:
        counts = [int(headers.get(f"x-amzn-bedrock-{side}-token-count", 0)) for side in ("input", "output")]
        if raw is None or "inputTextTokenCount" in raw:  # Titan and the models whose bodies say nothing
            return counts[0], counts[1]
    if record["id"] in ALEPH_ALPHA:
        return ALEPH_ALPHA[record["id"]]
    if provider == "vertex" and endpoint == "predict":  # older embeddings: each text is counted apart
        return VERTEX_EMBEDDINGS[record["id"]], 0
    free = ("count_tokens", "countTokens", "cachedContents", "rerank")
    if raw is None or (endpoint in free and provider != "voyage"):
        return None
    match provider:
        case "anthropic":
            return anthropic(record.get("usage_all") or [raw])
        case "gemini" | "vertex":
            if endpoint == "interactions":
                return interactions(raw)
            is_claude = endpoint in ("rawPredict", "streamRawPredict")
            return anthropic(record.get("usage_all") or [raw]) if is_claude else google(raw)
        case "bedrock" if any("output_tokens" in report for report in record.get("usage_all") or ()):
            return anthropic(record["usage_all"])  # Claude's own figures, not Bedrock's count of what left it
        case "bedrock":
            return bedrock(raw)
        case "cohere":
            return cohere(raw)
        case "voyage":
            return raw["total_tokens"], 0
        case "ollama" if "total_duration" in raw:
            return raw.get("prompt_eval_count", 0), raw.get("eval_count", 0)
        case "gateway-path" if "promptTokenCount" in raw:
            return google(raw)
        case "gateway-path" if "cache_read_input_tokens" in raw:
            return anthropic(record.get("usage_all") or [raw])
    if "prompt_tokens" not in raw:
        return responses(raw)
    return {
        "xai": xai_chat,
        "mistral": mistral_chat,
        "openrouter": relayed_chat,
        "vercel-gateway": relayed_chat,
    }.get(provider, chat)(raw)


def cached_and_reasoning(raw: dict[str, Any]) -> tuple[int | None, int | None]:
    """The counts of cached input and of reasoning where a key says so in one of the providers' spellings."""
    inputs = raw.get("prompt_tokens_details") or raw.get("input_tokens_details") or {}
    outputs = raw.get("completion_tokens_details") or raw.get("output_tokens_details") or {}
    cached = inputs.get("cached_tokens", raw.get("cache_read_input_tokens", raw.get("cachedContentTokenCount")))
    if cached is None:
        cached = raw.get("cacheReadInputTokens", raw.get("total_cached_tokens"))
    reasoning = outputs.get("reasoning_tokens", raw.get("thoughtsTokenCount", raw.get("total_thought_tokens")))
    return cached, reasoning


def written(raw: dict[str, Any]) -> tuple[int, int]:
    """The tokens written to a cache, and those of them that are to live an hour, in the providers' spellings."""
    details = raw.get("prompt_tokens_details") or raw.get("input_tokens_details") or {}
    names = ("cache_creation_input_tokens", "cacheWriteInputTokens", "cacheWriteInputTokenCount")
    tokens = next((raw[name] for name in names if raw.get(name)), details.get("cache_write_tokens")) or 0
    return tokens, (raw.get("cache_creation") or {}).get("ephemeral_1h_input_tokens") or 0


def nano_usd(one: Read, tokens: tuple[int, int]) -> int:
    """What a record costs at `RATES`, by its own figures: each token once, at the rate of its kind."""
    raw, (read, made) = dict(one.record["usage_in_body"] or {}), tokens
    for report in one.record.get("usage_all") or ():
        raw |= {key: value for key, value in report.items() if value is not None}
    cached, reasoning = (count or 0 for count in cached_and_reasoning(raw))
    cached = cached or raw.get("num_cached_tokens") or 0  # Mistral's; Cohere's are no part of what it bills
    reasoning = reasoning or (raw.get("output_tokens_details") or {}).get("thinking_tokens") or 0
    reasoning = reasoning or (raw.get("tokens") or {}).get("reasoning_tokens") or 0
    cached, reasoning = min(cached, read), min(reasoning, made)
    new, hour = written(raw)
    each = (read - cached - new, made - reasoning, cached, new - hour, hour, reasoning)
    return sum(count * rate for count, rate in zip(each, RATES, strict=True))


# --- the promises ----------------------------------------------------------------------------------------------------


def test_usage(reads: list[Read]) -> None:
    """Input and output tokens equal what the provider means, in every record."""
    rows: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    wrong = []
    for one in reads:
        record = one.record
        row = rows[record["provider"], record["endpoint"]]
        row["n"] += 1
        row["unknown"] += not one.operation.known
        if record["id"] in NO_TOKENS or record["endpoint"] == "invokeAgent":  # an agent's are its traces', added up
            row["skipped"] += 1
            continue
        want = expected(record)
        by_tokens = one.usage is not None and (one.usage.input_tokens or one.usage.output_tokens or not one.usage.units)
        got = (one.usage.input_tokens, one.usage.output_tokens) if one.usage and by_tokens else None
        if one.operation.name == "count_tokens" or (record["endpoint"] == "cachedContents" and want is None):
            got = None  # counts what a call would use; nothing is charged
        row["usage"] += want is not None
        row["equal"] += got == want
        if got != want:
            wrong.append((record["id"], record["provider"], record["endpoint"], want, got))
    print(f"\n{'provider':24}{'endpoint':30}{'n':>5}{'usage':>7}{'equal':>7}{'skipped':>9}{'unknown':>9}")
    for (provider, endpoint), row in sorted(rows.items()):
        numbers = f"{row['n']:5}{row['usage']:7}{row['equal']:7}{row['skipped']:9}{row['unknown']:9}"
        print(f"{provider:24}{endpoint:30}{numbers}")

    assert wrong == []
    assert sum(row["usage"] for row in rows.values()) >= 2650


def test_usage_details(reads: list[Read]) -> None:
    """Cached input and reasoning are read too, and never exceed what they are part of."""
    wrong = []
    for one in reads:
        raw = one.record["usage_in_body"]
        if one.usage is None or raw is None:
            continue
        cached, reasoning = cached_and_reasoning(raw)
        got = (one.usage.cached_input_tokens, one.usage.reasoning_tokens)
        want = (min(cached or 0, one.usage.input_tokens), min(reasoning or 0, one.usage.output_tokens))
        if cached is not None and got[0] != want[0]:
            wrong.append((one.record["id"], "cached", want, got))
        if reasoning is not None and got[1] != want[1]:
            wrong.append((one.record["id"], "reasoning", want, got))

    assert wrong == []


def test_costs(reads: list[Read]) -> None:
    """What each record costs is what its figures say, to the nano-dollar, with a rate of its own for each kind."""
    read, made, cached, new, hour, thought = map(Fraction, RATES)
    special = {"cached_input": cached, "cache_write": new, "cache_write_1h": hour, "reasoning": thought}
    price, wrong, counted = Price(((0, Rates.of(read, made, **special)),)), [], 0
    for one in reads:
        tokens = None if one.record["id"] in NO_TOKENS or one.usage is None else expected(one.record)
        if tokens is None or one.usage is None:
            continue
        counted += 1
        if (cost := price.cost(one.usage)) != nano_usd(one, tokens):
            wrong.append((one.record["id"], one.record["provider"], nano_usd(one, tokens), cost))

    assert wrong == []
    assert counted >= 2650


def test_provider_totals(reads: list[Read]) -> None:
    """Input + output equal the provider's own total, wherever it gives one that its own parts do not contradict."""
    off = []
    for one in reads:
        raw = one.record["usage_in_body"]
        total = (raw or {}).get("total_tokens", (raw or {}).get("totalTokenCount", (raw or {}).get("totalTokens")))
        if one.usage is None or total is None or one.operation.name in ("count_tokens", "caches"):
            continue
        if one.usage.input_tokens + one.usage.output_tokens != total:
            off.append((one.record["provider"], one.record["model"]))

    # Relays that keep the total of a model whose reasoning they leave out of it.
    assert {provider for provider, _ in off} <= {"openrouter", "vercel-gateway"}
    assert len(off) <= 12


def test_operations(reads: list[Read]) -> None:
    """Every recorded path is recognised, but for those named; what generates is billed."""
    unknown = {one.record["id"] for one in reads if not one.operation.known}
    generating = ("chat/completions", "responses", "messages", "generateContent", "streamGenerateContent", "converse")
    free = [
        one.record["id"]
        for one in reads
        if one.record["endpoint"] in generating and one.record["request"]["method"] == "POST"
        if not one.operation.billable
    ]

    assert unknown == UNKNOWN_PATHS
    assert free == []


def test_models(reads: list[Read]) -> None:
    """The model that the corpus names is what the request or its path names."""
    wrong = []
    for one in reads:
        if not one.operation.billable or not isinstance(one.request, dict):
            continue
        facts = one.format.read_request(one.operation, one.request)
        named = MODELS_NAMED_OTHERWISE.get(one.record["id"], one.record["model"])
        if named and facts.model and unquote(named).rsplit("/", 1)[-1] != facts.model.rsplit("/", 1)[-1]:
            wrong.append((one.record["id"], named, facts.model))
        elif named and not facts.model and named in json.dumps(one.request):
            wrong.append((one.record["id"], named, None))

    assert wrong == []


def test_stream_asked(reads: list[Read]) -> None:
    """A request that asked for a stream is read so, and no other."""
    wrong = [
        one.record["id"]
        for one in reads
        if one.operation.billable and isinstance(one.request, dict)
        if one.format.read_request(one.operation, one.request).stream != bool(one.record["stream_requested"])
        if one.record["endpoint"] != "invokeAgent"  # an agent always answers in a stream
    ]

    assert wrong == []


def test_framing(reads: list[Read]) -> None:
    """The framing is the recorded one."""
    spelled = {"aws-eventstream": "aws-event-stream"}
    wrong = {
        one.record["id"]
        for one in reads
        if one.framing != spelled.get(one.record["stream_format"], one.record["stream_format"])
    }

    assert wrong == FRAMED_OTHERWISE


def test_streams_begin_and_end(reads: list[Read]) -> None:
    """Every good stream shows output and a good end; errors in a stream are errors."""
    streams = [one for one in reads if one.is_stream]
    silent = {one.record["id"] for one in streams if not any(facts.content for _, facts in one.events)}
    endless = {one.record["id"] for one in streams if not any(facts.end for _, facts in one.events)}
    failed = {one.record["id"] for one in streams if one.error}

    assert silent - failed == EMPTY_STREAMS
    assert endless - failed == CUT_STREAMS
    assert {"w6050990fd435b3", "wdf09dd5910380d"} <= failed
    assert len(streams) > 600


def test_no_content_before_the_first_output(reads: list[Read]) -> None:
    """Lifecycle events, role-only deltas and pings are no content: the first piece or tool call is."""
    quiet = {"ping", "message_start", "response.created", "response.in_progress", "response.queued"}
    for one in reads:
        for data, facts in one.events:
            if isinstance(data, dict) and data.get("type") in quiet:
                assert not facts.content
                assert not facts.deltas


def test_errors(reads: list[Read]) -> None:
    """A JSON reply is an error where its status says so (OpenRouter also sends them with 200)."""
    wrong = {
        one.record["id"]
        for one in reads
        if isinstance(one.reply, dict | list) and (one.record["response"]["status"] >= 400) != (one.error is not None)
    }

    assert wrong == UNSPOKEN_ERRORS | {"we91b23aa108564"}


def test_deltas_join_to_the_whole(reads: list[Read]) -> None:
    """The pieces of a channel, joined, are the whole text that the same stream repeats."""
    checked: Counter[str] = Counter()
    for one in reads:
        joined: dict[Any, str] = defaultdict(str)
        for data, facts in one.events:
            for delta in facts.deltas:
                assert isinstance(delta.parent[delta.key], str)  # type: ignore[index]
                joined[delta.channel] += delta.parent[delta.key]  # type: ignore[index]
            checked.update(check_copies(data, facts, joined))

    assert checked["response.output_text.done"] > 80
    assert checked["response.function_call_arguments.done"] > 30
    assert checked["perplexity"] > 1
    assert checked["cohere"] > 1


def check_copies(data: Any, facts: EventFacts, joined: dict[Any, str]) -> list[str]:
    """Compare a whole copy in ``data``, if it has one, with the pieces so far; name what was compared."""
    if not isinstance(data, dict):
        return []
    kind = str(data.get("type"))
    whole = next((data[key] for key in ("text", "arguments", "code", "input") if isinstance(data.get(key), str)), None)
    if kind.startswith("response.") and kind.endswith(".done") and whole is not None:
        assert len(facts.closes) == 1
        assert joined.get(facts.closes[0], "") == whole
        return [kind]
    if data.get("object") == "chat.completion" and "choices" in data:
        assert joined[0, "content"] == data["choices"][0]["message"]["content"]
        return ["perplexity"]
    if data.get("event_type") == "stream-end":
        assert joined["text"] == data["response"]["text"]
        return ["cohere"]
    return []


def test_tool_arguments_join_to_json(reads: list[Read]) -> None:
    """Channels of kind ``json`` hold a JSON document when their stream has ended (one recorded call is none)."""
    broken = total = 0
    for one in reads:
        joined: dict[Any, str] = defaultdict(str)
        for _, facts in one.events:
            for delta in facts.deltas:
                if delta.kind == "json":
                    joined[delta.channel] += delta.parent[delta.key]  # type: ignore[index]
        for document in joined.values():
            total += 1
            broken += not isinstance(parsed(document.encode()), dict | list)

    assert total > 150
    assert broken <= 1


def test_usage_only_chunks(reads: list[Read]) -> None:
    """`usage_only` marks the chunk that asking for usage adds, and never one that carries a choice."""
    marked = 0
    for one in reads:
        for data, facts in one.events:
            if facts.usage_only:
                marked += 1
                assert data["choices"] == []
                assert data["usage"]

    assert marked > 100
