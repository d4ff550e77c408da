"""Play histories: made up while they happen, or given; on one database that begins empty each time."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from benchmarks.servers import started
from outwarden.budget import Ledger, Store, open_store
from outwarden.budget.sql_store import SqlStore
from simulating.checks import Violation
from simulating.histories import Author, History
from simulating.leasing import LeasingWorld
from simulating.shrinking import shortest
from simulating.world import World

PROCESSES = 3

Make = Callable[..., Ledger]


@dataclass(frozen=True)
class Failure:
    """A history that does not hold, and what was found."""

    history: History
    found: str

    def __str__(self) -> str:
        rules = "\n".join(f"  {rule}" for rule in self.history.rules.values())
        steps = "\n".join(f"  {step}" for step in self.history.steps)
        return f"{self.found}\nbudgets:\n{rules}\nsteps:\n{steps}"


@contextmanager
def opened(kind: str = "sqlite") -> Iterator[list[Store]]:
    """A database of its own, opened once to look at it and once for each process."""
    with ExitStack() as until, TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        if kind != "sqlite":
            (told,) = until.enter_context(started(kind))
            if "missing" in told:
                raise SystemExit(f"{kind} does not start: {told['missing']}")
            url = told["url"]
        stores = [open_store(url) for _ in range(PROCESSES + 1)]
        if kind == "sqlite":
            for store in stores:  # whether the disk has it all is not what is tried here
                cast(SqlStore, store).run_sql("PRAGMA synchronous=OFF")
        yield stores
        for store in stores:
            store.close()


def play(seed: int, steps: int, stores: list[Store], make: Make | None = None, leased: bool = False) -> Failure | None:
    """Play the history of a seed; the failure has it as far as it got. ``leased``: one with leases."""
    author = Author(seed, leased)
    history = History(author.rules, leased=leased)
    world = _world(history, stores, make)
    done = []
    try:
        for step in author.steps(world, steps):
            done.append(step)
            world.happen(step)
        world.finish()
    except Exception as error:  # whatever a step raises that it must not is a finding
        return Failure(History(author.rules, done, leased), _told(error))
    return None


def _world(history: History, stores: list[Store], make: Make | None) -> World:
    return LeasingWorld(history, stores, make) if history.leased else World(history, stores, make or Ledger)


def replay(history: History, stores: list[Store], make: Make | None = None) -> Failure | None:
    """Play a history again."""
    try:
        world = _world(history, stores, make)
        for step in history.steps:
            world.happen(step)
        world.finish()
    except Exception as error:
        return Failure(history, _told(error))
    return None


def shrink(failure: Failure, stores: list[Store], make: Make | None = None, seconds: float = 60) -> Failure:
    """The same failure, or another one, with as few steps as can be."""
    short = shortest(failure.history, lambda tried: replay(tried, stores, make) is not None, seconds)
    return replay(short, stores, make) or failure


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, Violation) else f"{type(error).__name__}: {error}"
