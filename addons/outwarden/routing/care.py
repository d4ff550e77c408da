"""Which calls are not tried again as others are: those that leave something behind, or go on with what was left."""

from dataclasses import dataclass

from outwarden.routing.choose import Outcome
from outwarden.wire.format import Operation, RequestFacts

# Their replies may be stored, and are answers first of all: any provider can give one.
_ANSWERS = frozenset({"responses", "interactions"})
# Each is made, and billed, anew.
_MADE = frozenset({"images"})
_READS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})  # done twice they do what they do once
# The upstream says that it did nothing. 408, 425: it has not read the request; 529: Anthropic's "overloaded".
_NOTHING_DONE = frozenset({408, 425, 429, 503, 529})


@dataclass(frozen=True, slots=True)
class Care:
    """How careful to be with a call.

    ``kept``: it is about what one provider keeps (files, batches, stored responses), so it has one place. ``bound``: it
    is answered from such things, so the place that is chosen is the only one. ``once``: where an upstream was given it
    and may have done it, it is not given to anybody again.
    """

    kept: bool = False
    bound: bool = False
    once: bool = False

    def forbids_more(self, last: Outcome, *, dispatched: bool) -> bool:
        """Whether nobody may be asked after ``last``; ``dispatched``: its upstream was given the request."""
        refused = last.status in _NOTHING_DONE or last.failure == "context_length"
        return self.once and dispatched and not refused


def care_of(method: str, operation: Operation, facts: RequestFacts) -> Care:
    """How careful to be with a call of this ``operation``."""
    kept = operation.keeps and operation.name not in _ANSWERS
    leaves = kept or operation.name in _MADE or facts.background or not operation.known
    return Care(kept=kept, bound=facts.bound, once=leaves and method.upper() not in _READS)
