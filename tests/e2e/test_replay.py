"""Recorded traffic of every known provider through the running interceptor: not a byte changed, usage as told."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import recorded
from interceptor import Interceptor, in_parallel, until

from outwarden.simulate import Certificates, make_certificates

pytestmark = pytest.mark.skipif(not recorded.CORPUS.is_dir(), reason=recorded.MISSING)

# Rules that look for something which is nowhere.
NOTHING = {
    "request": {"default": "mask"},
    "response": {"default": "mask"},
    "entities": ["NEVER_THERE"],
    "ner": {"model": "off"},
    "custom": [
        {
            "entity": "NEVER_THERE",
            "pattern": "zq-never-there-[0-9]{9}",
            "match": ["zq-never-there-123456789"],
            "no_match": ["x"],
        }
    ],
}


# Where we differ on purpose or for now, each with its reason; one that no longer differs fails the test, too.
KNOWN: dict[str, str] = {}


class Played:
    """Everything that was played, and what became of it."""

    def __init__(self, records: list[dict[str, Any]], got: list[recorded.Got], seen: dict[str, bytes]) -> None:
        self.records = records
        self.got = got
        self.seen = seen
        self.audit: dict[str, dict[str, Any]] = {}

    def __iter__(self) -> Iterator[tuple[dict[str, Any], recorded.Got]]:
        return iter(zip(self.records, self.got, strict=True))


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path, Certificates, list[dict[str, Any]]]]:
    """The replay server, its log, its certificates and the records whose hosts are opened."""
    module = recorded.replay_module()
    corpus = module.Corpus([str(recorded.CORPUS)])
    hosts = recorded.hosts_of(list(corpus.by_id.values()))
    folder = tmp_path_factory.mktemp("replay")
    certificates = make_certificates(folder, sorted(hosts))
    log = folder / "log.jsonl"
    with module.ReplayServer(corpus, cert=str(certificates.chain), key=str(certificates.key), log=str(log)) as server:
        records = [r for r in corpus.by_id.values() if urlsplit(r["request"]["url"]).hostname in hosts]
        yield server, log, certificates, records


@pytest.fixture(scope="module")
def played(replay: Any, start: Any) -> Played:
    """Play every record once, eight at a time."""
    server, log, certificates, records = replay
    hosts = recorded.hosts_of(records)
    rules = {
        "traffic": {"intercept": recorded.intercepted(hosts, f"127.0.0.1:{server.port}", certificates)},
        "pii": NOTHING,
        "budgets": {"budgets": [], "unknown_price": {"input_mtok": 1, "output_mtok": 1}},
    }
    outwarden: Interceptor = start(rules)
    sender = recorded.Sender(outwarden.port, outwarden.trust())
    got = in_parallel(lambda number: sender.send(records[number]), len(records), threads=8)
    calls = {each.call_id for each in got if each.call_id}
    until(lambda: len(outwarden.records()) >= len(calls), 20)
    played = Played(records, got, recorded.received(log))
    played.audit = {record["call_id"]: record for record in outwarden.records()}
    print_table(played)
    return played


def same_request(record: dict[str, Any], seen: bytes | None) -> bool:
    """Whether the provider got the recorded bytes, but for a usage report that was asked for in addition."""
    sent = recorded.request_body(record)
    if seen is None or seen == sent:
        return seen == sent
    at = next((i for i, (a, b) in enumerate(zip(sent, seen, strict=False)) if a != b), len(sent))
    rest = len(sent) - at
    return seen[:at] + seen[len(seen) - rest :] == sent and b'"include_usage"' in seen[at : len(seen) - rest]


def same_reply(record: dict[str, Any], got: recorded.Got) -> bool:
    """Whether the client got the recorded status and bytes."""
    no_body = record["response"]["status"] in (204, 304) or record["request"]["method"] == "HEAD"
    return got.status == record["response"]["status"] and (no_body or got.body == recorded.response_body(record))


def same_usage(record: dict[str, Any], audit: dict[str, Any] | None) -> bool | None:
    """Whether the audit has the provider's own figures; None where it gave none in a good answer."""
    expected = recorded.expected_tokens(record)
    if expected is None or record["response"]["status"] >= 400:
        return None
    usage = (audit or {}).get("usage") or {}
    return (usage.get("input_tokens"), usage.get("output_tokens")) == expected


def print_table(played: Played) -> None:
    """Provider x endpoint: exchanges, identical requests and replies, usage equal."""
    table: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for record, got in played:
        row = table[record["provider"], record["endpoint"], "stream" if record["streaming"] else ""]
        usage = same_usage(record, played.audit.get(got.call_id))
        row.update(n=1, request=same_request(record, played.seen.get(record["id"])), reply=same_reply(record, got))
        row.update(told=usage is not None, usage=bool(usage))
    print(f"\n{'provider':24} {'endpoint':28} {'':6} {'n':>5} {'request':>8} {'reply':>6} {'usage':>11}")
    for (provider, endpoint, stream), row in sorted(table.items()):
        usage = f"{row['usage']}/{row['told']}"
        print(f"{provider:24} {endpoint:28} {stream:6} {row['n']:5} {row['request']:8} {row['reply']:6} {usage:>11}")
    print("not as recorded:", *changed_requests(played), *changed_replies(played), *wrong_usage(played), sep="\n  ")


def name(record: dict[str, Any], *more: Any) -> str:
    """A record in one line of a failure."""
    stream = " stream" if record["streaming"] else ""
    return " ".join(map(str, (record["id"], record["provider"], record["endpoint"] + stream, *more)))


def refused_by_us(played: Played, got: recorded.Got) -> str | None:
    """Why a call was answered by the interceptor itself."""
    audit = played.audit.get(got.call_id)
    return audit["rule"] or audit["verdict"] if audit and audit["verdict"] not in ("allowed", "flagged") else None


def test_everything_known_is_played(played: Played) -> None:
    """The corpus is there and thousands of records go through."""

    assert len(played.records) > 3000


def changed_requests(played: Played) -> list[str]:
    """Records that reached the provider otherwise than they were sent."""
    return [
        name(record, "request:", len(seen), "bytes for", len(recorded.request_body(record)))
        for record, _ in played
        if (seen := played.seen.get(record["id"])) is not None and not same_request(record, seen)
    ]


def changed_replies(played: Played) -> list[str]:
    """Records whose reply reached the client otherwise than it was recorded."""
    return [
        name(record, "reply:", got.status, "for", record["response"]["status"], refused_by_us(played, got) or "")
        for record, got in played
        if not same_reply(record, got)
    ]


def wrong_usage(played: Played) -> list[str]:
    """Records whose usage in the audit is not the provider's."""
    found = []
    for record, got in played:
        audit = played.audit.get(got.call_id)
        if same_usage(record, audit) is False:
            usage = (audit or {}).get("usage") or {}
            told = (usage.get("input_tokens"), usage.get("output_tokens"))
            found.append(name(record, "usage:", told, "for", recorded.expected_tokens(record)))
    return found


def unexpected(differences: list[str]) -> list[str]:
    """The differences that nobody knows of."""
    return [line for line in differences if line.split()[0] not in KNOWN]


def test_requests_leave_as_they_are(played: Played) -> None:
    """The provider gets the recorded bytes of every request that we let through."""

    assert unexpected(changed_requests(played)) == []


def test_replies_return_as_they_are(played: Played) -> None:
    """The client gets the recorded bytes and status of every call that we let through."""

    assert unexpected(changed_replies(played)) == []


def test_usage_is_what_the_provider_told(played: Played) -> None:
    """The audit's input and output tokens are the provider's own, cached and reasoning tokens counted once."""

    assert unexpected(wrong_usage(played)) == []


def test_every_known_difference_is_one(played: Played) -> None:
    """The list of known differences has no entry that has been mended."""
    differences = [*changed_requests(played), *changed_replies(played), *wrong_usage(played)]

    assert {line.split()[0] for line in differences} >= KNOWN.keys()


def test_every_call_is_on_record(played: Played) -> None:
    """Each call has its audit record, which names provider, operation and model and no text."""
    missing = [name(record) for record, got in played if got.call_id not in played.audit]

    assert missing == []
    assert all(json.dumps(audit) for audit in played.audit.values())
