"""What a hold and its post cost, on each store: 8 calls open at a time, as the interceptor's event loop has them.

Each call counts in two budgets (a key's day, all of the month), in each kind of window, and paid from a lease (whose
steps in the store, once a second and where it runs short, are in the time of the calls that wait for them). A raw
transaction of two statements on the same disk is measured in turn with it, as the yardstick. `--threads 8` lets as
many threads wait for each other, which is what eight processes would do at worst. `--stores` names the databases,
which are measured in turn: SQLite in a file, and servers of this run's own, whose care for the disk is what they come
with.
"""

import argparse
import platform
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "addons"))

from benchmarks.servers import started
from outwarden.budget import Amounts, Budget, BudgetRules, Caller, Held, LeasingLedger, accounts, open_store
from outwarden.budget.limits import Projected

PARALLEL = 8
MAX = 10**18
ROUND_S = 1.0  # how often an interceptor settles its leases
CALENDAR = (Budget("key-day", "api_key", MAX, window="day"), Budget("month", "all", MAX, window="month"))
KINDS = {
    "calendar": CALENDAR,
    "calendar, leased": tuple(replace(budget, lease=True) for budget in CALENDAR),
    "rolling": (Budget("ten", "api_key", MAX, window="rolling 10m"), Budget("day", "all", MAX, window="rolling 1d")),
    "refill": (Budget("hour", "api_key", MAX, window="refill 1h"), Budget("day", "all", MAX, window="refill 1d")),
    "projected": (Budget("key-day", "api_key", MAX, window="day", projected=Projected(3600)),),
}


def calls(ledger: LeasingLedger, budgets: tuple[Budget, ...], name: str, count: int) -> Iterator[float]:
    """Seconds that each of ``count`` calls spent in hold and post, with `PARALLEL` of them open at a time."""
    rules, caller = BudgetRules(budgets), Caller(api_key_id="sha256:aa")
    running: deque[tuple[str, float]] = deque()
    settled = time.perf_counter()
    for number in range(count):
        call_id = f"{name}-{number}"
        begin = time.perf_counter()
        if begin - settled > ROUND_S:
            ledger.settle()
            settled = begin
        counted = accounts(rules, caller, provider="openai", model="m", call_id=call_id, at=datetime.now(UTC))
        answer = ledger.hold(call_id, counted, Amounts(1_000_000, 900), caller.api_key_id)
        running.append((call_id, time.perf_counter() - begin))
        if not isinstance(answer, Held):
            raise SystemExit("a call was denied: the figures would be of something else")
        if len(running) == PARALLEL:
            open_id, held_s = running.popleft()
            begin = time.perf_counter()
            ledger.post(open_id, Amounts(700_000, 500))
            yield held_s + time.perf_counter() - begin
    for open_id, _ in running:
        ledger.post(open_id, Amounts(700_000, 500))
    ledger.settle()


def in_threads(ledger: LeasingLedger, budgets: tuple[Budget, ...], name: str, count: int, threads: int) -> list[float]:
    """The same from several threads at once, each with one call open."""
    taken: list[float] = []

    def work(number: int) -> None:
        own = tuple(replace(budget) for budget in budgets)
        for call in range(count // threads):
            begin = time.perf_counter()
            at = datetime.now(UTC)
            call_id = f"{name}-{number}-{call}"
            counted = accounts(BudgetRules(own), Caller("sha256:aa"), provider="o", model="m", call_id=call_id, at=at)
            ledger.hold(call_id, counted, Amounts(1_000_000, 900), "sha256:aa")
            ledger.post(call_id, Amounts(700_000, 500))
            taken.append(time.perf_counter() - begin)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return taken


def raw(path: Path, count: int) -> list[float]:
    """Seconds of one transaction with an insert and an update, through the driver alone."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("CREATE TABLE IF NOT EXISTS t (id TEXT PRIMARY KEY, n INTEGER)")
    connection.execute("INSERT OR IGNORE INTO t VALUES ('sum', 0)")
    taken = []
    for _ in range(count):
        begin = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO t VALUES (hex(randomblob(8)), 1)")
        connection.execute("UPDATE t SET n = n + 1 WHERE id = 'sum'")
        connection.execute("COMMIT")
        taken.append(time.perf_counter() - begin)
    connection.close()
    return taken


def raw_on(connection: Any, count: int) -> list[float]:
    """The same on a server, each statement a round trip of its own."""
    run = connection.execute
    run("CREATE TABLE IF NOT EXISTS raw (id VARCHAR(40) PRIMARY KEY, n BIGINT)")
    run("DELETE FROM raw")
    run("INSERT INTO raw VALUES ('sum', 0)")
    taken = []
    for number in range(count):
        begin = time.perf_counter()
        run("BEGIN")
        run("INSERT INTO raw VALUES (%s, 1)", (str(number),))
        run("UPDATE raw SET n = n + 1 WHERE id = 'sum'")
        run("COMMIT")
        taken.append(time.perf_counter() - begin)
    return taken


def raw_in_redis(connection: Any, count: int) -> list[float]:
    """The same in Redis: what is watched is read in one round trip, and written in another."""
    taken = []
    for number in range(count):
        begin = time.perf_counter()
        connection.begin()
        connection.batch([("WATCH", ("raw",)), ("GET", ("raw",))])
        connection.finish(commit=True, last=[("SET", (f"raw-{number}", 1)), ("SET", ("raw", number))])
        taken.append(time.perf_counter() - begin)
    return taken


def shown(name: str, seconds: list[float]) -> str:
    """Median, mean and 99th percentile."""
    ordered = sorted(seconds)
    found = {
        "median": statistics.median(ordered),
        "mean": statistics.fmean(ordered),
        "p99": ordered[int(len(ordered) * 0.99)],
    }
    return f"{name:<22}" + "".join(f" {what} {each * 1000:.3f} ms  " for what, each in found.items()).rstrip()


@contextmanager
def urls(stores: list[str], folder: str) -> Iterator[dict[str, str]]:
    """Where each store is; servers are started for as long as this lasts."""
    found = {"sqlite": f"sqlite:///{folder}/ledger.db"} if "sqlite" in stores else {}
    servers = [store for store in stores if store != "sqlite"]
    if not servers:
        yield found
        return
    with started(*servers, durable=True) as told:
        for one in told:
            if "missing" in one:
                print(f"{one['kind']} is left out: {one['missing']}")
            else:
                found[one["kind"]] = one["url"]
        yield found


def measure(url: str, folder: str, given: argparse.Namespace) -> None:
    """Measure each kind of window in turn on one store, several rounds over, and print it."""
    taken: dict[str, list[float]] = {name: [] for name in ("raw transaction", *KINDS)}
    store = open_store(url)
    ledger = LeasingLedger(store)
    for number in range(given.rounds):
        if url.startswith("sqlite"):
            taken["raw transaction"] += raw(Path(folder) / "raw.db", given.calls)
        elif url.startswith("redis"):
            taken["raw transaction"] += raw_in_redis(store.connection, given.calls)
        else:
            taken["raw transaction"] += raw_on(store.connection, given.calls)
        for kind, budgets in KINDS.items():
            name = f"{kind}-{number}"
            if given.threads:
                taken[kind] += in_threads(ledger, budgets, name, given.calls, given.threads)
            else:
                taken[kind] += calls(ledger, budgets, name, given.calls)
    drift = ledger.drift()
    ledger.close()
    for kind, seconds in taken.items():
        print(shown(kind, seconds))
    count = sum(len(taken[kind]) for kind in KINDS)
    print(f"drift after {count} measured calls: {len(drift)} accounts")


def main() -> None:
    """Measure each store in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000, help="calls per kind and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0, help="so many threads instead of one event loop")
    parser.add_argument("--stores", nargs="+", default=["sqlite"], choices=["sqlite", "postgresql", "mariadb", "redis"])
    given = parser.parse_args()
    print(f"{platform.python_implementation()} {platform.python_version()}, SQLite {sqlite3.sqlite_version}")
    with tempfile.TemporaryDirectory() as folder, urls(given.stores, folder) as found:
        for store, url in found.items():
            print(f"{store}:")
            measure(url, folder, given)


if __name__ == "__main__":
    main()
