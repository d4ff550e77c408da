"""What stands between a ledger and its store: lets a step fail, or its process die, at a chosen point."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Self

from outwarden.budget import Store
from outwarden.errors import StepUndone, StepUnknown, StoreUnavailable

READS = ("expect", "lock", "lock_pending", "hold", "pending", "open_holds", "paused")  # of a transaction; no changes


class Crash(BaseException):  # what catches errors must not catch this
    """The process dies here."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong in a step, once ``after`` calls to the store went well.

    ``crash``: the process dies, in the middle of a transaction or between two. ``undone``: the server undid the
    transaction for another's sake. ``down``: the server is gone until the step ends. Those of a commit, which is
    ``done`` or not: ``crash at commit``; ``lost``: its answer does not come; ``lost, down``: nor anything after it.
    """

    kind: Literal["crash", "crash at commit", "undone", "down", "lost", "lost, down"]
    after: int = 0
    done: bool = False


class FaultyStore:
    """A store as a ledger sees it.

    ``took``: whether any transaction of the step has changed the database. ``closing``: the holds it was to close, in
    their order, which matters where one pays off what another one spent. ``answered``: the calls that were answered.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._fault: Fault | None = None
        self._calls = 0
        self.took = False
        self.closing: list[str] = []
        self.answered: set[str] = set()

    def begin(self, fault: Fault | None) -> None:
        """Begin a step."""
        self._fault, self._calls, self.took, self.closing, self.answered = fault, 0, False, [], set()

    def transaction(self) -> "FaultyTransaction":
        self.meet()
        return FaultyTransaction(self, self._store.transaction())

    def meet(self) -> None:
        """Fail here, if it is time to."""
        self._calls += 1
        fault = self._fault
        if fault is None or self._calls <= fault.after or fault.kind in ("crash at commit", "lost", "lost, down"):
            return
        if fault.kind == "down":
            raise StoreUnavailable("simulated: the server is gone")
        self._fault = None
        if fault.kind == "crash":
            raise Crash
        raise StepUndone("simulated: undone")

    def commit(self, finish: Callable[[bool], None], writes: bool) -> None:
        """End a transaction, which does or does not remain, and fail if it is time to."""
        fault = self._fault
        if fault is None or fault.kind not in ("crash at commit", "lost", "lost, down"):
            finish(True)
            self.took |= writes
            return
        self._fault = Fault("down") if fault.kind == "lost, down" else None
        finish(fault.done)
        self.took |= fault.done and writes
        if fault.kind == "crash at commit":
            raise Crash
        raise StepUnknown("simulated: no answer")

    def __getattr__(self, name: str) -> Any:
        return _guarded(self, getattr(self._store, name))


class FaultyTransaction:
    """A transaction of it."""

    def __init__(self, store: FaultyStore, transaction: Any) -> None:
        self._store = store
        self._transaction = transaction
        self._undone = False
        self._writes = False

    def __enter__(self) -> Self:
        self._transaction.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind or self._undone:
            self._transaction.__exit__(kind, error, trace)
        else:
            self._store.commit(self._finish, self._writes)

    def undo(self) -> None:
        self._undone = True
        self._transaction.undo()

    def close_hold(self, hold_id: str, state: str, at: datetime) -> int | None:
        self._writes = True
        self._store.meet()
        self._store.closing.append(hold_id)
        number: int | None = self._transaction.close_hold(hold_id, state, at)
        return number

    def _finish(self, remains: bool) -> None:
        if not remains:
            self._transaction.undo()
        self._transaction.__exit__(None, None, None)

    def __getattr__(self, name: str) -> Any:
        self._writes |= name not in READS
        return _guarded(self._store, getattr(self._transaction, name))


def _guarded(store: FaultyStore, method: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(*given: Any, **named: Any) -> Any:
        store.meet()
        answer = method(*given, **named)
        store.answered.add(method.__name__)
        return answer

    return guarded
