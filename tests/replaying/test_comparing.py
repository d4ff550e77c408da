"""Comparing: whatever goes wrong on the way is seen, and what is right is called so."""

import dataclasses
import json
from typing import Any

import pytest

from replaying import aws
from replaying.client import Got
from replaying.comparing import Variant, compare, compare_usage
from replaying.exchanges import exchange
from replaying.planting import echo, planted, stand_ins, values
from replaying.upstream import CUTS, Play, pieces

WAY = Variant("1.1", "recorded")
RECORD: dict[str, Any] = {
    "id": "w1",
    "provider": "openai",
    "endpoint": "chat/completions",
    "request": {"method": "POST", "url": "https://api.openai.com/v1/chat/completions", "headers": {}, "body_b64": ""},
    "response": {"status": 200, "headers": {"content-type": "application/json"}, "body_b64": ""},
    "usage_in_body": {"prompt_tokens": 3, "completion_tokens": 4},
}
PLAIN = dataclasses.replace(
    exchange(RECORD),
    body=b'{"messages": [{"role": "user", "content": "Hello there"}], "stream": true}',
    reply=b'{"choices": [{"message": {"content": "Hello back to you"}}]}',
)
ALLOWED = {"verdict": "allowed", "rule": None, "usage": {"input_tokens": 3, "output_tokens": 4}}


def played(seen: bytes | None = PLAIN.body, got: bytes = PLAIN.reply, status: int = 200) -> tuple[Play, Got]:
    """A play that arrived as ``seen`` and a reply that came back as ``got``."""
    return Play(PLAIN, seen=seen, sent=PLAIN.reply, path=PLAIN.target), Got(status, got, "call")


def test_what_is_the_same_is_right() -> None:
    """The same bytes on both ends and the same usage: nothing to say."""
    outcome = compare(PLAIN, WAY, *played(), None)
    compare_usage(outcome, ALLOWED)

    assert outcome.problems == []
    assert outcome.checks == {"request": (1, 1), "reply": (1, 1), "usage": (1, 1)}


@pytest.mark.parametrize(
    "play",
    [
        played(seen=None),
        played(seen=PLAIN.body + b" "),
        played(got=PLAIN.reply[:-1]),
        played(status=500),
        (dataclasses.replace(played()[0], path="/other"), played()[1]),
    ],
    ids=["not sent", "request changed", "reply changed", "other status", "other path"],
)
def test_what_differs_is_said(play: tuple[Play, Got]) -> None:
    """Each difference is a problem without a reason."""
    outcome = compare(PLAIN, WAY, *play, None)
    compare_usage(outcome, ALLOWED)

    assert outcome.problems
    assert outcome.reason == ""


def test_asking_for_usage_is_noted() -> None:
    """A usage that was asked for in addition is no difference, anything else put in is one."""
    asked = PLAIN.body.replace(b"true}", b'true, "stream_options": {"include_usage": true}}')

    assert compare(PLAIN, WAY, *played(seen=asked), None).note
    assert compare(PLAIN, WAY, *played(seen=asked.replace(b"include_usage", b"x")), None).problems


def test_wrong_usage_and_refusals_are_said() -> None:
    """Other figures, and a refusal for a rule that nobody meant."""
    wrong, refused, meant = (compare(PLAIN, WAY, *played(), None) for _ in range(3))
    compare_usage(wrong, ALLOWED | {"usage": {"input_tokens": 3, "output_tokens": 5}})
    compare_usage(refused, {"verdict": "refused", "rule": "budget"})
    compare_usage(meant, {"verdict": "refused", "rule": "not_supported"})

    assert wrong.problems
    assert refused.problems == ["refused by us: budget"]
    assert meant.reason.startswith("not_supported")


def test_planted_values_must_not_arrive_and_must_come_back() -> None:
    """Caught and restored; a leak, a stand-in left in the reply and a byte beside the text are each seen."""
    drawn = values(3)
    body = planted(PLAIN.body, drawn.note())
    said = echo(PLAIN)
    assert body is not None
    assert said is not None
    seen = body
    for number, value in enumerate(drawn):
        seen = seen.replace(value.encode(), f"[ENTITY_{number:06x}]".encode())
    stood = stand_ins(seen)
    assert stood is not None
    sent, restored = said.said(stood)[0], said.said(tuple(drawn))[0]
    play = Play(PLAIN, seen=seen, sent=sent, path=PLAIN.target)
    way = dataclasses.replace(WAY, planted=True)

    right = compare(PLAIN, way, play, Got(200, restored), drawn)
    leaked = compare(PLAIN, way, dataclasses.replace(play, seen=body), Got(200, restored), drawn)
    left = compare(PLAIN, way, play, Got(200, sent), drawn)
    beside = compare(PLAIN, way, play, Got(200, restored.replace(b"choices", b"Choices")), drawn)

    assert right.problems == []
    assert right.checks == {"caught": (5, 5), "restored": (1, 1), "reply": (1, 1)}
    assert leaked.checks["caught"] == (0, 5)
    assert left.checks["restored"] == (0, 1)
    assert beside.checks["reply"] == (0, 1)
    assert not any(value in problem for value in drawn for problem in leaked.problems)


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("size", [0, 1, 700, 50_000])
def test_pieces_are_the_body(cut: str, size: int) -> None:
    """However a body is cut, its pieces are it; single bytes are single where it matters."""
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    streamed = dataclasses.replace(PLAIN, streaming=True, framing="sse")
    found = list(pieces(body, streamed, cut, focus=size // 2))

    assert b"".join(found) == body
    assert all(found)
    if cut == "1":
        assert {len(piece) for piece in found[:100]} <= {1}
        assert size > 4096 or len(found) == size


def test_frames_are_taken_off_and_put_back() -> None:
    """AWS frames with other payloads have right lengths and checksums; a flipped bit is seen."""
    whole = b"".join(aws.framed(b"", json.dumps({"text": word}).encode()) for word in ("one", "two"))

    changed = aws.wrap(whole, aws.unwrap(whole).replace(b"two", b"twenty-two"))

    assert aws.wrap(whole, aws.unwrap(whole)) == whole
    assert aws.intact(whole)
    assert aws.intact(changed)
    assert b"twenty-two" in aws.unwrap(changed)
    assert not aws.intact(changed[:-1] + bytes([changed[-1] ^ 1]))
