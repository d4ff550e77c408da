"""Statements on PostgreSQL in one round trip: what goes in and comes out, what fails, what is forgotten."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from outwarden.budget import postgres_pipeline
from outwarden.budget.postgres_pipeline import Failed, Pipeline

WAIT_S = 5

Servers = Any  # those in conftest.py, which cannot be imported
Connection = psycopg.Connection[Any]


@pytest.fixture
def connection(servers: Servers) -> Iterator[Connection]:
    """A connection of its own, in a transaction of nobody."""
    url = servers.empty("postgresql").replace("+psycopg", "")
    found = psycopg.connect(url, autocommit=True)
    yield found
    found.pgconn.finish()


@pytest.fixture
def pipeline(connection: Connection) -> Pipeline:
    return Pipeline(connection.pgconn)


def test_values_go_and_come_as_they_are(pipeline: Pipeline) -> None:
    """Integers to 64 bits and their sums, text of any letters, none; so many rows were changed."""
    most = 2**63 - 1
    text = "äß漢字\t'\"%\\ $1 🙂"
    asked = [
        ("SELECT %s, %s, %s, 'a%'", (most, -most, text)),
        ("SELECT sum(n) FROM (VALUES (%s), (%s)) AS t (n)", (most, most)),
        ("CREATE TEMPORARY TABLE t (id TEXT PRIMARY KEY, n BIGINT)", ()),
        ("INSERT INTO t VALUES (%s, %s), (%s, %s)", ("a", None, "", 0)),
    ]
    assert [done.rows for done in pipeline.run(asked, WAIT_S)] == [[(most, -most, text, "a%")], [(2 * most,)], [], []]
    for _ in range(3):
        found, changed, none = pipeline.run(
            [
                ("SELECT id, n FROM t ORDER BY id", ()),
                ("UPDATE t SET n = %s WHERE id = %s", (1, "a")),
                ("SELECT id FROM t WHERE id = %s", ("x",)),
            ],
            WAIT_S,
        )
        assert (changed.rows, changed.changed, none.rows) == ([], 1, [])
    assert found.rows == [("", 0), ("a", 1)]


def test_the_first_that_fails_ends_it(pipeline: Pipeline) -> None:
    """Nothing behind it happens, its commit least of all, and no value is told; the connection goes on."""
    pipeline.run([("CREATE TEMPORARY TABLE t (id TEXT PRIMARY KEY)", ())], WAIT_S)
    insert = ("INSERT INTO t VALUES (%s)", ("alice@acme.example",))
    with pytest.raises(Failed, match="duplicate key") as error:
        pipeline.run([("BEGIN", ()), insert, insert, ("SELECT 1", ()), ("COMMIT", ())], WAIT_S)
    assert (error.value.state, error.value.lost) == ("23505", False)
    assert "alice" not in str(error.value)
    with pytest.raises(Failed) as error:
        pipeline.run([("SELECT 1", ())], WAIT_S)
    assert error.value.state == "25P02"
    pipeline.run([("ROLLBACK", ())], WAIT_S)
    assert pipeline.run([("SELECT count(*) FROM t", ()), ("SELECT 1", ())], WAIT_S)[0].rows == [(0,)]


def test_what_cannot_be_prepared_or_written(pipeline: Pipeline) -> None:
    """A wrong statement is prepared anew each time; a NUL is refused by the server, not cut off; half a sign by us."""
    for _ in range(2):
        with pytest.raises(Failed, match="nowhere"):
            pipeline.run([("SELECT 1", ()), ("SELECT * FROM nowhere WHERE id = %s", ("a",))], WAIT_S)
    with pytest.raises(Failed, match="invalid byte sequence"):
        pipeline.run([("SELECT %s", ("al\0ice",))], WAIT_S)
    with pytest.raises(Failed, match="out of range"):
        pipeline.run([("SELECT %s", (2**63,))], WAIT_S)
    with pytest.raises(UnicodeError):
        pipeline.run([("SELECT 1", ()), ("SELECT %s", ("\ud800",))], WAIT_S)
    assert pipeline.run([("SELECT 1", ())], WAIT_S)[0].rows == [(1,)]


def test_more_than_the_sockets_hold(pipeline: Pipeline) -> None:
    """Both ends write at once: neither waits for the other to read."""
    long = "x" * 50_000
    done = pipeline.run([("SELECT %s", (long,))] * 400, WAIT_S)
    assert [each.rows for each in done] == [[(long,)]] * 400


def test_what_is_prepared_is_bounded(
    pipeline: Pipeline, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two transactions all are forgotten, by the server too; within one none."""
    monkeypatch.setattr(postgres_pipeline, "PREPARED_MAX", 20)
    count = ("SELECT count(*) FROM pg_prepared_statements", ())
    for number in range(100):
        assert pipeline.run([(f"SELECT {number}, %s", (1,)), count], WAIT_S)[0].rows == [(number, 1)]
        assert pipeline.run([count], WAIT_S)[0].rows[0][0] <= 23
    pipeline.run([("BEGIN", ())], WAIT_S)
    for number in range(50):
        pipeline.run([(f"SELECT {number}, 'a', %s", (1,))], WAIT_S)
    assert pipeline.run([count], WAIT_S)[0].rows[0][0] > 50
    pipeline.run([("COMMIT", ())], WAIT_S)
    assert pipeline.run([count], WAIT_S)[0].rows[0][0] < 5


def test_no_answer_in_time(pipeline: Pipeline) -> None:
    """The wait is bounded, whatever the server does."""
    with pytest.raises(TimeoutError):
        pipeline.run([("SELECT pg_sleep(5)::text", ())], 0.2)


@pytest.mark.parametrize("within", [True, False])
def test_a_connection_that_the_server_ends(pipeline: Pipeline, within: bool) -> None:
    """While it works or between: it is lost, with what the server said last."""
    ends = ("SELECT pg_terminate_backend(pg_backend_pid())::text", ())
    with pytest.raises((Failed, psycopg.OperationalError), match="terminat") as error:
        pipeline.run([("SELECT 1", ()), ends] if within else [ends], WAIT_S)
    assert getattr(error.value, "lost", True)
    with pytest.raises(psycopg.OperationalError):
        pipeline.run([("SELECT 1", ())], WAIT_S)
