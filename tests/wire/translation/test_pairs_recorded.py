"""What programs and providers really said goes over whole, or says why not."""

import base64
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from translated import collected

from outwarden.errors import NotTranslatable
from outwarden.wire.format import Framing
from outwarden.wire.translation import translation
from outwarden.wire.translation.neutral import Asked, Part, Spent, Text, ToolResult, Turn
from outwarden.wire.translation.pairs import StreamTranslation
from outwarden.wire.translation.tongue import TONGUES

RECORDED = Path(__file__).parents[4] / "shared" / "wire"


def recorded(provider: str, endpoint: str) -> Iterator[dict[str, Any]]:
    """The recorded exchanges of one endpoint."""
    path = RECORDED / f"http-{provider}.jsonl.gz"
    if not path.exists():
        pytest.skip("the recorded traffic is not here")
    with gzip.open(path) as lines:
        yield from (record for line in lines if (record := json.loads(line))["endpoint"] == endpoint)


CORPORA = [
    ("openai", "openai", "chat/completions"),
    ("anthropic", "anthropic", "messages"),
    ("gemini", "gemini", "generateContent"),
    ("gemini", "gemini", "streamGenerateContent"),
    ("gemini", "vertex", "generateContent"),
    ("gemini", "vertex", "streamGenerateContent"),
]
PAIRS = [(*corpus, other) for corpus in CORPORA for other in sorted(TONGUES) if other != corpus[0]]


@pytest.mark.parametrize(("name", "provider", "endpoint", "other"), PAIRS)
def test_recorded_traffic_is_translated_or_refused_with_a_reason(
    name: str, provider: str, endpoint: str, other: str
) -> None:
    """Each recorded request and reply either goes over, whole, or says why not; requests come back the same."""
    counts = Counter[str]()
    for record in recorded(provider, endpoint):
        asked, said = (base64.b64decode(record[side]["body_b64"]) for side in ("request", "response"))
        target = urlsplit(record["request"]["url"])
        path = f"{target.path}?{target.query}"
        counts[judge("request", lambda: _request(name, other, path, asked))] += 1  # noqa: B023  # called at once
        if record["response"]["status"] != 200:
            continue
        framing = record["stream_format"]
        if framing:
            counts[judge("stream", lambda: _stream(name, other, said, framing))] += 1  # noqa: B023
        elif said[:1] in b"{ \n":
            counts[judge("reply", lambda: _reply(name, other, said))] += 1  # noqa: B023
    for what, number in sorted(counts.items()):
        print(f"{number:5} {provider} {endpoint} to {other}: {what}")
    kinds = {what.partition(":")[0] for what in counts}
    for kind in kinds:
        of_kind = sum(number for what, number in counts.items() if what.startswith(kind))
        assert counts[f"{kind}: translated"] > of_kind / 2


def judge(what: str, step: Any) -> str:
    """Whether it went over, or why not."""
    try:
        step()
    except NotTranslatable as refused:
        return f"{what}: {refused}"
    return f"{what}: translated"


def _request(name: str, other: str, target: str, body: bytes) -> None:
    there = translation(name, other, TONGUES[name].operation, target, body, None)
    want = TONGUES[name].read_request(json.loads(body), target)
    got = TONGUES[other].read_request(json.loads(there.body), there.target)
    turns = tuple(map(told_in_words, want.turns)) if other == "openai" else want.turns
    assert (turns, want.system, want.stop) == (got.turns, got.system, got.stop)
    assert (want.model, want.stream, want.max_tokens or 0) == (
        got.model,
        got.stream,
        (want.max_tokens and got.max_tokens) or 0,
    )
    assert [replace(tool, strict=False) for tool in want.tools] == [replace(tool, strict=False) for tool in got.tools]
    assert want.output_schema == got.output_schema


def told_in_words(turn: Turn) -> Turn:
    """A turn as OpenAI can say it, where a failed tool is told by what its result says."""

    def word(part: Part) -> Part:
        if not isinstance(part, ToolResult) or not part.is_error:
            return part
        texts = [each.text for each in part.content if isinstance(each, Text)]
        said = json.dumps({"error": texts[0] if len(texts) == 1 else texts}, ensure_ascii=False)
        return ToolResult(part.call_id, (Text(said),))

    return Turn(turn.role, tuple(map(word, turn.parts)))


def _reply(name: str, other: str, body: bytes) -> None:
    reply = TONGUES[name].read_reply(json.loads(body))
    got = TONGUES[other].read_reply(TONGUES[other].write_reply(reply, Asked()))
    assert (reply.text, reply.calls, told(reply.spent, other)) == (got.text, got.calls, got.spent)


def _stream(name: str, other: str, body: bytes, framing: Framing) -> None:
    translating = StreamTranslation(TONGUES[name].reader(), TONGUES[other].writer(Asked()), framing)
    out = translating.feed(body) + translating.flush()
    whole, got = collected(name, body, framing), collected(other, out)
    assert (whole.text, whole.calls, told(whole.spent, other)) == (got.text, got.calls, got.spent)


def told(spent: Spent, other: str) -> Spent:
    """What of a usage the other format can tell: Gemini does not say what was written to a cache."""
    return replace(spent, cache_write_tokens=0) if other == "gemini" else spent
