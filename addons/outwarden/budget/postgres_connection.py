"""PostgreSQL through psycopg, and what its errors mean; the statements themselves run in a `postgres_pipeline`.

Transactions are READ COMMITTED: each locks the rows it reckons with before it reads them (`server_transaction`).
"""

from collections.abc import Sequence
from typing import Any, cast

import psycopg
from psycopg.pq import ConnStatus
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from outwarden.budget.dialects import Kind
from outwarden.budget.postgres_pipeline import Failed, Pipeline
from outwarden.budget.server_connection import (
    ANSWER_S,
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
_UNDONE = ("40P01", "40001")
# It has become a replica (read_only_sql_transaction), or its tables were changed (feature_not_supported, of what was
# prepared before): a new connection may do.
_USELESS = ("25006", "0A000")


class PostgresConnection(SqlServerConnection):
    """A `SqlConnection` to PostgreSQL 13 or later."""

    kind: Kind = "postgresql"
    pipelines = True
    returns = True

    def open(self, turn_s: int = 0) -> "_Raw":
        dialect = cast(Any, PGDialect_psycopg)()
        arguments, named = dialect.create_connect_args(self._url)
        named = {"connect_timeout": CONNECT_S, "application_name": "outwarden", **named, "autocommit": True}
        try:
            raw = _Raw.connect(*arguments, **named)
        except (psycopg.Error, UnicodeError) as error:
            raise Lost(self.said(error)) from None
        raw.answer_s = max(ANSWER_S, turn_s)
        raw.steps = Pipeline(raw.pgconn)
        bounds = {
            "lock_timeout": f"{max(LOCK_S, turn_s)}s",
            "statement_timeout": f"{raw.answer_s}s",
            "idle_in_transaction_session_timeout": f"{STOPPED_S}s",
        }
        set_one = "SELECT set_config(%s, %s, false)"
        try:
            self.send(raw, [(set_one, setting) for setting in (_SETTINGS | bounds).items()])
        except (Lost, Refused) as error:
            self.discard(raw)
            raise Lost(str(error)) from None
        return raw

    def send(self, raw: "_Raw", steps: Sequence[Step]) -> list[Done]:
        try:
            return raw.steps.run(steps, raw.answer_s)
        except Failed as error:
            if error.lost or error.state in _USELESS or raw.pgconn.status != ConnStatus.OK:
                raise Lost(str(error)) from None
            raise Refused(str(error), undone=error.state in _UNDONE) from None
        except UnicodeError as error:
            raise Refused(self.said(error)) from None
        except (psycopg.Error, OSError) as error:
            raise Lost(self.said(error), hangs=isinstance(error, TimeoutError)) from None

    def discard(self, raw: "_Raw") -> None:
        raw.pgconn.finish()

    def said(self, error: BaseException) -> str:
        """The server's main line (a detail may hold values), or what the driver says."""
        if isinstance(error, psycopg.Error) and error.diag.message_primary:
            return error.diag.message_primary
        if isinstance(error, UnicodeError):
            return "a name cannot be written in UTF-8"
        return " ".join(str(error).split()) or type(error).__name__


class _Raw(psycopg.Connection[Any]):
    """A connection, how statements run on it, and how long an answer may take.

    A stopped server acknowledges all and says nothing.
    """

    answer_s: float
    steps: Pipeline
