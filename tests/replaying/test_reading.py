"""Reading a folder: what can be played is read, what cannot is named with its reason, and nothing raises."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaying.exchanges import Exchange, Unplayable, exchange, host_name, provider_name
from replaying.reading import Recording, read
from replaying.sessions import reported, session
from replaying.usage import expected_tokens, total_tokens

BODY = base64.b64encode(b'{"model": "m"}').decode()
RECORD: dict[str, Any] = {
    "id": "w1",
    "provider": "acme",
    "endpoint": "chat/completions",
    "streaming": False,
    "request": {"method": "POST", "url": "https://api.acme.example/v1/chat?x=1", "headers": {}, "body_b64": BODY},
    "response": {"status": 200, "headers": {"content-type": "application/json"}, "body_b64": BODY},
}
SESSION: dict[str, Any] = {
    "id": "r1",
    "provider": "gemini",
    "endpoint": "realtime-ws",
    "messages": [{"dir": "client", "text": '{"setup": {}}'}, {"dir": "server", "text": '{"setupComplete": {}}'}],
}
CALL: dict[str, Any] = {
    "id": "g1",
    "provider": "xai",
    "endpoint": "grpc",
    "request_pb_b64": [BODY],
    "response_pb_b64": [],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(), below, max_size=3),
    max_leaves=8,
)


def written(folder: Path, *records: Any, name: str = "http-acme.jsonl.gz") -> Path:
    """A folder with one file of these records; a string is a line as it is."""
    lines = [each if isinstance(each, str) else json.dumps(each) for each in records]
    (folder / name).write_bytes(gzip.compress("".join(line + "\n" for line in lines).encode()))
    return folder


def changed(part: str, **fields: Any) -> dict[str, Any]:
    """The record with other fields in its request or response; None takes one out."""
    made = RECORD[part] | fields
    return RECORD | {part: {key: value for key, value in made.items() if value is not None}}


def test_each_kind_is_told_by_its_shape(tmp_path: Path) -> None:
    """HTTP, WebSocket, gRPC and other hosts, whatever their file is called; only the negatives' file has a meaning."""
    written(tmp_path, RECORD, SESSION, CALL, RECORD | {"provider": "not-an-llm-api"}, name="all.jsonl.gz")
    written(tmp_path, RECORD, name="negatives.jsonl.gz")
    recording = read(tmp_path)

    kinds = (recording.exchanges, recording.sessions, recording.calls, recording.negatives)
    assert [len(kind) for kind in kinds] == [1, 1, 1, 2]
    assert recording.count == 5
    assert recording.unplayed == []
    assert recording.hosts.keys() == {"api.acme.example", "generativelanguage.googleapis.com", "api.x.ai"}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("{", "no JSON"),
        ("[]", "no JSON object"),
        (RECORD | {"request": None}, "no request"),
        (changed("request", url=None), "no URL"),
        (changed("request", url="https://[bad"), "no URL"),
        (changed("request", url="https://-bad-.example/"), "its host"),
        (changed("request", url=f"https://{'x' * 70}.example/"), "its host"),
        (changed("request", method="PO ST"), "no method"),
        (changed("request", body_b64="%"), "request is not base64"),
        (changed("response", body_b64="abc"), "reply is not base64"),
        (changed("response", status="200"), "no final status"),
        (changed("response", status=101), "no final status"),
        (changed("request", headers=["x"]), "headers"),
        (SESSION | {"messages": [{"dir": "nobody"}]}, "whose it is"),
        (SESSION | {"messages": [{"dir": "client"}]}, "no text"),
        (CALL | {"request_pb_b64": "x"}, "request_pb_b64"),
    ],
)
def test_what_cannot_be_played_is_named(tmp_path: Path, record: Any, reason: str) -> None:
    """One bad record is told of with its reason, and the one behind it is there."""
    recording = read(written(tmp_path, record, RECORD))

    (left,) = recording.unplayed
    assert reason in left.reason
    assert left.id in ("w1", "r1", "g1", "http-acme.jsonl.gz:1")
    assert recording.count == 1


def test_a_torn_file_gives_what_it_has(tmp_path: Path) -> None:
    """Lines before the tear are read, and the tear has a name."""
    many = [RECORD | {"id": f"w{number}", "source": f"{number * 7919}" * 50} for number in range(500)]
    whole = (written(tmp_path, *many) / "http-acme.jsonl.gz").read_bytes()
    (tmp_path / "http-acme.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    recording = read(tmp_path)

    assert 0 < len(recording.exchanges) < 500
    assert recording.unplayed[0].id == f"http-acme.jsonl.gz:{len(recording.exchanges) + 1}"
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "nowhere")


@given(st.dictionaries(st.sampled_from([*RECORD, "messages", "usage_all", "usage_in_body"]), JSON), st.data())
def test_whatever_stands_in_a_record(fields: dict[str, Any], data: st.DataObject) -> None:
    """Any JSON in any field: the record is read, or is unplayable; its usage is numbers, or none."""
    part = data.draw(st.sampled_from(["request", "response"]))
    inside = data.draw(st.dictionaries(st.sampled_from([*RECORD[part], "fidelity", "chunk_sizes"]), JSON))
    for record in (RECORD | {part: RECORD[part] | inside} | fields, RECORD | fields):
        try:
            found = session(record) if "messages" in record else exchange(record)
        except Unplayable:
            continue
        if isinstance(found, Exchange):
            tokens = expected_tokens(found)
            assert tokens is None or min(tokens) >= 0
            assert found.host
            assert found.target.startswith("/")


@pytest.mark.parametrize(
    ("host", "provider", "name"),
    [
        ("API.OpenAI.com.", "openai", "api.openai.com"),
        ("localhost", "vLLM @ home", "vllm-home.here.example"),
        ("::1", "../x", "x.here.example"),
        ("10.1.2.3", "é", "unknown.here.example"),
    ],
)
def test_hosts_have_names(host: str, provider: str, name: str) -> None:
    """The recorder's own machine gets one, made of whatever the provider's label is."""

    assert host_name(host, provider) == name
    assert len(provider_name("x" * 500)) <= 50


def test_the_usage_of_a_session_is_that_of_its_answers() -> None:
    """OpenAI's and xAI's with each response, Google's the last one of a turn; a call of a tool ends none."""
    messages: list[dict[str, Any]] = [
        {"type": "response.done", "response": {"usage": {"input_tokens": 1, "output_tokens": 2}}},
        {"type": "response.done", "response": {"usage": {}}, "usage": {"input_tokens": 4, "output_tokens": 8}},
        {"toolCall": {}, "usageMetadata": {"promptTokenCount": 900}},
        {"serverContent": {"turnComplete": True}, "usageMetadata": {"promptTokenCount": 16, "responseTokenCount": 32}},
        {"usageMetadata": {"promptTokenCount": 64, "responseTokenCount": 1, "thoughtsTokenCount": 127}},
    ]

    assert total_tokens(reported([json.dumps(each) for each in messages])) == (85, 170)
    assert total_tokens(reported(["no json", "{}"])) is None


def test_only_what_is_wanted_is_kept(tmp_path: Path) -> None:
    """A choice is one of all kinds."""
    recording: Recording = read(written(tmp_path, RECORD, SESSION, CALL, "{"))
    recording.keep(lambda each: each.provider == "xai")

    assert (recording.count, len(recording.calls), recording.unplayed) == (1, 1, [])
