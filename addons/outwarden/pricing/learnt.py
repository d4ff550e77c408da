"""What calls to a model used of late, to hold for the next ones no more than they will use.

Only metered holds ask this (`budgets.yml`, ``hold: metered``); a full hold is the worst case, whatever was seen. Kept
per process and in memory: a new process holds more until it has seen enough, which is the safe way to be wrong, and
nothing outlives the model that it was learnt from. Everything is bounded: `MODELS_MAX` models, `CALLS_KEPT` calls each.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from outwarden.pricing.tokens import BYTES

MODELS_MAX = 512
CALLS_KEPT = 256
# Nearest rank: of a hundred calls and more, one in a hundred may use more than is held, and is then debt.
OUTPUT_QUANTILE = Fraction(99, 100)
OUTPUT_CALLS_MIN = 100
# Text that nobody can count here is held by its bytes, a token each, until so many long enough texts were seen ...
RATE_CALLS_MIN = 20
RATE_BYTES_MIN = 256
# ... and from then on by the densest of them and this margin: an answer in figures after twenty in English.
RATE_MARGIN = Fraction(3, 2)
# What is thought and not shown is held from the start, as much as one call in ten passes; the stream shows no more.
UNSEEN_QUANTILE = Fraction(9, 10)


class LearntOf(NamedTuple):
    """What is learnt of: a provider's model, and how its texts are counted here (an encoding, or bytes)."""

    provider: str
    name: str
    encoding: str


@dataclass(slots=True)
class _Seen:
    outputs: deque[int] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))
    rates: deque[Fraction] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))
    unseen: deque[int] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))


class Learnt:
    """Remembers what providers reported."""

    def __init__(self) -> None:
        self._seen: OrderedDict[LearntOf, _Seen] = OrderedDict()

    def note(
        self, model: LearntOf, output_tokens: int, *, reasoning_tokens: int = 0, counted: int | None = None
    ) -> None:
        """Take in one call: its output as reported, and what was ``counted`` of it while it streamed, if it did."""
        seen = self._at(model)
        seen.outputs.append(output_tokens)
        if counted is None:
            return
        seen.unseen.append(max(0, output_tokens - self.tokens(model, counted)))
        if counted >= RATE_BYTES_MIN and not reasoning_tokens:  # what was thought is no part of the text
            seen.rates.append(Fraction(output_tokens, counted))

    def output(self, model: LearntOf) -> int | None:
        """How many tokens a call writes at most, but for one in a hundred; None: too few were seen to tell."""
        outputs = self._of(model).outputs
        return quantile(outputs, OUTPUT_QUANTILE) if len(outputs) >= OUTPUT_CALLS_MIN else None

    def rate(self, model: LearntOf) -> Fraction:
        """How many tokens one of what is counted is at most: a byte of text is never more than one."""
        rates = self._of(model).rates
        if model.encoding != BYTES or len(rates) < RATE_CALLS_MIN:
            return Fraction(1)
        return min(Fraction(1), max(rates) * RATE_MARGIN)

    def tokens(self, model: LearntOf, counted: int) -> int:
        """The tokens of so much text, from above."""
        return -(-counted * self.rate(model) // 1)

    def unseen(self, model: LearntOf) -> int:
        """How many tokens a stream of this model costs beside those of its text: what it thinks and does not show."""
        unseen = self._of(model).unseen
        return quantile(unseen, UNSEEN_QUANTILE) if unseen else 0

    def _of(self, model: LearntOf) -> _Seen:
        return self._seen.get(model) or _Seen()

    def _at(self, model: LearntOf) -> _Seen:
        seen = self._seen.setdefault(model, _Seen())
        self._seen.move_to_end(model)
        if len(self._seen) > MODELS_MAX:
            self._seen.popitem(last=False)
        return seen


def quantile(numbers: Iterable[int], share: Fraction) -> int:
    """The smallest of the numbers that at least ``share`` of them do not pass (nearest rank). Needs one number."""
    ordered = sorted(numbers)
    return ordered[max(0, -(-len(ordered) * share // 1) - 1)]
