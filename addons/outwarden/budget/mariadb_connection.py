"""MariaDB through PyMySQL: all statements of a step in one round trip, READ COMMITTED, strict about what fits a column.

They travel as one text, of which the server runs no statement behind one that failed: not the commit, and nothing that
would be for good once a deadlock has ended the transaction. PyMySQL writes the values; a test lets it write hostile
ones.
"""

from collections.abc import Sequence
from typing import Any

import pymysql
from pymysql import converters, err
from pymysql.constants import CLIENT, FIELD_TYPE
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql

from outwarden.budget.dialects import Kind
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

_SETTINGS = (
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ENGINE_SUBSTITUTION'",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
)
_DEADLOCK, _CHECK_FAILED = 1213, 1020  # another transaction stood in the way: ER_LOCK_DEADLOCK, ER_CHECKREAD
# ER_SERVER_SHUTDOWN, ER_CONNECTION_KILLED, and read-only ones of a server that became a replica (`Lost`):
# ER_OPTION_PREVENTS_STATEMENT, ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, ER_READ_ONLY_MODE
_LOST, _CLIENT = (1053, 1927, 1290, 1792, 1836), 2000  # all of 2000 and more are the client's own: gone away, lost, ...
_TIMED_OUT = "timed out"  # in the message of 2013, where PyMySQL waited as long as it was told to


class MariaConnection(SqlServerConnection):
    """A `SqlConnection` to MariaDB 10.6 or later."""

    kind: Kind = "mariadb"
    pipelines = True

    def open(self, turn_s: int = 0) -> "pymysql.Connection[Any]":
        arguments, named = MySQLDialect_pymysql(dbapi=pymysql).create_connect_args(self._url)
        named = {"connect_timeout": CONNECT_S, "program_name": "outwarden", **named, "autocommit": True}
        # While it connects, too: another kind of server may be there, and wait for us to speak first.
        named |= {"read_timeout": CONNECT_S, "write_timeout": ANSWER_S, "charset": "utf8mb4", "conv": _CONVERSIONS}
        # Not FOUND_ROWS: a row that is there and stays as it is counts as unchanged (`dialects.insert_once`).
        named["client_flag"] = named.get("client_flag", 0) & ~CLIENT.FOUND_ROWS | CLIENT.MULTI_STATEMENTS
        try:
            raw = pymysql.connect(*arguments, **named)
            with raw.cursor() as cursor:
                bounds = f"innodb_lock_wait_timeout = {LOCK_S}, SESSION idle_transaction_timeout = {STOPPED_S}"
                for setting in (*_SETTINGS, f"SET SESSION {bounds}"):
                    cursor.execute(setting)
        except (err.Error, OSError, UnicodeError, RuntimeError) as error:
            raise Lost(self.said(error)) from None
        except (TypeError, ValueError):
            raise Lost("an option of its URL cannot be used") from None
        raw._read_timeout = max(ANSWER_S, turn_s)  # type: ignore[attr-defined]
        return raw

    def send(self, raw: "pymysql.Connection[Any]", steps: Sequence[Step]) -> list[Done]:
        try:
            done = _run(raw, steps)
        except (err.Error, OSError, UnicodeError) as error:
            if _is_lost(error):
                raise Lost(self.said(error), hangs=_TIMED_OUT in str(error)) from None
            raise Refused(self.said(error), undone=error.args[0] in (_DEADLOCK, _CHECK_FAILED)) from None
        return done

    def discard(self, raw: "pymysql.Connection[Any]") -> None:
        raw._force_close()  # type: ignore[attr-defined]

    def said(self, error: BaseException) -> str:
        """The server's own line, without the names and values that some of them quote."""
        if isinstance(error, UnicodeError):
            return "a name cannot be written in UTF-8"
        code, *said = error.args or (type(error).__name__,)
        if isinstance(error, err.IntegrityError | err.DataError):  # "Duplicate entry 'alice' for key …"
            return f"error {code}"
        return " ".join(str(part) for part in (*said, f"({code})"))


def _run(raw: "pymysql.Connection[Any]", steps: Sequence[Step]) -> list[Done]:
    """Each statement's rows, and how many it changed."""
    done: list[Done] = []
    with raw.cursor() as cursor:
        changed = cursor.execute("; ".join(cursor.mogrify(sql, tuple(values) or None) for sql, values in steps))
        done.append(Done(list(cursor.fetchall()), changed))
        while cursor.nextset():
            done.append(Done(list(cursor.fetchall()), cursor.rowcount))
    return done


# The sum of integers comes as a decimal, and is one.
_CONVERSIONS = converters.conversions | {FIELD_TYPE.NEWDECIMAL: int, FIELD_TYPE.DECIMAL: int}


def _is_lost(error: Exception) -> bool:
    if isinstance(error, UnicodeError):
        return False
    code = error.args[0] if error.args else 0
    return not isinstance(error, err.Error) or code == 0 or code in _LOST or (isinstance(code, int) and code >= _CLIENT)
