"""A server behind a network that fails: nothing is taken twice, nothing lost, no wait without end, no secret told."""

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any

import pytest
import redis as redis_client
from sqlalchemy import NullPool, create_engine, make_url

from outwarden.budget import Account, Amounts, Denied, Held, Ledger, Store, open_store
from outwarden.budget import mariadb_connection as mariadb
from outwarden.budget import postgres_connection as postgres
from outwarden.budget import redis_connection as redis
from outwarden.budget.server_connection import ServerConnection
from outwarden.budget.sql_store import SqlStore
from outwarden.errors import StateError, StepUndone, StepUnknown, StoreUnavailable

pytestmark = pytest.mark.every_server

Make = Callable[..., Account]
Clock = Any  # the one in conftest.py, which cannot be imported
Relay = Any

BACK_S = 15  # a thread tries once a second; this machine may be busy


@pytest.fixture
def far(relayed: str, clock: Clock) -> Iterator[Ledger]:
    """A ledger behind the relay."""
    ledger = Ledger(open_store(relayed), clock=clock, monotonic=clock.monotonic)
    yield ledger
    ledger._store.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits as short as a test likes them."""
    for module in (postgres, mariadb, redis):
        monkeypatch.setattr(module, "ANSWER_S", 2)
        monkeypatch.setattr(module, "CONNECT_S", 1)
    for module in (postgres, mariadb):
        monkeypatch.setattr(module, "LOCK_S", 1)
        monkeypatch.setattr(module, "STOPPED_S", 1)


def connection_of(ledger: Ledger) -> ServerConnection:
    connection = ledger._store.connection  # type: ignore[attr-defined]
    assert isinstance(connection, ServerConnection)
    return connection


def at_next_commit(ledger: Ledger, relay: Relay, then: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let something happen to the next commit; tells in the list when it did."""
    connection, happened = connection_of(ledger), list[str]()
    send = connection._send

    def watched(steps: Any, *, commits: bool = False) -> Any:
        if commits and not happened:
            happened.append(then)
            relay.then = then
        return send(steps, commits=commits)

    monkeypatch.setattr(connection, "_send", watched)
    return happened


def soon(work: Callable[[], Any]) -> Any:
    """Do something that has to work again before long."""
    end = time.monotonic() + BACK_S
    while True:
        try:
            return work()
        except StoreUnavailable:
            assert time.monotonic() < end, "it did not recover"
            time.sleep(0.1)


def test_a_connection_cut_while_idle_is_no_news(far: Ledger, relay: Relay, account: Make) -> None:
    """Firewalls and restarts cut what is idle: the next step, and the next look, go on a new connection."""
    for number in range(3):
        relay.cut()
        assert isinstance(far.hold(f"h{number}", [account(100)], Amounts(10, 0)), Held)
        relay.cut()
        assert far.left([account(100)]) == 90 - 10 * number
        relay.cut()
        far.heartbeat()
    relay.cut()
    assert far.post("h0", Amounts(5, 0))[0].posted == 5
    assert far.drift() == []


@pytest.mark.parametrize("then", ["cut", "lose"])
@pytest.mark.parametrize("step", ["hold", "grow", "post", "void", "expire"])
def test_a_commit_without_an_answer(
    far: Ledger, relay: Relay, url: str, account: Make, monkeypatch: pytest.MonkeyPatch, then: str, step: str
) -> None:
    """Whether it arrived or not: the step is done once, and its caller is told so."""
    two = [account(100), account(100, name="c", window="rolling 60s")]
    if step == "expire":
        dead = Ledger(open_store(url), clock=far._clock)
        dead.hold("h", two, Amounts(40, 0))
        dead.close()
    elif step != "hold":
        far.hold("h", two, Amounts(40, 0))
    happened = at_next_commit(far, relay, then, monkeypatch)
    answer: Any = {
        "hold": lambda: far.hold("h", two, Amounts(40, 0)),
        "grow": lambda: far.grow("h", Amounts(60, 0)),
        "post": lambda: far.post("h", Amounts(50, 0)),
        "void": lambda: far.void("h"),
        "expire": far.recover,
    }[step]()
    assert happened == [then]
    wanted = {"hold": (0, 40, 0), "grow": (0, 60, 0), "post": (40, 0, 10), "void": (0, 0, 0), "expire": (40, 0, 0)}
    assert [(state.posted, state.pending, state.debt) for state in far.states()] == [wanted[step]] * 2
    if step in ("hold", "grow"):
        assert isinstance(answer, Held)
        assert far.post("h", Amounts(7, 0))[0].posted == 7
    elif step == "post":
        assert [(state.posted, state.debt) for state in answer] == [(40, 10)] * 2
    assert far.drift() == []


def test_a_hold_that_nobody_knows_of_is_given_back(
    far: Ledger, relay: Relay, account: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Committed, not answered, and the server gone: the call is refused, and later nothing stays held for it."""
    connection, send = connection_of(far), connection_of(far)._send

    def and_gone(steps: Any, *, commits: bool = False) -> Any:
        if not commits:
            return send(steps)
        relay.then = "lose"
        try:
            return send(steps, commits=True)
        finally:
            relay.go()

    with monkeypatch.context() as patch:
        patch.setattr(connection, "_send", and_gone)
        with pytest.raises(StepUnknown):
            far.hold("h", [account(100)], Amounts(40, 0))
    relay.come_back()
    assert soon(lambda: far.left([account(100)])) == 60
    assert far.recover() == 0
    assert far.left([account(100)]) == 100
    assert far.drift() == []
    assert not far._doubtful


def test_a_server_that_is_gone(far: Ledger, relay: Relay, account: Make, relayed: str) -> None:
    """Every step says so, at once and without the password, and takes nothing; then all goes on by itself."""
    day = account(100)
    far.hold("h", [day], Amounts(10, 0))
    relay.go()
    began = time.monotonic()
    for step in (
        lambda: far.hold("h2", [day], Amounts(10, 0)),
        lambda: far.grow("h", Amounts(20, 0)),
        lambda: far.post("h", Amounts(5, 0)),
        lambda: far.void("h"),
        lambda: far.left([day]),
        far.heartbeat,
        far.recover,
    ):
        with pytest.raises(StoreUnavailable, match="does not answer") as error:
            step()
        assert str(make_url(relayed).password) not in str(error.value)
        assert error.value.__cause__ is None
    assert time.monotonic() - began < 2
    relay.come_back()
    assert isinstance(soon(lambda: far.hold("h2", [day], Amounts(10, 0))), Held)
    assert far.post("h", Amounts(5, 0))[0].posted == 5
    assert far.drift() == []


@pytest.mark.usefixtures("impatient")
def test_a_server_that_hangs(relayed: str, relay: Relay, account: Make) -> None:
    """It takes everything and answers nothing: one step waits its time, the next ones not at all."""
    far = Ledger(open_store(relayed))
    far.hold("h", [account(100)], Amounts(10, 0))
    relay.then = "swallow"
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="does not answer"):
        far.hold("h2", [account(100)], Amounts(10, 0))
    assert 0.5 < time.monotonic() - began < 5
    began = time.monotonic()
    for number in range(100):
        with pytest.raises(StoreUnavailable):
            far.hold(f"n{number}", [account(100)], Amounts(1, 0))
    assert time.monotonic() - began < 1
    relay.then = "pass"
    relay.cut()
    assert isinstance(soon(lambda: far.hold("h2", [account(100)], Amounts(90, 0))), Held)
    assert far.drift() == []
    far.close()


@pytest.mark.on_sql
@pytest.mark.usefixtures("impatient")
def test_a_process_that_stands_still_blocks_nobody_for_long(url: str, account: Make) -> None:
    """Stopped in the middle of a step, with rows locked: the server takes them from it, and its step never was."""
    still, other = (Ledger(open_store(url)) for _ in range(2))
    other.hold("first", [account(100)], Amounts(1, 0))
    transaction = still._store.transaction().__enter__()
    transaction.lock([account(100)], still._clock())
    began = time.monotonic()
    assert isinstance(soon(lambda: other.hold("h", [account(100)], Amounts(90, 0))), Held)
    assert time.monotonic() - began < 10
    transaction.enter("x", 0, "hold", [], still._clock())
    with pytest.raises(StoreUnavailable):
        transaction.hold("x")
    transaction.undo()
    transaction.__exit__(None, None, None)
    assert isinstance(still.hold("h2", [account(100)], Amounts(10, 0)), Denied)
    assert still.left([account(100)]) == 9
    still.close()
    other.close()


def at_once(work: Callable[[int], None], count: int, seconds: float) -> None:
    """Run ``work`` in so many threads, each with its number; wait for each so long at most."""
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds)


@pytest.mark.on_sql
def test_two_that_wait_for_each_other(url: str, account: Make, clock: Clock) -> None:
    """A deadlock, which our own order of locks avoids, is found by the server: one is undone, and told so."""
    stores = [open_store(url), open_store(url)]
    pair, met, undone = [account(100, name="a"), account(100, name="b")], threading.Barrier(2), list[int]()
    Ledger(stores[0], clock=clock).hold("h", pair, Amounts(1, 0))

    def work(number: int) -> None:
        try:
            with stores[number].transaction() as transaction:
                transaction.lock([pair[number]], clock())
                met.wait(10)
                transaction.lock([pair[1 - number]], clock())
        except StepUndone:
            undone.append(number)

    at_once(work, 2, 20)
    assert len(undone) == 1
    for store in stores:
        store.close()


@pytest.mark.on_sql
def test_no_two_calls_wait_for_each_other(url: str, account: Make, clock: Clock) -> None:
    """Whatever the order of their accounts: four threads with a ledger each, hundreds of calls, none undone.

    The accounts are there: MariaDB may undo one of two that open the same account at once, which is then done again.
    """
    names = ["a", "b", "c"]
    ledgers = [Ledger(open_store(url), clock=clock) for _ in range(4)]
    ledgers[0].hold("first", [account(10**6, name=name) for name in names], Amounts(1, 0))
    ledgers[0].void("first")
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            order = [account(10**6, name=names[(number + k) % 3]) for k in range(3)]
            for call in range(25):
                transaction_id = f"{number}-{call}"
                assert isinstance(ledgers[number]._take(transaction_id, order, Amounts(1, 0), [], clock()), Held)
                ledgers[number]._settle(transaction_id, Amounts(1, 0), clock(), False)
        except BaseException as error:
            failed.append(error)

    at_once(work, 4, 60)
    assert failed == []
    assert [state.posted for state in ledgers[0].states()] == [100] * 3
    assert ledgers[0].drift() == []
    for ledger in ledgers:
        ledger.close()


@pytest.mark.on_sql
def test_what_cannot_be_opened_is_said_without_the_password(url: str, database: str) -> None:
    """Wrong password, no such database, nobody there, another kind of server: a StateError that names the place."""
    good = make_url(url)
    other = {"postgresql": "mariadb+pymysql", "mariadb": "postgresql+psycopg"}[database]
    for bad, said in (
        (good.set(password="hunter2-wrong"), "(?i)password|denied"),
        (good.set(database="nowhere"), "nowhere|denied"),
        (good.set(port=9), "refused"),
        (good.set(drivername=other), "does not answer|cannot be used"),
        (good.set(query={"no_such_option": "hunter2-secret"}), "."),
    ):
        written = bad.render_as_string(hide_password=False)
        with pytest.raises(StateError, match=said) as error:
            open_store(written)
        assert "127.0.0.1" in str(error.value)
        assert "hunter2" not in str(error.value)
        assert str(good.password) not in str(error.value)


@pytest.mark.on_sql
def test_without_the_driver(url: str, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    module, extra = {"postgresql": ("postgres_connection", "postgresql"), "mariadb": ("mariadb_connection", "mariadb")}[
        database
    ]
    monkeypatch.setitem(__import__("sys").modules, f"outwarden.budget.{module}", None)
    with pytest.raises(StateError, match=rf"outwarden\[{extra}\]"):
        open_store(url)


@pytest.mark.on_sql
def test_a_statement_that_fails_tells_no_value(store: Store) -> None:
    """Nor does the connection suffer from it."""
    assert isinstance(store, SqlStore)
    for sql in ("INSERT INTO nowhere VALUES (%s)", "INSERT INTO owners (id) VALUES (%s)"):
        with pytest.raises(StoreUnavailable) as error:
            store.run_sql(sql, ("alice@acme.example",))
        assert "alice" not in str(error.value)
    insert = "INSERT INTO pauses (target, at) VALUES (%s, 1)"
    store.run_sql(insert, ("alice@acme.example",))
    with pytest.raises(StoreUnavailable) as error:
        store.run_sql(insert, ("alice@acme.example",))
    assert "alice" not in str(error.value)
    assert store.pauses() == ["alice@acme.example"]


@pytest.mark.on_sql
@pytest.mark.parametrize(
    "name",
    [
        "x'; DELETE FROM ledger; -- ",
        "x\\'; DELETE FROM ledger; # ",
        '"; DELETE FROM ledger; /* ',
        "\\",
        "\\\\'",
        "%s %% %",
        "\n\r\x1a\t`",
        "\u00bf\u5c27'; -- \U0001f642",
    ],
)
def test_text_is_never_a_statement(store: Store, name: str, clock: Clock) -> None:
    """Whatever quotes, escapes and ends of statements it holds, it comes back as it went in."""
    assert isinstance(store, SqlStore)
    with store.transaction() as transaction:
        assert transaction.pause(name, clock())
        assert not transaction.pause(name, clock())
        assert transaction.open_hold(f"h {name}"[:120], name, Amounts(1, 0), clock())
    assert store.pauses() == [name]
    assert store.is_paused(["other", name, "'"]) == name
    with store.transaction() as transaction:
        assert [row.owner for row in transaction.open_holds(name, 5)] == [name]
    assert store.run_sql("SELECT count(*) FROM ledger") == [(1,)]


@pytest.mark.on_sql
def test_a_write_that_fails_leaves_nothing(store: Store, account: Make, clock: Clock) -> None:
    """Refused at the end of a step, with its first writes done: none of them is there, and the next step goes."""
    ledger, insert = Ledger(store, clock=clock), ("INSERT INTO pauses (target, at) VALUES (%s, 1)", ("x",))
    transaction: Any = store.transaction().__enter__()
    assert transaction.open_hold("h", ledger.owner, Amounts(1, 1), clock())
    transaction._later += [insert, insert]
    with pytest.raises(StoreUnavailable, match="refuses"):
        transaction.__exit__(None, None, None)
    assert isinstance(ledger.hold("i", [account(100)], Amounts(10, 0)), Held)
    with store.transaction() as transaction:
        assert transaction.hold("h") is None
    assert store.pauses() == []
    assert ledger.drift() == []


# How a server is made a replica, or as good as one, and a primary again. A MariaDB heeds it for common users only.
BECOME = {
    ("postgresql", "replica"): ("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()"),
    ("postgresql", "primary"): ("ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()"),
    ("mariadb", "replica"): ("SET GLOBAL read_only = 1",),
    ("mariadb", "primary"): ("SET GLOBAL read_only = 0",),
    ("redis", "replica"): ("REPLICAOF 127.0.0.1 9",),
    ("redis", "primary"): ("REPLICAOF NO ONE",),
}
COMMON = (
    "CREATE OR REPLACE USER common@'%%' IDENTIFIED BY 'c'",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON outwarden.* TO common@'%%'",
)


def order(url: str, statements: Iterable[str]) -> None:
    """Run statements as whoever runs the server."""
    if url.startswith("redis"):
        with redis_client.Redis.from_url(url) as admin:
            for statement in statements:
                admin.execute_command(*statement.split())
        return
    engine = create_engine(url, poolclass=NullPool).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def common(url: str, database: str) -> str:
    """The URL for a user without rights over the server."""
    if database != "mariadb":
        return url
    open_store(url).close()  # who may do no more than use the tables cannot make them
    order(url, COMMON)
    return make_url(url).set(username="common", password="c").render_as_string(hide_password=False)


@pytest.fixture
def become(url: str, database: str) -> Iterator[Callable[[str], None]]:
    """Makes the server a replica or a primary; a primary it is again in the end."""
    yield lambda kind: order(url, BECOME[database, kind])
    order(url, BECOME[database, "primary"])


def refusal(work: Callable[[int], Any]) -> Exception:
    """What is raised before long: PostgreSQL reads its settings a little after it was told to."""
    end = time.monotonic() + BACK_S
    for number in count():
        try:
            work(number)
        except (StateError, StoreUnavailable) as error:
            return error
        assert time.monotonic() < end, "nothing was refused"
        time.sleep(0.05)
    raise AssertionError


def test_a_replica_is_refused(url: str, become: Callable[[str], None]) -> None:
    """When it is opened, not at the first call; the error says what it is."""
    open_store(url).close()
    become("replica")
    assert "is a replica" in str(refusal(lambda _: open_store(url).close()))
    become("primary")
    soon(lambda: open_store(url).close())


def test_a_primary_that_becomes_a_replica(
    url: str, database: str, become: Callable[[str], None], account: Make, clock: Clock
) -> None:
    """Calls are refused, and each tries a connection of its own: another server may stand behind the name by then."""
    ledger = Ledger(open_store(common(url, database)), clock=clock)
    ledger.hold("h", [account(10**6)], Amounts(10, 0))
    become("replica")
    assert re.search("(?i)read.only", str(refusal(lambda n: ledger.hold(f"n{n}", [account(10**6)], Amounts(1, 0)))))
    assert connection_of(ledger)._raw is None
    become("primary")
    assert isinstance(soon(lambda: ledger.hold("i", [account(10**6)], Amounts(90, 0))), Held)
    ledger.post("h", Amounts(10, 0))
    assert ledger.drift() == []
    ledger.close()
