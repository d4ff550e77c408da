"""Before the first content a failure moves the call, after it the client is told: never a silent half, never two."""

import json
from collections.abc import Callable

import pytest
from playbook import OPENAI, Playbook, Upstream, request, response, response_head
from talk import BILL, DONE, FAULT, ROLE, STOP, asks, attempts, error_of, event, piece, record, said, text_of

from outwarden.flow.services import Services
from outwarden.wire.aws_events import make_frame

SPARE = ("spare.example", 8080)
THIRD = ("third.example", 8080)

# What an upstream does before it has said anything, and how the record names it.
FAULTS: dict[str, tuple[Callable[[Upstream], None], str, int | None]] = {
    "503": (lambda up: up.says(response(503, b'{"error": {}}')), "5xx", 503),
    "429": (lambda up: up.says(response(429, b'{"error": {}}')), "429", 429),
    "529": (lambda up: up.says(response(529, b"")), "5xx", 529),
    "a 503 that streams": (lambda up: up.streams(FAULT, head=response_head(503, {})), "5xx", 503),
    "a reset before the head": (lambda up: up.breaks(), "connect", None),
    "a reset in the head": (lambda up: (up.says(b"HTTP/1.1 200 OK\r\ncont"), up.breaks())[1], "connect", None),
    "no HTTP": (lambda up: up.says(b"SSH-2.0-dropbear\r\n\r\n"), "connect", None),
}
STREAM_FAULTS: dict[str, Callable[[Upstream], None]] = {
    "an error event": lambda up: up.streams(FAULT, DONE, b""),
    "an error event after the role": lambda up: up.streams(ROLE, FAULT, b""),
    "an error body that claims to be a stream": lambda up: up.says(
        response(200, b'{"error": {"message": "x", "code": "overloaded"}}', {"content-type": "text/event-stream"})
    ),
    "a reset after the role": lambda up: (up.streams(ROLE), up.breaks())[1],
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("stream", [False, True])
def test_a_failure_before_the_answer_moves_the_call(
    play: Playbook, services: Services, fault: str, stream: bool
) -> None:
    """The client sees one good answer, of the next upstream, and nothing of the first."""
    fail, outcome, status = FAULTS[fault]
    play.says(asks(stream=stream))
    fail(play.upstream)
    assert play.upstream.address == SPARE
    assert play.client_got == b""
    assert play.upstreams[0].closed or play.upstreams[0].connection.state.value == 0

    if stream:
        play.upstream.streams(ROLE, piece("spare"), STOP, DONE, b"")
        assert play.answer.body == ROLE + piece("spare") + STOP + DONE
    else:
        play.upstream.says(response(200, said("spare")))
        assert play.answer.body == said("spare")
    assert attempts(services) == [("original", outcome, status), ("spare", "ok", 200)]
    assert record(services)["served"]["upstream"] == "spare"
    assert play.ended == 1


@pytest.mark.parametrize("fault", STREAM_FAULTS)
def test_a_stream_that_fails_before_its_content_moves(play: Playbook, services: Services, fault: str) -> None:
    """What a failed stream said before its first content is forgotten: one role, one answer."""
    play.says(asks(stream=True))
    STREAM_FAULTS[fault](play.upstream)
    assert play.client_got == b""
    play.upstream.streams(ROLE, piece("spare"), STOP, BILL, DONE, b"")

    assert play.answer.body == ROLE + piece("spare") + STOP + DONE
    assert [each[:2] for each in attempts(services)] == [("original", "stream_error"), ("spare", "ok")]
    assert record(services)["usage"] == {"input_tokens": 9, "output_tokens": 2}


def test_the_request_is_written_for_each_upstream(play: Playbook) -> None:
    """The next upstream gets its own model, host and path, from what the caller aimed and not from the last attempt."""
    play.says(asks(temperature=0.10))
    for _ in range(3):
        play.upstream.says(response(503, b""))
    original, spare, third = play.upstreams

    assert b'"model": "gpt-4o"' in original.got
    for upstream, name in ((spare, b"spare.example:8080"), (third, b"third.example:8080")):
        assert upstream.got.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
        assert b"host: " + name in upstream.got.lower()
        assert b'"model": "spare-model"' in upstream.got
        assert upstream.got.partition(b"\r\n\r\n")[2] == original.got.partition(b"\r\n\r\n")[2].replace(
            b'"gpt-4o"', b'"spare-model"'
        )


def test_when_all_fail_the_last_error_is_the_answer(play: Playbook, services: Services) -> None:
    """An upstream's own error is shown rather than one of ours, and nothing is charged."""
    play.says(asks())
    play.upstream.says(response(503, b""))
    play.upstream.breaks()
    body = b'{"error": {"message": "slow down", "code": "rate_limit_exceeded"}}'
    play.upstream.says(response(429, body, {"retry-after": "7"}))

    assert (play.answer.status, play.answer.body) == (429, body)
    assert play.answer.headers["retry-after"] == "7"
    assert [each[1] for each in attempts(services)] == ["5xx", "connect", "429"]
    assert record(services)["cost_usd"] == "0"


def test_when_nothing_answers_the_error_is_ours(play: Playbook, services: Services) -> None:
    """Every connection is refused: a clear error in the provider's shape, and no money is taken."""
    play.connects = lambda address: "Connection refused"
    play.says(asks())

    assert play.answer.status == 502
    assert json.loads(play.answer.body)["error"]["code"] == "upstream_unreachable"
    assert "third" in json.loads(play.answer.body)["error"]["message"]
    assert attempts(services) == [(name, "connect", None) for name in ("original", "spare", "third")]
    assert record(services)["verdict"] == "failed"
    assert record(services)["cost_usd"] == "0"
    assert play.ended == 1


def test_a_refused_connection_moves_the_call_at_once(play: Playbook, services: Services) -> None:
    """A dead primary is no reason to wait."""
    play.connects = lambda address: "Connection refused" if address[0] == OPENAI else None
    play.says(asks())
    play.upstream.says(response(200, said("spare")))

    assert play.answer.body == said("spare")
    assert attempts(services) == [("original", "connect", None), ("spare", "ok", 200)]


def test_an_untrusted_certificate_is_named_as_that(play: Playbook) -> None:
    """The client learns that the certificate failed, not what was in it."""
    play.connects = lambda address: "Certificate verify failed: self-signed certificate (secret.corp)"
    play.says(asks("gpt-4o-mini"))

    message = json.loads(play.answer.body)["error"]["message"]
    assert "certificate" in message
    assert "secret.corp" not in message


def test_a_refused_connection_is_tried_anew_by_the_next_call(play: Playbook) -> None:
    """A failure does not stick to the client's connection (DESIGN.md §3.3)."""
    play.connects = lambda address: "Connection refused"
    play.says(asks("gpt-4o-mini"))
    assert play.answer.status == 502

    play.connects = lambda address: None
    play.client_got = b""
    play.says(asks("gpt-4o-mini"))
    play.upstream.says(response(200, said("back")))
    assert play.answer.body == said("back")


def test_a_breaker_is_per_host(play: Playbook, services: Services) -> None:
    """What failed at one host says nothing about "original" at another."""
    play.says(asks())
    play.upstream.says(response(503, b""))
    play.upstream.says(response(200, said("spare")))

    assert set(services.health.states(play.clock.now)) == {f"original {OPENAI} gpt-4o"}


def test_the_wait_for_the_first_content_is_remembered(play: Playbook, services: Services) -> None:
    """Of the upstream that answered; an error of the caller's own says nothing of how fast it is."""
    play.says(asks())
    play.upstream.says(response(503, b""))
    play.upstream.says(response(200, said("spare")))

    waits = {
        name: services.health.usual_wait(name, play.clock.now)
        for name in (f"original {OPENAI} gpt-4o", "spare spare-model")
    }
    assert waits[f"original {OPENAI} gpt-4o"] is None
    assert waits["spare spare-model"] is not None


@pytest.mark.parametrize("after", [[], [ROLE], [ROLE, STOP]])
def test_a_route_without_another_upstream_shows_the_error(play: Playbook, after: list[bytes]) -> None:
    """No other upstream: the client sees the upstream's own error event, after what came before it."""
    play.says(asks("gpt-4o-mini", stream=True))
    play.upstream.streams(*after, FAULT, b"")

    assert play.answer.status == 200
    assert play.answer.body == b"".join(after) + FAULT
    assert play.answer.complete
    assert play.ended == 1


def test_an_error_after_the_content_stays_in_the_stream(play: Playbook, services: Services) -> None:
    """After the first content no upstream takes over: the client sees the error where it happened."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("one "), piece("two "), FAULT, b"")

    assert len(play.upstreams) == 1
    assert text_of(play.answer.body) == "one two "
    assert error_of(play.answer.body) == "overloaded"
    assert float(record(services)["cost_usd"]) > 0


def test_a_cut_after_the_content_is_an_error_never_an_end(play: Playbook, services: Services) -> None:
    """A connection lost in the middle ends the stream with the format's error event; what was said is charged."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("one "), piece("two "))
    play.upstream.breaks()

    assert len(play.upstreams) == 1
    assert error_of(play.answer.body) == "upstream_cut"
    assert b"[DONE]" not in play.answer.body
    assert play.answer.complete
    assert play.ended == 1
    assert record(services)["verdict"] == "failed"
    assert record(services)["usage_source"] == "estimate"
    assert float(record(services)["cost_usd"]) > 0


def test_a_whole_answer_that_is_cut_moves(play: Playbook) -> None:
    """Nothing of a whole answer has reached the client before it is whole, so the call can still move."""
    play.says(asks())
    play.upstream.says(response(200, said("first"))[:-5])
    play.upstream.breaks()
    play.upstream.says(response(200, said("spare")))

    assert play.answer.body == said("spare")


def test_what_an_abandoned_attempt_says_is_not_heard(play: Playbook) -> None:
    """Bytes that were still on their way from a connection that was left find nobody."""
    play.says(asks(stream=True))
    first = play.upstream
    play.passes(31)
    assert play.upstream.address == SPARE
    first.streams(ROLE, piece("late"), DONE, b"")
    play.upstream.streams(ROLE, piece("spare"))
    first.chunk(piece("later"))
    play.upstream.chunk(DONE)
    play.upstream.chunk(b"")

    assert b"late" not in play.client_got
    assert text_of(play.answer.body) == "spare"
    assert play.ended == 1


def test_an_upstream_that_is_tried_again_gets_a_pause(play: Playbook, services: Services) -> None:
    """``retries: 1``: the same upstream once more, after a pause; then its answer is the answer."""
    play.says(asks("gpt-4.1"))
    play.upstream.says(response(503, b""))
    assert len(play.upstreams) == 1
    play.passes(1)
    assert len(play.upstreams) == 2
    play.upstream.says(response(503, b"again"))

    assert (play.answer.status, play.answer.body) == (503, b"again")
    assert attempts(services) == [("original", "5xx", 503), ("original", "5xx", 503)]


def test_retry_after_is_honoured(play: Playbook) -> None:
    """An upstream that asks for three seconds gets them."""
    play.says(asks("gpt-4.1"))
    play.upstream.says(response(429, b"", {"retry-after": "3"}))
    play.passes(2.9)
    assert len(play.upstreams) == 1
    play.passes(0.5)
    assert len(play.upstreams) == 2
    play.upstream.says(response(200, said("hi")))

    assert play.answer.body == said("hi")


@pytest.mark.parametrize("value", ["soon", "-1", "Fri, 31 Dec 1999 23:59:59 GMT", "\u00b2", ""])
def test_an_odd_retry_after_is_no_reason_to_fail(play: Playbook, value: str) -> None:
    """A header that gives no seconds counts as none."""
    play.says(asks("gpt-4.1"))
    head = f"HTTP/1.1 429 X\r\nretry-after: {value}\r\ncontent-length: 0\r\n\r\n"
    play.upstream.says(head.encode())
    play.passes(1)
    play.upstream.says(response(200, said("hi")))

    assert play.answer.body == said("hi")


def test_one_hold_covers_all_attempts(play: Playbook, services: Services) -> None:
    """The hold is taken once and resolved once, at the price of the upstream that answered."""
    before = spent(services)
    play.says(asks())
    play.upstream.says(response(503, b""))
    assert pending(services) > 0
    play.upstream.says(response(200, said("spare")))

    assert pending(services) == 0
    cost = float(record(services)["cost_usd"])
    assert cost == pytest.approx((9 + 2) * 0.2 / 1e6)
    assert spent(services) - before == pytest.approx(cost)


def test_a_stream_without_its_end_marker_is_complete(play: Playbook, services: Services) -> None:
    """A provider that forgets ``[DONE]`` is no failure when the body ends properly."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("all said"), STOP, BILL, b"")

    assert text_of(play.answer.body) == "all said"
    assert error_of(play.answer.body) is None
    assert play.answer.complete
    assert record(services)["verdict"] == "allowed"


def test_a_stream_that_ends_too_early_is_no_success(play: Playbook, services: Services) -> None:
    """A body that ends cleanly in the middle of an answer is a truncated answer, and the client is told."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("one "), piece("two "), b"")

    assert error_of(play.answer.body) == "upstream_cut"
    assert record(services)["verdict"] == "failed"


MALFORMED = b'data: {"choices": [{"delta": {"con\n\n'


def test_a_malformed_event_ends_a_stream_with_an_error(play: Playbook, services: Services) -> None:
    """An event that is no JSON would break the client's parser and hide its text from ours: the stream ends there."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("one "), MALFORMED, piece("two "), STOP, DONE, b"")

    assert text_of(play.answer.body) == "one "
    assert error_of(play.answer.body) == "upstream_malformed"
    assert b"[DONE]" not in play.answer.body
    assert attempts(services) == [("original", "stream_error", None)]


def test_a_malformed_event_before_the_content_moves_the_call(play: Playbook) -> None:
    """Nothing was shown yet, so another upstream may do better."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, MALFORMED)
    play.upstream.streams(ROLE, piece("spare"), STOP, DONE, b"")

    assert play.answer.body == ROLE + piece("spare") + STOP + DONE


AWS = {"content-type": "application/vnd.amazon.eventstream", "transfer-encoding": "chunked"}
FRAME = {":message-type": "event", ":content-type": "application/json"}
START = make_frame(FRAME | {":event-type": "messageStart"}, b'{"role":"assistant"}')
TEXT = make_frame(FRAME | {":event-type": "contentBlockDelta"}, b'{"contentBlockIndex":0,"delta":{"text":"hello"}}')
END = make_frame(FRAME | {":event-type": "messageStop"}, b'{"stopReason":"end_turn"}')
FALSE_FRAMES = {
    "checksum of the frame": TEXT[:-1] + bytes([TEXT[-1] ^ 1]),
    "text changed on the way": TEXT.replace(b"hello", b"jello"),
    "checksum of its lengths": TEXT[:8] + bytes([TEXT[8] ^ 1]) + TEXT[9:],
    "lengths": TEXT[:3] + bytes([TEXT[3] ^ 1]) + TEXT[4:],
    "no frame at all": b"<html>Bad Gateway</html>" * 9,
    "cut": TEXT[:30],
}


@pytest.fixture
def bedrock(open_services: Callable[..., Services], open_play: Callable[..., Playbook]) -> Playbook:
    """A connection whose calls to Bedrock may move to another region."""
    second = {"url": "http://second.example", "provider": "aws", "format": "bedrock", "auth": {"bearer": "env:PATH"}}
    rest = {"name": "rest", "match": {"model": "*"}, "targets": ["original", "second"]}
    return open_play(open_services(routes={"upstreams": {"second": second}, "routes": [rest]}))


def converses() -> bytes:
    """A call with a Bedrock API key."""
    path = "/model/anthropic.claude-3-5-sonnet-20241022-v2%3A0/converse-stream"
    body = b'{"messages":[{"role":"user","content":[{"text":"hello"}]}],"inferenceConfig":{"maxTokens":50}}'
    return request(path, body, {"authorization": "Bearer x"}, host="bedrock-runtime.us-east-1.amazonaws.com")


@pytest.mark.parametrize("fault", FALSE_FRAMES)
def test_a_false_frame_before_the_content_moves_the_call(bedrock: Playbook, fault: str) -> None:
    """Checksums, lengths, a page of some proxy's in between: nothing was shown yet, so another upstream may serve."""
    bedrock.says(converses())
    kind = response_head(200, AWS)
    bedrock.upstream.streams(START, FALSE_FRAMES[fault], b"", head=kind)
    assert bedrock.upstream.address[0] == "second.example"
    bedrock.upstream.streams(START, TEXT, END, b"", head=kind)

    assert bedrock.answer.status == 200
    assert bedrock.answer.body == START + TEXT + END


def test_a_false_frame_behind_the_content_ends_the_stream(bedrock: Playbook) -> None:
    """With an exception that says what is wrong, in a frame that is sound."""
    bedrock.says(converses())
    false = FALSE_FRAMES["checksum of the frame"]
    bedrock.upstream.streams(START, TEXT, false, END, b"", head=response_head(200, AWS))

    assert bedrock.answer.body.startswith(START)
    assert b"upstream_malformed" in bedrock.answer.body
    assert false not in bedrock.answer.body


def test_an_unfinished_event_is_no_answer(play: Playbook) -> None:
    """The reader of these tests sees an event without choices as nothing said."""
    assert text_of(event({"id": 1})) == ""


def spent(services: Services) -> float:
    """What the budget has been charged, in dollars."""
    return float(services.ledger.states()[0].posted) / 1e9


def pending(services: Services) -> int:
    """What is held, in nano-dollars."""
    return services.ledger.states()[0].pending


def test_a_connection_that_breaks_is_opened_again_by_the_client(play: Playbook, services: Services) -> None:
    """Where nobody else is asked, SDKs do what they do without us: they try again."""
    play.says(asks("gpt-4o-mini"))
    play.upstream.breaks()

    assert play.answer.status == 502
    assert "x-should-retry" not in play.answer.headers


def test_what_was_tried_elsewhere_is_not_tried_again_by_the_client(play: Playbook, services: Services) -> None:
    """Else each retry of an SDK would be as many attempts as the route has targets."""
    play.says(asks())
    for _ in range(3):
        play.upstream.breaks()

    assert play.answer.status == 502
    assert play.answer.headers["x-should-retry"] == "false"


def test_a_silent_upstream_is_not_asked_again_by_the_client(play: Playbook, services: Services) -> None:
    """It may be at work on the first call."""
    play.says(asks("gpt-4o-mini"))
    play.passes(31)

    assert play.answer.status == 504
    assert play.answer.headers["x-should-retry"] == "false"


def test_a_picture_is_not_made_twice_by_the_client(play: Playbook, services: Services) -> None:
    """It may have been made."""
    body = json.dumps({"model": "gpt-image-1", "prompt": "a fox", "size": "1024x1024", "quality": "low"}).encode()
    play.says(request("/v1/images/generations", body))
    play.upstream.breaks()

    assert play.answer.status == 502
    assert play.answer.headers["x-should-retry"] == "false"
