"""What upstreams do, drawn from the seed: their moods change as the calls go on, and each attempt has its own fate."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from outwarden.simulate import Script

type Mood = Literal["fine", "gusty", "stormy", "busy", "down"]

MOOD_CALLS = 60  # an upstream keeps its mood for so many calls
# How likely each mood is, and how likely an attempt fails in it.
MOODS: dict[Mood, float] = {"fine": 0.35, "gusty": 0.3, "stormy": 0.15, "busy": 0.1, "down": 0.1}
FAILS: dict[Mood, float] = {"fine": 0.0, "gusty": 0.2, "stormy": 0.6, "busy": 0.8, "down": 0.2}
STALL_S, SLOW_S = 6.0, 4.0  # longer than any time limit of the routes, but the one for all

type Drawn = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one attempt. ``kind`` names it; ``well``: if nothing else happens, the answer is whole."""

    kind: str
    script: Script
    well: bool
    usage: tuple[int, int]


def mood(seed: int, upstream: str, number: int) -> Mood:
    """How an upstream feels while the call of this number is sent."""
    rng = Random(f"mood {seed} {upstream} {number // MOOD_CALLS}")
    return rng.choices(list(MOODS), list(MOODS.values()))[0]


def fate(seed: int, upstream: str, number: int, attempt: int, *, stream: bool, anthropic: bool) -> Fate:
    """What the upstream does with the so-manieth attempt that it gets of a call."""
    rng = Random(f"fate {seed} {upstream} {number} {attempt}")
    feels = mood(seed, upstream, number)
    used = rng.randint(1, 20), rng.randint(1, 300)
    names = ("input_tokens", "output_tokens") if anthropic else ("prompt_tokens", "completion_tokens")
    usage = dict(zip(names, used, strict=True)) | ({} if anthropic else {"total_tokens": sum(used)})
    told: Drawn = {
        "usage": usage,
        "piece_chars": rng.choice((0, 3, 12, 80)),
        "event_delay_s": rng.choice((0, 0, 0.002)),
    }
    if rng.random() >= FAILS[feels]:
        return Fate("well", Script(**told), True, used)
    faults = BUSY if feels == "busy" else STREAMED if stream else WHOLE
    kind = rng.choice(sorted(faults))
    return Fate(kind, Script(**told | faults[kind](rng)), kind in HARMLESS, used)


def limited(rng: Random) -> Drawn:
    """Too many requests, with or without a word on when to come again."""
    return {"status": 429, "retry_after": rng.choice((None, None, "0", "1", "20"))}


def overloaded(rng: Random) -> Drawn:
    """A server's error."""
    return {"status": rng.choice((500, 502, 503, 504, 529)), "retry_after": rng.choice((None, None, None, "1"))}


def somewhere(name: str, **more: Any) -> Callable[[Random], Drawn]:
    """A fault somewhere in the stream, also before it or at its very end."""
    return lambda rng: {name: rng.choice((0, 1, rng.randrange(40), 10_000))} | more


BUSY: dict[str, Callable[[Random], Drawn]] = {"429": limited, "5xx": overloaded}
BOTH: dict[str, Callable[[Random], Drawn]] = BUSY | {
    "reset": lambda rng: {"reset": True},
    "silence": lambda rng: {"silence": True},
    "late head": lambda rng: {"headers_delay_s": rng.random() * SLOW_S},
    "late": lambda rng: {"first_content_delay_s": rng.random() * SLOW_S},
    "cut": somewhere("cut_after"),
    "truncated": somewhere("truncate_after"),
    "error event": somewhere("error_after"),
    "malformed": somewhere("malformed_after"),
    "stall": somewhere("stall_after", stall_s=STALL_S),
}
STREAMED = BOTH | {"slow": lambda rng: {"event_delay_s": 0.02}, "no end": lambda rng: {"end_marker": False}}
WHOLE = BOTH | {"cut whole": lambda rng: {"cut_after": 0}}
HARMLESS = frozenset({"late head", "late", "stall", "slow"})
ENDLESS = frozenset({"truncated", "no end"})  # all may be said, but not that it is over
