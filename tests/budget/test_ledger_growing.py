"""Holds that grow with what comes: nothing is lost, and no cap is passed by more than lay beyond the last slice."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.budget import Account, Amounts, Budget, BudgetState, Denied, Held, Ledger, open_store
from outwarden.flow.metering import Metering

Make = Callable[..., Account]
SLICE = 100
MOST = 10**9  # no limit of the calls themselves


@dataclass
class Stream:
    """A call that grows its hold: ``input`` at first, then what it ``says``, piece by piece; ``ends`` by itself?"""

    input: int
    says: list[int]
    ends: str = "post"
    metering: Metering | None = None
    used: int = 0
    pieces: list[int] = field(default_factory=list)

    @property
    def covered(self) -> int:
        """The output that is held so far; nothing of a call that was refused."""
        return self.metering.covered if self.metering else 0


def streams(largest: int) -> st.SearchStrategy[list[Stream]]:
    """Some calls with pieces of at most so many tokens."""
    one = st.builds(
        Stream, st.integers(0, 300), st.lists(st.integers(0, largest), max_size=12), st.sampled_from(["post", "void"])
    )
    return st.lists(one, max_size=6)


def play(ledger: Ledger, account: Account, calls: list[Stream], order: list[int]) -> tuple[int, int, int]:
    """Run the calls side by side as `flow.metering` does; returns what was held in all, posted or not, and given back.

    A call is stopped where the next slice is refused while less than half of one lies ahead.
    """
    open_calls: dict[str, Stream] = {}
    held = posted = voided = 0

    def end(name: str, stopped: bool) -> None:
        nonlocal posted, voided
        call = open_calls.pop(name)
        pending = call.input + call.covered
        if call.ends == "void" and not stopped:
            ledger.void(name)
            voided += pending
        else:
            ledger.post(name, Amounts(call.input + call.used, 0))
            posted += min(pending, call.input + call.used)
            voided += max(0, pending - call.input - call.used)

    for number, call in enumerate(calls):
        name = f"call-{number}"
        if isinstance(ledger.hold(name, [account], Amounts(call.input + SLICE, 0)), Held):
            call.metering = Metering("metered", SLICE, SLICE)
            call.pieces, open_calls[name] = list(call.says), call
            held += call.input + SLICE
    for turn in order:
        if not open_calls:
            break
        name = sorted(open_calls)[turn % len(open_calls)]
        call = open_calls[name]
        assert call.metering
        if not call.pieces:
            end(name, stopped=False)
            continue
        call.used += call.pieces.pop(0)
        call.metering.counted = call.used
        if call.metering.needs_more(MOST):
            wanted = call.used + SLICE
            if isinstance(ledger.grow(name, Amounts(call.input + wanted, 0)), Denied):
                end(name, stopped=True)
            else:
                held += wanted - call.covered
                call.metering.covered = wanted
    for name in list(open_calls):
        end(name, stopped=True)
    return held, posted, voided


def played(calls: list[Stream], order: list[int], limit: int) -> tuple[BudgetState, int]:
    """`play` on a ledger of its own with one cap: what it says in the end, and what was posted."""
    with TemporaryDirectory() as folder:
        ledger = Ledger(open_store(f"sqlite:///{Path(folder) / 'outwarden.db'}"))
        account = Account(Budget("cap", "all", limit), "all", None, None)
        held, posted, voided = play(ledger, account, calls, order)
        state = ledger.state(account)

        assert held == posted + voided
        assert ledger.drift() == []
        ledger.close()
    return state, posted


@settings(max_examples=60, deadline=None)
@given(calls=streams(SLICE // 2), order=st.lists(st.integers(0, 5), max_size=60), limit=st.integers(0, 2000))
def test_no_cap_is_passed(calls: list[Stream], order: list[int], limit: int) -> None:
    """Pieces of half a slice: whatever the order, what was held is posted or given back, and nothing becomes debt."""
    state, posted = played(calls, order, limit)

    assert (state.posted, state.pending, state.debt) == (posted, 0, 0)
    assert posted <= limit


@settings(max_examples=60, deadline=None)
@given(calls=streams(5 * SLICE), order=st.lists(st.integers(0, 5), max_size=60), limit=st.integers(0, 2000))
def test_large_pieces_pass_a_cap_by_themselves_at_most(calls: list[Stream], order: list[int], limit: int) -> None:
    """A piece larger than half a slice was said before anybody could ask: at most its excess, per call, is debt."""
    state, posted = played(calls, order, limit)

    assert state.posted == posted <= limit
    assert state.debt == sum(max(0, call.used - call.covered) for call in calls if call.covered)
    assert state.debt <= sum(max([*call.says, 0]) for call in calls)


def test_a_stopped_stream_leaves_room_for_none(ledger: Ledger, account: Make) -> None:
    """Two streams on one cap: the second one's slice is refused once the first has taken what was left."""
    cap = account(250)
    assert isinstance(ledger.hold("a", [cap], Amounts(100, 0)), Held)
    assert isinstance(ledger.hold("b", [cap], Amounts(100, 0)), Held)
    assert isinstance(ledger.grow("a", Amounts(150, 0)), Held)
    denied = ledger.grow("b", Amounts(150, 0))

    assert isinstance(denied, Denied)
    assert (denied.left, denied.needed) == (0, 150)
    ledger.post("a", Amounts(150, 0))
    ledger.post("b", Amounts(90, 0))
    assert ledger.state(cap).posted == 240
