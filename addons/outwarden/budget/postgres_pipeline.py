"""All statements of a step in one round trip to PostgreSQL, prepared once per connection, through libpq itself.

psycopg makes the connection; its cursors would take two thirds of what a hold and its post cost (measured: 1.3 of
2.1 ms), for types and features that a ledger has no use of. It knows integers and text.
"""

import time
from collections.abc import Callable, Sequence
from select import POLLIN, POLLOUT, poll
from typing import Any, NamedTuple

from psycopg import OperationalError
from psycopg.pq import DiagnosticField, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from outwarden.budget.sql_connection import Done, Step

PREPARED_MAX = 200  # statements differ in how many lines they write; beyond, all are forgotten and prepared anew
_TYPES = {int: 20, str: 25, type(None): 0}  # oids of pg_type.dat: int8, text, and what the server makes of it
_INTEGERS = (20, 21, 23, 1700)  # int8, int2, int4, and the numeric that a sum of int8 is
_GOOD = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
_TEXT, _AS_IT_IS = 0, 1  # formats of a value; text as it is carries its length, so that the server sees a NUL in it


class Failed(Exception):
    """A statement failed: the server's main line (a detail may hold values). ``state``: its SQLSTATE, if it has one.

    ``lost``: and the server ended the connection.
    """

    def __init__(self, said: str, state: str, *, lost: bool = False) -> None:
        super().__init__(said)
        self.state = state
        self.lost = lost


class _Statement:
    """One statement for values of these types. ``loaders``: how to read its columns, once a result told their types."""

    __slots__ = ("formats", "loaders", "name", "ready", "sql", "types")

    def __init__(self, number: int, sql: str, kinds: tuple[type, ...]) -> None:
        first, *rest = sql.split("%s")
        self.name = b"s%d" % number
        self.sql = (first + "".join(f"${at}{part}" for at, part in enumerate(rest, 1))).encode()
        self.types = [_TYPES[kind] for kind in kinds]
        self.formats = [_AS_IT_IS if kind is str else _TEXT for kind in kinds]
        self.ready = False
        self.loaders: list[Callable[[bytes], Any]] | None = None


class _Sent(NamedTuple):
    statement: _Statement
    values: list[bytes | None]


class Pipeline:
    """Runs statements, marked with ``%s``, on a connection that nobody else uses meanwhile.

    After any error but `Failed` the connection is in an unknown state.
    """

    def __init__(self, connection: PGconn) -> None:
        self._connection = connection
        self._statements: dict[tuple[str, tuple[type, ...]], _Statement] = {}
        self._number = 0
        self._readable = poll()
        self._readable.register(connection.socket, POLLIN)

    def run(self, steps: Sequence[Step], answer_s: float) -> list[Done]:
        """Run statements in order; the first that fails ends it. ``answer_s``: how long to wait for all of them.

        Raises Failed, TimeoutError, OperationalError where the connection is lost, UnicodeError for what is no text.
        """
        if len(self._statements) > PREPARED_MAX and self._connection.transaction_status == TransactionStatus.IDLE:
            self._forget(answer_s)
        sent = [_Sent(self._statement(sql, tuple(map(type, values))), _written(values)) for sql, values in steps]
        end = time.monotonic() + answer_s
        self._connection.enter_pipeline_mode()
        preparing = self._send(sent)
        done = self._answers(sent, preparing, end)
        self._connection.exit_pipeline_mode()
        return done

    def _forget(self, answer_s: float) -> None:
        """Let go of what is prepared; by a statement that is prepared, and gone with the others."""
        self._statements.clear()
        self.run([("DEALLOCATE ALL", ())], answer_s)
        self._statements.clear()

    def _statement(self, sql: str, kinds: tuple[type, ...]) -> _Statement:
        found = self._statements.get((sql, kinds))
        if found is None:
            self._number += 1
            found = self._statements[sql, kinds] = _Statement(self._number, sql, kinds)
        return found

    def _send(self, sent: Sequence[_Sent]) -> set[int]:
        """Hand all to libpq; return which of them are prepared first."""
        connection, preparing, named = self._connection, set[int](), set[bytes]()
        for at, (statement, values) in enumerate(sent):
            if not statement.ready and statement.name not in named:
                connection.send_prepare(statement.name, statement.sql, statement.types)
                preparing.add(at)
                named.add(statement.name)
            connection.send_query_prepared(statement.name, values, statement.formats)
        connection.pipeline_sync()
        return preparing

    def _answers(self, sent: Sequence[_Sent], preparing: set[int], end: float) -> list[Done]:
        done, failed = list[Done](), None
        try:
            self._flush(end)
            for at, (statement, _) in enumerate(sent):
                if at in preparing:
                    prepared = self._answer(end)
                    statement.ready = prepared.status in _GOOD
                    failed = failed or _failure(prepared)
                answer = self._answer(end)
                failed = failed or _failure(answer)
                if failed is None:
                    done.append(_done(statement, answer))
            self._next(end)  # the end of the pipeline
        except OperationalError:
            if failed is None:
                raise
            raise Failed(str(failed), failed.state, lost=True) from None
        if failed:
            self._connection.exit_pipeline_mode()
            raise failed
        return done

    def _answer(self, end: float) -> PGresult:
        """The result of the next statement."""
        result = self._next(end)
        if result is None:
            raise OperationalError("the server ended the connection")
        self._next(end)  # there is none behind it
        return result

    def _next(self, end: float) -> PGresult | None:
        connection = self._connection
        while connection.is_busy():
            if not self._readable.poll(max(0, end - time.monotonic()) * 1000):
                raise TimeoutError("no answer within the time for it")
            connection.consume_input()
        return connection.get_result()

    def _flush(self, end: float) -> None:
        """Send what libpq has; the server may want to be read from first."""
        connection = self._connection
        while connection.flush():
            both = poll()
            both.register(connection.socket, POLLIN | POLLOUT)
            found = both.poll(max(0, end - time.monotonic()) * 1000)
            if not found:
                raise TimeoutError("no answer within the time for it")
            if found[0][1] & POLLIN:
                connection.consume_input()


def _written(values: Sequence[Any]) -> list[bytes | None]:
    return [None if value is None else value.encode() if isinstance(value, str) else b"%d" % value for value in values]


def _failure(result: PGresult) -> Failed | None:
    if result.status in _GOOD:
        return None
    state = result.error_field(DiagnosticField.SQLSTATE) or b""
    said = result.error_field(DiagnosticField.MESSAGE_PRIMARY) or result.error_message
    return Failed(" ".join(said.decode(errors="replace").split()), state.decode())


def _done(statement: _Statement, result: PGresult) -> Done:
    changed = result.command_tuples or 0
    count = result.ntuples
    if not count:
        return Done([], changed)
    loaders = statement.loaders
    if loaders is None:
        types = [result.ftype(column) for column in range(result.nfields)]
        loaders = statement.loaders = [int if oid in _INTEGERS else bytes.decode for oid in types]
    value, columns = result.get_value, list(enumerate(loaders))
    rows = [
        tuple([None if (found := value(row, at)) is None else load(found) for at, load in columns])
        for row in range(count)
    ]
    return Done(rows, changed)
