"""Every error that a caller of ours may want to tell apart.

OutwardenError
├── RulesError         rule files that cannot be used; carries every problem found, each with file:line
├── StateError         the state folder, the database or a key file cannot be used
├── BodyError          bytes that cannot be read as what they claim to be
├── NotTranslatable    what a call says has no counterpart in the other API
├── PriceUnknown       no price for this provider and model
├── CostModelError     a plug-in that reckons prices is missing, fails or answers none
├── OrderError         an order to the ledger that cannot be carried out
└── LedgerError        a wrong step in the life of a hold
    ├── HoldExists         a second hold with the same id, but other amounts
    ├── HoldUnknown        no hold with this id
    ├── HoldPosted         the hold was posted before
    ├── HoldVoided         the hold was voided before
    └── StoreUnavailable   the store does not answer; calls are refused until it does
        ├── StepUndone         a step that the server undid or never finished: do it again
        └── StepUnknown        a step whose end was not answered: look whether it happened

An expected outcome is a value (`Denied`, `GiveUp`), never an exception. No message carries a body, a key or a person.
"""

from dataclasses import dataclass


class OutwardenError(Exception):
    """Base of all errors raised on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a rule file. ``line`` is 1-based; 0 where the whole file is meant."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


class RulesError(OutwardenError):
    """Rule files that cannot be used."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class StateError(OutwardenError):
    """The state folder, the database or a key file cannot be used."""


class BodyError(OutwardenError):
    """Bytes that cannot be read as what they claim to be (JSON, encoding, length, depth)."""


class NotTranslatable(OutwardenError):
    """What a call says has no counterpart in the other API. The message names the field, never what stands in it."""


class PriceUnknown(OutwardenError):
    """No price is known for this provider and model; never treated as 0."""

    def __init__(self, provider: str, model: str | None) -> None:
        super().__init__(f"no price is known for {provider} model {model!r}")
        self.provider = provider
        self.model = model


class CostModelError(OutwardenError):
    """A plug-in that is to reckon a price is missing, fails or answers none."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"cost model '{name}': {reason}")


class OrderError(OutwardenError):
    """An order to the ledger that cannot be carried out."""


class LedgerError(OutwardenError):
    """A wrong step in the life of a hold."""


class HoldExists(LedgerError):
    """A second hold with the same id, but other amounts."""


class HoldUnknown(LedgerError):
    """No hold with this id."""


class HoldPosted(LedgerError):
    """The hold was posted before."""


class HoldVoided(LedgerError):
    """The hold was voided before."""


class StoreUnavailable(LedgerError):
    """The store does not answer; calls are refused until it does."""


class StepUndone(StoreUnavailable):
    """A step that the server undid, or that ended with its connection before it was committed: do it again."""


class StepUnknown(StoreUnavailable):
    """A step whose commit was not answered: whether it happened has to be looked up."""
