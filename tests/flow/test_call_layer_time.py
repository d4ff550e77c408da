"""Every wait has an end: connect, first byte, first content, idle, total. Time passes only when a test says so."""

import json
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from mitmproxy.proxy import events
from playbook import OPENAI, Playbook, response, response_head
from talk import BILL, DONE, PATH, ROLE, STOP, asks, attempts, chat, error_of, piece, record, said, text_of

from outwarden.flow.services import Services
from outwarden.flow.upload import Tick
from outwarden.flow.waits import Ticks

SPARE = ("spare.example", 8080)


def test_a_connection_that_does_not_open_is_left(play: Playbook, services: Services) -> None:
    """After ``connect`` seconds the call moves; a connection that opens later gets no request."""
    play.connects = lambda address: "silence" if address[0] == OPENAI else None
    play.says(asks())
    play.passes(4.9)
    assert play.upstreams == []
    play.passes(0.2)
    assert play.upstream.address == SPARE

    play.accept(play.silent[0])
    assert play.upstream.address[0] == OPENAI
    assert play.upstream.got == b""
    play.upstreams[0].says(response(200, said("spare")))
    assert play.answer.body == said("spare")
    assert attempts(services) == [("original", "connect", None), ("spare", "ok", 200)]


def test_a_connection_that_fails_after_it_was_left_is_no_news(play: Playbook) -> None:
    """The failure of a connection that was left already does not move the call once more."""
    play.connects = lambda address: "silence" if address[0] == OPENAI else None
    play.says(asks())
    play.passes(5.1)
    play.refuse(play.silent[0], "Connection timed out")
    assert len(play.upstreams) == 1
    play.upstream.says(response(200, said("spare")))

    assert play.answer.body == said("spare")


def test_a_connection_that_nobody_waits_for_is_closed(play: Playbook) -> None:
    """Else each call to a deaf upstream would leave one behind for as long as its client stays; the next opens anew."""
    play.connects = lambda address: "silence" if address[0] == OPENAI else None
    play.says(asks("gpt-4o-mini"))
    play.passes(5.1)
    assert play.answer.status == 502
    assert play.closed == [play.silent[0].connection]

    play.client_got = b""
    play.connects = lambda address: None
    play.says(asks("gpt-4o-mini"))
    play.upstream.says(response(200, said("anew")))
    assert play.answer.body == said("anew")


def test_a_retry_waits_for_a_connection_of_its_own(play: Playbook, services: Services) -> None:
    """A packet that was lost, a handshake that hangs: to wait for the same connection again would be no retry."""
    play.connects = lambda address: "silence"
    play.says(asks("gpt-4.1"))
    play.passes(5.1)
    play.passes(1.0)
    assert len(play.silent) == 2
    play.accept(play.silent[1])
    play.upstream.says(response(200, said("well")))

    assert play.answer.body == said("well")
    assert attempts(services) == [("original", "connect", None), ("original", "ok", 200)]


def test_a_connection_that_another_call_waits_for_stays(open_play: Callable[..., Playbook]) -> None:
    """Of two calls that wait for one connection the later one has its own time."""
    play = open_play(http2=True)
    assert play.h2
    play.connects = lambda address: "silence"
    play.h2.asks(PATH, chat("gpt-4o-mini"))
    play.passes(3.0)
    second = play.h2.asks(PATH, chat("gpt-4o-mini"))
    play.passes(2.5)
    assert play.closed == []
    assert len(play.silent) == 1
    play.accept(play.silent[0])
    play.upstream.says(response(200, said("in time")))

    assert play.h2.bodies[second] == said("in time")


def test_a_silent_upstream_is_left_and_not_asked_again(play: Playbook, services: Services) -> None:
    """Accepted and never answered: after ``first_byte`` the next upstream, never the silent one again."""
    play.says(asks())
    play.passes(29.9)
    assert len(play.upstreams) == 1
    play.passes(0.2)
    assert play.upstreams[0].closed
    assert play.upstream.address == SPARE
    play.upstream.says(response(200, said("spare")))

    assert attempts(services) == [("original", "timeout", None), ("spare", "ok", 200)]


def test_when_all_are_silent_the_answer_says_so(play: Playbook, services: Services) -> None:
    """A time-out is a 504 in the provider's shape; the silent upstreams may have billed, so the input is charged."""
    play.says(asks("gpt-4o-mini"))
    play.passes(31)

    assert play.answer.status == 504
    assert json.loads(play.answer.body)["error"]["code"] == "upstream_timeout"
    assert record(services)["verdict"] == "failed"
    assert record(services)["usage_source"] == "estimate"
    assert play.ended == 1


def test_a_stream_whose_first_content_is_late_moves(play: Playbook, services: Services) -> None:
    """Lifecycle events do not count as an answer: the client sees one role, that of the upstream that spoke."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE)
    play.passes(19.9)
    assert len(play.upstreams) == 1
    play.passes(0.2)
    play.upstream.streams(ROLE, piece("spare"), STOP, DONE, b"")

    assert play.answer.body == ROLE + piece("spare") + STOP + DONE
    assert attempts(services) == [("original", "timeout", None), ("spare", "ok", 200)]


def test_comments_do_not_put_off_the_first_content(play: Playbook) -> None:
    """An upstream that sends keep-alives and no content is left all the same."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE)
    for _ in range(4):
        play.passes(5.1)
        if len(play.upstreams) == 1:
            play.upstream.chunk(b": keep-alive\n\n")

    assert play.upstream.address == SPARE
    assert play.client_got == b""


def test_a_stream_that_stalls_ends_in_an_error(play: Playbook, services: Services) -> None:
    """A stall after the first content ends in the format's error event, in bounded time, and the upstream is left."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("one "), piece("two "))
    play.passes(14.9)
    assert not play.answer.complete
    play.passes(0.2)

    assert play.answer.complete
    assert error_of(play.answer.body) == "upstream_timeout"
    assert b"[DONE]" not in play.answer.body
    assert play.upstream.closed
    assert len(play.upstreams) == 1
    assert play.ended == 1
    assert float(record(services)["cost_usd"]) > 0


def test_a_slow_stream_lives(play: Playbook) -> None:
    """Each piece starts the idle time anew."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("begin "))
    for word in ("a ", "slow ", "answer "):
        play.passes(14)
        play.upstream.chunk(piece(word))
    play.passes(14)
    for last in (STOP, BILL, DONE, b""):
        play.upstream.chunk(last)

    assert text_of(play.answer.body) == "begin a slow answer "
    assert play.answer.complete
    assert error_of(play.answer.body) is None


def test_a_call_has_a_total(play: Playbook) -> None:
    """However steadily a stream drips, it ends after ``total`` seconds."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("drip "))
    for _ in range(12):
        play.passes(10)
        if not play.answer.complete:
            play.upstream.chunk(piece("drip "))

    assert error_of(play.answer.body) == "upstream_timeout"
    assert play.answer.complete
    assert play.upstream.closed


def test_the_total_covers_whole_answers(play: Playbook) -> None:
    """A whole answer that drips is given up after ``total`` seconds, and the client is told."""
    play.says(asks())
    play.upstream.says(response_head(200, {"content-type": "application/json", "content-length": "1000"}))
    for _ in range(12):
        play.passes(10)
        if not play.client_got:
            play.upstream.says(b"x")

    assert play.answer.status == 504
    assert play.answer.complete
    assert len(play.upstreams) == 1


def test_the_total_covers_all_attempts(open_play, open_services) -> None:  # type: ignore[no-untyped-def]
    """Time that failed attempts took is gone: no later attempt begins after the total."""
    routes = {
        "routes": [
            {
                "name": "short",
                "match": {"model": "*"},
                "targets": ["original"],
                "retries": 5,
                "timeouts": {"connect": "5s", "first_byte": "30s", "total": "6s"},
            }
        ]
    }
    play = open_play(open_services(routes=routes))
    play.connects = lambda address: "silence"
    play.says(asks())
    play.passes(20)

    assert play.answer.status == 504
    assert play.ended == 1
    assert len(play.silent) <= 2


def test_a_pause_ends_with_the_total(open_play, open_services) -> None:  # type: ignore[no-untyped-def]
    """A Retry-After that is longer than the call may last ends it at the total, not later."""
    routes = {
        "routes": [
            {
                "name": "short",
                "match": {"model": "*"},
                "targets": ["original"],
                "retries": 1,
                "timeouts": {"total": "2s"},
            }
        ]
    }
    play = open_play(open_services(routes=routes))
    play.says(asks())
    play.upstream.says(response(503, b"", {"retry-after": "9"}))
    play.passes(2.5)

    assert play.answer.status == 504
    assert len(play.upstreams) == 1
    play.passes(30)
    assert len(play.upstreams) == 1
    assert play.ended == 1


@pytest.mark.parametrize("stream", [False, True])
def test_after_the_end_no_timer_does_anything(play: Playbook, stream: bool) -> None:
    """Timers of a call that is over find nothing to do."""
    play.says(asks(stream=stream))
    if stream:
        play.upstream.streams(ROLE, piece("hi"), STOP, DONE, b"")
    else:
        play.upstream.says(response(200, said("hi")))
    got, hooks = play.client_got, list(play.hooks)
    play.passes(500)

    assert play.client_got == got
    assert play.hooks == hooks
    assert play._timers == []


def test_timers_do_not_pile_up(play: Playbook) -> None:
    """A long stream has one timer at a time, however many pieces it has."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE)
    for _ in range(500):
        play.upstream.chunk(piece("word "))
        play.passes(0.01)

    assert len(play._timers) <= 2


def test_a_timer_that_fires_early_is_set_again(play: Playbook) -> None:
    """A wake-up before the deadline, as a coarse clock gives it, changes nothing but the timer."""
    play.says(asks())
    _, command = play._timers.pop()
    play.feed(events.Wakeup(command))

    assert len(play._timers) == 1
    assert len(play.upstreams) == 1


def test_a_tick_of_the_layer_inside_a_connect_goes_on_to_it(play: Playbook) -> None:
    """The outer layer of a tunnel sees the wake-ups of the inner one; kept here, no call inside would ever time out."""
    seen: list[events.Event] = []
    tick = Tick(1.0, Ticks())
    play.layer.command_sources[tick] = SimpleNamespace(handle_event=lambda event: iter(seen.append(event) or ()))  # type: ignore[assignment,func-returns-value]
    play.feed(events.Wakeup(tick))

    assert [type(event) for event in seen] == [events.Wakeup]
