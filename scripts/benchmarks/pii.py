"""What finding personal data by patterns costs, beside the same patterns through `re` one by one, and Presidio's.

CPU times of this process, in turn with each other, for texts of 2, 20 and 200 KB of four kinds. `re` only searches: it
checks nothing. Presidio (its patterns for English, no model) is measured where it is installed.
"""

import argparse
import platform
import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2] / "addons"), str(Path(__file__).parents[1])]

from evaluating.finders import presidio  # noqa: E402  # the path comes first
from outwarden.pii import Detector, PiiPolicy  # noqa: E402
from outwarden.pii.recognizer import PLACEHOLDER  # noqa: E402

SIZES = (2_000, 20_000, 200_000)
rng = random.Random(1)  # noqa: S311  # benchmark text
WORDS = ["the", "of", "invoice", "ledger", "shipment", "station", "river", "quiet", "amber", "report", "review", "May"]


def prose(size: int) -> str:
    """Sentences without anything personal."""
    return " ".join(rng.choices(WORDS, k=size // 6))[:size]


def lines_of(size: int, line: Callable[[int], str]) -> str:
    """Lines, each made of a random number."""
    lines: list[str] = []
    while sum(map(len, lines)) < size:
        lines.append(line(rng.randrange(10**6)))
    return "".join(lines)[:size]


def dense(size: int) -> str:
    """A value in every sentence."""
    return lines_of(
        size,
        lambda n: f"Write to ada{n}@kestrel-freight.com or call +49 1512 7{n:06d}, card 4929 4128 3357 6017. ",
    )


def code(size: int) -> str:
    """Source of this program."""
    files = sorted((Path(__file__).parents[2] / "addons" / "outwarden").rglob("*.py"))
    return "\n".join(file.read_text() for file in files)[:size]


def logs(size: int) -> str:
    """Lines of a server."""
    return lines_of(
        size, lambda n: f"2026-11-26T10:{n % 60:02d}:00Z INFO req={n:08x} GET /v1/items/{n} 200 {n % 900}ms\n"
    )


KINDS: dict[str, Callable[[int], str]] = {"prose": prose, "code": code, "logs": logs, "dense": dense}


def as_re(pattern: str) -> re.Pattern[str] | None:
    """RE2's spelling in Python's; None for what Python spells in another way."""
    spelled = re.sub(r"\\x\{([0-9A-Fa-f]+)\}", lambda m: f"\\U{int(m[1], 16):08x}", pattern)
    try:
        return re.compile(spelled)
    except re.error:
        return None


def median_ms(do: Callable[[], object], rounds: int) -> float:
    """Median CPU time of one call."""
    times = []
    for _ in range(rounds):
        started = time.process_time_ns()
        do()
        times.append(time.process_time_ns() - started)
    return statistics.median(times) / 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    detector = Detector(PiiPolicy())
    used = [p for p in detector.matcher.patterns if p.recognizer.entity != PLACEHOLDER]
    patterns = [compiled for p in used if (compiled := as_re(p.recognizer.pattern)) is not None]
    other = presidio()
    print(f"{platform.machine()}, Python {platform.python_version()}; {len(patterns)} of {len(used)} patterns in `re`")
    print(f"{'text':8}{'size':>8}{'ours':>12}{'re':>12}{'':>8}{'Presidio':>12}")

    def one_by_one(text: str) -> Sequence[int]:
        return [sum(1 for _ in pattern.finditer(text)) for pattern in patterns]

    for kind, make in KINDS.items():
        for size in SIZES:
            text = make(size)
            detector.find([text])
            ours = median_ms(lambda: detector.find([text]), rounds * 4)  # noqa: B023  # called here
            by_re = median_ms(lambda: one_by_one(text), max(1, rounds // 4 if size > SIZES[1] else rounds))  # noqa: B023
            line = f"{kind:8}{len(text) // 1000:>6}KB{ours:>10.3f}ms{by_re:>10.1f}ms{by_re / ours:>7.0f}x"
            if other is not None:
                by_presidio = median_ms(lambda: other([text]), 1 if size > SIZES[0] else rounds)  # noqa: B023
                line += f"{by_presidio:>10.1f}ms{by_presidio / ours:>7.0f}x"
            print(line, flush=True)


main()
