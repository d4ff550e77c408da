"""Content rules refuse or flag what they name: in requests before all else, in replies wherever the text is cut."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playbook import Playbook, request, response
from talk import DONE, PATH, ROLE, STOP, asks, chat, error_of, piece, record, said

from outwarden.flow.services import Services

CONTENT = {
    "rules": [
        {"name": "no-codename", "pattern": "(?i)bluebird", "action": "refuse", "direction": "request"},
        {"name": "no-reply", "pattern": "forbidden-[0-9]+", "action": "refuse", "direction": "response"},
        {"name": "watched", "pattern": "merger", "action": "flag"},
    ]
}
BUDGET = {"budgets": [{"name": "everything", "scope": "all", "limit_usd": 1000, "window": "lifetime"}]}


@pytest.fixture(scope="module")
def ruled(open_services: Callable[..., Services]) -> Services:
    """Services with content rules."""
    return open_services(content=CONTENT, budgets=BUDGET)


@pytest.fixture
def play(open_play: Callable[..., Playbook], ruled: Services) -> Playbook:
    """A client under those rules."""
    return open_play(ruled)


def code(play: Playbook) -> Any:
    """The code of the error that the client got."""
    return json.loads(play.answer.body)["error"]["code"]


@pytest.mark.parametrize(
    "body",
    [
        chat(text="about BlueBird"),
        json.dumps({"model": "gpt-4o", "messages": [], "metadata": {"bluebird": "x"}}).encode(),
        b'{"model": "gpt-4o", "messages": [{"role": "user", "content": "b\\u006cuebird"}]}',
    ],
)
def test_a_request_is_refused_by_its_rule(play: Playbook, ruled: Services, body: bytes) -> None:
    """In any string or key, however escaped: 403 with the name of the rule and not the text; nothing leaves."""
    play.says(request(PATH, body))

    assert (play.answer.status, code(play)) == (403, "content_refused")
    assert "no-codename" in json.loads(play.answer.body)["error"]["message"]
    assert b"luebird" not in play.answer.body.lower()
    assert play.upstreams == []
    assert (record(ruled)["verdict"], record(ruled)["rule"]) == ("refused", "no-codename")


def test_a_flag_is_on_record_and_the_call_goes_on(play: Playbook, ruled: Services) -> None:
    """Flagged in both directions, changed in none."""
    play.says(asks(text="the merger"))
    play.upstream.says(response(200, said("merger it is")))

    assert play.answer.body == said("merger it is")
    assert record(ruled)["flagged"] == {"watched": 2}
    assert record(ruled)["verdict"] == "allowed"


def test_a_whole_reply_is_refused(play: Playbook, ruled: Services) -> None:
    """The client gets the refusal, the call is charged: the provider did its work."""
    play.says(asks())
    play.upstream.says(response(200, said("this is forbidden-17")))

    assert (play.answer.status, code(play)) == (403, "content_refused")
    assert b"forbidden-17" not in play.client_got
    assert record(ruled)["rule"] == "no-reply"
    assert float(record(ruled)["cost_usd"]) > 0


@pytest.mark.parametrize("cut", [1, 6, 9, 10, 11])
def test_a_streamed_reply_is_stopped_at_every_cut(play: Playbook, ruled: Services, cut: int) -> None:
    """The stream ends with an error before the forbidden text is complete."""
    text = "forbidden-17"
    play.says(asks(stream=True))
    play.upstream.streams(
        ROLE, piece("well, "), piece("this is " + text[:cut]), piece(text[cut:] + " indeed"), STOP, DONE, b""
    )

    body = play.answer.body
    assert text.encode() not in body.replace(b'"}}]}\n\ndata: ', b"")
    assert b"indeed" not in body
    assert b"[DONE]" not in body
    assert (error_of(body) if play.answer.status == 200 else code(play)) == "content_refused"
    assert (record(ruled)["verdict"], record(ruled)["rule"]) == ("refused", "no-reply")
    assert float(record(ruled)["cost_usd"]) > 0


def test_a_rule_of_requests_is_not_one_of_replies(play: Playbook) -> None:
    """Each rule has its direction."""
    play.says(asks(text="forbidden-17"))
    play.upstream.says(response(200, said("bluebird")))

    assert play.answer.body == said("bluebird")
