"""``budgets.yml``: exact limits, known windows, and no promise that is not kept."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outwarden.budget.limits import Budget, Metered, Projected
from outwarden.budget.webhooks import Webhook
from outwarden.rules import Rules
from outwarden.rules.nodes import parse
from outwarden.rules.read_budgets import read_budgets

Load = Callable[..., Rules]
Problems = Callable[..., list[str]]


def test_all_keys(load: Load) -> None:
    """The parts of the contract's example that are built."""
    budgets = load(
        budgets="""\
            budgets:
              - name: one-call
                scope: request
                limit_usd: 0.05
              - name: key-day
                scope: api_key
                limit_usd: 200
                window: day
                timezone: Europe/Berlin
                warn_at: [0.8, 0.5]
                on_exceeded: refuse
                identical: no
              - name: support-month
                scope: team
                only: {team: support, model: "gpt-4*"}
                limit_tokens: 5_000_000
                window: month
              - {name: stop, scope: all, limit_requests: 0}
            hold: full
            clamp_output: off
            unknown_price: {input_mtok: 15, output_mtok: 75.5}
            webhooks: []
            """
    ).budgets

    assert budgets.budgets == (
        Budget("one-call", "request", 50_000_000),
        Budget("key-day", "api_key", 200_000_000_000, window="day", timezone="Europe/Berlin", warn_at=(0.5, 0.8)),
        Budget("support-month", "team", 5_000_000, "tokens", "month", only={"team": "support", "model": "gpt-4*"}),
        Budget("stop", "all", 0, "requests"),
    )
    assert budgets.clamp_output is False
    assert budgets.unknown_price == (Decimal(15), Decimal("75.5"))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10**18))
def test_money_is_exact_to_the_nano_dollar(nano: int) -> None:
    """No amount is rounded on the way from the file."""
    node = parse(f"budgets: [{{name: a, scope: all, limit_usd: {Decimal(nano).scaleb(-9):f}}}]")
    assert node is not None

    assert read_budgets(node, Path()).budgets[0].limit == nano


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("limit_usd: -1", "limit_usd: expected a number of 0 or more"),
        ("limit_usd: 0.0000000001", "limit_usd: expected a number of 0 or more"),
        ("limit_usd: true", "limit_usd: expected a number of 0 or more"),
        ("limit_usd: 2000000000", "limit_usd: expected at most 1000000000 dollars"),
        ("limit_tokens: 1.5", "limit_tokens: expected a whole number"),
        ("limit_requests: many", "limit_requests: expected a whole number"),
        ("limit_eur: 5", "a limit is missing: limit_usd, limit_tokens or limit_requests"),
        ("{limit_usd: 1}", "not YAML"),
    ],
)
def test_what_is_no_limit(line: str, problem: str, problems: Problems) -> None:
    """A budget without a limit, or with half a one, is refused."""
    told = problems(budgets=f"budgets:\n  - name: a\n    scope: all\n    {line}\n")

    assert any(problem in one for one in told)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("limit_tokens: 5", "'limit_tokens' besides 'limit_usd': a budget has one limit; write two budgets"),
        ("window: dya", "window: expected minute, hour, day"),
        ("window: [day]", "window: expected a single value"),
        ("window: rolling", "window: expected rolling and a length of 1s to 366d"),
        ("window: rolling 10 minutes", "window: expected rolling and a length"),
        ("window: rolling 0s", "window: expected rolling and a length"),
        ("window: refill 400d", "window: expected refill and a length"),
        ("window: rate 10m", "window: expected minute, hour, day"),
        ("burst_usd: 5", "'burst_usd' needs a window such as refill 1h"),
        ("timezone: Mars/Olympus", "timezone: expected a time zone"),
        ("timezone: ../../etc/passwd", "timezone: expected a time zone"),
        ("timezone: Europe", "timezone: expected a time zone"),
        ("only: {tem: a}", "unknown field 'tem' (did you mean 'team'?)"),
        ("warn_at: [0.5, 1.5]", "warn_at: expected a number from"),
        ("warn_at: 80", "warn_at: expected a number from"),
        ("limits: 5", "unknown key 'limits'"),
    ],
)
def test_what_is_wrong_with_a_budget(line: str, problem: str, problems: Problems) -> None:
    """Told with its line."""
    told = problems(budgets=f"budgets:\n  - name: a\n    scope: all\n    limit_usd: 1\n    {line}\n")

    assert [one for one in told if one.startswith(f"budgets.yml:5: {problem}")] == told
    assert len(told) == 1


@pytest.mark.parametrize("name", ["n" * 81, '"a\\0b"', '"a\\nb"'])
def test_a_name_that_no_database_keeps(name: str, problems: Problems) -> None:
    """Told when the rules are read, not by a database that refuses each call."""
    told = problems(budgets=f"budgets:\n  - name: {name}\n    scope: all\n    limit_usd: 1\n")

    assert told == ["budgets.yml:2: name: expected at most 80 characters that can be printed"]


@pytest.mark.parametrize(
    ("written", "window"), [("rolling 10m", "rolling 10m"), ("rolling  60s", "rolling 60s"), ("refill 1h", "refill 1h")]
)
def test_moving_windows(written: str, window: str, load: Load) -> None:
    """By kind and length; how many spaces are between them makes no other window."""
    rules = load(budgets=f"budgets: [{{name: a, scope: all, limit_usd: 1, window: {written}}}]")

    assert rules.budgets.budgets == (Budget("a", "all", 10**9, window=window),)


@pytest.mark.parametrize("window", ["day", "rolling 10m", "refill 1h"])
def test_a_limit_per_call_has_no_window(window: str, load: Load, problems: Problems) -> None:
    """A day's limit is not meant for each call; said at its line. The default may be written down."""
    budget = "budgets:\n  - name: a\n    scope: request\n    limit_usd: 1\n    window: "

    assert [one.partition(";")[0] for one in problems(budgets=f"{budget}{window}\n")] == [
        "budgets.yml:5: 'window' counts calls"
    ]
    assert load(budgets=f"{budget}lifetime\n").budgets.budgets[0].window == "lifetime"


def test_a_burst(load: Load) -> None:
    """How much a bucket holds; the limit is what flows back."""
    (budget,) = load(
        budgets="budgets: [{name: a, scope: all, limit_usd: 1, burst_usd: 2.5, window: refill 1h}]"
    ).budgets.budgets

    assert (budget.limit, budget.capacity) == (10**9, 2_500_000_000)


@pytest.mark.parametrize(
    ("burst", "problem"),
    [
        ("burst_usd: 0.5", "'burst_usd' is less than the limit"),
        ("burst_tokens: 500", "'burst_tokens' does not go with the limit"),
        ("burst_usd: 5, burst_tokens: 5", "'burst_usd' does not go with the limit"),
        ("burst_usd: -1", "burst_usd: expected a number"),
    ],
)
def test_what_is_no_burst(burst: str, problem: str, problems: Problems) -> None:
    """In the limit's unit, and at least the limit."""
    told = problems(budgets=f"budgets:\n  - {{name: a, scope: all, limit_usd: 1, window: refill 1h, {burst}}}\n")

    assert told[0].startswith(f"budgets.yml:2: {problem}")


def test_the_loop_guard(load: Load) -> None:
    """The contract's example."""
    (budget,) = load(
        budgets="""\
            budgets:
              - name: loop-guard
                scope: api_key
                limit_requests: 30
                identical: true
                window: rolling 60s
            """
    ).budgets.budgets

    assert budget == Budget("loop-guard", "api_key", 30, "requests", "rolling 60s", identical=True)


@pytest.mark.parametrize(
    ("scope", "window", "problem"),
    [
        ("request", "minute", "'identical' counts calls"),
        ("user", "lifetime", "'identical' needs a window that ends soon"),
        ("user", "month", "'identical' needs a window that ends soon"),
    ],
)
def test_where_identical_calls_cannot_be_counted(scope: str, window: str, problem: str, problems: Problems) -> None:
    """Each body has a counter, so a window must end before there are too many; a call by itself is no loop."""
    keys = f"name: a, scope: {scope}, limit_requests: 5, window: {window}"
    (told,) = problems(budgets=f"budgets:\n  - {{{keys}, identical: true}}\n")

    assert told.startswith(f"budgets.yml:2: {problem}")


def test_a_budget_that_is_leased(load: Load) -> None:
    """Off unless the rules say so; it goes with all that is exact in a calendar window."""
    one, other = load(
        budgets="""\
            budgets:
              - {name: a, scope: api_key, limit_usd: 5, window: day, warn_at: [0.5], lease: true}
              - {name: b, scope: all, limit_requests: 5}
            """
    ).budgets.budgets

    assert (one.lease, other.lease) == (True, False)


@pytest.mark.parametrize(
    "keys",
    [
        "scope: request",
        "scope: all, window: rolling 1h",
        "scope: all, window: refill 1h",
        "scope: all, window: day, identical: true",
        "scope: all, window: day, projected: {within: 1h}",
        "scope: all, window: day, on_exceeded: warn",
    ],
)
def test_what_cannot_be_leased_says_so(keys: str, problems: Problems) -> None:
    """A lease that would not be used, because the rule has to see each call, is a mistake at load."""
    (told,) = problems(budgets=f"budgets:\n  - {{name: a, limit_usd: 5, lease: true, {keys}}}\n")

    assert told.startswith("budgets.yml:2: 'lease' needs a counter of all calls")


def test_budgets_that_warn_and_watch(load: Load) -> None:
    """What only counts, and what looks at how fast it is spent."""
    counted, watched, all_told = load(
        budgets="""\
            budgets:
              - {name: counted, scope: team, limit_usd: 5, window: day, on_exceeded: warn}
              - {name: watched, scope: api_key, limit_usd: 200, window: day, projected: {within: 1h}}
              - name: all-told
                scope: all
                limit_tokens: 5
                projected: {within: 1d, over: 90s, action: warn}
            """
    ).budgets.budgets

    assert (counted.on_exceeded, counted.projected) == ("warn", None)
    assert watched.projected == Projected(3600, 600, "refuse")
    assert all_told.projected == Projected(86_400, 90, "warn")


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ("projected: {}", "key 'within' is missing"),
        ("projected: {within: soon}", "within: expected a duration"),
        ("projected: {within: 1h, over: 0s}", "over: expected a duration"),
        ("projected: {within: 1h, action: reroute}", "action: expected refuse or warn"),
        ("projected: {within: 1h, withn: 2h}", "unknown key 'withn'"),
        ("window: rolling 10m, projected: {within: 1h}", "'projected' watches a calendar window"),
    ],
)
def test_what_is_no_projection(keys: str, problem: str, problems: Problems) -> None:
    """Told by its key."""
    (told,) = problems(budgets=f"budgets:\n  - {{name: a, scope: all, limit_usd: 1, {keys}}}\n")

    assert told.startswith(f"budgets.yml:2: {problem}")


def test_two_budgets_of_one_name_are_refused(problems: Problems) -> None:
    """They would share their counters."""
    assert problems(
        budgets="budgets:\n  - {name: a, scope: all, limit_usd: 1}\n  - {name: a, scope: team, limit_usd: 1}\n"
    ) == ["budgets.yml:3: name 'a' was given before, in line 2"]


ROUTES = """
upstreams:
  onprem: {url: "http://onprem.example/v1", provider: vllm, format: openai}
routes:
  - {name: spare, match: {model: none}, targets: [onprem]}
  - {name: usual, match: {model: "*"}, targets: [original, onprem]}
"""


def test_where_calls_are_sent(load: Load) -> None:
    """To an upstream or a route; from a share on, or when there is no room."""
    both, late = load(
        routes=ROUTES,
        budgets="""\
            budgets:
              - {name: both, scope: all, limit_usd: 1, reroute_at: 0.6, reroute_to: onprem, on_exceeded: reroute}
              - {name: late, scope: all, limit_usd: 1, reroute_to: spare, on_exceeded: reroute}
            """,
    ).budgets.budgets

    assert (both.reroute_at, both.reroute_to, both.on_exceeded) == (0.6, "onprem", "reroute")
    assert (late.reroute_at, late.reroute_to) == (None, "spare")


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ("reroute_at: 0.6", "'reroute_at' needs 'reroute_to'"),
        ("on_exceeded: reroute", "'on_exceeded' needs 'reroute_to'"),
        ("reroute_to: onprem", "'reroute_to' needs 'reroute_at', or 'on_exceeded: reroute'"),
        (
            "reroute_to: onpram, on_exceeded: reroute",
            "no such route or upstream in routes.yml (did you mean 'onprem'?)",
        ),
        ("reroute_to: usual, on_exceeded: reroute", "the route leads to 'original' too"),
        ("reroute_to: onprem, reroute_at: 1.5", "reroute_at: expected a number from 0 to 1"),
    ],
)
def test_where_calls_cannot_be_sent(keys: str, problem: str, problems: Problems) -> None:
    """Told with its line; a route that leads back would spend what is to be spared."""
    told = problems(routes=ROUTES, budgets=f"budgets:\n  - {{name: a, scope: all, limit_usd: 1, {keys}}}\n")

    assert told[0].startswith(f"budgets.yml:2: {problem}")


def test_a_limit_per_call_has_no_share(problems: Problems) -> None:
    """Scope request counts nothing that could be six tenths full."""
    keys = "name: a, scope: request, limit_usd: 1, reroute_at: 0.6, reroute_to: onprem"
    assert "'reroute_at' needs a counter" in problems(routes=ROUTES, budgets=f"budgets: [{{{keys}}}]")[0]


@pytest.mark.parametrize(
    ("written", "metered"),
    [
        ("hold: full", None),
        ("hold: metered", Metered(256, "full")),
        ("hold: metered\nmetered: {slice_tokens: 1000}", Metered(1000, "full")),
        ("hold: metered\nmetered: {whole: learnt}", Metered(256, "learnt")),
    ],
)
def test_how_holds_are_made(load: Load, written: str, metered: Metered | None) -> None:
    """In full, or growing with what comes."""
    assert load(budgets=written).budgets.metered == metered


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("metered: {slice_tokens: 100}", "budgets.yml:1: 'metered' needs 'hold: metered'"),
        ("hold: full\nmetered: {whole: learnt}", "budgets.yml:2: 'metered' needs 'hold: metered'"),
        ("hold: metered\nmetered: {slice_tokens: 31}", "budgets.yml:2: slice_tokens: expected"),
        ("hold: metered\nmetered: {slice_tokens: 100001}", "budgets.yml:2: slice_tokens: expected"),
        ("hold: metered\nmetered: {whole: guess}", "budgets.yml:2: whole: expected full or learnt, not 'guess'"),
        ("hold: metered\nmetered: {slice: 100}", "budgets.yml:2: unknown key 'slice'"),
        ("hold: metred", "budgets.yml:1: hold: expected full or metered, not 'metred'"),
    ],
)
def test_what_is_no_hold(problems: Problems, written: str, problem: str) -> None:
    """Never taken silently for something else."""
    (told,) = problems(budgets=written)

    assert told.startswith(problem)


def test_webhooks(load: Load, folder: Path) -> None:
    """The contract's example, a file beside the rules, and an address that is no secret."""
    budgets = load(
        budgets="""\
            webhooks:
              - {url: "env:SLACK_WEBHOOK", on: [warn, exceeded, breaker]}
              - {url: "file:hook.txt", on: paused}
              - {url: "http://alerts.internal:9000/x?y=1", on: [warn]}
            """
    ).budgets

    assert budgets.webhooks == (
        Webhook("env:SLACK_WEBHOOK", frozenset({"warn", "exceeded", "breaker"})),
        Webhook(f"file:{folder / 'hook.txt'}", frozenset({"paused"})),
        Webhook("http://alerts.internal:9000/x?y=1", frozenset({"warn"})),
    )
    assert [hook.name for hook in budgets.webhooks] == [
        "env:SLACK_WEBHOOK", f"file:{folder / 'hook.txt'}", "to alerts.internal",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("hook", "problem"),
    [
        ("{on: [warn]}", "key 'url' is missing"),
        ("{url: 'env:A'}", "key 'on' is missing"),
        ("{url: 'env:A', on: []}", "expected warn, exceeded, paused, breaker"),
        ("{url: 'env:A', on: [wran]}", "on: expected warn, exceeded, paused or breaker, not 'wran'"),
        ("{url: 'hooks.slack.example/T0/hunter2', on: [warn]}", "url: expected env:NAME, file:PATH"),
        ("{url: 'ftp://x/hunter2', on: [warn]}", "url: expected env:NAME, file:PATH"),
        ("{url: 'http://x:port/hunter2', on: [warn]}", "url: expected env:NAME, file:PATH"),
        ("{url: 'env:', on: [warn]}", "url: expected env:NAME, file:PATH"),
    ],
)
def test_what_is_no_webhook(hook: str, problem: str, problems: Problems) -> None:
    """Told without the address, which is a secret."""
    (told,) = problems(budgets=f"webhooks: [{hook}]")

    assert told.startswith("budgets.yml:1: ")
    assert problem in told
    assert "hunter2" not in told


@pytest.mark.parametrize(
    "line", ["unknown_price: allow", "unknown_price: {input_mtok: 1}", "hold: half", "clamp_output: 5"]
)
def test_what_is_wrong_with_the_rest(line: str, problems: Problems) -> None:
    """An unknown price is never nothing."""
    assert len(problems(budgets=line)) == 1
