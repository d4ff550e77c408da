"""Money limits through the running interceptor: never passed, told in each provider's own shape, safe over a crash."""

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import anthropic
import httpx
import openai
import pytest
from google import genai
from interceptor import (
    ANTHROPIC,
    EMAIL,
    GEMINI,
    OLLAMA,
    OPENAI,
    Interceptor,
    chat,
    contents,
    message,
    rules_for,
    run_async,
    until,
)
from typer.testing import CliRunner

from outwarden.cli.app import app
from outwarden.simulate import Script, SimulatedProvider
from replaying.process import write_rules

ROOM = 7
CALLS = 200


@pytest.fixture(scope="module")
def spent(primary: SimulatedProvider, start: Any) -> Interceptor:
    """An interceptor under which every call is over its budget: one request a month was allowed, and made."""
    budget = {"name": "spent", "scope": "all", "limit_requests": 1, "window": "month"}
    nothing = {"name": "nothing", "scope": "all", "only": {"model": "gpt-4o-mini"}, "limit_usd": 0, "window": "day"}
    outwarden: Interceptor = start(rules_for(primary, budgets={"budgets": [nothing, budget]}))
    assert outwarden.openai().chat.completions.create(**chat("the only one")).choices
    outwarden.new_records(0)  # it is written after the reply: tests count those that come after it
    return outwarden


@pytest.fixture(autouse=True)
def always_release(provider: SimulatedProvider) -> Iterator[None]:
    """A failing test leaves no provider that holds its answers."""
    yield
    assert provider.thread is not None
    provider.thread.release_answers()


def told(response: Any, body: str) -> None:
    """What every budget refusal must say."""
    assert response.headers["x-should-retry"] == "false"
    assert 0 < int(response.headers["retry-after"]) <= 31 * 86_400
    assert response.headers["x-outwarden-call-id"]
    assert "budget_exceeded" in body
    assert "spent" in body


def test_openai_sees_a_rate_limit_error(spent: Interceptor, provider: SimulatedProvider) -> None:
    """The SDK raises RateLimitError, does not retry, and the error says which budget and when to come back."""
    client = spent.openai(max_retries=3)
    before = len(spent.records())
    with pytest.raises(openai.RateLimitError) as seen:
        client.chat.completions.create(**chat("hello"))

    told(seen.value.response, seen.value.response.text)
    assert seen.value.code == "budget_exceeded"
    assert len(spent.new_records(before)) == 1
    assert list(provider.requests) == []


def test_anthropic_sees_a_rate_limit_error(spent: Interceptor, provider: SimulatedProvider) -> None:
    """Anthropic's SDK raises RateLimitError and does not retry."""
    client = spent.anthropic(max_retries=3)
    before = len(spent.records())
    with pytest.raises(anthropic.RateLimitError) as seen:
        client.messages.create(**message("hello"))

    told(seen.value.response, seen.value.response.text)
    assert seen.value.response.json()["type"] == "error"
    assert len(spent.new_records(before)) == 1
    assert list(provider.requests) == []


def test_gemini_sees_resource_exhausted(spent: Interceptor, provider: SimulatedProvider) -> None:
    """Google's SDK raises ClientError with its own status word."""
    client = spent.gemini()
    with pytest.raises(genai.errors.ClientError) as seen:
        client.models.generate_content(model="gemini-2.5-flash", contents="hello")

    assert (seen.value.code, seen.value.status) == (429, "RESOURCE_EXHAUSTED")
    assert list(provider.requests) == []


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
@pytest.mark.parametrize(
    ("host", "path", "body"),
    [
        (OPENAI, "/v1/chat/completions", chat("x", stream=True)),
        (OPENAI, "/v1/responses", {"model": "gpt-5", "input": "x", "stream": True}),
        (OPENAI, "/v1/embeddings", {"model": "text-embedding-3-small", "input": "x"}),
        (OPENAI, "/v1/completions", {"model": "gpt-3.5-turbo-instruct", "prompt": "x"}),
        (ANTHROPIC, "/v1/messages", message("x", stream=True)),
        (GEMINI, "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", contents("x")),
        (GEMINI, "/v1beta/models/gemini-2.5-flash:generateContent", contents("x")),
        (OLLAMA, "/api/chat", chat("x") | {"model": "llama3.2:1b"}),
    ],
)
def test_every_surface_is_refused(
    spent: Interceptor, provider: SimulatedProvider, host: str, path: str, body: dict[str, Any], http2: bool
) -> None:
    """No endpoint and no streaming is a way around a budget."""
    with spent.http(http2=http2) as client:
        answer = client.post(f"https://{host}{path}", json=body)

    assert answer.status_code == 429
    told(answer, answer.text)
    record = spent.record(answer)
    assert (record["status"], record["rule"]) == (429, "spent")
    assert float(record["cost_usd"] or 0) == 0
    assert list(provider.requests) == []


def test_a_budget_of_nothing_refuses(spent: Interceptor, provider: SimulatedProvider) -> None:
    """Zero means refuse; since waiting does not help, no Retry-After promises that it would."""
    with spent.http() as client:
        answer = client.post(f"https://{OPENAI}/v1/chat/completions", json=chat("x") | {"model": "gpt-4o-mini"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "budget_exceeded")
    assert "nothing" in answer.json()["error"]["message"]
    assert "retry-after" not in answer.headers
    assert answer.headers["x-should-retry"] == "false"
    assert list(provider.requests) == []


def test_what_costs_nothing_passes(spent: Interceptor, provider: SimulatedProvider) -> None:
    """Listing models and counting tokens spend nothing and are answered under an empty budget."""
    assert spent.openai().models.list().data
    counted = spent.anthropic().messages.count_tokens(
        model="claude-opus-5", messages=[{"role": "user", "content": "x"}]
    )
    assert counted.input_tokens > 0


def amounts(state: dict[str, Any]) -> tuple[Decimal, Decimal, Decimal]:
    """Posted, pending and debt in dollars."""
    posted, pending, debt = (Decimal(state[f"{name}_usd"]) for name in ("posted", "pending", "debt"))
    return posted, pending, debt


def test_the_command_prints_the_same_states(spent: Interceptor) -> None:
    """`outwarden budgets --json` beside the running interceptor shows its accounts with the contract's fields."""
    states = spent.printed_budgets()
    (state,) = (each for each in states if each["name"] == "spent")

    assert states == spent.budgets()
    assert {"name", "scope", "id", "window_start", "window_end", "state"} <= state.keys()


def one_state(outwarden: Interceptor, name: str) -> dict[str, Any]:
    """The state of the only account of a budget."""
    (state,) = (each for each in outwarden.budgets() if each["name"] == name)
    return state


def in_force(outwarden: Interceptor, budgets: list[dict[str, Any]]) -> None:
    """Write budgets and wait until they count."""
    count = outwarden.output.count("rules reloaded")
    write_rules(outwarden.rules, {"budgets": {"budgets": budgets, "clamp_output": False}})
    until(lambda: outwarden.output.count("rules reloaded") > count, 10)


async def ask_all(outwarden: Interceptor, http2: bool, provider: SimulatedProvider) -> list[httpx.Response]:
    """Send CALLS calls at once; release the provider's answers when everyone else was refused."""
    limits = httpx.Limits(max_connections=CALLS, max_keepalive_connections=CALLS)
    refused = 0
    all_refused = asyncio.Event()

    async def one(client: httpx.AsyncClient, number: int) -> httpx.Response:
        nonlocal refused
        body = chat(f"call {number % 10}", max_tokens=100, stream=bool(number % 2))
        answer = await client.post(f"https://{OPENAI}/v1/chat/completions", json=body)
        refused += answer.status_code == 429
        if refused >= CALLS - ROOM:
            all_refused.set()
        return answer

    async def release() -> None:
        with contextlib.suppress(TimeoutError):  # then the counts tell what went wrong
            await asyncio.wait_for(all_refused.wait(), 60)
        await asyncio.sleep(0.3)  # one more admitted call would reach the provider now
        assert provider.thread is not None
        provider.thread.release_answers()

    options: Any = {"proxy": outwarden.url, "verify": outwarden.trust(http2=http2), "http2": http2, "limits": limits}
    async with httpx.AsyncClient(timeout=120, **options) as client:
        answers = asyncio.gather(*(one(client, number) for number in range(CALLS)))
        await release()
        return await answers


@pytest.fixture(scope="module")
def crowded(primary: SimulatedProvider, start: Any) -> Interceptor:
    """One interceptor that refuses where it could clamp; each test gives it a budget of its own."""
    budget = {"name": "ample", "scope": "all", "limit_usd": 1000, "window": "lifetime"}
    return start(rules_for(primary, budgets={"budgets": [budget], "clamp_output": False}))


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
@pytest.mark.parametrize("unit", ["usd", "requests"])
def test_exactly_as_many_as_there_is_room_for(
    crowded: Interceptor, provider: SimulatedProvider, unit: str, http2: bool
) -> None:
    """Of 200 calls at once with room for 7, 7 are sent and answered, 193 refused, and the limit is never passed."""
    name = f"room-{unit}-{http2}"
    ample = {"name": f"ample-{name}", "scope": "all", "limit_usd": 1000, "window": "lifetime"}
    in_force(crowded, [ample])
    with crowded.http() as client:
        probe = client.post(f"https://{OPENAI}/v1/chat/completions", json=chat("call 0", max_tokens=100))
    hold = Decimal(crowded.record(probe)["hold_usd"])
    limit = {"limit_requests": ROOM} if unit == "requests" else {"limit_usd": float(hold * ROOM + hold / 2)}
    in_force(crowded, [ample, {"name": name, "scope": "all", "window": "lifetime"} | limit])
    provider.clear()
    assert provider.thread is not None
    provider.thread.hold_answers()

    answers = run_async(ask_all(crowded, http2, provider))

    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(200), statuses.count(429)) == (ROOM, CALLS - ROOM)
    assert len(provider.requests) == ROOM
    state = one_state(crowded, name)
    if unit == "usd":
        posted, pending, debt = amounts(state)
        assert pending == debt == 0
        assert 0 < posted <= Decimal(state["limit_usd"])
        costs = [crowded.record(answer)["cost_usd"] for answer in answers if answer.status_code == 200]
        assert posted == sum(map(Decimal, costs))


def test_a_crash_during_a_call_costs_it_in_full_once(
    primary: SimulatedProvider, provider: SimulatedProvider, start: Any
) -> None:
    """kill -9 between hold and settlement: the next start posts the hold, and the start after that changes nothing."""
    budgets = {"budgets": [{"name": "day", "scope": "all", "limit_usd": 10, "window": "lifetime"}]}
    outwarden: Interceptor = start(rules_for(primary, budgets=budgets))
    with outwarden.http() as client:
        settled = client.post(f"https://{OPENAI}/v1/chat/completions", json=chat("before", max_tokens=50))
        before = Decimal(outwarden.record(settled)["cost_usd"])
        assert provider.thread is not None
        provider.thread.hold_answers()
        provider.clear()
        sender = threading.Thread(target=_send_and_forget, args=(outwarden, chat("x", max_tokens=1000)))
        sender.start()
        until(lambda: len(provider.requests) == 1, 20)
        posted, pending, _ = amounts(one_state(outwarden, "day"))
        assert posted == before
        assert pending > 0
        outwarden.kill()
        sender.join(20)
    provider.thread.release_answers()

    outwarden.start()
    assert amounts(one_state(outwarden, "day")) == (before + pending, 0, 0)
    assert outwarden.stop() == 0
    outwarden.start()
    assert amounts(one_state(outwarden, "day")) == (before + pending, 0, 0)
    with outwarden.http() as client:
        after = client.post(f"https://{OPENAI}/v1/chat/completions", json=chat("after", max_tokens=50))
    cost = Decimal(outwarden.record(after)["cost_usd"])
    assert amounts(one_state(outwarden, "day")) == (before + pending + cost, 0, 0)


def _send_and_forget(outwarden: Interceptor, body: dict[str, Any]) -> None:
    """Send a call whose answer will never come."""
    try:
        with outwarden.http(timeout=20) as client:
            client.post(f"https://{OPENAI}/v1/chat/completions", json=body)
    except httpx.HTTPError:
        return
    raise AssertionError("the call was answered")


@pytest.fixture(scope="module")
def roomy(primary: SimulatedProvider, start: Any) -> Interceptor:
    """An interceptor with money to spend, per team, and a small limit per request."""
    budgets = [
        {"name": "team-day", "scope": "team", "limit_usd": 50, "window": "day"},
        {"name": "one-call", "scope": "request", "limit_usd": 0.02},
        {"name": "everyone", "scope": "all", "limit_usd": 100, "window": "lifetime"},
    ]
    callers = {
        "callers": [{"match": {"header": {"x-team": "^(?P<team>[a-z]+)$"}}}],
        "default": {"team": "unassigned"},
    }
    return start(rules_for(primary, budgets={"budgets": budgets, "clamp_output": True}, callers=callers))


def test_posted_equals_the_audit_s_costs(roomy: Interceptor, provider: SimulatedProvider) -> None:
    """After concurrent calls of three teams an account's spend is the sum of its calls' costs, to the nano-dollar."""
    teams = ["red", "green", "blue"]

    async def all_of_them() -> list[httpx.Response]:
        options: Any = {"proxy": roomy.url, "verify": roomy.trust(), "timeout": 60}
        async with httpx.AsyncClient(**options) as client:
            return await asyncio.gather(
                *(
                    client.post(
                        f"https://{OPENAI}/v1/chat/completions",
                        json=chat("word " * number, max_tokens=200, stream=number % 3 == 0),
                        headers={"x-team": teams[number % 3]},
                    )
                    for number in range(60)
                )
            )

    answers = run_async(all_of_them())
    assert {answer.status_code for answer in answers} == {200}
    assert all(seen.header("x-team") is None for seen in provider.requests)
    until(lambda: len(roomy.records()) >= 60, 10)
    costs = dict.fromkeys(teams, Decimal(0))
    for record in roomy.records():
        costs[record["caller"]["team"]] += Decimal(record["cost_usd"])
    states = {state["id"]: amounts(state) for state in roomy.budgets() if state["name"] == "team-day"}
    assert {team: states[team][0] for team in teams} == costs
    assert all(pending == debt == 0 for _, pending, debt in states.values())


def test_output_is_clamped_to_what_a_budget_affords(roomy: Interceptor, provider: SimulatedProvider) -> None:
    """A call whose worst case is too dear gets a lower output limit instead of a refusal."""
    with roomy.http() as client:
        answer = client.post(f"https://{OPENAI}/v1/chat/completions", json=chat("x", max_tokens=16_000))

    assert answer.status_code == 200
    sent = provider.requests[-1].json()
    assert 0 < sent["max_tokens"] < 16_000
    assert Decimal(roomy.record(answer)["hold_usd"]) <= Decimal("0.02")


def test_an_unknown_model_is_refused(roomy: Interceptor, provider: SimulatedProvider) -> None:
    """What has no price is never free."""
    with roomy.http() as client:
        answer = client.post(f"https://{OPENAI}/v1/chat/completions", json=chat("x") | {"model": "no-such-model-9"})

    assert answer.status_code >= 400
    assert "no-such-model-9" not in json.dumps([seen.path for seen in provider.requests])
    assert list(provider.requests) == []


@pytest.mark.parametrize("usage", [{"prompt_tokens": -9, "completion_tokens": -9, "total_tokens": -18}, None])
def test_bad_usage_never_gives_money_back(
    roomy: Interceptor, provider: SimulatedProvider, usage: dict[str, int] | None
) -> None:
    """Negative usage is never a negative cost, missing usage is estimated and never zero."""
    provider.queue(Script(usage=usage, no_usage=usage is None))
    with roomy.http() as client:
        answer = client.post(f"https://{OPENAI}/v1/chat/completions", json=chat("one two three", max_tokens=50))

    record = roomy.record(answer)
    assert Decimal(record["cost_usd"]) >= 0
    if usage is None:
        assert Decimal(record["cost_usd"]) > 0
        assert record["usage_source"] == "estimate"


@pytest.mark.parametrize("after", [0, 1, 5])
def test_a_client_that_leaves_pays_for_what_was_made(
    roomy: Interceptor, provider: SimulatedProvider, after: int
) -> None:
    """A client that goes away in mid-stream: the call is settled, never for nothing, and nothing stays pending."""
    before = len(roomy.records())
    text = " ".join(f"word{number}" for number in range(40))
    provider.queue(Script(text=text, event_delay_s=0.02, first_content_delay_s=0.1))
    with (
        roomy.http() as client,
        client.stream(
            "POST", f"https://{OPENAI}/v1/chat/completions", json=chat("x", stream=True, max_tokens=200)
        ) as answer,
    ):
        lines = answer.iter_lines()
        for _ in range(2 * after):
            next(lines)

    (record,) = roomy.new_records(before, seconds=20)
    assert Decimal(record["cost_usd"]) > 0
    assert record["usage"]["output_tokens"] > 0
    everyone = one_state(roomy, "everyone")
    assert amounts(everyone)[1] == 0


def test_a_call_without_a_limit_is_given_one(roomy: Interceptor, provider: SimulatedProvider) -> None:
    """Where the model's own maximum is too dear, a call that names no limit gets one under the right name."""
    with roomy.http() as client:
        body = {key: value for key, value in chat("x").items() if key != "max_tokens"}
        answer = client.post(f"https://{OPENAI}/v1/chat/completions", json=body)

    assert answer.status_code == 200
    assert 0 < provider.requests[-1].json()["max_completion_tokens"] < 16_000
    assert Decimal(roomy.record(answer)["hold_usd"]) <= Decimal("0.02")


def test_an_infinite_loop_is_stopped(primary: SimulatedProvider, provider: SimulatedProvider, start: Any) -> None:
    """The contract's loop guard: 30 tries of the same question in a minute, however retried; other calls go on.

    A client that retries changes what is beside the question, and the order of its keys.
    """
    guard = {"name": "loop-guard", "scope": "api_key", "window": "rolling 60s", "limit_requests": 30}
    outwarden: Interceptor = start(rules_for(primary, budgets={"budgets": [guard | {"identical": True}]}))
    answers = []
    with outwarden.http() as client:
        for number in range(36):
            asked = chat(f"why, {EMAIL}?") | {"user": f"try-{number}", "metadata": {"n": str(number)}}
            asked = dict(sorted(asked.items(), reverse=number % 2 == 0))
            answers.append(client.post(f"https://{OPENAI}/v1/chat/completions", json=asked))
        other = client.post(f"https://{OPENAI}/v1/chat/completions", json=chat("something else"))

    assert [answer.status_code for answer in answers] == [200] * 30 + [429] * 6
    assert other.status_code == 200
    told(answers[-1], answers[-1].text.replace("loop-guard", "spent"))
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 61
    assert len(provider.requests) == 31
    (listed,) = outwarden.budgets()
    assert (listed["name"], listed["posted_requests"], listed["state"]) == ("loop-guard", "30", "exceeded")
    assert EMAIL not in json.dumps(listed)


def test_a_loop_of_calls_that_fail_is_stopped(
    primary: SimulatedProvider, provider: SimulatedProvider, start: Any
) -> None:
    """A client that tries again for ever because its provider errs: each try counts, and costs nothing."""
    guard = {"name": "loop-guard", "scope": "api_key", "window": "rolling 60s", "limit_requests": 5, "identical": True}
    money = {"name": "money", "scope": "all", "limit_usd": 1}
    outwarden: Interceptor = start(rules_for(primary, budgets={"budgets": [guard, money]}))
    provider.queue(*[Script(status=400)] * 5)
    with outwarden.http() as client:
        answers = [client.post(f"https://{OPENAI}/v1/chat/completions", json=chat("why?")) for _ in range(7)]

    assert [answer.status_code for answer in answers] == [400] * 5 + [429] * 2
    assert len(provider.requests) == 5
    states = {state["name"]: state for state in outwarden.budgets()}
    assert states["loop-guard"]["posted_requests"] == "5"
    assert states["money"]["posted_usd"] == "0"


def test_rules_and_orders_apply_to_the_running_window(
    primary: SimulatedProvider, provider: SimulatedProvider, start: Any
) -> None:
    """A limit that is raised in the file, a pause and a top-up by command: all on what was spent already."""
    budget = {"name": "calls", "scope": "all", "window": "month", "limit_requests": 1}
    outwarden: Interceptor = start(rules_for(primary, budgets={"budgets": [budget]}))
    with outwarden.http() as client:

        def ask() -> int:
            return client.post(f"https://{OPENAI}/v1/chat/completions", json=chat("hello")).status_code

        assert [ask(), ask()] == [200, 429]
        write_rules(outwarden.rules, {"budgets": {"budgets": [budget | {"limit_requests": 2}]}})
        until(lambda: "rules reloaded" in outwarden.output)
        assert [ask(), ask()] == [200, 429]

        order(outwarden, "top-up", "calls", "2")
        assert ask() == 200
        order(outwarden, "pause", "calls")
        refused = client.post(f"https://{OPENAI}/v1/chat/completions", json=chat("hello"))
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "budget_paused")
        assert refused.headers["x-should-retry"] == "false"
        order(outwarden, "resume", "calls")
        assert [ask(), ask()] == [200, 429]
    assert outwarden.record(refused)["rule"] == "budget_paused"
    assert [r["order"] for r in outwarden.records() if "order" in r] == ["top-up", "pause", "resume"]


def order(outwarden: Interceptor, *arguments: str) -> None:
    """Give an order as an operator does, beside the running interceptor."""
    command = ["budgets", *arguments, "--rules", str(outwarden.rules), "--state", str(outwarden.state)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output


SLOW_S = 0.6  # longer than a call takes on a busy machine


class Receiver(BaseHTTPRequestHandler):
    """A webhook's other side: slow, and it fails at first."""

    told: ClassVar[list[dict[str, Any]]] = []
    fails: ClassVar[list[int]] = [503]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        time.sleep(SLOW_S)
        if not self.fails:
            self.told.append(body)
        self.send_response(self.fails.pop() if self.fails else 200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *arguments: Any) -> None:
        """Quiet."""


def test_webhooks_are_told_and_no_call_waits(primary: SimulatedProvider, start: Any) -> None:
    """Crossing a mark, the last call, a pause: each once, in order, and sent before the program ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    hook = {"url": f"http://127.0.0.1:{server.server_port}/T0/hunter2", "on": ["warn", "exceeded", "paused"]}
    budget = {"name": "calls", "scope": "all", "window": "month", "limit_requests": 2, "warn_at": [0.5]}
    outwarden: Interceptor = start(rules_for(primary, budgets={"budgets": [budget], "webhooks": [hook]}))
    try:
        with outwarden.http() as client:
            answers = [client.post(f"https://{OPENAI}/v1/chat/completions", json=chat("hello")) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
        assert max(answer.elapsed.total_seconds() for answer in answers[1:]) < SLOW_S
        order(outwarden, "pause", "calls")
        until(lambda: any(told["event"] == "paused" for told in Receiver.told))
        assert outwarden.stop() == 0
    finally:
        server.shutdown()
        server.server_close()
    assert [told["event"] for told in Receiver.told] == ["warn", "exceeded", "paused"]
    assert Receiver.told[1]["text"] == "Budget 'calls' (all all, month) is used up: 2 requests of 2 requests is spent"
    assert "hunter2" not in outwarden.output
