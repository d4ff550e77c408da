"""``budgets.yml``: how much may be spent, by whom, per which time."""

from decimal import Decimal
from pathlib import Path
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from outwarden.budget.lease import may_lease
from outwarden.budget.limits import RATE_OVER_S, Budget, BudgetRules, Metered, Projected, Scope, Unit
from outwarden.budget.webhooks import Event, Webhook, is_address
from outwarden.budget.windows import moving
from outwarden.pricing.price import NANO
from outwarden.routing import ORIGINAL, RouteRules, places, reroute
from outwarden.rules.nodes import Node, NodeError, Scalar
from outwarden.rules.values import (
    Keys,
    Reader,
    decimal,
    flag,
    list_of,
    map_of,
    number,
    one_of,
    suggest,
    text,
    unique_list_of,
    whole,
)

SCOPES: tuple[Scope, ...] = get_args(Scope)
SHORT_WINDOWS = ("minute", "hour", "day")  # how many different bodies a longer one sees, nobody can keep
MOVING = ("rolling", "refill")
WINDOWS = ("minute", "hour", "day", "week", "month", "year", "lifetime")
MATCHABLE = ("api_key", "user", "team", "project", "organization", "session", "source", "model", "provider")
LIMITS: dict[str, Unit] = {"limit_usd": "usd", "limit_tokens": "tokens", "limit_requests": "requests"}
BURSTS = {"burst_usd": "usd", "burst_tokens": "tokens", "burst_requests": "requests"}
ACTIONS: tuple[Literal["refuse", "warn"], ...] = ("refuse", "warn")
EVENTS: tuple[Event, ...] = get_args(Event)
ON_EXCEEDED: tuple[Literal["refuse", "reroute", "warn"], ...] = ("refuse", "reroute", "warn")
LEASED = "no scope request, rolling or refill, identical, projected, reroute_at, nor on_exceeded: warn"
HOLDS: tuple[Literal["full", "metered"], ...] = ("full", "metered")
WHOLE: tuple[Literal["full", "learnt"], ...] = ("full", "learnt")
SLICE_MIN_TOKENS = 32  # what one read of a connection may bring; half a slice is kept for that
SLICE_MAX_TOKENS = 100_000  # more is the worst case of most models
NAME_CHARACTERS_MAX = 80  # so that a database keeps it with an id behind it, each slash spelled with three characters
COUNT_MAX = 10**18  # fits the 64 bits that a database keeps, with room to add
USD_MAX = 1_000_000_000  # the same bound in nano-dollars


def read_budgets(node: Node, folder: Path, routes: RouteRules | None = None) -> BudgetRules:
    """Read the file, which lies in ``folder``. ``routes`` (None: not readable) are what `reroute_to` may name.

    Raises `NodeError`.
    """
    keys = Keys(node)
    defaults = BudgetRules()
    read = unique_list_of(lambda each: _read_budget(each, routes), lambda budget: budget.name)
    budgets = keys.get("budgets", read, ())
    clamp_output = keys.get("clamp_output", flag, defaults.clamp_output)
    unknown_price = keys.get("unknown_price", _read_unknown_price, defaults.unknown_price)
    metered = _read_hold(keys)
    webhooks = keys.get("webhooks", list_of(_webhook_in(folder)), ())
    keys.done()
    return BudgetRules(budgets, clamp_output, unknown_price, webhooks, metered)


def _read_hold(keys: Keys) -> Metered | None:
    """``hold``, and what there is to say of metered holds."""
    is_metered = keys.get("hold", one_of(HOLDS), HOLDS[0]) == "metered"
    told = keys.get("metered", _read_metered, Metered())
    if "metered" in keys and not is_metered:
        keys.wrong("metered", "'metered' needs 'hold: metered'")
    return told if is_metered else None


def _read_metered(node: Node) -> Metered:
    keys = Keys(node)
    defaults = Metered()
    slice_tokens = keys.get("slice_tokens", whole(SLICE_MIN_TOKENS, SLICE_MAX_TOKENS), defaults.slice_tokens)
    for_whole = keys.get("whole", one_of(WHOLE), defaults.whole)
    keys.done()
    return Metered(slice_tokens, for_whole)


def _read_budget(node: Node, routes: RouteRules | None) -> Budget:
    keys = Keys(node)
    name = keys.need("name", _name)
    scope = keys.need("scope", one_of(SCOPES))
    limit, unit = _read_limit(keys)
    window = keys.get("window", _window, "lifetime")
    budget = Budget(
        name,
        scope,
        limit,
        unit,
        window,
        keys.get("timezone", _timezone, "UTC"),
        keys.get("only", map_of(text, MATCHABLE, "field"), {}),
        tuple(sorted(set(keys.get("warn_at", list_of(number(0.000001, 1)), ())))),
        _read_burst(keys, limit, unit, window),
        keys.get("identical", flag, False),
        keys.get("on_exceeded", one_of(ON_EXCEEDED), ON_EXCEEDED[0]),
        keys.get("projected", _read_projected, None),
        keys.get("reroute_at", number(0, 1), None),
        keys.get("reroute_to", text, None),
        keys.get("lease", flag, False),
    )
    _check_guards(keys, budget)
    if budget.lease and not may_lease(budget):
        keys.wrong("lease", f"'lease' needs a counter of all calls, exact to the window: {LEASED}")
    _check_reroute(keys, budget, routes)
    keys.done("key", (*LIMITS, *BURSTS))
    return budget


def _name(node: Node) -> str:
    """A name for tables, messages and every database."""
    name = text(node)
    if len(name) > NAME_CHARACTERS_MAX or not name.isprintable():
        raise NodeError((node.line, f"expected at most {NAME_CHARACTERS_MAX} characters that can be printed"))
    return name


def _check_reroute(keys: Keys, budget: Budget, routes: RouteRules | None) -> None:
    """What is sent elsewhere needs a place to go that is not where it came from."""
    wanted = "reroute_at" if budget.reroute_at is not None else "on_exceeded"
    if budget.reroute_to is None:
        if budget.reroute_at is not None or budget.on_exceeded == "reroute":
            keys.wrong(wanted, f"'{wanted}' needs 'reroute_to', a route or an upstream of routes.yml")
        return
    if "reroute_at" not in keys and budget.on_exceeded != "reroute":
        keys.wrong("reroute_to", "'reroute_to' needs 'reroute_at', or 'on_exceeded: reroute'")
    if budget.reroute_at is not None and budget.scope == "request":
        keys.wrong("reroute_at", "'reroute_at' needs a counter; scope request looks at each call by itself")
    if routes is None:
        return
    names = [*routes.upstreams, *(route.name for route in routes.routes)]
    if budget.reroute_to not in names:
        keys.wrong("reroute_to", f"no such route or upstream in routes.yml{suggest(budget.reroute_to, names)}")
    elif ORIGINAL in places(reroute(routes, budget.reroute_to, None)):
        keys.wrong("reroute_to", f"the route leads to '{ORIGINAL}' too, which is where calls are not to go")


def _check_guards(keys: Keys, budget: Budget) -> None:
    """What needs a window of a certain kind, or more calls than one."""
    if budget.scope == "request" and budget.window != "lifetime" and not (budget.identical or budget.projected):
        keys.wrong("window", "'window' counts calls; scope request looks at each call by itself, and has none")
    if budget.identical and budget.scope == "request":
        keys.wrong("identical", "'identical' counts calls; scope request looks at each call by itself")
    elif budget.identical and not (moving(budget.window) or budget.window in SHORT_WINDOWS):
        keys.wrong("identical", f"'identical' needs a window that ends soon: {', '.join((*MOVING, *SHORT_WINDOWS))}")
    if budget.projected and (budget.scope == "request" or budget.identical or moving(budget.window)):
        keys.wrong("projected", "'projected' watches a calendar window or lifetime, of more than one call or body")


def _read_limit(keys: Keys) -> tuple[int, Unit]:
    """Exactly one of the three limits; money becomes nano-dollars. 0 is a limit: it refuses."""
    given = [key for key in LIMITS if key in keys]
    if not given:
        keys.wrong("name", "a limit is missing: limit_usd, limit_tokens or limit_requests")
        return 0, "usd"
    for second in given[1:]:
        keys.wrong(second, f"'{second}' besides '{given[0]}': a budget has one limit; write two budgets")
        keys.get(second, text, "")
    if given[0] == "limit_usd":
        return keys.need("limit_usd", _nano), "usd"
    return keys.need(given[0], whole(0, COUNT_MAX)), LIMITS[given[0]]


def _nano(node: Node) -> int:
    usd = decimal(node)
    if usd > USD_MAX:
        raise NodeError((node.line, f"expected at most {USD_MAX} dollars"))
    return int(usd * NANO)


def _window(node: Node) -> str:
    """A calendar window by its word, or ``rolling 10m`` and ``refill 1h`` by kind and length."""
    kind, *length = text(node).split() or [""]
    if kind not in MOVING:
        return one_of((*WINDOWS, *MOVING))(node)
    window = " ".join((kind, *length))
    if moving(window) is None:
        raise NodeError((node.line, f"expected {kind} and a length of 1s to 366d, such as {kind} 10m (s, m, h, d)"))
    return window


def _read_burst(keys: Keys, limit: int, unit: Unit, window: str) -> int | None:
    """How much a bucket holds where that is more than what flows back per window."""
    given = [key for key in BURSTS if key in keys]
    if not given:
        return None
    key = given[0]
    burst = keys.get(key, _nano if key == "burst_usd" else whole(0, COUNT_MAX), limit)
    if not window.startswith("refill "):
        keys.wrong(key, f"'{key}' needs a window such as refill 1h")
    for second in given[1:]:
        keys.get(second, text, "")
    if BURSTS[key] != unit or given[1:]:
        keys.wrong(key, f"'{key}' does not go with the limit: a burst is in the limit's own unit")
    elif burst < limit:
        keys.wrong(key, f"'{key}' is less than the limit: a bucket holds at least what flows back in its window")
    return burst


def _read_projected(node: Node) -> Projected:
    """When a budget is spent too fast: gone in less than ``within`` at the rate of the time ``over`` before."""
    keys = Keys(node)
    within = keys.need("within", _whole_seconds)
    over = keys.get("over", _whole_seconds, RATE_OVER_S)
    action = keys.get("action", one_of(ACTIONS), ACTIONS[0])
    keys.done()
    return Projected(within, over, action)


def _whole_seconds(node: Node) -> int:
    window = moving(f"rolling {text(node)}")
    if window is None:
        raise NodeError((node.line, "expected a duration of 1s to 366d, such as 90s, 10m, 1h or 1d"))
    return window.length_s


def _timezone(node: Node) -> str:
    name = text(node)
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown name, a path, a directory
        raise NodeError((node.line, "expected a time zone such as Europe/Berlin")) from None
    return name


def _webhook_in(folder: Path) -> Reader[Webhook]:
    def read(node: Node) -> Webhook:
        keys = Keys(node)
        url = keys.need("url", _address_in(folder))
        on = keys.need("on", list_of(one_of(EVENTS)))
        if on == ():
            keys.wrong("on", f"expected {', '.join(EVENTS)}, or some of them")
        keys.done()
        return Webhook(url, frozenset(on))

    return read


def _address_in(folder: Path) -> Reader[str]:
    """An address, or where it stands. It is read when it is used: a webhook must not stop rules or commands."""

    def read(node: Node) -> str:
        written = text(node)
        kind, _, name = written.partition(":")
        if kind == "env" and name:
            return written
        if kind == "file" and name:
            return f"file:{folder / Path(name).expanduser()}"
        if is_address(written):
            return written
        raise NodeError((node.line, "expected env:NAME, file:PATH, or an http or https address"))

    return read


def _read_unknown_price(node: Node) -> Literal["refuse"] | tuple[Decimal, Decimal]:
    if isinstance(node, Scalar):
        one_of(("refuse",))(node)
        return "refuse"
    keys = Keys(node)
    price = keys.need("input_mtok", decimal), keys.need("output_mtok", decimal)
    keys.done()
    return price
