"""A call sets off for the first upstream that it can pay; where the budget is short, it asks for less or is refused."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from playbook import Playbook, request, response
from talk import PATH, asks, attempts, chat, record, said

from outwarden.flow.services import Services

Open = Callable[..., Services]
PRICES = {
    "prices": [
        {"provider": provider, "model": "*", "input_mtok": 1, "output_mtok": 1000}
        for provider in ("openai", "aws", "anthropic")
    ]
}
GEMINI, COHERE = "generativelanguage.googleapis.com", "api.cohere.com"
ANTHROPIC = "api.anthropic.com"
BEDROCK = "bedrock-runtime.eu-central-1.amazonaws.com"
CONVERSE = (
    b'{"messages": [{"role":"user","content":[{"text":"hi"}]}], "inferenceConfig": {"topP":1.0, "maxTokens":16000}}'
)
CHEAP = {"url": "http://cheap.example/v1", "provider": "vllm", "format": "openai", "model": "small"}


def opened(open_services: Open, limit_usd: float, *, clamp: bool = True, routes: Any = None) -> Services:
    """Services with this much money for everybody."""
    budget = {"name": "tight", "scope": "all", "limit_usd": limit_usd, "window": "lifetime"}
    return open_services(
        budgets={"budgets": [budget], "clamp_output": clamp}, prices=PRICES, routes=routes or {"routes": []}
    )


def body_of(play: Playbook) -> dict[str, Any]:
    """What the upstream was asked."""
    asked: dict[str, Any] = json.loads(play.upstream.got.partition(b"\r\n\r\n")[2])
    return asked


def test_the_route_is_by_model_and_caller(open_play: Callable[..., Playbook], open_services: Open) -> None:
    """The first route that matches; a call that none matches goes where it was aimed."""
    upstreams = {"cheap": CHEAP | {"price": {"input_mtok": 0.1, "output_mtok": 0.1}}}
    routes = [
        {"name": "mini", "match": {"model": "gpt-4o-mini"}, "targets": ["cheap"]},
        {"name": "team", "match": {"team": "research"}, "targets": ["cheap"]},
    ]
    callers = {"callers": [{"match": {"header": {"x-team": "^(?P<team>[a-z]+)$"}}}]}
    services = open_services(routes={"upstreams": upstreams, "routes": routes}, callers=callers)
    seen = []
    for model, headers in (("gpt-4o-mini", {}), ("gpt-4o", {"x-team": "research"}), ("gpt-4o", {})):
        play = open_play(services)
        play.says(asks(model, headers=headers))
        seen.append(play.upstream.address[0])

    assert seen == ["cheap.example", "cheap.example", "api.openai.com"]


@pytest.mark.parametrize(
    ("path", "key", "named"),
    [
        (PATH, "max_tokens", True),
        (PATH, "max_completion_tokens", True),
        (PATH, "max_completion_tokens", False),
        ("/v1/responses", "max_output_tokens", True),
        ("/v1/responses", "max_output_tokens", False),
    ],
)
def test_less_is_asked_for_where_the_budget_is_short(
    open_play: Callable[..., Playbook], open_services: Open, path: str, key: str, named: bool
) -> None:
    """The limit is lowered to what fits, in its own spelling; every other byte stays, and the record says so."""
    services = opened(open_services, 0.5)
    play = open_play(services)
    body = b'{ "model":"gpt-4o", "seed":1.0, "input":"hello", "messages":[]' + (
        f', "{key}":16000 }}'.encode() if named else b" }"
    )
    play.says(request(path, body))
    asked = play.upstream.got.partition(b"\r\n\r\n")[2]
    limit = body_of(play)[key]

    assert 16 <= limit < 500
    assert asked.replace(str(limit).encode(), b"16000") == body if named else asked != body
    assert b'"seed":1.0' in asked
    play.upstream.says(response(200, said("hi")))
    assert record(services)["rule"] == f"clamp_output {limit}"
    assert record(services)["verdict"] == "allowed"


@pytest.mark.parametrize("body", [CONVERSE, CONVERSE.replace(b', "maxTokens":16000', b""), b'{"messages": []}'])
def test_a_limit_inside_is_lowered(open_play: Callable[..., Playbook], open_services: Open, body: bytes) -> None:
    """Bedrock's limit stands in an object, which is made where it is absent."""
    play = open_play(opened(open_services, 0.5))
    play.says(request("/model/m/converse", body, host=BEDROCK))
    limit = body_of(play)["inferenceConfig"]["maxTokens"]

    assert 16 <= limit < 500
    assert play.upstream.got.endswith(body.replace(b"16000", str(limit).encode())) == (b"16000" in body)


def test_a_signed_call_is_not_clamped(open_play: Callable[..., Playbook], open_services: Open) -> None:
    """A lower limit would break its signature: the budget refuses it, and says so."""
    play = open_play(opened(open_services, 0.5))
    signature = "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host, Signature=0"
    play.says(request("/model/m/converse", CONVERSE, {"authorization": signature}, host=BEDROCK))

    assert play.answer.status == 429
    assert b"budget_exceeded" in play.answer.body
    assert play.upstreams == []


def test_a_compressed_body_is_clamped(open_play: Callable[..., Playbook], open_services: Open) -> None:
    """What the caller compressed is read as what it says, and leaves as it is."""
    play = open_play(opened(open_services, 0.5))
    packed = gzip.compress(chat(max_tokens=16_000))
    play.says(request(PATH, packed, {"content-encoding": "gzip", "digest": "sha-256=x"}))

    assert body_of(play)["max_tokens"] < 500
    head = play.upstream.got.partition(b"\r\n\r\n")[0]
    assert b"content-encoding" not in head
    assert b"digest" not in head


@pytest.mark.parametrize(
    ("host", "path", "body", "key"),
    [
        (GEMINI, "/v1beta/models/gemini-2.5-flash:generateContent", b'{"contents": []}', "generationConfig"),
        (
            GEMINI,
            "/v1beta/models/gemini-2.5-flash:generateContent",
            b'{"contents": [], "generation_config": {"temperature": 0}}',
            "generation_config",
        ),
        (COHERE, "/v2/chat", b'{"model": "command-r", "messages": []}', "max_tokens"),
    ],
)
def test_a_limit_is_added_where_a_call_names_none(
    open_play: Callable[..., Playbook], open_services: Open, host: str, path: str, body: bytes, key: str
) -> None:
    """In the API's own words, and in the caller's spelling where it has two."""
    budget = {"name": "short", "scope": "all", "limit_tokens": 2000, "window": "day"}
    services = open_services(budgets={"budgets": [budget], "clamp_output": True}, prices=PRICES, routes={"routes": []})
    play = open_play(services)
    play.says(request(path, body, host=host))
    value = body_of(play)[key]
    limit = value["maxOutputTokens"] if isinstance(value, dict) else value

    assert 16 <= limit < 500
    assert {"generationConfig", "generation_config"} & body_of(play).keys() <= {key}


def test_all_limits_of_a_call_are_lowered(open_play: Callable[..., Playbook], open_services: Open) -> None:
    """A server may go by either name; one that is low enough stays."""
    play = open_play(opened(open_services, 0.5))
    play.says(request(PATH, chat(max_tokens=16_000, max_completion_tokens=15_000)))
    high = body_of(play)
    other = open_play(opened(open_services, 0.5))
    other.says(request(PATH, chat(max_tokens=17, max_completion_tokens=15_000)))
    low = body_of(other)

    assert high["max_tokens"] == high["max_completion_tokens"] < 500
    assert low["max_tokens"] == 17
    assert low["max_completion_tokens"] < 500


def test_two_short_budgets_are_asked_in_turn(open_play: Callable[..., Playbook], open_services: Open) -> None:
    """What the first affords may be too much for the second."""
    budgets = [
        {"name": "dollars", "scope": "all", "limit_usd": 0.5, "window": "day"},
        {"name": "tokens", "scope": "all", "limit_tokens": 1700, "window": "day"},
    ]
    services = open_services(budgets={"budgets": budgets, "clamp_output": True}, prices=PRICES, routes={"routes": []})
    play = open_play(services)
    play.says(request(PATH, chat(max_tokens=16_000)))

    assert 16 <= body_of(play)["max_tokens"] < 200


def test_what_thinking_needs_is_not_clamped_away(open_play: Callable[..., Playbook], open_services: Open) -> None:
    """Anthropic refuses a limit that is no more than the budget for thinking: it is refused here."""
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    answers = []
    for limit_usd, more in ((0.5, thinking), (5, thinking), (0.5, {})):
        play = open_play(opened(open_services, limit_usd))
        play.says(request("/v1/messages", chat("claude-sonnet-4-5", max_tokens=16_000, **more), host=ANTHROPIC))
        answers.append(body_of(play)["max_tokens"] if play.upstreams else play.answer.status)

    assert answers[0] == 429
    assert 1024 < answers[1] < 5000
    assert 16 <= answers[2] < 500


def test_each_choice_gets_its_share(open_play: Callable[..., Playbook], open_services: Open) -> None:
    """``n``: the limit is per choice, the money is for all of them."""
    single, many = (open_play(opened(open_services, 0.5)) for _ in range(2))
    single.says(request(PATH, chat(max_tokens=16_000)))
    many.says(request(PATH, chat(max_tokens=16_000, n=4)))

    assert body_of(many)["max_tokens"] <= body_of(single)["max_tokens"] // 4
    assert body_of(many)["max_tokens"] >= body_of(single)["max_tokens"] // 4 - 1


@pytest.mark.parametrize(("limit", "clamp"), [(0.5, False), (0.001, True), (0, True)])
def test_what_cannot_be_lowered_is_refused(
    open_play: Callable[..., Playbook], open_services: Open, limit: float, clamp: bool
) -> None:
    """Not where the rules say no, and not to an answer of three words."""
    services = opened(open_services, limit, clamp=clamp)
    play = open_play(services)
    play.says(asks(max_tokens=16_000))

    assert play.answer.status == 429
    assert play.upstreams == []
    assert record(services)["rule"] == "tight"
    assert [each[1] for each in attempts(services)] == ["budget"]


def test_a_cheaper_upstream_takes_what_the_first_is_too_dear_for(
    open_play: Callable[..., Playbook], open_services: Open
) -> None:
    """With ``budget`` among its reasons a route moves on before it asks for less."""
    upstreams = {"cheap": CHEAP | {"price": {"input_mtok": 0.01, "output_mtok": 0.01}}}
    reasons = ["connect", "budget"]
    routes = [{"name": "r", "match": {"model": "*"}, "targets": ["original", "cheap"], "fail_over_on": reasons}]
    services = opened(open_services, 0.5, routes={"upstreams": upstreams, "routes": routes})
    play = open_play(services)
    play.says(asks(max_tokens=16_000))
    assert play.upstream.address[0] == "cheap.example"
    assert body_of(play)["max_tokens"] == 16_000
    play.upstream.says(response(200, said("hi")))

    assert attempts(services) == [("original", "budget", None), ("cheap", "ok", 200)]


def test_a_price_that_nobody_knows_is_refused(open_play: Callable[..., Playbook], services: Services) -> None:
    """The refusal is not the budget's: it names the price."""
    play = open_play(services)
    play.says(asks("model-nobody-knows"))

    assert play.answer.status == 403
    assert json.loads(play.answer.body)["error"]["code"] == "price_unknown"
    assert record(services)["rule"] == "price_unknown"


ONPREM = {"url": "http://onprem.example/v1", "provider": "vllm", "format": "openai", "model": "mixtral"}
CLAUDE = {"url": "http://claude.example/v1", "provider": "anthropic", "format": "bedrock"}
PRICED = {"price": {"input_mtok": 0.01, "output_mtok": 0.01}}


def rerouting(open_services: Open, **keys: Any) -> Services:
    """A budget of a dollar for everybody that sends calls to a place of ours."""
    budget = {"name": "team", "scope": "all", "limit_usd": 1, "window": "month", "reroute_to": "onprem"} | keys
    upstreams = {"onprem": ONPREM | PRICED, "claude": CLAUDE | PRICED}
    routes = [{"name": "spare", "match": {"model": "none"}, "targets": ["onprem"]}]
    return open_services(
        budgets={"budgets": [budget, {"name": "hard", "scope": "all", "limit_requests": 6}]},
        prices=PRICES,
        routes={"upstreams": upstreams, "routes": routes},
    )


def where(play: Playbook) -> str:
    """Which host was asked, or the code of the refusal."""
    if play.upstreams:
        return str(play.upstream.address[0])
    return str(json.loads(play.answer.body)["error"]["code"])


def said_all(play: Playbook) -> None:
    """The upstream answers with a thousand tokens, which cost a dollar at OpenAI's."""
    usage = {"prompt_tokens": 9, "completion_tokens": 990, "total_tokens": 999}
    play.upstream.says(response(200, said("hi", usage)))


@pytest.mark.parametrize("to", ["onprem", "spare"])
def test_an_exceeded_budget_sends_calls_elsewhere(
    open_play: Callable[..., Playbook], open_services: Open, to: str
) -> None:
    """Where the rules say so, also by a route; what is spent there counts, and is refused by other budgets alone."""
    services = rerouting(open_services, on_exceeded="reroute", reroute_to=to)
    seen = []
    for number in range(4):
        play = open_play(services)
        play.says(asks(max_tokens=900 if number == 0 else 200))
        seen.append(where(play))
        said_all(play)

    assert seen == ["api.openai.com", "onprem.example", "onprem.example", "onprem.example"]
    assert [each[:2] for each in attempts(services)] == [("original", "budget"), ("onprem", "ok")]
    last = record(services)
    assert (last["rule"], last["flagged"]) == ("team", {"budget_rerouted": 1})
    assert last["served"]["provider"] == "vllm"
    assert next(each["spent_usd"] for each in last["budgets"] if each["name"] == "team").startswith("0.9900")


def test_from_a_share_on_all_calls_go_elsewhere(open_play: Callable[..., Playbook], open_services: Open) -> None:
    """``reroute_at``: before the budget is exceeded, and still within its limit."""
    services = rerouting(open_services, reroute_at=0.6)
    seen = []
    for _ in range(3):
        play = open_play(services)
        play.says(asks(max_tokens=700))
        seen.append(where(play))
        play.upstream.says(response(200, said("hi", {"prompt_tokens": 9, "completion_tokens": 650,
                                                     "total_tokens": 659})))  # fmt: skip

    assert seen == ["api.openai.com", "onprem.example", "onprem.example"]
    assert attempts(services) == [("onprem", "ok", 200)]
    assert (record(services)["rule"], record(services)["flagged"]) == ("team", {"budget_rerouted": 1})


def test_nobody_there_reads_the_format(open_play: Callable[..., Playbook], open_services: Open) -> None:
    """Calls are not translated: an exceeded budget refuses, and before that calls go where they were aimed."""
    early = rerouting(open_services, reroute_to="claude", reroute_at=0)
    play = open_play(early)
    play.says(asks(max_tokens=100))
    assert where(play) == "api.openai.com"

    late = rerouting(open_services, reroute_to="claude", on_exceeded="reroute")
    play = open_play(late)
    play.says(asks(max_tokens=2000))
    assert play.upstreams == []
    assert (play.answer.status, record(late)["rule"]) == (429, "team")


def test_a_budget_beside_it_still_refuses(open_play: Callable[..., Playbook], open_services: Open) -> None:
    """Only the budget that sends calls away lets them go beyond it."""
    services = rerouting(open_services, on_exceeded="reroute", limit_usd=0, scope="all")
    for _ in range(6):
        play = open_play(services)
        play.says(asks(max_tokens=100))
        assert where(play) == "onprem.example"
        play.upstream.says(response(200, said("hi")))
    play = open_play(services)
    play.says(asks(max_tokens=100))
    assert (play.answer.status, record(services)["rule"]) == (429, "hard")


@pytest.mark.parametrize("path", ["/v1/embeddings", "/v1/chat/completions", "/v1/responses", "/v1/files"])
def test_a_call_that_no_upstream_of_its_route_reads_is_refused(
    open_play: Callable[..., Playbook], open_services: Open, path: str
) -> None:
    """An on-prem route lets nothing out to where the caller aimed, whatever the call is; the record says why."""
    routes = [{"name": "inside", "match": {"provider": "openai"}, "targets": ["claude"]}]
    services = open_services(prices=PRICES, routes={"upstreams": {"claude": CLAUDE | PRICED}, "routes": routes})
    play = open_play(services)
    play.says(request(path, b'{"model":"gpt-4o","input":"hi","messages":[{"role":"user","content":"hi"}]}'))
    refused = json.loads(play.answer.body)["error"]

    assert play.upstreams == []
    assert (play.answer.status, refused["code"]) == (503, "upstream_format")
    assert "No upstream of the route inside reads" in refused["message"]
    assert play.answer.headers["x-should-retry"] == "false"
    assert (record(services)["verdict"], record(services)["rule"]) == ("refused", "upstream_format")


def test_a_call_to_vertex_is_translated(open_play: Callable[..., Playbook], open_services: Open) -> None:
    """Its path names project, model and verb; what goes on is a chat completion, without the caller's token."""
    routes = [{"name": "inside", "match": {"model": "gemini*"}, "targets": ["onprem"]}]
    services = open_services(prices=PRICES, routes={"upstreams": {"onprem": ONPREM | PRICED}, "routes": routes})
    play = open_play(services)
    path = "/v1/projects/p/locations/eu/publishers/google/models/gemini-2.5-pro:generateContent"
    body = b'{"contents":{"role":"user","parts":{"text":"hi"}},"generationConfig":{"maxOutputTokens":9}}'
    play.says(request(path, body, {"authorization": "Bearer x"}, host="europe-west1-aiplatform.googleapis.com"))
    head, _, sent = play.upstream.got.partition(b"\r\n\r\n")
    play.upstream.says(response(200, said("hello")))

    assert head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    assert b"authorization" not in head.lower()
    assert json.loads(sent) == {
        "model": "mixtral",
        "messages": [{"role": "user", "content": "hi"}],
        "max_completion_tokens": 9,
    }
    answer = json.loads(play.answer.body)["candidates"][0]
    assert answer == {"content": {"parts": [{"text": "hello"}], "role": "model"}, "finishReason": "STOP", "index": 0}
