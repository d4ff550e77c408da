"""Values planted anywhere in recorded traffic: none leaves, none that is new comes back, however the reply is cut."""

import asyncio
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from interceptor import (
    ANTHROPIC,
    GEMINI,
    OLLAMA,
    OPENAI,
    Interceptor,
    chat,
    contents,
    message,
    pii_rules,
    rules_for,
)

from outwarden.simulate import Script, SimulatedProvider
from outwarden.wire.format import TextRules
from outwarden.wire.formats import format_named
from replaying.client import Client, Got
from replaying.exchanges import Exchange
from replaying.planting import in_some_spelling, luhn_digit
from replaying.playing import Stage, stage
from replaying.reading import Recording, read
from replaying.upstream import Play, RecordedProvider

COUNT = 240
SEED = 20261121
Json = Any
Place = tuple[Json, Any, bool]  # container, key or index, whether the key itself is meant

CORPUS = Path(__file__).parents[2].parent / "shared" / "wire"
corpus_needed = pytest.mark.skipif(not CORPUS.is_dir(), reason="the recorded corpus is not beside the repository")


def values(number: int) -> list[str]:
    """Invented values, different for every record: an address, a record number, a card and an account."""
    draw = random.Random(number)
    digits = "4" + "".join(str(draw.randrange(10)) for _ in range(14))
    return [
        f"pat.{number}x{draw.randrange(1000)}@brightquill-mail.com",
        f"MRN-{draw.randrange(1_000_000, 10_000_000)}",
        digits + luhn_digit(digits),
    ]


def places(value: Json, rules: TextRules, *, free: bool = False) -> Iterator[Place]:
    """Every place in a JSON value that may hold text: string values and keys that no rule takes out."""
    if isinstance(value, dict):
        apart = rules.opaque_in(value) if rules.opaque_in and not free else frozenset()
        for key, below in value.items():
            inside = free or key in rules.free
            if isinstance(below, str):
                hidden = not inside and (key in rules.opaque or key in apart)
                if not hidden and not below.startswith("data:") and len(below) < 20_000:
                    yield value, key, False
            else:
                yield from places(below, rules, free=inside)
            if free:
                yield value, key, True
    elif isinstance(value, list):
        for index, below in enumerate(value):
            if isinstance(below, str):
                yield value, index, False
            else:
                yield from places(below, rules, free=free)


def plant(place: Place, value: str, draw: random.Random) -> None:
    """Put a value into a text, on a word's edge; or make a key of it."""
    container, key, as_key = place
    if as_key:
        container[value] = container.pop(key)
        return
    if isinstance(container, dict) and key not in container:
        return  # this very key was renamed a moment ago
    text: str = container[key]
    edges = [0, len(text), *(at for at, character in enumerate(text) if character == " ")]
    at = draw.choice(edges)
    container[key] = f"{text[:at]} {value} {text[at:]}"


def planted(exchange: Exchange, body: bytes, format_name: str, number: int) -> tuple[bytes, list[str]] | None:
    """A body with a few values planted at random places, None where it has no text."""
    try:
        document = json.loads(body)
    except ValueError:
        return None
    format_ = format_named(format_name)
    rules = format_.text_rules(format_.identify(exchange.method, unquote(urlsplit(exchange.target).path)))
    draw = random.Random(number)
    found = list(places(document, rules))
    if not found or not isinstance(document, dict):
        return None
    chosen = draw.sample(found, min(3, len(found)))
    kept = values(number)[: len(chosen)]
    for place, value in zip(chosen, kept, strict=True):
        plant(place, value, draw)
    text = json.dumps(document, ensure_ascii=draw.random() < 0.5, indent=draw.choice([None, None, 2]))
    return text.encode("utf-8", "surrogatepass"), [value for value in kept if value in text]


@pytest.fixture(scope="module")
def exchanges() -> list[Exchange]:
    """Every recorded HTTP exchange."""
    return read(CORPUS).exchanges


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory, exchanges: list[Exchange]) -> Iterator[Stage]:
    """A replay upstream for every recorded host."""
    with stage(tmp_path_factory.mktemp("planted"), Recording(exchanges)) as here:
        yield here


@pytest.fixture(scope="module")
def outwarden(replayed: Stage, start: Any) -> Interceptor:
    """An interceptor in front of it."""
    one: Interceptor = start(replayed.rules(planted=True, pii=pii_rules()))
    return one


def taken(exchanges: list[Exchange], draw: random.Random) -> list[Exchange]:
    """Random good exchanges with JSON in both directions, the providers in turn."""
    found: dict[str, list[Exchange]] = {}
    for each in exchanges:
        if each.status == 200 and each.body[:1] == b"{":
            found.setdefault(each.provider, []).append(each)
    for group in found.values():
        draw.shuffle(group)
    turns = [group.pop() for _ in range(COUNT) for group in found.values() if group]
    return turns[:COUNT]


async def sent(outwarden: Interceptor, upstream: RecordedProvider, work: list[Exchange]) -> list[tuple[Play, Got]]:
    """Send exchanges, eight at a time; what arrived and what came back of each."""
    plays = {f"{number}": Play(each) for number, each in enumerate(work)}
    for name, play in plays.items():
        upstream.expect(name, play)
    room = asyncio.Semaphore(8)

    async def one(name: str, play: Play) -> tuple[Play, Got]:
        async with room:
            return play, await client.send(play.exchange, name)

    async with Client(outwarden.url, outwarden.ca) as client:
        return list(await asyncio.gather(*(one(name, play) for name, play in plays.items())))


@corpus_needed
def test_nothing_planted_in_a_request_leaves(
    exchanges: list[Exchange], outwarden: Interceptor, replayed: Stage
) -> None:
    """Wherever a text stands in a real request, a value in it does not reach the provider; the rest does."""
    work, kept = [], []
    for number, each in enumerate(taken(exchanges, random.Random(SEED))):
        if (made := planted(each, each.body, replayed.hosts[each.host][1], number)) is not None:
            work.append(replace(each, body=made[0]))
            kept.append(made[1])
    outwarden.planted.extend(value for values in kept for value in values)

    found = asyncio.run(sent(outwarden, replayed.upstream, work))

    leaks = [
        f"{play.exchange.id} {play.exchange.row}: {value}"
        for (play, _), values in zip(found, kept, strict=True)
        for value in values
        if in_some_spelling(value, play.seen or b"")
    ]
    refused = [play.exchange.id for play, _ in found if play.seen is None]
    print(f"\n{len(work)} requests with {sum(map(len, kept))} values, {len(refused)} refused")
    assert leaks == []
    assert len(work) > COUNT * 0.8
    assert len(refused) < len(work) * 0.05, refused


@corpus_needed
def test_nothing_planted_in_a_reply_comes_back(
    exchanges: list[Exchange], outwarden: Interceptor, replayed: Stage
) -> None:
    """Wherever a text stands in a real whole reply, a new value in it does not reach the client."""
    work, kept = [], []
    whole = [each for each in taken(exchanges, random.Random(SEED + 1)) if not each.streaming]
    for number, each in enumerate(whole, 10_000):
        if (made := planted(each, each.reply, replayed.hosts[each.host][1], number)) is not None:
            work.append(replace(each, reply=made[0], chunk_sizes=()))
            kept.append(made[1])
    outwarden.planted.extend(value for values in kept for value in values)

    found = asyncio.run(sent(outwarden, replayed.upstream, work))

    leaks = [
        f"{play.exchange.source} {play.exchange.row}: {value}"
        for (play, got), values in zip(found, kept, strict=True)
        for value in values
        if in_some_spelling(value, got.body)
    ]
    served = sum(got.status == 200 for _, got in found)
    print(f"\n{len(work)} replies with {sum(map(len, kept))} values, {served} served")
    assert leaks == []
    assert served > len(work) * 0.9


@pytest.fixture(scope="module")
def simulated(primary: SimulatedProvider, start: Any) -> Interceptor:
    """One interceptor in front of the simulated provider."""
    return start(rules_for(primary))


STREAMS = {
    "chat": (OPENAI, "/v1/chat/completions", chat("x", stream=True)),
    "responses": (OPENAI, "/v1/responses", {"model": "gpt-5", "input": "x", "stream": True}),
    "messages": (ANTHROPIC, "/v1/messages", message("x", stream=True)),
    "gemini-sse": (GEMINI, "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", contents("x")),
    "gemini-array": (GEMINI, "/v1beta/models/gemini-2.5-flash:streamGenerateContent", contents("x")),
    "ollama": (OLLAMA, "/api/chat", {"model": "llama3.2:1b", "messages": chat("x")["messages"]}),
}


@pytest.mark.parametrize("stream", list(STREAMS))
@pytest.mark.parametrize("piece_chars", [1, 2, 5, 11, 0])
def test_nothing_planted_in_a_stream_comes_back(
    simulated: Interceptor, provider: SimulatedProvider, stream: str, piece_chars: int
) -> None:
    """New values split over deltas of any size, cut into network pieces of any size: none arrives, all cuts agree."""
    host, path, body = STREAMS[stream]
    new = values(77_000 + piece_chars)
    simulated.planted.extend(new)
    text = f"Ask {new[0]}, about {new[1]}: {new[2]}. (No <one> else.)"
    cuts = ["whole", "event", "random:5:40", "bytes:1"]
    provider.queue(*(Script(text=text, piece_chars=piece_chars, chunking=each) for each in cuts))
    with simulated.http() as client:
        answers = [client.post(f"https://{host}{path}", json=body) for _ in cuts]

    for answer in answers:
        assert answer.status_code == 200
        said = joined(answer.text)
        assert [value for value in new if value in said or value in answer.text] == []
        assert "Ask [EMAIL_ADDRESS]" in said
    assert [answer.content == answers[0].content for answer in answers] == [True] * len(cuts)


def joined(text: str) -> str:
    """All the string pieces of a stream put together, whatever their API: enough to find a value in them."""
    found: list[str] = []

    def walk(value: Json) -> None:
        if isinstance(value, dict):
            for key, below in value.items():
                if isinstance(below, str) and key in ("content", "text", "delta", "response"):
                    found.append(below)
                elif not isinstance(below, str):
                    walk(below)
        elif isinstance(value, list):
            for below in value:
                walk(below)

    if text.startswith("["):
        walk(json.loads(text))
    for line in text.splitlines():
        data = line.removeprefix("data: ")
        if data.startswith("{") and not text.startswith("["):
            walk(json.loads(data))
    return "".join(found)
