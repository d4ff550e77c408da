"""What the budget tests share: stores, a clock that stands still, short ways to make accounts.

What is marked ``every_store`` runs once on each of `STORES`, what only a server can do (``every_server``) on all but
the first; the others run on SQLite, and so does what takes hundreds of steps of a kind that shorter tests try
everywhere (``on_sqlite``); what is about SQL (``on_sql``) does not run on Redis. The servers are this suite's own,
started from what is installed (`scripts/servers`) when the first test asks for one.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, NullPool, create_engine, make_url
from sqlalchemy.exc import DBAPIError

from benchmarks.servers import started
from outwarden.budget import Account, Budget, BudgetRules, Caller, Ledger, Store, accounts, open_store
from outwarden.budget.redis_rows import charges_key, entries_key, line_in, name_of
from outwarden.budget.sql_store import SqlStore

STORES = ("sqlite", "postgresql", "mariadb", "redis")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Clock:
    """A clock that only moves when told to."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        """The same, for who measures how long something takes."""
        return self.now.timestamp()

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a test that is so marked meet each store."""
    if "database" in metafunc.fixturenames:
        marked = metafunc.definition.get_closest_marker
        everywhere = marked("every_store") and not marked("on_sqlite")
        found = STORES[1:] if marked("every_server") else STORES if everywhere else STORES[:1]
        found = tuple(kind for kind in found if kind != "redis") if marked("on_sql") else found
        found = ("redis",) if marked("on_redis") else found
        metafunc.parametrize("database", found)


class Servers:
    """The database servers of this test process: started once each, ended with it."""

    def __init__(self) -> None:
        self._started: dict[str, dict[str, Any]] = {}
        self._until_closed = ExitStack()
        self._admins: dict[str, Connection] = {}

    def told(self, kind: str) -> dict[str, Any]:
        """Where a server is (``url``, ``pid``); skips the test where none is installed."""
        if kind not in self._started:
            (self._started[kind],) = self._until_closed.enter_context(started(kind))
        told = self._started[kind]
        if "missing" in told:
            pytest.skip(f"this test needs a {kind} server to start: {told['missing']}")
        return told

    def empty(self, kind: str) -> str:
        """The URL of an empty database; whoever was connected to it no longer is."""
        url: str = self.told(kind)["url"]
        if kind == "redis":
            import redis

            with redis.Redis.from_url(url) as admin:
                admin.client_kill_filter(_type="normal", skipme=True)
                admin.flushdb()
            return url
        if kind not in self._admins:
            engine = create_engine(url, poolclass=NullPool).execution_options(isolation_level="AUTOCOMMIT")
            self._admins[kind] = engine.connect()
        try:
            self._clean(kind)
        except DBAPIError:
            del self._admins[kind]  # lost, or the server is: the next test finds out anew
            raise
        return url

    def _clean(self, kind: str) -> None:
        for statement in CLEANING[kind]:
            for (found,) in self._admins[kind].exec_driver_sql(statement).all():
                with suppress(DBAPIError):  # a connection that ends by itself meanwhile
                    self._admins[kind].exec_driver_sql(found)

    def close(self) -> None:
        """End them all."""
        for admin in self._admins.values():
            admin.close()
        self._until_closed.close()


# Each finds statements to run: end the other connections, then empty the tables, or drop them where one is missing.
CLEANING = {
    "postgresql": (
        "SELECT format('SELECT pg_terminate_backend(%%s, 2000)', pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid != pg_backend_pid()",
        "SELECT 'DROP SCHEMA public CASCADE; CREATE SCHEMA public' FROM pg_tables"
        " WHERE schemaname = 'public' HAVING count(*) NOT IN (0, 9)",
        "SELECT format('TRUNCATE %%s RESTART IDENTITY', string_agg(tablename, ', ')) FROM pg_tables"
        " WHERE schemaname = 'public' AND tablename != 'ledger' HAVING count(*) = 8",
    ),
    "mariadb": (
        "SELECT concat('KILL HARD CONNECTION ', id) FROM information_schema.processlist"
        " WHERE db = database() AND id != connection_id()",
        "SELECT 'DROP DATABASE outwarden' FROM information_schema.tables WHERE table_schema = database()"
        " HAVING count(*) NOT IN (0, 9)",
        "SELECT 'CREATE DATABASE IF NOT EXISTS outwarden'",
        "SELECT 'USE outwarden'",
        "SELECT concat('DELETE FROM ', table_name) FROM information_schema.tables"
        " WHERE table_schema = database() AND table_name NOT IN ('ledger', 'orders')"
        " ORDER BY table_name = 'accounts'",
        "SELECT concat(if(table_name = 'orders', 'TRUNCATE ', 'ALTER TABLE '), table_name,"
        " if(table_name = 'orders', '', ' AUTO_INCREMENT = 1')) FROM information_schema.tables"
        " WHERE table_schema = database() AND table_name IN ('accounts', 'orders') AND auto_increment > 1",
    ),
}


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    found = Servers()
    yield found
    found.close()


@pytest.fixture
def url(database: str, tmp_path: Path, servers: Servers) -> str:
    return f"sqlite:///{tmp_path / 'outwarden.db'}" if database == "sqlite" else servers.empty(database)


class Relay:
    """A network of its own between a ledger and its server, which can fail in every way that a network can.

    ``then``: what happens to what the ledger sends next: "pass"; "swallow" (no answer ever); "cut" (it never arrives,
    and the connection breaks); "lose" (it arrives, and the connection breaks before the answer is back).
    """

    def __init__(self, port: int) -> None:
        self.then = "pass"
        self._server = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                theirs, _ = listener.accept()
                ours = socket.create_connection(self._server)
                self._open += [theirs, ours]
                threading.Thread(target=self._carry, args=(theirs, ours, True), daemon=True).start()
                threading.Thread(target=self._carry, args=(ours, theirs, False), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, to_server: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self.then == "swallow":
                    continue
                if (self.then, to_server) in (("lose", False), ("cut", True)):
                    self.then = "pass"
                    break
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Break every connection that there is."""
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open.clear()

    def go(self) -> None:
        """Be gone: nobody listens any more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def come_back(self) -> None:
        """Listen again, where it did before."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()


@pytest.fixture
def relay(url: str) -> Iterator[Relay]:
    port = make_url(url).port
    assert port
    found = Relay(port)
    yield found
    found.go()


@pytest.fixture
def relayed(url: str, relay: Relay) -> str:
    """The URL of the database behind the relay."""
    return make_url(url).set(port=relay.port).render_as_string(hide_password=False)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_store(url)
    yield opened
    opened.close()


class Inside:
    """What a store keeps, whichever it is: its accounts and its journal."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def accounts(self) -> list[tuple[str, int]]:
        """Each account's budget and what is posted to it, by the windows' starts."""
        if isinstance(self._store, SqlStore):
            return list(self._store.run_sql("SELECT budget, posted FROM accounts ORDER BY starts, budget"))
        rows = sorted(self._store.rows(), key=lambda row: (row.starts, row.budget))
        return [(row.budget, row.posted) for row in rows]

    def lines(self, hold: str) -> list[tuple[int, str, int, int, int, int]]:
        """Each line of a hold or an order: number, step, and the change of posted, pending, debt and credit."""
        if isinstance(self._store, SqlStore):
            wanted = "number, step, posted, pending, debt, credit"
            return list(self._store.run_sql(f"SELECT {wanted} FROM entries WHERE hold = '{hold}' ORDER BY number"))  # noqa: S608
        found = map(line_in, self._store._read([("LRANGE", (entries_key(hold), 0, -1))])[0])
        return sorted((line.number, line.step, *line.change) for line in found)

    def lose_charges(self, account: Account) -> None:
        """Take away what a rolling window was charged."""
        if isinstance(self._store, SqlStore):
            self._store.run_sql("DELETE FROM charges")
        else:
            self._store._read([("DEL", (charges_key(name_of(account)),))])


@pytest.fixture
def inside(store: Store) -> Inside:
    return Inside(store)


@pytest.fixture
def ledger(store: Store, clock: Clock) -> Ledger:
    return Ledger(store, clock=clock, monotonic=clock.monotonic)


@pytest.fixture
def account(clock: Clock) -> Callable[..., Account]:
    """Make one account: ``account(100)`` is a lifetime budget of 100 nano-dollars for everyone."""

    def make(limit: int, **changes: Any) -> Account:
        budget = Budget(**{"name": "b", "scope": "all", "limit": limit, **changes})
        caller = Caller(api_key_id="sha256:aa", user="alice", team="support")
        found = accounts(BudgetRules((budget,)), caller, provider="openai", model="m", call_id="c", at=clock())
        return found[0]

    return make
