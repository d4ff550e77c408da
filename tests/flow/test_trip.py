"""A call's way: each attempt is written from what the caller aimed, and its credentials go where they were meant to."""

import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mitmproxy import http
from playbook import Clock

from outwarden.errors import StateError
from outwarden.flow import trip as trip_module
from outwarden.flow.aiming import CREDENTIAL_HEADERS, Beginning, Target, replace_model
from outwarden.flow.trip import Trip
from outwarden.routing import Attempt, Auth, Breaker, GiveUp, Health, Route, Upstream
from outwarden.wire.continuation import PREFIX
from outwarden.wire.traffic import Host

TOUCHY = Breaker(max_fails=3, within=30.0, cooldown=30.0)
BODY = b'{ "model":"gpt-4o", "seed":12345678901234567890, "messages":[] }'
ASKED = b'{"model":"gpt-4o","messages":[{"role":"user","content":"Count."}]}'
KEY = "invented-caller-key"
OPENAI = Host(("api.openai.com",), "openai", "openai")
OPEN = frozenset({"connect", "timeout", "429", "5xx", "stream_error", "budget"})


def upstream(name: str, **more: Any) -> Upstream:
    """An upstream that speaks OpenAI's API."""
    fields = {"scheme": "https", "port": 8443, "path": "/v1", "provider": "vllm", "format": "openai"}
    return Upstream(**({"name": name, "host": f"{name}.example"} | fields | more))


def aimed(url: str = "https://api.openai.com/v1/chat/completions", body: bytes = BODY) -> http.Request:
    """A request with every kind of credential on it."""
    request = http.Request.make("POST", url, body, {"content-type": "application/json", "x-other": "stays"})
    request.headers["host"] = request.pretty_host
    for name in CREDENTIAL_HEADERS:
        request.headers[name] = KEY
    return request


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time that stands still, and chance without surprise."""
    clock = Clock()
    monkeypatch.setattr(trip_module, "time", clock)
    monkeypatch.setattr(trip_module, "random", SimpleNamespace(random=lambda: 0.0))
    return clock


def set_off(
    *upstreams: Upstream,
    request: http.Request | None = None,
    host: Host = OPENAI,
    model: str | None = "gpt-4o",
    health: Health | None = None,
    may_take: Callable[[Upstream | None], bool] = lambda upstream: True,
    targets: Iterable[str] | None = None,
    cost_at: Callable[[Upstream | None], int | None] = lambda upstream: None,
    fits: Callable[[Upstream | None], bool] = lambda upstream: True,
    key: str | None = None,
    **route: Any,
) -> tuple[Trip, http.Request]:
    """A trip over the original and then these upstreams, with its first attempt chosen."""
    request = request or aimed()
    names = tuple(targets if targets is not None else ["original", *(each.name for each in upstreams)])
    trip = Trip(
        request=request,
        host=host,
        format_name=host.format,
        model=model,
        route=Route("test", targets=names, fail_over_on=OPEN, **route),
        upstreams={each.name: each for each in upstreams},
        health=health or Health(),
        may_take=may_take,
        cost_at=cost_at,
        fits=fits,
        caller={"api_key": key},
    )
    trip.begin()
    return trip, request


# -- where it goes ----------------------------------------------------------------------------------------------------


def test_the_original_is_dialled_as_aimed(clock: Clock) -> None:
    """No route: the caller's own host, port and name, untouched, credentials and all."""
    trip, request = set_off()
    before = request.copy()
    trip.apply(request)

    assert trip.target() == Target(("api.openai.com", 443), True, "api.openai.com")
    assert (request.url, request.headers, request.content) == (before.url, before.headers, before.content)
    assert (trip.upstream_name, trip.provider, trip.model) == ("original", "openai", "gpt-4o")


def test_connect_to_changes_the_address_alone(clock: Clock) -> None:
    """``connect_to`` and ``trust``: another address is dialled, Host and SNI stay."""
    host = Host(("llm.corp.example",), "openai", "openai", connect_to=("127.0.0.1", 9443), trust=Path("ca.pem"))
    trip, request = set_off(request=aimed("https://llm.corp.example/v1/chat/completions"), host=host)
    trip.apply(request)

    assert trip.target() == Target(("127.0.0.1", 9443), True, "llm.corp.example", Path("ca.pem"))
    assert request.pretty_host == "llm.corp.example"


def test_an_upstream_is_written_into_the_request(clock: Clock) -> None:
    """Host, port, path and model of the upstream; every other byte of the body is the caller's."""
    trip, request = set_off(upstream("spare", model={"*": "mixtral"}, trust=Path("spare.pem")))
    trip.fail("5xx", 503)
    trip.apply(request)

    assert request.url == "https://spare.example:8443/v1/chat/completions"
    assert request.headers["host"] == "spare.example:8443"
    assert request.content == BODY.replace(b'"gpt-4o"', b'"mixtral"')
    assert request.headers["content-length"] == str(len(request.content or b""))
    assert trip.target() == Target(("spare.example", 8443), True, "spare.example", Path("spare.pem"))
    assert (trip.upstream_name, trip.provider, trip.model) == ("spare", "vllm", "mixtral")


def test_each_attempt_is_written_from_the_callers_own_request(clock: Clock) -> None:
    """What one upstream was given leaves no trace in what the next one gets, back to the original."""
    trip, request = set_off(
        upstream("one", model={"*": "first"}), upstream("two"), targets=["one", "two", "original"], model="gpt-4o"
    )
    before = request.copy()
    seen = []
    for _ in range(3):
        trip.apply(request)
        seen.append((request.host, request.content, request.headers.get("authorization")))
        trip.fail("5xx", 503)

    assert seen == [
        ("one.example", BODY.replace(b"gpt-4o", b"first"), None),
        ("two.example", BODY, None),
        ("api.openai.com", BODY, KEY),
    ]
    assert request.headers == before.headers
    assert request.url == before.url


def test_a_compressed_body_names_the_new_model(clock: Clock) -> None:
    """A body that the caller compressed leaves as it is, where it is changed: every upstream reads that."""
    request = aimed()
    request.headers["content-encoding"] = "gzip"
    request.headers["content-md5"] = "1B2M2Y8AsgTpgAmY7PhCfg=="
    request.content = BODY
    trip, request = set_off(upstream("spare", model={"*": "mixtral"}), request=request, targets=["spare"])
    trip.apply(request)

    assert "content-encoding" not in request.headers
    assert "content-md5" not in request.headers
    assert request.headers["content-length"] == str(len(request.raw_content or b""))
    assert request.raw_content == BODY.replace(b"gpt-4o", b"mixtral")


def test_an_upstream_of_another_format_is_not_taken(clock: Clock) -> None:
    """Where nothing translates the call, a target that reads another format is no target."""
    trip, _ = set_off(upstream("claude", format="anthropic"), upstream("spare"), targets=["claude", "spare"])

    assert trip.upstream_name == "spare"
    assert trip.unread is None
    assert isinstance(trip.fail("5xx", 503), GiveUp)


def test_a_call_that_no_target_reads_goes_nowhere(clock: Clock) -> None:
    """The route may be there to keep calls from where they were aimed: the original is a target only by its name."""
    trip, request = set_off(upstream("claude", format="anthropic"), targets=["claude"])

    assert (trip.steps, trip.sent, request.pretty_host) == ([], False, "api.openai.com")
    assert trip.unread
    assert (trip.unread.status, trip.unread.code) == (503, "upstream_format")
    assert "of the route test reads this operation of openai" in trip.unread.message


def test_a_body_without_a_model_stays() -> None:
    """Gemini names the model in the path; its body is left alone."""
    assert replace_model(b'{"contents": []}', "other") == b'{"contents": []}'
    assert replace_model(b'{"model":"a","x":1.0}', 'b"c') == b'{"model":"b\\"c","x":1.0}'


# -- credentials ------------------------------------------------------------------------------------------------------


def credentials(request: http.Request) -> dict[str, str]:
    """Which of the caller's credentials a request carries."""
    return {name: value for name, value in request.headers.items() if KEY in value}


@pytest.mark.parametrize("auth", [None, Auth("bearer", secret="env:SPARE_KEY")], ids=["not said", "our own"])
def test_the_callers_key_never_goes_to_another_provider(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, auth: Auth | None
) -> None:
    """Every header and parameter that carries a key stays behind when the provider changes."""
    monkeypatch.setenv("SPARE_KEY", "invented-spare-key")
    request = aimed(f"https://api.openai.com/v1/chat/completions?key={KEY}&a=1")
    trip, request = set_off(upstream("spare", auth=auth), request=request, targets=["spare"])
    trip.apply(request)

    assert credentials(request) == {}
    assert KEY not in request.path
    assert request.path.endswith("?a=1")
    assert request.headers["x-other"] == "stays"
    assert request.headers.get("authorization") == ("Bearer invented-spare-key" if auth else None)


def test_the_same_provider_elsewhere_gets_the_callers_key(clock: Clock) -> None:
    """Where the rules say nothing and the provider is the same, the key is meant for it."""
    trip, request = set_off(upstream("eu", provider="openai"), targets=["eu"])
    trip.apply(request)

    assert set(credentials(request)) == set(CREDENTIAL_HEADERS)


def test_keep_is_an_explicit_choice(clock: Clock) -> None:
    """``auth: keep`` sends the caller's own key wherever the rules say."""
    trip, request = set_off(upstream("gateway", auth=Auth("keep")), targets=["gateway"])
    trip.apply(request)

    assert request.headers["authorization"] == KEY


def test_a_header_of_our_own(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """``auth: {header: …}`` puts our secret where the upstream wants it."""
    monkeypatch.setenv("SPARE_KEY", "invented-spare-key")
    trip, request = set_off(upstream("spare", auth=Auth("header", "x-api-key", "env:SPARE_KEY")), targets=["spare"])
    trip.apply(request)

    assert request.headers["x-api-key"] == "invented-spare-key"
    assert "authorization" not in request.headers


def test_a_secret_that_is_gone_stops_the_attempt(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """No secret, no request: the error names the reference, and the caller's key is not sent instead."""
    monkeypatch.delenv("SPARE_KEY", raising=False)
    trip, request = set_off(upstream("spare", auth=Auth("bearer", secret="env:SPARE_KEY")), targets=["spare"])

    with pytest.raises(StateError, match="env:SPARE_KEY"):
        trip.apply(request)
    assert credentials(request) == {}


# -- attempts ---------------------------------------------------------------------------------------------------------


def steps(trip: Trip) -> list[tuple[str, str, int | None]]:
    """The attempts as the record shows them."""
    return [(step.upstream, step.outcome, step.status) for step in trip.steps]


def test_the_attempts_of_a_call(clock: Clock) -> None:
    """A transcript: 503, silence, an answer."""
    trip, _ = set_off(upstream("one"), upstream("two"))
    clock.now += 0.25
    trip.fail("5xx", 503)
    clock.now += 30
    trip.fail("timeout")
    clock.now += 1
    trip.succeed(200)

    assert steps(trip) == [("original", "5xx", 503), ("one", "timeout", None), ("two", "ok", 200)]
    assert [round(step.ms) for step in trip.steps] == [250, 30000, 1000]


def test_an_end_is_noted_once(clock: Clock) -> None:
    """What ended stays ended: a later word changes nothing and blames nobody."""
    health = Health()
    trip, _ = set_off(health=health)
    trip.succeed(200)
    trip.stop("client gone")
    trip.succeed(500)
    trip.fail_at_last("stream_error", None)

    assert steps(trip) == [("original", "ok", 200)]
    assert health.states(clock.now) == {}


def test_stopping_blames_nobody(clock: Clock) -> None:
    """A client that left, or an error of ours, is no failure of the upstream's."""
    health = Health()
    trip, _ = set_off(health=health)
    trip.stop("client gone")

    assert steps(trip) == [("original", "client gone", None)]
    assert health.states(clock.now) == {}


def test_a_failure_after_the_commit_counts_for_the_breaker(clock: Clock) -> None:
    """An upstream that breaks off in the middle is no healthy one."""
    health = Health()
    trip, _ = set_off(health=health, breaker=Breaker(max_fails=1))
    trip.fail_at_last("stream_error", None)

    assert health.states(clock.now) == {"original api.openai.com gpt-4o": "open"}
    assert steps(trip) == [("original", "stream_error", None)]


def test_an_open_breaker_is_skipped(clock: Clock) -> None:
    """The next call goes to the next upstream at once, until the cooldown is over."""
    health, breaker = Health(), Breaker(max_fails=1, cooldown=30)
    trip, _ = set_off(upstream("spare"), health=health, breaker=breaker)
    trip.fail("5xx", 503)

    assert set_off(upstream("spare"), health=health, breaker=breaker)[0].upstream_name == "spare"
    clock.now += 31
    assert set_off(upstream("spare"), health=health, breaker=breaker)[0].upstream_name == "original"


def test_a_model_has_a_breaker_of_its_own(clock: Clock) -> None:
    """One model that is overloaded does not close the others; a place that cannot be reached closes them all."""
    health, breaker = Health(), Breaker(max_fails=1, cooldown=30)

    def first(model: str) -> str:
        return set_off(upstream("spare"), health=health, breaker=breaker, model=model)[0].upstream_name

    set_off(upstream("spare"), health=health, breaker=breaker, model="big")[0].fail("429", 429)
    assert (first("big"), first("small")) == ("spare", "original")
    set_off(upstream("spare"), health=health, breaker=breaker, model="small")[0].fail("connect")
    assert (first("small"), first("other")) == ("spare", "spare")


def test_the_order_is_asked_for_once_per_call(clock: Clock) -> None:
    """By the figures of the moment when the call begins: the cheapest that fits, then the next."""
    costs = {None: 50, "one": 70, "two": 10, "small": 1}
    trip, _ = set_off(
        upstream("one"),
        upstream("two"),
        upstream("small"),
        strategy="cost",
        cost_at=lambda at: costs[at.name if at else None],
        fits=lambda at: at is None or at.name != "small",
    )

    for name in ("two", "original", "one", "small"):
        assert trip.upstream_name == name
        costs[name if name != "original" else None] = 0
        trip.fail("5xx", 500)


def test_the_original_has_a_breaker_per_host(clock: Clock) -> None:
    """One host that fails does not close another: "original" is a place of its own for each."""
    health, breaker = Health(), Breaker(max_fails=1, cooldown=30)
    trip, _ = set_off(upstream("spare"), health=health, breaker=breaker)
    trip.fail("5xx", 503)
    other = aimed("https://llm.corp.example/v1/chat/completions")

    assert set_off(upstream("spare"), health=health, breaker=breaker, request=other)[0].upstream_name == "original"


def test_an_upstream_that_nobody_can_pay_is_not_taken(clock: Clock) -> None:
    """The budget is asked before each attempt; a denial is an outcome, and blames no upstream."""
    health = Health()
    asked: list[str | None] = []

    def may_take(candidate: Upstream | None) -> bool:
        asked.append(candidate.name if candidate else None)
        return candidate is not None and candidate.name == "two"

    trip, _ = set_off(upstream("one"), upstream("two"), health=health, may_take=may_take)

    assert asked == [None, "one", "two"]
    assert trip.upstream_name == "two"
    assert steps(trip) == [("original", "budget", None), ("one", "budget", None), ("two", "pending", None)]
    assert health.states(clock.now) == {}


def test_when_nobody_can_be_paid_it_ends(clock: Clock) -> None:
    """No money for any upstream: no attempt, and nothing was sent."""
    trip, _ = set_off(upstream("one"), may_take=lambda upstream: False)

    assert steps(trip) == [("original", "budget", None), ("one", "budget", None)]
    assert not trip.may_have_billed
    assert isinstance(trip.begin(), GiveUp)


def test_beginning_again_forgets_the_first_try(clock: Clock) -> None:
    """After the body was changed to fit the budget, the call sets off anew, with the new body."""
    money = [False, True]
    trip, request = set_off(may_take=lambda upstream: money.pop(0))
    request.content = BODY.replace(b"}", b',"max_tokens":16}')
    trip.begin_again(request)
    trip.apply(request)

    assert steps(trip) == [("original", "pending", None)]
    assert request.content.endswith(b'"max_tokens":16}')


@pytest.mark.parametrize(
    ("outcome", "status", "billed"),
    [
        ("ok", 200, True),
        ("ok", 400, False),
        ("ok", 503, False),
        ("timeout", None, True),
        ("stream_error", 200, True),
        ("upstream_cut", None, True),
        ("drain limit", None, True),
        ("pending", None, True),
        ("5xx", 503, False),
        ("429", 429, False),
        ("connect", None, False),
        ("budget", None, False),
        ("client gone", None, False),
    ],
)
def test_what_may_have_been_billed(clock: Clock, outcome: str, status: int | None, billed: bool) -> None:
    """Work may have been done unless the upstream said that it did none, or never got the request."""
    trip, _ = set_off()
    trip.steps[-1].end(outcome, status)
    assert not trip.may_have_billed  # nothing was sent

    trip.sent = True
    assert trip.may_have_billed is billed


def test_a_model_map_is_by_upstream(clock: Clock) -> None:
    """What each upstream is asked for can be told before it is chosen (the budget wants to know)."""
    priced = upstream("spare", model={"gpt-4o": "mixtral"}, price=(Decimal(1), Decimal(2)))
    trip, _ = set_off(priced)

    assert trip.model_at(priced) == "mixtral"
    assert trip.model_at(None) == "gpt-4o"
    assert set_off(priced, model=None)[0].model_at(priced) is None


# -- what was begun ---------------------------------------------------------------------------------------------------


def test_only_who_can_is_asked_to_go_on(clock: Clock) -> None:
    """Each in its way; the others are passed over, and the first is not tried again where it cannot."""
    others = upstream("unable", provider="openai"), upstream("refuses", prefill=False)
    trip, request = set_off(*others, upstream("able"), retries=2, request=aimed(body=ASKED))
    choice = trip.go_on(Beginning("One", 40), "stream_error")
    trip.apply(request)
    asked = json.loads(request.content or b"")

    assert isinstance(choice, Attempt)
    assert choice.upstream == "able"
    assert asked["messages"][-1] == {"role": "assistant", "content": "One"}
    assert (asked["continue_final_message"], asked["add_generation_prompt"]) == (True, False)
    assert [step.outcome for step in trip.steps] == ["stream_error", "pending"]
    assert isinstance(trip.go_on(Beginning("One t", 39), "stream_error"), Attempt)  # able has its retries
    trip.apply(request)
    assert json.loads(request.content or b"")["messages"][-1]["content"] == "One t"


def test_who_declines_is_not_blamed(clock: Clock) -> None:
    """It is well, and it cost nothing; it is not asked again in this call."""
    health = Health()
    trip, _ = set_off(upstream("one"), upstream("two"), health=health, breaker=Breaker(max_fails=1, cooldown=9.0))
    trip.go_on(Beginning("One"), "stream_error")
    trip.sent = True
    choice = trip.decline(400)

    assert isinstance(choice, Attempt)
    assert choice.upstream == "two"
    assert [(step.outcome, step.status) for step in trip.steps][:2] == [
        ("stream_error", None),
        ("prefill_refused", 400),
    ]
    assert health.open_until("one", clock.now) is None
    assert isinstance(trip.decline(400), GiveUp)
    assert not trip.may_have_billed


def test_where_the_caller_aimed_may_go_on(clock: Clock) -> None:
    """From the caller's own request, key and all."""
    host = Host(("api.deepseek.com",), "deepseek", "openai")
    request = aimed("https://api.deepseek.com/beta/chat/completions", ASKED)
    trip, request = set_off(upstream("first"), request=request, host=host, targets=["first", "original"])
    trip.apply(request)
    trip.go_on(Beginning("One"), "stream_error")
    trip.apply(request)

    assert trip.upstream_name == "original"
    assert trip.way == PREFIX
    assert json.loads(request.content or b"")["messages"][-1] == {"role": "assistant", "content": "One", "prefix": True}
    assert request.headers["authorization"]


def test_what_an_upstream_does_not_know_is_dropped(clock: Clock) -> None:
    """By the rules, and only for that upstream; every other byte stays."""
    trip, request = set_off(upstream("spare", drop=("seed", "user")), targets=["spare", "original"])
    trip.apply(request)
    assert request.content == b'{"model":"gpt-4o","messages":[] }'
    trip.fail("5xx", 503)
    trip.apply(request)
    assert request.content == BODY


def test_what_an_upstream_refuses_does_not_go_there(clock: Clock) -> None:
    """Where no other is left, the caller hears of the parameter."""
    picky = upstream("picky", refuse=("seed",))
    trip, _ = set_off(picky, upstream("spare"), targets=["picky", "spare"])
    assert trip.upstream_name == "spare"
    assert [step.outcome for step in trip.steps] == ["not_translatable", "pending"]

    alone, _ = set_off(picky, targets=["picky"])
    assert alone.unread
    assert "picky does not take 'seed'" in alone.unread.message


FORM = (
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n\x00\xff\r\n--b--\r\n'
)


def test_a_form_names_the_model_of_the_upstream(clock: Clock) -> None:
    """Sound to be transcribed moves as other calls do; what is dropped in JSON is no part of a form."""
    request = aimed("https://api.openai.com/v1/audio/transcriptions", FORM)
    request.headers["content-type"] = "multipart/form-data; boundary=b"
    trip, request = set_off(
        upstream("spare", model={"*": "large-v3"}, drop=("seed",)),
        request=request,
        targets=["spare"],
        model="whisper-1",
    )
    trip.apply(request)

    assert request.content == FORM.replace(b"whisper-1", b"large-v3")


def test_a_model_in_azures_path_is_named_in_the_body_elsewhere(clock: Clock) -> None:
    """Azure's clients may leave it out of the body, where others look for it."""
    url = "https://r.openai.azure.com/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
    host = Host(("r.openai.azure.com",), "azure", "openai")
    trip, request = set_off(
        upstream("spare"), request=aimed(url, b'{"messages":[]}'), host=host, targets=["spare"], model="gpt-4o"
    )
    trip.apply(request)

    assert request.url == "https://spare.example:8443/v1/chat/completions"
    assert request.content == b'{"model":"gpt-4o","messages":[]}'


SEALED = b'{"model":"gpt-4o","input":[{"type":"reasoning","encrypted_content":"g"},{"role":"user","content":"go"}]}'
OPENED = b'{"model":"gpt-4o","input":[{"role":"user","content":"go"}]}'


def test_what_one_provider_sealed_does_not_go_to_another(clock: Clock) -> None:
    """The original gets it back, and so does an upstream of its provider."""
    same = upstream("same", provider="openai")
    trip, request = set_off(same, upstream("spare"), request=aimed("https://api.openai.com/v1/responses", SEALED))
    seen = []
    for _ in range(3):
        trip.apply(request)
        seen.append(request.content)
        trip.fail("5xx", 503)

    assert seen == [SEALED, SEALED, OPENED]


def test_a_history_that_its_reader_did_not_seal_is_sent_without(clock: Clock) -> None:
    """Once: a conversation that another upstream went on with comes back with what only that one reads."""
    trip, request = set_off(request=aimed("https://api.openai.com/v1/responses", SEALED))
    assert trip.unsign(400)
    trip.apply(request)

    assert request.content == OPENED
    assert [(step.outcome, step.status) for step in trip.steps] == [("foreign_signature", 400), ("pending", None)]
    assert not trip.unsign(400)


def test_where_nothing_is_sealed_nothing_is_sent_again(clock: Clock) -> None:
    """The refusal is about something else, or about what we do not know."""
    trip, _ = set_off()

    assert not trip.unsign(400)


CLAUDE = b'{"model":"claude-sonnet-4-5","max_tokens":9,"stream":true,"messages":[]}'


def test_claude_moves_to_vertex(clock: Clock) -> None:
    """Its path, its body, our key; no version in a header, and no beta that the rules drop."""
    base = "/v1/projects/p/locations/us-east5/publishers/anthropic"
    vertex = upstream(
        "vertex", path=base, provider="google", format="anthropic", model={"*": "claude-sonnet-4-5@20250929"},
        auth=Auth("bearer", secret="env:HOME"), drop=("anthropic-beta",),
    )  # fmt: skip
    request = aimed("https://api.anthropic.com/v1/messages?beta=true", CLAUDE)
    request.headers.update({"anthropic-version": "2023-06-01", "anthropic-beta": "x-2025-01-01"})
    host = Host(("api.anthropic.com",), "anthropic", "anthropic")
    trip, request = set_off(vertex, request=request, host=host, targets=["vertex"], model="claude-sonnet-4-5")
    trip.apply(request)

    assert request.path == f"{base}/models/claude-sonnet-4-5@20250929:streamRawPredict"
    assert request.content == (b'{"anthropic_version":"vertex-2023-10-16","max_tokens":9,"stream":true,"messages":[]}')
    assert not {"anthropic-version", "anthropic-beta", "x-api-key"} & {name.lower() for name in request.headers}
    assert request.headers["authorization"].startswith("Bearer ")


def test_claude_moves_from_vertex(clock: Clock) -> None:
    """What its path said is in the body, and Anthropic's version in the header."""
    url = "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/anthropic/models/c@1:rawPredict"
    body = b'{"anthropic_version":"vertex-2023-10-16","max_tokens":9,"messages":[]}'
    spare = upstream("spare", path="", provider="anthropic", format="anthropic", model={"*": "claude"})
    host = Host(("*-aiplatform.googleapis.com",), "google", "anthropic")
    trip, request = set_off(spare, request=aimed(url, body), host=host, targets=["spare"], model="c@1")
    trip.apply(request)

    assert request.path == "/v1/messages"
    assert request.content == b'{"model":"claude","max_tokens":9,"messages":[]}'
    assert request.headers["anthropic-version"] == "2023-06-01"


def test_a_share_that_one_key_used_up_is_no_outage(clock: Clock) -> None:
    """Where the caller's own key goes, 429 is about that key: it goes elsewhere for a while, and nobody else does."""
    health = Health()
    for _ in range(3):
        set_off(upstream("spare"), health=health, key="alice", breaker=TOUCHY)[0].fail("429", 429)
    seen = {key: set_off(upstream("spare"), health=health, key=key)[0].upstream_name for key in ("alice", "bob", None)}

    assert seen == {"alice": "spare", "bob": "original", None: "original"}
    assert not health.states(clock.now)
    assert not health.found()
    assert not health.discovered()


def test_a_share_of_our_own_key_is_everybodys(clock: Clock) -> None:
    """All calls there have the one key."""
    health, ours = Health(), upstream("ours", auth=Auth("bearer", secret="env:HOME"))
    for _ in range(3):
        set_off(ours, upstream("spare"), health=health, key="alice", targets=["ours", "spare"], breaker=TOUCHY)[0].fail(
            "429", 429
        )

    assert (
        set_off(ours, upstream("spare"), health=health, key="bob", targets=["ours", "spare"])[0].upstream_name
        == "spare"
    )


def test_an_outage_that_one_key_found_is_everybodys(clock: Clock) -> None:
    """Whoever calls, a server that fails fails."""
    health = Health()
    for _ in range(3):
        set_off(upstream("spare"), health=health, key="alice", breaker=TOUCHY)[0].fail("5xx", 503)

    assert set_off(upstream("spare"), health=health, key="bob")[0].upstream_name == "spare"
    assert health.found()


def test_keys_that_have_a_share_left_are_not_kept(clock: Clock) -> None:
    """There are as many keys as there are callers; only what failed is remembered, until it went well again."""
    health = Health()
    set_off(health=health, key="alice")[0].succeed(200)

    assert not any("alice" in name for name in health._records)
