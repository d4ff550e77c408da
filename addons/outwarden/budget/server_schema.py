"""Makes and migrates the tables of a ledger on a server when it is opened, by one process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, NullPool, create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from outwarden.budget import schema
from outwarden.budget.migrations import make_tables
from outwarden.budget.server_connection import Lost, Refused, SqlServerConnection
from outwarden.errors import StateError

_TURN_S = 60  # how long a process waits for another that makes or migrates the tables
_LOCK = 6_887_351_246_217_733_364  # of PostgreSQL's advisory locks, which all programs of a database share: drawn once
_OLDEST = {"postgresql": (13,), "mariadb": (10, 6)}  # what is tested, and what has SKIP LOCKED
_URLS = {"postgresql": "postgresql+psycopg://", "mariadb": "mariadb+pymysql://"}
# A standby is read-only as well as a server that somebody has set so, even for users who may write to it all the same.
_READ_ONLY = {"postgresql": "SHOW transaction_read_only", "mariadb": "SELECT @@global.read_only"}


def prepared[T: SqlServerConnection](connection: T) -> T:
    """Bring the tables up to date and return the connection. Raises StateError where the ledger cannot be there."""
    if _is_up_to_date(connection):
        return connection
    engine = create_engine(
        _URLS[connection.kind], creator=lambda: connection.open(_TURN_S), poolclass=NullPool, hide_parameters=True
    )
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as opened:
            _check_version(opened, connection)
            with _turn(opened, connection.kind):
                _make_tables(opened, connection.place)
    except Lost as error:
        raise StateError(f"the database ({connection.place}) does not answer: {error}") from None
    except SQLAlchemyError as error:
        said = connection.said(getattr(error, "orig", None) or error)
        raise StateError(f"the database ({connection.place}) cannot be used: {said}") from None
    finally:
        engine.dispose()
    return connection


def _is_up_to_date(connection: SqlServerConnection) -> bool:
    """Ask before SQLAlchemy is set up for it, which takes a tenth of a second that most starts need not spend."""
    try:
        raw = connection.open()
    except Lost as error:
        raise StateError(f"the database ({connection.place}) does not answer: {error}") from None
    try:
        _refuse_replica(connection, raw)
        (found,) = connection.send(raw, [(f"SELECT version_num FROM {schema.versions.name}", ())])  # noqa: S608
        return found.rows == [(schema.VERSION,)]
    except (Lost, Refused):
        return False  # what is wrong is said below
    finally:
        connection.discard(raw)


def _refuse_replica(connection: SqlServerConnection, raw: Any) -> None:
    (told,) = connection.send(raw, [(_READ_ONLY[connection.kind], ())])
    if str(told.rows[0][0]).lower() not in ("off", "0"):
        raise StateError(f"the database ({connection.place}) is a replica or read-only: it cannot be written to")


def _check_version(opened: Connection, connection: SqlServerConnection) -> None:
    found, oldest = opened.dialect.server_version_info or (), _OLDEST[connection.kind]
    if connection.kind == "mariadb" and "mariadb" not in str(opened.scalar(text("SELECT version()"))).lower():
        raise StateError(f"the database ({connection.place}) is not MariaDB, and no other kind of MySQL is supported")
    if tuple(found) < oldest:
        raise StateError(
            f"the database ({connection.place}) is too old: {connection.kind} {_written(oldest)} is needed"
        )


def _written(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


@contextmanager
def _turn(opened: Connection, kind: str) -> Iterator[None]:
    """Keep other processes out, all of it in one transaction where the database can do that with tables."""
    if kind == "postgresql":
        opened.exec_driver_sql("BEGIN")
        try:
            opened.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            yield
        except BaseException:
            opened.exec_driver_sql("ROLLBACK")
            raise
        opened.exec_driver_sql("COMMIT")
        return
    name = {"name": f"outwarden {opened.scalar(text('SELECT md5(database())'))}"}  # the names are the whole server's
    if opened.scalar(text("SELECT get_lock(:name, :turn)"), {**name, "turn": _TURN_S}) != 1:
        raise StateError("another process is at work on the tables of the database, and does not end")
    try:
        yield
    finally:
        opened.execute(text("DO release_lock(:name)"), name)


def _make_tables(opened: Connection, place: str) -> None:
    tables = set(inspect(opened).get_table_names())
    if schema.ledger_table.name in tables:
        old_number = opened.scalar(schema.ledger_table.select()) or 0
    elif strangers := sorted(tables & set(schema.metadata.tables)):
        said = f"it has a table {strangers[0]!r} of something else; give the ledger a database of its own"
        raise StateError(f"the database ({place}) is not a ledger: {said}")
    else:
        old_number = 0
        schema.ledger_table.create(opened)
    if not old_number:  # new, or not all there yet: MariaDB makes one table at a time for good
        opened.execute(schema.ledger_table.delete())
        opened.execute(schema.ledger_table.insert().values(version=schema.OLD_NUMBER))
    make_tables(opened, f"({place})", old_number)
