"""Why a record may rightly be refused: only by what is wrong with its own bytes."""

import dataclasses
from typing import Any

import pytest

from replaying.exchanges import Exchange, exchange
from replaying.faults import fault_of_reply, fault_of_request, tells_usage

PLAIN = exchange(
    {
        "id": "w1",
        "request": {"method": "POST", "url": "https://api.acme.example/", "headers": {}},
        "response": {"status": 200},
    }
)


def sent(body: bytes, kind: str = "application/json") -> Exchange:
    """An exchange with this request."""
    return dataclasses.replace(PLAIN, body=body, headers={"Content-Type": kind})


def answered(body: bytes, kind: str = "application/json", **more: Any) -> Exchange:
    """An exchange with this reply."""
    return dataclasses.replace(PLAIN, reply=body, reply_headers=(("content-type", kind),), **more)


@pytest.mark.parametrize("body", [b"", b"{}", b' [1, "x"]', b'{"a": 1}\n{"b": 2}\n', b'"text"'])
def test_what_is_right_has_no_fault(body: bytes) -> None:
    """JSON, JSON lines and nothing at all can be read, so a refusal of them has no reason."""

    assert fault_of_request(sent(body)) == ""
    assert fault_of_reply(answered(body)) == ""
    assert fault_of_request(sent(b"any text", "text/plain")) == ""


@pytest.mark.parametrize(
    "record",
    [
        sent(b'{"cut": '),
        sent(b"not json"),
        sent(b'{"cut": ', "text/plain"),
        sent(b"[" * 5000 + b"]" * 5000),
        sent(b"[" * 300 + b"]" * 300),
        sent(b"x", "multipart/form-data"),
    ],
)
def test_a_broken_request_has_one(record: Exchange) -> None:
    """Not the JSON that it says to be, too deep, a form without a boundary."""

    assert fault_of_request(record)


@pytest.mark.parametrize(
    ("body", "kind", "framing", "broken"),
    [
        (b'data: {"a": 1}\n\n', "text/event-stream", "sse", False),
        (b'data: {"a": 1}\r\n\r\n', "text/event-stream", "sse", False),
        (b'data: {"a": 1}\n\ndata: {"a', "text/event-stream", "sse", True),
        (b'data: {"a": 1}\n\nerror: {"a": 1}\n\n', "text/event-stream", "sse", True),
        (b'error: {"a": 1}\n\ndata: {"a": 1}\n\n', "text/event-stream", "sse", False),
        (b'{"a": 1}\n', "application/x-ndjson", "ndjson", False),
        (b'{"a": 1}\n{"a"', "application/x-ndjson", "ndjson", True),
        (b"\0\0\0\x20", "application/vnd.amazon.eventstream", "aws-eventstream", True),
    ],
)
def test_a_torn_stream_has_one(body: bytes, kind: str, framing: str, broken: bool) -> None:
    """A stream that ends inside an event, a line or a frame, or in a field that nobody reads."""

    assert bool(fault_of_reply(answered(body, kind, framing=framing, streaming=True))) is broken


def test_a_usage_must_stand_in_its_reply() -> None:
    """Figures that are nowhere in the body were written by somebody else; small ones prove nothing."""
    reply = b'{"usage": {"prompt_tokens": 120, "completion_tokens": 3}}'
    told = {"prompt_tokens": 120, "completion_tokens": 3}

    assert tells_usage(answered(reply, usages=(told,)))
    assert not tells_usage(answered(reply, usages=(told | {"prompt_tokens": 121},)))
    assert tells_usage(answered(reply, usages=()))
