"""What is asked, by whom and how: each call is drawn from the seed and its number alone."""

import json
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

type Api = Literal["openai", "anthropic"]

OPENAI, ANTHROPIC = "api.openai.com", "api.anthropic.com"
NUMBER_HEADER = "x-call-number"  # names the call in the audit record, as its session
TEAM_HEADER = "x-team"
# Which route a call takes hangs on its model.
MODELS: dict[Api, dict[str, str]] = {
    "openai": {"spares": "gpt-4o", "buffer": "gpt-4o-mini", "deaf": "gpt-4.1", "alone": "gpt-4.1-mini"},
    "anthropic": {
        "spares": "claude-opus-5", "buffer": "claude-haiku-4-5", "deaf": "claude-sonnet-5", "alone": "claude-sonnet-4-5"
    },
}  # fmt: skip
ROUTES = ("spares", "spares", "spares", "buffer", "buffer", "deaf", "alone")
MAX_TOKENS = 400
WORDS = ("amber", "river", "ledger", "quiet", "harbour", "signal", "copper", "meadow", "violet", "granite", "orchid")
LEAVES_SHARE, PLANTED_SHARE, TIGHT_SHARE = 0.08, 0.25, 0.1


@dataclass(frozen=True, slots=True)
class Leaves:
    """A client that does not stay: after some seconds, or some bytes of the body; ``abrupt``: connection and all."""

    after_s: float | None = None
    after_bytes: int | None = None
    abrupt: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One call. ``text`` is its prompt, and the answer that is whole: the upstreams say what they were told."""

    number: int
    api: Api
    route: str
    stream: bool
    http2: bool
    key: str
    team: str
    text: str
    planted: tuple[str, ...] = ()
    leaves: Leaves | None = None

    @property
    def host(self) -> str:
        """Where it is aimed."""
        return OPENAI if self.api == "openai" else ANTHROPIC

    @property
    def path(self) -> str:
        """The path of its API."""
        return "/v1/chat/completions" if self.api == "openai" else "/v1/messages"

    @property
    def headers(self) -> dict[str, str]:
        """What it brings beside its body."""
        own = {"authorization": f"Bearer {self.key}"} if self.api == "openai" else {"x-api-key": self.key}
        own |= {"anthropic-version": "2023-06-01"} if self.api == "anthropic" else {}
        return own | {"content-type": "application/json", NUMBER_HEADER: str(self.number), TEAM_HEADER: self.team}

    @property
    def body(self) -> bytes:
        """The request."""
        asked: dict[str, Any] = {"model": MODELS[self.api][self.route], "max_tokens": MAX_TOKENS}
        asked["messages"] = [{"role": "user", "content": self.text}]
        if self.stream:
            asked["stream"] = True
        return json.dumps(asked).encode()


def draw(seed: int, number: int) -> Call:
    """The call of this number."""
    rng = Random(f"call {seed} {number}")
    api: Api = "openai" if rng.random() < 0.5 else "anthropic"
    words = rng.choices(WORDS, k=rng.randint(4, 40))
    planted = invented(rng) if rng.random() < PLANTED_SHARE else ()
    for value in planted:
        words.insert(rng.randrange(len(words)), value)
    return Call(
        number,
        api,
        rng.choice(ROUTES),
        stream=rng.random() < 0.7,
        http2=rng.random() < 0.5,
        key=f"sk-simulated-{rng.randrange(8)}",
        team="tight" if rng.random() < TIGHT_SHARE else "wide",
        text=f"<{number:06}> {' '.join(words)} <{number:06}/>",
        planted=planted,
        leaves=leaving(rng) if rng.random() < LEAVES_SHARE else None,
    )


def invented(rng: Random) -> tuple[str, ...]:
    """An address and sometimes a card number, of nobody."""
    address = f"{rng.choice(WORDS)}.{rng.randrange(10**6):06}@brightquill-mail.com"
    return (address, card(rng)) if rng.random() < 0.4 else (address,)


def card(rng: Random) -> str:
    """A number that passes the check that cards pass."""
    digits = [4, 7, 1, 6, *(rng.randrange(10) for _ in range(11))]
    doubled = [sum(divmod(2 * digit, 10)) if at % 2 == 0 else digit for at, digit in enumerate(digits)]
    return "".join(map(str, [*digits, -sum(doubled) % 10]))


def leaving(rng: Random) -> Leaves:
    """When a client leaves, and how."""
    abrupt = rng.random() < 0.5
    if rng.random() < 0.5:
        return Leaves(after_s=rng.random() * 0.4, abrupt=abrupt)
    return Leaves(after_bytes=rng.randrange(4000), abrupt=abrupt)
