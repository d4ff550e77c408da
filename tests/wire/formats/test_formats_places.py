"""Every string of every recorded body is read, keys too, but at the places that are listed here with their reason.

A value is put in place of one string after the other, each place of each API once (the same place in other records is
the same case), and has to be gone from what is sent on.
"""

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from outwarden.errors import BodyError
from outwarden.pii import PiiEngine, PiiPolicy, Vault
from outwarden.rules import load_rules, shipped_rules
from outwarden.wire.body import rewrite_json
from outwarden.wire.format import Format, Operation
from outwarden.wire.formats import format_named

CORPUS = Path(__file__).parents[3].parent / "shared" / "wire"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the recorded traffic is not here")

PERSONAL = ("anna.q7x@kestrel-freight.com", "4539578763621486")
KEY = "sk-proj-Zk3JmQ9vT2xLr8WnBd5YpGh7ScAeUf4M1oN6iKqRtXyVbCjD"
# Reasoning that the provider signs has to come back to it byte for byte: nothing in it is changed.
SIGNED = {"thinking", "text"}
# Where what looks like an id (no "@", no space, not digits alone) is one, or a word of the API, or its ciphertext.
IDS = {"id", "call_id", "tool_call_id", "tool_use_id", "toolUseId", "file_id", "container", "container_id"}
IDS |= {"response_id", "responseId", "previous_response_id", "conversation", "conversation_id", "session_id"}
IDS |= {"thread_id", "run_id", "message_id", "assistant_id", "vector_store_id", "request_id", "generation_id"}
IDS |= {"cachedContent", "prompt_cache_key", "system_fingerprint", "encrypted_index"}
IDS |= {"sessionId", "knowledgeBaseId", "modelArn", "guardrailIdentifier"}
WORDS = {"type", "role", "object", "status", "name", "model", "modelVersion", "model_version", "effort", "detail"}
WORDS |= {"service_tier", "serviceTier", "encoding_format", "mime_type", "mimeType", "media_type"}
WORDS |= {"stop_reason", "stopReason", "finish_reason", "finishReason", "done_reason", "native_finish_reason"}
WORDS |= {"created_at", "createTime"}
SEALED = {"signature", "thoughtSignature", "thought_signature", "encrypted_content", "nextPageToken"}
MEDIA = {"data", "bytes", "b64_json", "file_data", "embedding"}

Place = tuple[str | int, ...]


def bodies(side: str) -> Iterator[tuple[Format, Operation, Any]]:
    """Every recorded JSON body with the API that it belongs to."""
    traffic = load_rules(shipped_rules()).traffic
    for path in sorted(CORPUS.glob("http-*.jsonl.gz")):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            record = json.loads(line)
            url = urlsplit(record["request"]["url"])
            host = traffic.find(url.hostname or "")
            known = format_named(host.format if host else "generic")
            target = url.path + ("?" + url.query if url.query else "")
            try:
                tree = json.loads(base64.b64decode((record.get(side) or {}).get("body_b64") or ""))
            except ValueError:
                continue  # streams, forms, pages: other tests play them
            yield known, known.identify(record["request"]["method"], target), tree


def places(tree: Any, at: Place = ()) -> Iterator[tuple[Place, bool]]:
    """Where strings stand, and whether it is a key that stands there."""
    if isinstance(tree, str):
        yield at, False
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield (*at, key), True
            yield from places(value, (*at, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from places(value, (*at, index))


def planted(tree: Any, at: Place, is_key: bool, value: str) -> Any:
    """The tree with ``value`` at one place."""
    if not at:
        return value
    first, rest = at[0], at[1:]
    if is_key and not rest:
        return {value if key == first else key: child for key, child in tree.items()}
    if isinstance(tree, dict):
        return {key: planted(child, rest, is_key, value) if key == first else child for key, child in tree.items()}
    return [planted(child, rest, is_key, value) if index == first else child for index, child in enumerate(tree)]


def kind_of_place(at: Place) -> tuple[str, ...]:
    """The place without numbers, and without keys that are somebody's data."""
    return tuple("[]" if isinstance(step, int) else step if len(step) <= 30 else "*" for step in at)


def unread(side: str, *values: str) -> tuple[dict[str, set[str]], int]:
    """The last keys of all places where a value stays, each with the operations; and how many places there are."""
    engine = PiiEngine(PiiPolicy(), b"a secret of this test")
    seen: set[object] = set()
    kept: dict[str, set[str]] = {}
    for known, operation, tree in bodies(side):
        rules = known.text_rules(operation)
        for at, is_key in places(tree):
            case = (known.name, operation.dialect, operation.name, kind_of_place(at), is_key)
            if case in seen:
                continue
            seen.add(case)
            for value in values:
                body = json.dumps(planted(tree, at, is_key, value)).encode()
                rewriter = engine.request(Vault()) if side == "request" else engine.reply(Vault())
                try:
                    left = rewrite_json(body, rules, rewriter).body
                except BodyError:
                    continue  # refused
                if value.encode() in left:
                    name = f"key {at[-1]}" if is_key else next((s for s in reversed(at) if isinstance(s, str)), "")
                    kept.setdefault(name, set()).add(f"{operation.dialect} {operation.name}")
    return kept, len(seen)


@pytest.mark.parametrize("side", ["request", "response"])
def test_a_personal_value_is_found_wherever_it_stands(side: str) -> None:
    """Ids, models, roles and enums included: only what the provider signed stays as it is."""
    kept, cases = unread(side, *PERSONAL)

    assert cases > 2000
    assert kept.keys() <= SIGNED, kept


@pytest.mark.parametrize("side", ["request", "response"])
def test_what_looks_like_an_id_is_one_only_where_the_api_has_ids(side: str) -> None:
    """A key of an API, which looks like one, is found everywhere else."""
    kept, _ = unread(side, KEY)

    assert kept.keys() <= SIGNED | IDS | WORDS | SEALED | MEDIA, kept
