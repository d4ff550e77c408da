"""From an older schema to the present one, step by step, in one transaction with the new version's number.

Written by hand: each step is a few statements that all our databases read alike, run under the lock under which the
tables are made. A migration tool would add a package, a folder and a table of its own, and no safety to that.
"""

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from outwarden.budget import schema


def migrate(connection: Connection, version: int) -> None:
    """Bring a database of ``version`` up to `schema.VERSION`; what is in it stays. The caller commits."""
    while version < schema.VERSION:
        MIGRATIONS[version](connection)
        version += 1


def _to_2(connection: Connection) -> None:
    """Windows that move, top-ups, and orders given by command."""
    for table, column in (
        ("accounts", "burst_seen BIGINT"),
        ("accounts", "credit BIGINT NOT NULL DEFAULT 0"),
        ("accounts", "refilled BIGINT NOT NULL DEFAULT 0"),
        ("accounts", "carry BIGINT NOT NULL DEFAULT 0"),
        ("accounts", "idle_s BIGINT"),
        ("entries", "credit BIGINT NOT NULL DEFAULT 0"),
    ):
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {column}")
    connection.exec_driver_sql("CREATE INDEX entries_account ON entries (account)")
    schema.metadata.create_all(connection)  # the tables that are new


def _to_3(connection: Connection) -> None:
    """What processes tell each other of upstreams."""
    schema.metadata.create_all(connection)


MIGRATIONS: Mapping[int, Callable[[Connection], None]] = {1: _to_2, 2: _to_3}
