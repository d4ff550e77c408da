"""Values planted anywhere in recorded traffic: none leaves, none that is new comes back, however the reply is cut."""

import base64
import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import recorded
from interceptor import (
    ANTHROPIC,
    GEMINI,
    OLLAMA,
    OPENAI,
    Interceptor,
    chat,
    contents,
    in_parallel,
    message,
    pii_rules,
    rules_for,
)

from outwarden.simulate import Certificates, Script, SimulatedProvider, make_certificates
from outwarden.wire.format import TextRules
from outwarden.wire.formats import format_named

COUNT = 240
SEED = 20261121
Json = Any
Place = tuple[Json, Any, bool]  # container, key or index, whether the key itself is meant

corpus_needed = pytest.mark.skipif(not recorded.CORPUS.is_dir(), reason=recorded.MISSING)


def values(number: int) -> list[str]:
    """Invented values, different for every record: an address, a record number, a card and an account."""
    draw = random.Random(number)
    digits = "4" + "".join(str(draw.randrange(10)) for _ in range(14))
    return [
        f"pat.{number}x{draw.randrange(1000)}@brightquill-mail.com",
        f"MRN-{draw.randrange(1_000_000, 10_000_000)}",
        digits + luhn_digit(digits),
    ]


def luhn_digit(digits: str) -> str:
    """The check digit that makes a card number of ``digits``."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if position % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


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


def planted(record: dict[str, Any], body: bytes, format_name: str, number: int) -> tuple[bytes, list[str]] | None:
    """A body with a few values planted at random places, None where it has no text."""
    try:
        document = json.loads(body)
    except ValueError:
        return None
    format_ = format_named(format_name)
    url = urlsplit(record["request"]["url"])
    rules = format_.text_rules(format_.identify(record["request"]["method"], unquote(url.path)))
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
def stage(tmp_path_factory: pytest.TempPathFactory, start: Any) -> Iterator[tuple[Any, Path, Interceptor, Any]]:
    """A replay server whose records the tests change, and an interceptor in front of it."""
    module = recorded.replay_module()
    corpus = module.Corpus([str(recorded.CORPUS)])
    hosts = recorded.hosts_of(list(corpus.by_id.values()))
    folder = tmp_path_factory.mktemp("planted")
    certificates: Certificates = make_certificates(folder, sorted(hosts))
    log = folder / "log.jsonl"
    with module.ReplayServer(corpus, cert=str(certificates.chain), key=str(certificates.key), log=str(log)) as server:
        rules = {
            "traffic": {"intercept": recorded.intercepted(hosts, f"127.0.0.1:{server.port}", certificates)},
            "pii": pii_rules(),
            "budgets": {"budgets": [], "unknown_price": {"input_mtok": 1, "output_mtok": 1}},
        }
        yield corpus, log, start(rules), hosts


def sample(corpus: Any, hosts: dict[str, tuple[str, str]], draw: random.Random) -> list[tuple[dict[str, Any], str]]:
    """Random good exchanges with JSON in both directions, the providers in turn, with the format of each."""
    found: dict[str, list[tuple[dict[str, Any], str]]] = {}
    for record in corpus.by_id.values():
        host = urlsplit(record["request"]["url"]).hostname
        if host in hosts and record["response"]["status"] == 200 and recorded.request_body(record)[:1] == b"{":
            found.setdefault(record["provider"], []).append((record, hosts[host][1]))
    for each in found.values():
        draw.shuffle(each)
    turns = [each.pop() for _ in range(COUNT) for each in found.values() if each]
    return turns[:COUNT]


def in_some_spelling(value: str, data: bytes) -> bool:
    """Whether a body holds a value, plain or with JSON escapes."""
    return value.encode() in data or value in data.decode("utf-8", "replace").replace("\\/", "/")


@corpus_needed
def test_nothing_planted_in_a_request_leaves(stage: Any) -> None:
    """Wherever a text stands in a real request, a value in it does not reach the provider; the rest does."""
    corpus, log, outwarden, hosts = stage
    records = sample(corpus, hosts, random.Random(SEED))
    sender = recorded.Sender(outwarden.port, outwarden.trust())
    bodies = {}
    for number, (record, format_name) in enumerate(records):
        made = planted(record, recorded.request_body(record), format_name, number)
        if made is not None:
            bodies[record["id"]] = (record, *made)
    outwarden.planted.extend(value for _, _, kept in bodies.values() for value in kept)
    work = list(bodies.values())

    got = in_parallel(lambda n: sender.send(work[n][0], work[n][1]), len(work), threads=8)

    seen = recorded.received(log)
    leaks = [
        f"{record['id']} {record['provider']} {record['endpoint']}: {value}"
        for record, _, kept in work
        for value in kept
        if in_some_spelling(value, seen.get(record["id"], b""))
    ]
    refused = [record["id"] for (record, _, _), answer in zip(work, got, strict=True) if record["id"] not in seen]
    print(f"\n{len(work)} requests with {sum(len(kept) for _, _, kept in work)} values, {len(refused)} refused")
    assert leaks == []
    assert len(work) > COUNT * 0.8
    assert len(refused) < len(work) * 0.05, refused


@corpus_needed
def test_nothing_planted_in_a_reply_comes_back(stage: Any) -> None:
    """Wherever a text stands in a real whole reply, a new value in it does not reach the client."""
    corpus, _, outwarden, hosts = stage
    records = [(r, f) for r, f in sample(corpus, hosts, random.Random(SEED + 1)) if not r["streaming"]]
    sender = recorded.Sender(outwarden.port, outwarden.trust())
    work = []
    for number, (record, format_name) in enumerate(records, 10_000):
        made = planted(record, recorded.response_body(record), format_name, number)
        if made is not None:
            changed = copy.deepcopy(record) | {"id": f"planted-{number}"}
            changed["response"]["body_b64"] = base64.b64encode(made[0]).decode()
            changed["response"].pop("chunk_sizes", None)
            corpus.add(changed)
            work.append((changed, made[1]))
    outwarden.planted.extend(value for _, kept in work for value in kept)

    got = in_parallel(lambda n: sender.send(work[n][0]), len(work), threads=8)

    leaks = [
        f"{record['source']} {record['provider']} {record['endpoint']}: {value}"
        for (record, kept), answer in zip(work, got, strict=True)
        for value in kept
        if in_some_spelling(value, answer.body)
    ]
    served = sum(answer.status == 200 for answer in got)
    print(f"\n{len(work)} replies with {sum(len(kept) for _, kept in work)} values, {served} served")
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
