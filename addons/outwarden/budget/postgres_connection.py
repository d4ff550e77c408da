"""PostgreSQL through psycopg: statements of a step travel together (pipeline mode), prepared once per connection.

Transactions are READ COMMITTED: each locks the rows it reckons with before it reads them (`server_transaction`).
"""

from collections.abc import Sequence
from typing import Any, cast

import psycopg
from psycopg import errors
from psycopg.abc import PQGen
from psycopg.adapt import Loader
from psycopg.pq import PipelineStatus
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumper
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from outwarden.budget.dialects import Kind
from outwarden.budget.server_connection import (
    ANSWER_S,
    COMMIT,
    CONNECT_S,
    LOCK_S,
    STOPPED_S,
    Lost,
    Refused,
    SqlServerConnection,
)
from outwarden.budget.sql_connection import Done, Step

_SETTINGS = {
    "default_transaction_isolation": "read committed",
    "client_encoding": "UTF8",
}
# Another transaction stood in the way: deadlock_detected, serialization_failure (PostgreSQL's Appendix A).
_UNDONE = (errors.DeadlockDetected, errors.SerializationFailure)


class PostgresConnection(SqlServerConnection):
    """A `SqlConnection` to PostgreSQL 13 or later."""

    kind: Kind = "postgresql"
    pipelines = True

    def open(self, turn_s: int = 0) -> "psycopg.Connection[Any]":
        dialect = cast(Any, PGDialect_psycopg)()
        arguments, named = dialect.create_connect_args(self._url)
        named = {"connect_timeout": CONNECT_S, "application_name": "outwarden", **named, "autocommit": True}
        try:
            raw = _Bounded.connect(*arguments, **named)
        except (psycopg.Error, UnicodeError) as error:
            raise Lost(self.said(error)) from None
        raw.prepare_threshold = 0
        raw.answer_s = max(ANSWER_S, turn_s)
        _register(raw)
        bounds = {
            "lock_timeout": f"{max(LOCK_S, turn_s)}s",
            "statement_timeout": f"{raw.answer_s}s",
            "idle_in_transaction_session_timeout": f"{STOPPED_S}s",
        }
        try:
            for name, value in (_SETTINGS | bounds).items():
                raw.execute("SELECT set_config(%s, %s, false)", (name, value))
        except psycopg.Error as error:
            self.discard(raw)
            raise Lost(self.said(error)) from None
        return raw

    def send(self, raw: "psycopg.Connection[Any]", steps: Sequence[Step]) -> list[Done]:
        try:
            # Behind a pipeline psycopg sends a Flush, at which the server forgets how long the transaction may be idle
            # (seen with 3.3 and PostgreSQL 15). So what leaves one open ends with a statement of its own.
            together = len(steps) if steps[-1] == COMMIT else len(steps) - 1
            cursors = []
            if together:
                with raw.pipeline():
                    cursors = [_execute(raw, step) for step in steps[:together]]
            cursors += [_execute(raw, step) for step in steps[together:]]
            return [_done(cursor) for cursor in cursors]
        except (psycopg.Error, UnicodeError) as error:
            hangs = _timed_out(error)
            useless = hangs or isinstance(error, errors.ReadOnlySqlTransaction)
            if useless or raw.closed or raw.pgconn.pipeline_status != PipelineStatus.OFF:
                raise Lost(self.said(error), hangs=hangs) from None
            raise Refused(self.said(error), undone=isinstance(error, _UNDONE)) from None

    def discard(self, raw: "psycopg.Connection[Any]") -> None:
        raw.pgconn.finish()

    def said(self, error: BaseException) -> str:
        """The server's main line (a detail may hold values), or what the driver says."""
        if isinstance(error, psycopg.Error) and error.diag.message_primary:
            return error.diag.message_primary
        if isinstance(error, UnicodeError):
            return "a name cannot be written in UTF-8"
        return " ".join(str(error).split()) or type(error).__name__


class _Bounded(psycopg.Connection[Any]):
    """A connection that waits for an answer within a bound: a stopped server acknowledges all and says nothing."""

    answer_s = ANSWER_S

    def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:
        return super().wait(gen, interval, self.answer_s if timeout is None else timeout)


class _Whole(Loader):
    """The sum of integers comes as a numeric, and is one."""

    def load(self, data: Any) -> int:
        return int(bytes(data))


def _register(raw: "psycopg.Connection[Any]") -> None:
    """Give every value the same type whatever its size, so that a statement is prepared once."""
    raw.adapters.register_dumper(int, Int8Dumper)
    raw.adapters.register_dumper(str, StrDumper)
    raw.adapters.register_loader("numeric", _Whole)


def _execute(raw: "psycopg.Connection[Any]", step: Step) -> "psycopg.Cursor[Any]":
    sql, values = step
    return raw.execute(cast(Any, sql), values or None)


def _timed_out(error: BaseException | None) -> bool:
    """Whether our own bound ended it; leaving the pipeline fails after that, too, and says something else."""
    while error is not None:
        if isinstance(error, errors._WaitTimeout):
            return True
        error = error.__context__
    return False


def _done(cursor: "psycopg.Cursor[Any]") -> Done:
    return Done(cursor.fetchall() if cursor.description else [], max(cursor.rowcount, 0))
