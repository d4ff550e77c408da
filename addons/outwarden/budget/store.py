"""What a ledger needs of a database: an interface, so that the rules of money know no SQL."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Literal, NamedTuple, Protocol, Self

from outwarden.budget.accounts import Account
from outwarden.budget.ageing import Standing
from outwarden.budget.owners import Owner
from outwarden.budget.states import Amounts, Balance
from outwarden.errors import StateError

HoldState = Literal["open", "posted", "voided", "expired"]
Step = Literal["hold", "grow", "post", "void", "expire", "age", "lease", "top-up", "reset"]


class HoldRow(NamedTuple):
    """A hold as stored. ``expired``: its owner died and it was charged in full. ``steps``: the number of its last."""

    id: str
    owner: str
    state: HoldState
    amounts: Amounts
    opened: datetime
    steps: int


class Entry(NamedTuple):
    """One immutable line of the journal: how a step of a hold changed an account. Their sum is the balance."""

    account: int
    change: Balance


class Order(NamedTuple):
    """What somebody ordered by command; never changed. ``number`` is the store's own."""

    number: int
    at: datetime
    by: str
    step: str
    target: str
    amount: int


class RestRow(NamedTuple):
    """An upstream that a process leaves alone, by the name that `routing` has for it. Times are of its own clock."""

    name: str
    owner: str
    why: str
    until: datetime
    written: datetime


class Transaction(Protocol):
    """All of it or nothing; no other writer in between on the accounts and holds that it has locked.

    Account numbers are the store's own. Any step may raise StoreUnavailable, of which StepUndone says that it is
    worth a new try; the end may also raise StepUnknown: whether it happened has to be looked up.
    """

    def expect(self, accounts: Sequence[Account], at: datetime, targets: Sequence[str] = ()) -> None:
        """Say ahead of the first step which accounts will be changed and which targets asked about.

        Changes nothing but how often a server is asked.
        """

    def lock(self, accounts: Sequence[Account], at: datetime) -> None:
        """Keep every other writer from these accounts, which are made where there are none. Before they are changed.

        All lock in one order, so that no two wait for each other.
        """

    def lock_pending(self, holds: Iterable[str]) -> None:
        """Likewise for the accounts on which holds reserve something."""

    def open_hold(self, hold_id: str, owner: str, amounts: Amounts, at: datetime) -> bool:
        """Write a new hold; False if the id exists."""

    def hold(self, hold_id: str) -> HoldRow | None:
        """Read a hold, and keep every other writer from it."""

    def grow_hold(self, hold_id: str, amounts: Amounts) -> int | None:
        """Set an open hold's amounts; return the step's number, None unless the hold is open."""

    def close_hold(self, hold_id: str, state: HoldState, at: datetime) -> int | None:
        """End an open hold; return the step's number, None unless the hold is open."""

    def age(self, account: Account, at: datetime) -> Entry | None:
        """Take out of a moving window's balance what has left it (see `ageing`); return the change, if any."""

    def reserve(self, account: Account, amount: int, at: datetime) -> tuple[int, Balance] | None:
        """Add to pending if it fits the account's limit; return number and new balance, None if it does not fit."""

    def charge(self, account: int, leaves: int, change: Balance) -> None:
        """Note the second in which what a change charged leaves its rolling window."""

    def move(self, account: int, change: Balance, at: datetime) -> Balance:
        """Change a balance; return the new one."""

    def enter(self, hold_id: str, number: int, step: Step, entries: Sequence[Entry], at: datetime) -> None:
        """Write a step's lines into the journal."""

    def pending(self, hold_id: str) -> list[tuple[int, Account, int]]:
        """What an open hold reserves: account number, the account (limit as last seen), amount."""

    def open_holds(self, owner: str, most: int) -> list[HoldRow]:
        """The holds an owner has not resolved."""

    def paused(self, targets: Sequence[str]) -> str | None:
        """Name one of the targets that is paused, if any is."""

    def pause(self, target: str, at: datetime) -> bool:
        """Pause a target; False where it was paused already."""

    def resume(self, target: str) -> bool:
        """Resume a target; False where it was not paused."""

    def open_account(self, account: Account, at: datetime) -> int:
        """Make an account if there is none; return its number."""

    def numbers(self, budget: str, id_: str, at: datetime) -> list[tuple[int, Balance]]:
        """The accounts of a budget in their present window, of one id or (empty) of all, as they are stored."""

    def begin_anew(self, account: int, at: datetime) -> None:
        """Forget how an account ages; its balance is set apart from this."""

    def log(self, order: Order) -> int:
        """Write down an order; return its number."""

    def undo(self) -> None:
        """Let nothing of this transaction remain."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Store(Protocol):
    """A database of accounts, holds and entries. Every method may raise StoreUnavailable."""

    def transaction(self) -> Transaction:
        """Begin to write; waits for other writers within a bound."""

    def standing(self, account: Account) -> Standing:
        """Read an account; all zero where it does not exist yet."""

    def standings(self, at: datetime) -> list[tuple[Account, Standing]]:
        """Read all accounts whose window holds ``at``, or that still have something pending.

        Of the charges of a rolling window only those that have left it are told, as one.
        """

    def pauses(self) -> list[str]:
        """All targets that are paused; upstreams are drained."""

    def is_paused(self, targets: Sequence[str]) -> str | None:
        """As `Transaction.paused`, without one."""

    def drained(self) -> list[str]:
        """All upstreams that are drained."""

    def rests(self) -> list[RestRow]:
        """What every process says of the upstreams that it leaves alone, over or not."""

    def keep_rest(self, row: RestRow) -> None:
        """Say that an upstream is left alone, in place of what its owner said of it before."""

    def end_rest(self, name: str, owner: str) -> None:
        """Take back what an owner said of an upstream."""

    def forget_rests(self, before: datetime) -> None:
        """Forget what was over before then, whoever said it."""

    def untold(self) -> list[Order]:
        """Orders that nobody was told of yet, oldest first, 100 at most."""

    def tell(self, order: int) -> bool:
        """Take it on to tell of an order; False where another process does."""

    def orders(self) -> list[Order]:
        """The last 1,000 orders, oldest first."""

    def register(self, owner: Owner, at: datetime) -> None:
        """Write that an owner lives, or that it still does."""

    def owners(self) -> list[tuple[Owner, datetime, bool]]:
        """List the owners: who, when last seen, whether it has ended."""

    def end(self, owner: str) -> None:
        """Write that an owner takes no more holds; forget it if it has none open."""

    def drift(self) -> list[str]:
        """Name every account whose balance is not the sum of its entries. A sound ledger has none."""

    def prune(self, at: datetime, keep_entries: datetime, keep_accounts: datetime, most: int) -> int:
        """Fold old entries and forget old accounts; return how many went of what went more.

        Entries of holds closed before ``keep_entries``; accounts of windows that ended before ``keep_accounts``, and
        those that were idle for as long as they say. At most ``most`` of either.
        """

    def close(self) -> None:
        """Let go of the database."""


def open_store(url: str) -> Store:
    """Open the store at ``url`` (``sqlite:///…``, ``postgresql+psycopg://…``, ``mariadb+pymysql://…``, ``redis://…``).

    Raises StateError for what cannot be used, other schemes too.
    """
    if url.partition(":")[0] in ("redis", "rediss", "valkey", "valkeys"):
        try:
            from outwarden.budget import redis_store
        except ImportError as error:
            raise StateError(f"Redis needs redis-py: install outwarden[redis] ({error})") from None
        return redis_store.open_store(url)
    from outwarden.budget import sql_store  # SQLAlchemy takes 0.3 s to import, which most commands need not spend

    return sql_store.open_store(url)
