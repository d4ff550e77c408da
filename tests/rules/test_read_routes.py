"""``routes.yml``: upstreams that can be reached and signed in at, routes that lead to them."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from outwarden.routing import Auth, Breaker, Probes, Route, Timeouts, Upstream, resolve_secret
from outwarden.rules import Rules

Load = Callable[..., Rules]
Problems = Callable[..., list[str]]
UPSTREAM = "upstreams:\n  onprem: {url: 'http://vllm.corp.example/v1', provider: vllm, format: openai, quality: 0.7}\n"


def test_an_upstream_with_all_keys(load: Load, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The secret stays where it is; only where to find it is kept."""
    monkeypatch.setenv("VLLM_KEY", "invented-key")
    (folder / "ca.pem").touch()
    upstreams = load(
        routes="""\
            upstreams:
              onprem:
                url: https://vllm.corp.example:8443/v1/
                provider: vllm
                format: openai
                model: {gpt-4o: mixtral-8x22b, "*": qwen3}
                auth: {bearer: env:VLLM_KEY}
                quality: 0.72
                price: {input_mtok: 0.2, output_mtok: 0.25}
                trust: ca.pem
            """
    ).routes.upstreams

    assert upstreams["onprem"] == Upstream(
        "onprem",
        "https",
        "vllm.corp.example",
        8443,
        "/v1",
        "vllm",
        "openai",
        model={"gpt-4o": "mixtral-8x22b", "*": "qwen3"},
        auth=Auth("bearer", secret="env:VLLM_KEY"),
        quality=0.72,
        price=(Decimal("0.2"), Decimal("0.25")),
        trust=(folder / "ca.pem").resolve(),
    )
    assert "invented-key" not in repr(upstreams)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://h.example", ("https", "h.example", 443, "")),
        ("http://h.example/", ("http", "h.example", 80, "")),
        ("http://[::1]:8000/a/b", ("http", "::1", 8000, "/a/b")),
        ("https://H.Example/openai/deployments/gpt", ("https", "h.example", 443, "/openai/deployments/gpt")),
    ],
)
def test_where_a_url_leads(url: str, expected: tuple[object, ...], load: Load) -> None:
    """The port is the scheme's where none is given; the path has no slash at its end."""
    up = load(routes=f"upstreams: {{a: {{url: '{url}', provider: p, format: openai}}}}").routes.upstreams["a"]

    assert (up.scheme, up.host, up.port, up.path) == expected


def test_a_url_may_have_parameters(load: Load) -> None:
    """Azure's deployments have a version of the API."""
    url = "https://r.openai.azure.com/openai/deployments/d?api-version=2024-10-21"
    up = load(routes=f"upstreams: {{a: {{url: '{url}', provider: azure, format: openai}}}}").routes.upstreams["a"]

    assert (up.path, up.query) == ("/openai/deployments/d", "api-version=2024-10-21")


def test_parameters_are_dropped_or_refused(load: Load, problems: Problems) -> None:
    """Each at most once, and not both."""
    routes = "upstreams: {a: {url: 'http://h', provider: p, format: openai, drop: [store, user], refuse: [logprobs]}}"
    up = load(routes=routes).routes.upstreams["a"]

    assert (up.drop, up.refuse) == (("store", "user"), ("logprobs",))
    (told,) = problems(routes=routes.replace("logprobs", "user"))
    assert "'user' is dropped as well" in told


@pytest.mark.parametrize("auth", ["keep", "{bearer: keep}"])
def test_the_callers_own_key_may_be_kept(auth: str, load: Load) -> None:
    """Written either way."""
    routes = f"upstreams: {{a: {{url: 'http://h', provider: p, format: openai, auth: {auth}}}}}"

    assert load(routes=routes).routes.upstreams["a"].auth == Auth()


def test_a_secret_in_a_file_and_a_header_of_its_own(load: Load, folder: Path) -> None:
    """The path is as seen from the rules folder, and works from everywhere."""
    (folder / "key").write_text("invented-key\n")

    keys = "url: 'http://h', provider: p, format: openai, auth: {header: {X-Api-Key: 'file:key'}}"
    auth = load(routes=f"upstreams: {{a: {{{keys}}}}}").routes.upstreams["a"].auth

    assert auth == Auth("header", "x-api-key", f"file:{(folder / 'key').resolve()}")
    assert resolve_secret(auth) == "invented-key"


def test_one_model_for_all(load: Load) -> None:
    """A name alone stands for every requested one."""
    routes = "upstreams: {a: {url: 'http://h', provider: p, format: openai, model: qwen3}}"

    assert load(routes=routes).routes.upstreams["a"].model == {"*": "qwen3"}


def test_a_route_with_all_keys(load: Load) -> None:
    """429 is a word here, and off needs no quotes."""
    routes = load(
        routes=UPSTREAM
        + """\
routes:
  - name: gpt
    match: {model: "gpt-4*", team: "*"}
    strategy: priority
    targets: [original, {name: onprem}]
    min_quality: 0.7
    fail_over_on: [connect, timeout, 429, 5xx, stream_error, budget]
    timeouts: {connect: 5s, first_byte: 30s, first_content: 20s, idle: 500ms, total: 10m}
    retries: 1
    breaker: {max_fails: 3, within: 10s, cooldown: 1m}
    rescue: off
"""
    ).routes.routes

    assert routes == (
        Route(
            "gpt",
            {"model": "gpt-4*", "team": "*"},
            targets=("original", "onprem"),
            min_quality=0.7,
            fail_over_on=frozenset({"connect", "timeout", "429", "5xx", "stream_error", "budget"}),
            timeouts=Timeouts(5, 30, 20, 0.5, 600),
            retries=1,
            breaker=Breaker(3, 10, 60),
        ),
    )


NESTED = """\
upstreams:
  cheap: {url: 'http://cheap', provider: p, format: openai, quality: 0.5}
  good: {url: 'http://good', provider: p, format: openai, quality: 0.9}
routes:
  - {name: pool, strategy: weighted, sticky: session, targets: [{name: cheap, weight: 3}, good]}
  - {name: gpt, match: {model: "gpt*"}, targets: [original, {route: pool}], min_quality: 0.6}
  - {name: rest, strategy: latency, targets: [{route: pool}, original]}
"""


def test_a_route_may_be_a_target_of_another(load: Load) -> None:
    """Its targets stand there in its own order; it matches no call by itself, and the outer quality holds in it."""
    gpt, rest = load(routes=NESTED).routes.routes

    assert (gpt.name, gpt.targets) == ("gpt", ("original", "route pool"))
    assert gpt.groups["route pool"].targets == ("good",)
    pool = rest.groups["route pool"]
    assert (pool.targets, pool.weights, pool.sticky) == (("cheap", "good"), {"cheap": 3.0}, "session")


@pytest.mark.parametrize(
    ("routes", "problem"),
    [
        ("{name: a, targets: [{route: b}]}, {name: b, targets: [{route: a}]}", "route 'a' is a part of itself"),
        ("{name: a, match: {model: x}, targets: [{route: a}]}", "route 'a' is a part of itself"),
        ("{name: a, min_quality: 0.95, targets: [{route: b}]}, {name: b, targets: [good]}", "no target of 'b' reaches"),
        ("{name: a, min_quality: 0.5, targets: [{route: b}]}, {name: b, targets: [onprem]}", "'onprem' has no quality"),
    ],
)
def test_what_is_wrong_with_nested_routes(routes: str, problem: str, problems: Problems) -> None:
    """A route in itself would have no end, and no route ends up without a target silently."""
    upstreams = "upstreams: {good: {url: 'http://h', provider: p, format: openai, quality: 0.9}, "
    upstreams += "onprem: {url: 'http://h', provider: p, format: openai}}\n"
    (told,) = problems(routes=upstreams + f"routes: [{routes}]\n")

    assert problem in told


def test_a_short_route_has_the_defaults(load: Load) -> None:
    """As the routing room states them."""
    assert load(routes="routes: [{name: a}]").routes.routes == (Route("a"),)


def test_a_target_below_the_quality_is_left_out(load: Load) -> None:
    """What the caller chose is always good enough."""
    routes = load(routes=UPSTREAM + "routes: [{name: a, targets: [original, onprem], min_quality: 0.8}]").routes.routes

    assert routes[0].targets == ("original",)


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("url: ftp://h", "url: expected http:// or https://"),
        ("url: https://", "url: expected http:// or https://"),
        ("url: h.example", "url: expected http:// or https://"),
        ("url: 'http://h:99999'", "not a URL"),
        ("url: 'http://h/?key=1'", "a URL with a key in it"),
        ("url: 'http://h/?version'", "url: expected a query such as"),
        ("url: 'http://h/?a=1&'", "url: expected a query such as"),
        ("drop: [messages]", "'messages' is what the call is about"),
        ("drop: [store, store]", "'store' was given before"),
        ("url: 'http://me:pass@h'", "a URL with a user in it"),
        ("format: opnai", "format: expected anthropic"),
        ("provider: 'a b'", "provider: expected a provider's id"),
        ("quality: 2", "quality: expected a number from 0 to 1"),
        ("model: []", "model: expected keys and values"),
        ("trust: nowhere.pem", "file nowhere.pem does not exist"),
        ("price: {input_mtok: 1}", "key 'output_mtok' is missing"),
        ("auth: none", "auth: expected keep"),
        ("auth: {}", "expected keep, one 'bearer', one 'header', 'aws' or 'google'"),
        ("auth: {bearer: env:NOT_SET_ANYWHERE}", "environment variable NOT_SET_ANYWHERE is not set"),
        ("auth: {bearer: file:nowhere}", "file nowhere does not exist"),
        ("auth: {bearer: invented-key}", "bearer: expected env:NAME or file:PATH"),
        ("auth: {header: {'x key': env:HOME}}", "expected the name of a header"),
        ("modle: a", "unknown key 'modle' (did you mean 'model'?)"),
    ],
)
def test_what_is_wrong_with_an_upstream(key: str, problem: str, problems: Problems) -> None:
    """Told with its line; a secret in the wrong place is not repeated."""
    keys = {"url": "url: http://h", "provider": "provider: p", "format": "format: openai", key.split(":")[0]: key}
    told = problems(routes="upstreams:\n  a:\n    " + "\n    ".join(keys.values()) + "\n")

    assert len(told) == 1
    assert problem in told[0]
    assert told[0].startswith(f"routes.yml:{3 + list(keys.values()).index(key)}: ")
    assert "invented-key" not in told[0]
    assert "pass@" not in told[0]


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("targets: [onperm]", "unknown upstream 'onperm' (did you mean 'onprem'?)"),
        ("targets: []", "no target is left"),
        ("targets: [onprem, onprem]", "name 'onprem' was given before"),
        ("fail_over_on: [500]", "fail_over_on: expected connect, timeout, 429"),
        ("timeouts: {conect: 5s}", "unknown key 'conect' (did you mean 'connect'?)"),
        ("timeouts: {connect: 5}", "connect: expected a duration"),
        ("retries: 6", "retries: expected a whole number from 0 to 5"),
        ("breaker: {max_fails: 0}", "max_fails: expected a whole number"),
        ("match: {modle: a}", "unknown field 'modle' (did you mean 'model'?)"),
        ("min_quality: 1.5", "min_quality: expected a number from 0 to 1"),
        ("strategy: fastest", "strategy: expected priority"),
        ("targets: [{name: onprem, weight: 3}]", "weights and 'sticky' are for strategy: weighted"),
        ("sticky: session", "weights and 'sticky' are for strategy: weighted"),
        ("sticky: sesion\n    strategy: weighted", "sticky: expected session, user, api_key or team"),
        ("targets: [{name: onprem, weight: 0}]\n    strategy: weighted", "every weight is 0"),
        ("targets: [{name: onprem, weight: many}]\n    strategy: weighted", "weight: expected a number"),
        ("targets: [{route: b}]", "unknown route 'b'"),
        ("targets: [{weight: 2}]", "key 'name' is missing"),
        ("name: b", "key 'name' was given before"),
    ],
)
def test_what_is_wrong_with_a_route(key: str, problem: str, problems: Problems) -> None:
    """Told with its line."""
    (told,) = problems(routes=UPSTREAM + f"routes:\n  - name: a\n    {key}\n")

    assert told.startswith(f"routes.yml:5: {problem}")


def test_a_quality_is_asked_of_those_who_have_none(problems: Problems) -> None:
    """It is neither taken for good nor left out silently."""
    upstreams = "upstreams: {a: {url: 'http://h', provider: p, format: openai}}\n"

    told = problems(routes=upstreams + "routes: [{name: r, targets: [original, a], min_quality: 0.5}]")

    assert told == ["routes.yml:2: upstream 'a' has no quality to compare with min_quality"]


def test_original_is_no_name_for_an_upstream(problems: Problems) -> None:
    """It is where the caller aimed."""
    (told,) = problems(routes="upstreams: {original: {url: 'http://h', provider: p, format: openai}}")

    assert "not a name for an upstream" in told


def test_a_broken_upstream_does_not_break_its_routes(problems: Problems) -> None:
    """One mistake is one problem."""
    told = problems(
        routes="upstreams:\n  a: {url: h, provider: p, format: openai}\nroutes:\n  - {name: r, targets: [a]}\n"
    )

    assert len(told) == 1
    assert told[0].startswith("routes.yml:2: url:")


CONTINUED = """\
upstreams:
  gpt: {{url: 'http://a', provider: openai, format: openai}}
  own: {{url: 'http://b', provider: gateway, format: openai, prefill: {prefill}}}
routes:
  - name: a
    targets: {targets}
    rescue: continue
"""


def test_somebody_may_go_on(load: Load) -> None:
    """An upstream that is known for it, or that the rules say it of; where the caller aimed may be one."""
    (route,) = load(routes=CONTINUED.format(targets="[gpt, own]", prefill="true")).routes.routes
    upstreams = load(routes=CONTINUED.format(targets="[gpt, original]", prefill="no")).routes.upstreams

    assert route.rescue == "continue"
    assert (upstreams["own"].prefill, upstreams["gpt"].prefill) == (False, None)


@pytest.mark.parametrize(
    ("targets", "prefill", "why"),
    [
        ("[gpt, own]", "false", "none of its targets (gpt or own) is known to go on with an answer"),
        ("[own]", "true", "it has one target and no retries"),
    ],
)
def test_where_nobody_can_go_on_the_rule_is_refused(targets: str, prefill: str, why: str, problems: Problems) -> None:
    """At its line: a rule that could never do anything is a mistake."""
    (told,) = problems(routes=CONTINUED.format(targets=targets, prefill=prefill))

    assert told.startswith(f"routes.yml:7: rescue 'continue' of route 'a': {why}")


def test_the_targets_of_its_parts_count(load: Load, problems: Problems) -> None:
    """Those of routes that it names."""
    parts = "  - name: part\n    targets: [{part}]\n"
    rules = CONTINUED.format(targets="[gpt, {route: part}]", prefill="true")
    (route,) = load(routes=rules + parts.format(part="own")).routes.routes
    (told,) = problems(routes=CONTINUED.format(targets="[{route: part}]", prefill="no") + parts.format(part="gpt"))

    assert route.rescue == "continue"
    assert "none of its targets (gpt)" in told


def test_nothing_asks_other_formats_to_go_on(problems: Problems) -> None:
    """So they cannot be said to."""
    (told,) = problems(routes="upstreams: {g: {url: 'http://g', provider: google, format: gemini, prefill: true}}")

    assert told == "routes.yml:1: nothing asks an upstream of format gemini to go on with an answer"


PROBED = "upstreams: {{a: {{url: 'http://h', provider: p, format: openai, health: {}}}}}"


def test_active_probes(load: Load) -> None:
    """A path, and how often; the rest has defaults."""
    whole = load(routes=PROBED.format("{path: /models, every: 15s}")).routes.upstreams["a"].health
    own = PROBED.format("{path: /up, every: 1m, timeout: 2s, max_fails: 3, passes: 1}")

    assert whole == Probes("/models", every=15, timeout=5, max_fails=2, passes=2)
    assert load(routes=own).routes.upstreams["a"].health == Probes("/up", 60, 2, 3, 1)
    assert load(routes=UPSTREAM).routes.upstreams["onprem"].health is None


@pytest.mark.parametrize(
    ("probes", "why"),
    [
        ("{every: 15s}", "key 'path' is missing"),
        ("{path: models}", "expected a path below the url"),
        ("{path: '/models?key=1'}", "expected a path below the url"),
        ("{path: '/a b'}", "expected a path below the url"),
        ("{path: /models, every: 100ms}", "expected 1s or more"),
        ("{path: /models, every: 15}", "expected a duration"),
        ("{path: /models, max_fails: 0}", "expected"),
        ("{path: /models, evry: 15s}", "unknown key"),
        ("/models", "expected"),
    ],
)
def test_wrong_probes_are_refused(probes: str, why: str, problems: Problems) -> None:
    """With the line, as everywhere."""
    (told,) = problems(routes=PROBED.format(probes))

    assert told.startswith("routes.yml:1: ")
    assert why in told


FORMATS = """\
upstreams:
  gpt: {url: 'http://a', provider: p, format: openai}
  claude: {url: 'http://b', provider: p, format: anthropic}
  gem: {url: 'http://c', provider: p, format: gemini}
  aws: {url: 'http://d', provider: p, format: bedrock}
routes:
  - name: inner
    targets: [aws]
"""


@pytest.mark.parametrize("targets", ["[original, gpt, claude, gem]", "[original, aws]", "[aws, {route: inner}]"])
def test_targets_that_one_call_can_have(load: Load, targets: str) -> None:
    """Upstreams of formats that are translated, or of one format, may stand in one route."""
    assert load(routes=f"{FORMATS}  - {{name: r, targets: {targets}}}\n").routes.routes[-1].name == "r"


@pytest.mark.parametrize(
    ("targets", "place"),
    [
        ("[gpt, original, aws]", "routes.yml:10: "),
        ("[gpt, {route: inner}]", "routes.yml:7: route 'r': "),
    ],
)
def test_targets_that_no_call_can_have_together(problems: Problems, targets: str, place: str) -> None:
    """A route that promises a way it never has is refused when it is read, and the upstreams are named."""
    (told,) = problems(routes=f"{FORMATS}  - name: r\n    targets: {targets}\n")

    assert place in told
    assert "no call reaches both 'aws' (bedrock) and 'gpt' (openai)" in told
