"""What is kept at one provider stays with it, and what may have been done is not done twice."""

import json
from collections.abc import Callable

import pytest
from fixtures import RULES, route
from playbook import Playbook, Upstream, request, response
from talk import asks, attempts

from outwarden.flow.services import Services

SPARE = ("spare.example", 8080)
IMAGE = json.dumps({"model": "gpt-image-1", "prompt": "a fox", "size": "1024x1024", "quality": "low"}).encode()
STORE = json.dumps({"name": "cases", "file_ids": ["file-1"]}).encode()
BLIND: dict[str, Callable[[Playbook, Upstream], None]] = {
    "500": lambda play, up: up.says(response(500, b'{"error": {}}')),
    "reset": lambda play, up: up.breaks(),
    "silence": lambda play, up: play.passes(31),
}


@pytest.mark.parametrize("fault", BLIND)
@pytest.mark.parametrize(("path", "body"), [("/v1/images/generations", IMAGE), ("/v1/vector_stores", STORE)])
def test_what_may_have_been_done_is_not_asked_of_another(
    play: Playbook, services: Services, path: str, body: bytes, fault: str
) -> None:
    """A picture is billed each time, a store is made each time: the client is told, and decides."""
    play.says(request(path, body))
    BLIND[fault](play, play.upstream)

    assert len(play.upstreams) == 1
    assert play.answer.status in (500, 502, 504)
    assert len(attempts(services)) == 1


def test_a_picture_that_was_refused_is_asked_of_another(play: Playbook, services: Services) -> None:
    """A busy provider says that it did nothing."""
    play.says(request("/v1/images/generations", IMAGE))
    play.upstream.says(response(429, b'{"error": {}}'))

    assert play.upstream.address == SPARE


def test_a_picture_goes_elsewhere_where_nobody_was_asked(play: Playbook, services: Services) -> None:
    """A connection that does not open has asked nobody."""
    play.connects = lambda address: "refused" if address[0] == "api.openai.com" else None
    play.says(request("/v1/images/generations", IMAGE))

    assert play.upstream.address == SPARE


@pytest.mark.parametrize("path", ["/v1/files/file-1", "/v1/responses/resp_1", "/v1/batches/b"])
def test_what_is_kept_is_asked_for_where_it_is(play: Playbook, services: Services, path: str) -> None:
    """No other provider knows these ids; its 404 would say that the client's file is gone."""
    play.says(request(path, b"", method="GET"))
    play.upstream.says(response(503, b'{"error": {}}'))

    assert play.answer.status == 503
    assert attempts(services) == [("original", "5xx", 503)]


def test_an_answer_to_a_stored_one_stays_with_its_provider(play: Playbook, services: Services) -> None:
    """Another would call the id invalid, for good; 503 says that it may be asked again."""
    body = {"model": "gpt-5", "input": "go on", "previous_response_id": "resp_1"}
    play.says(request("/v1/responses", json.dumps(body).encode()))
    play.upstream.says(response(503, b'{"error": {}}'))

    assert play.answer.status == 503
    assert attempts(services) == [("original", "5xx", 503)]


def test_files_that_fail_are_no_outage_of_the_models(
    open_play: Callable[..., Playbook], open_services: Callable[..., Services]
) -> None:
    """Each has its own breaker."""
    touchy = route("rest", "*", ["original", "spare"], breaker={"max_fails": 2, "within": "30s", "cooldown": "30s"})
    services = open_services(routes=RULES["routes"] | {"routes": [touchy]})
    for _ in range(3):
        play = open_play(services)
        play.says(request("/v1/files", b"", method="GET"))
        play.upstream.says(response(500, b"{}"))
    play = open_play(services)
    play.says(asks())

    assert play.upstream.address[0] == "api.openai.com"
    assert list(services.health.states(play.clock.now)) == ["original api.openai.com files"]
