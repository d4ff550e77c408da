"""HTTP/1 is read within bounds on both sides."""

import pytest
from playbook import Playbook, response
from talk import ROLE, asks, attempts, piece, said

from outwarden.flow import http1
from outwarden.flow.services import Services


@pytest.mark.parametrize("size", [1000, 30_000])
def test_a_head_without_end_is_refused(play: Playbook, size: int) -> None:
    """Headers that never end do not gather in memory."""
    play.says(b"GET http://api.openai.com/v1/models HTTP/1.1\r\n")
    for _ in range(http1.MAX_HEAD_BYTES // size + 1):
        play.says(b"x-more: " + b"y" * (size - 10) + b"\r\n")

    assert play.answer.status == 431
    assert play.client_closed


def test_a_long_head_is_taken(play: Playbook) -> None:
    """Long tokens and many cookies are a few dozen KiB."""
    play.says(asks(headers={f"x-{n}": "y" * 1000 for n in range(50)}))

    assert play.upstream.got


def test_what_is_sent_ahead_is_served_in_its_order(play: Playbook) -> None:
    """A client need not wait for an answer before it sends the next call."""
    play.says(asks(text="one") + asks(text="two"))
    play.upstream.says(response(200, said("one")))
    play.upstream.says(response(200, said("two")))

    assert play.client_got.index(said("one")) < play.client_got.index(said("two"))
    assert play.ended == 2


def test_what_is_sent_ahead_is_bounded(play: Playbook) -> None:
    """While a call is answered its client cannot fill our memory."""
    play.says(asks())
    for _ in range(http1.MAX_AHEAD_BYTES // 65_536 + 1):
        play.says(b"x" * 65_536)

    assert play.client_closed


def test_an_upstreams_head_without_end_is_left(play: Playbook, services: Services) -> None:
    """The call moves on."""
    play.says(asks())
    play.upstream.says(b"HTTP/1.1 200 OK\r\n")
    first = play.upstream
    for _ in range(http1.MAX_HEAD_BYTES // 60_000 + 1):
        first.says(b"x-more: " + b"y" * 60_000 + b"\r\n")
    play.upstream.says(response(200, said("spare")))

    assert first.closed
    assert play.answer.body == said("spare")
    assert attempts(services) == [("original", "connect", None), ("spare", "ok", 200)]


def test_a_large_answer_is_no_long_head(play: Playbook) -> None:
    """What is bounded is the head, not what follows it."""
    play.says(asks())
    play.upstream.says(response(200, said("x" * 300_000)))

    assert play.answer.body == said("x" * 300_000)


def test_a_call_and_its_answer_leave_in_one_piece_each(play: Playbook) -> None:
    """A head by itself would be a packet by itself, and one more that somebody wakes up for."""
    play.says(asks())
    play.upstream.says(response(200, said("one")))

    request, answer = (command.data for command in play.sent)
    assert request == play.upstream.got
    assert answer == play.client_got
    assert play.answer.body == said("one")


def test_a_stream_begins_with_its_head_in_one_piece(play: Playbook) -> None:
    """What was held for the first content leaves with it."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("one"), piece(" two"))

    _, begin, more = (command.data for command in play.sent)
    assert begin.startswith(b"HTTP/1.1 200")
    assert ROLE in begin
    assert play.client_got == begin + more


def test_a_head_that_nothing_follows_leaves_alone(play: Playbook) -> None:
    """An answer without a body is not kept for one."""
    play.says(asks())
    play.upstream.says(b"HTTP/1.1 204 No Content\r\n\r\n")

    assert play.answer.status == 204
    assert len(play.sent) == 2
