"""How the hold of one call follows its output: how much it covers, how much has come, when it must grow.

What comes is counted from above, text by text: by the model's own tokenizer where that is published, else a byte is a
token until more is known of the model (`pricing.learnt`). Half a slice always lies ahead of what was counted, so that
what one read brings is paid for before it comes; a stream for which the next slice is refused ends there.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

import re2  # type: ignore[import-untyped]

from outwarden.pricing import BYTES, Learnt, LearntOf

if TYPE_CHECKING:
    from outwarden.flow.state import CallState

# Operations whose streams are texts, all of which our Formats read as pieces. What else streams is held in full: sound
# and pictures cost tokens that no text shows, agents and runs call other models.
OF_TEXT = frozenset(
    {"chat", "completions", "responses", "messages", "complete", "generate", "generate_content", "interactions"}
    | {"code_assist", "converse", "invoke"}
)
# Calls of these operations, too, may ask for sound or pictures. As in `unseen`, quotes inside strings are escaped.
_OTHER_OUTPUT: Any = re2.compile(
    rb'"(?:modalities|response_?[mM]odalities|audio|image_?[cC]onfig)"\s*:|"type"\s*:\s*"image_generation"'
)
# Of a model that was seen to think unseen, silence is thinking, so fast: an assumption of ours, above what such models
# write where one sees it; no provider tells.
SILENT_TOKENS_PER_S = 200
_SILENCE_S = 0.9  # what is shorter lies between two events, or is a tick of the call layer, which has one a second


@dataclass(slots=True)
class Metering:
    """The part of a call's worst case that is held so far.

    ``kind``: ``metered`` grows with a stream; ``learnt`` stays. ``covered``: output tokens that the hold covers, and
    ``used`` those that have come, from above. ``counted``: what came, as ``encoding`` counts it. ``rate`` and
    ``unseen``: what is known of the model (`Learnt`). ``silent_s``: how long it said nothing.
    ``steps``: how often it grew.
    """

    kind: Literal["metered", "learnt"]
    slice_tokens: int
    covered: int
    encoding: str = BYTES
    rate: Fraction = Fraction(1)
    unseen: int = 0
    counted: int = 0
    steps: int = 0
    silent_s: float = 0.0
    _heard_at: float | None = None

    @property
    def used(self) -> int:
        """Output tokens so far, from above."""
        hidden = max(self.unseen, int(self.silent_s * SILENT_TOKENS_PER_S)) if self.unseen else 0
        return -(-self.counted * self.rate // 1) + hidden

    def hear(self, now_s: float, *, said: bool) -> None:
        """At this moment (monotonic seconds) the provider ``said`` something, or its silence is looked at."""
        gap = 0.0 if self._heard_at is None else now_s - self._heard_at
        silent = gap >= _SILENCE_S
        self.silent_s += gap if silent else 0.0
        if said or silent or self._heard_at is None:
            self._heard_at = now_s

    def needs_more(self, most: int) -> bool:
        """Whether less than half a slice lies ahead, and the worst case (``most``) is not reached."""
        return self.covered < most and self.used + self.slice_tokens // 2 > self.covered


def metering_of(call: "CallState", model: LearntOf, learnt: Learnt) -> Metering | None:
    """How the hold of a call begins; None: with its worst case."""
    rules = call.rules.budgets.metered
    if rules is None:
        return None
    if call.facts.stream or call.operation.stream or call.is_socket:
        if not is_text(call):
            return None
        unseen = learnt.unseen(model)
        covered = rules.slice_tokens + unseen
        return Metering("metered", rules.slice_tokens, covered, model.encoding, learnt.rate(model), unseen)
    usual = learnt.output(model) if rules.whole == "learnt" else None
    return None if usual is None else Metering("learnt", rules.slice_tokens, max(usual, rules.slice_tokens))


def is_text(call: "CallState") -> bool:
    """Whether all that a streamed call is billed for shows in the texts of its stream, but for hidden thoughts."""
    if not call.operation.known or call.operation.name not in OF_TEXT or call.spoken:
        return False
    return not (call.body and _OTHER_OUTPUT.search(call.body.data))
