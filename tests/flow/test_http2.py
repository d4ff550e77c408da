"""A client that resets its stream has left, however soon it does so."""

from collections.abc import Callable

from playbook import Playbook, response
from talk import PATH, chat, record, said

from outwarden.flow.services import Services


def test_a_reset_that_comes_with_its_request_is_seen(open_play: Callable[..., Playbook], services: Services) -> None:
    """Both are read at once: no upstream is asked, nothing stays held, and the record says why."""
    play = open_play(http2=True)
    assert play.h2
    play.h2.asks_and_cancels(PATH, chat())

    assert [upstream.got for upstream in play.upstreams if upstream.got] == []
    assert play.ended == 1
    assert record(services)["verdict"] == "client_gone"
    assert sum(state.pending for state in services.ledger.states()) == 0


def test_the_calls_beside_it_go_on(open_play: Callable[..., Playbook], services: Services) -> None:
    """It was one stream, and the next one is a stream as any."""
    play = open_play(http2=True)
    assert play.h2
    play.h2.asks_and_cancels(PATH, chat(text="one"))
    second = play.h2.asks(PATH, chat(text="two"))
    play.upstream.says(response(200, said("two")))

    assert play.h2.bodies[second] == said("two")
    assert play.ended == 2
    assert record(services)["verdict"] == "allowed"
