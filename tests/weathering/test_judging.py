"""What a client in the storm calls whole, an error, or wrong: a judge that lets a cut answer pass is worth nothing."""

import json
from typing import Any

import pytest

from weathering.calls import Call
from weathering.client import Reply
from weathering.judging import judge

TEXT = "<000001> amber river <000001/>"
STREAM = {"content-type": "text/event-stream"}


def call(api: Any = "openai", *, stream: bool = True) -> Call:
    """A call that says TEXT."""
    return Call(1, api, "spares", stream=stream, http2=False, key="k", team="wide", text=TEXT)


def chat(*texts: str, finish: str | None = "stop", done: bool = True, error: bool = False, model: str = "m") -> bytes:
    """A stream of OpenAI's."""
    sent: list[Any] = [{"delta": {"content": text}} for text in texts]
    sent += [{"delta": {}, "finish_reason": finish}] if finish else []
    events = [json.dumps({"id": "i", "model": model, "choices": [choice]}) for choice in sent]
    events += [json.dumps({"error": {"message": "no", "code": "cut"}})] if error else []
    return "".join(f"data: {event}\n\n" for event in [*events, *(["[DONE]"] if done else [])]).encode()


def message(text: str, *kinds: str) -> bytes:
    """A stream of Anthropic's, of events of these kinds."""
    more: dict[str, Any] = {
        "content_block_delta": {"delta": {"type": "text_delta", "text": text}},
        "message_delta": {"delta": {"stop_reason": "end_turn"}},
        "error": {"error": {"type": "api_error", "message": "no"}},
    }
    events = (json.dumps({"type": kind} | more.get(kind, {})) for kind in kinds)
    return "".join(f"event: x\ndata: {event}\n\n" for event in events).encode()


WHOLE = ("message_start", "content_block_start", "content_block_delta", "content_block_stop")
END = ("message_delta", "message_stop")


def told(body: bytes, api: Any = "openai", **more: Any) -> str:
    """The kind of a streamed reply with this body."""
    return judge(call(api), Reply(200, STREAM, bytearray(body)), 10, **more).kind


def test_a_whole_stream_is_whole() -> None:
    """All of the text and the end that its API has; where the upstream did not send the last marker, without it."""
    assert told(chat(TEXT[:9], TEXT[9:])) == "whole"
    assert told(message(TEXT, *WHOLE, *END), "anthropic") == "whole"
    assert told(chat(TEXT, done=False), is_ended=False) == "whole"


def test_an_error_that_says_so_is_an_error() -> None:
    """As a status with a body in the API's shape, or as the last event of a stream."""
    body = bytearray(b'{"error": {"message": "no", "code": "upstream_failed"}}')

    assert told(chat(TEXT[:9], finish=None, done=False, error=True)) == "error"
    assert told(message(TEXT[:5], *WHOLE[:3], "error"), "anthropic") == "error"
    assert judge(call(), Reply(502, {}, body), 10).told == "502 upstream_failed"


@pytest.mark.parametrize(
    "body",
    [
        chat(TEXT[:9]),  # cut, and ended as if it were whole
        chat(TEXT[:9], done=False),
        chat(TEXT, finish=None),  # nobody said why it ended
        chat(TEXT, done=False),  # the upstream sent an end, which is not here
        chat(TEXT, finish="length"),
        chat(TEXT, "more"),
        chat(TEXT) + chat(TEXT),  # two answers
        chat(TEXT[:9], finish=None, done=False) + chat(TEXT[9:], model="other"),  # glued together of two
        chat(TEXT, error=True),  # a clean end behind an error
        chat(TEXT)[:-2],
        b"data: {\n\n",
        b"",
    ],
)
def test_what_no_reply_of_openai_may_be(body: bytes) -> None:
    """A success that is not all of the answer, or more than it."""
    assert told(body) == "wrong"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (TEXT[:9], (*WHOLE, *END)),
        (TEXT, (*WHOLE, END[0])),
        (TEXT, WHOLE),
        (TEXT, ("message_start", *WHOLE, *END)),
        (TEXT, (*WHOLE, *END, "error", *END)),
    ],
)
def test_what_no_reply_of_anthropic_may_be(text: str, kinds: tuple[str, ...]) -> None:
    """As with OpenAI's; exactly one message begins, and it ends."""
    assert told(message(text, *kinds), "anthropic") == "wrong"


def test_torn_late_and_shapeless_replies_are_wrong() -> None:
    """A connection that breaks, an answer after its time, an error nobody can read."""
    assert judge(call(), Reply(torn="EOFError"), 10).kind == "wrong"
    assert judge(call(), Reply(200, STREAM, bytearray(chat(TEXT)), seconds=11), 10).kind == "wrong"
    assert judge(call(), Reply(502, {}, bytearray(b"Bad gateway")), 10).kind == "wrong"
    assert judge(call(stream=False), Reply(200, {}, bytearray(b'{"choices"')), 10).kind == "wrong"
    assert judge(call(), Reply(left=True), 10).kind == "left"
