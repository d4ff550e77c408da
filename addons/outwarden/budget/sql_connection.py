"""What a store needs of its connection to a database, whichever it is."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from outwarden.budget.dialects import Kind

Step = tuple[str, Sequence[Any]]  # SQL with marks, and the values for them


class Done(NamedTuple):
    """What one statement brought: its rows as tuples, and how many rows it inserted, changed or deleted."""

    rows: list[Any]
    changed: int


class SqlConnection(Protocol):
    """One connection that threads take turns on, made anew after it was lost.

    Every method may raise StoreUnavailable; none tells SQL or values in a message.
    """

    kind: Kind

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Done:
        """Run one statement, within the transaction if there is one."""

    def begin(self) -> None:
        """Keep the other threads out and begin a transaction."""

    def finish(self, *, commit: bool) -> None:
        """Commit or roll back, and let the next thread in."""

    def close(self) -> None:
        """Let go of the database."""


def reason(error: BaseException) -> str:
    """What the database itself says: no statement, no value."""
    return str(getattr(error, "orig", None) or getattr(error, "strerror", None) or error)
