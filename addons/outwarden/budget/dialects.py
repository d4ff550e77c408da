"""One statement, several databases: Core expressions compiled once for each, and what each calls an upsert."""

from collections import namedtuple
from collections.abc import Callable, Mapping
from typing import Any, Literal, cast

from sqlalchemy import Executable, Select
from sqlalchemy.dialects import sqlite

Kind = Literal["sqlite", "postgresql", "mariadb"]


def _dialect(kind: Kind) -> Any:
    """What compiles for a database, with values marked by their place: "?" for sqlite3, "%s" for the others.

    A dialect is imported where it is used: each takes a tenth of a second, and most use one.
    """
    if kind == "sqlite":
        return sqlite.dialect()
    if kind == "postgresql":
        from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

        return cast(Any, PGDialect_psycopg)(paramstyle="format")
    from sqlalchemy.dialects.mysql.mariadb import loader

    return loader("pymysql")(paramstyle="format")


class Compiled:
    """The SQL of one statement for one database, and the order in which it takes its values."""

    __slots__ = ("_constants", "_names", "sql")

    def __init__(self, statement: Executable, kind: Kind) -> None:
        compiled = statement.compile(dialect=_dialect(kind))  # type: ignore[attr-defined]
        self.sql: str = str(compiled)
        self._names: tuple[str, ...] = tuple(compiled.positiontup or ())
        self._constants: Mapping[str, Any] = {k: v for k, v in compiled.params.items() if v is not None}

    def values(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        """Put the values in the order of the SQL's marks."""
        constants = self._constants
        return tuple([given[name] if name in given else constants[name] for name in self._names])


class Statement:
    """A Core statement, or how to make one for a database; run with a mapping of its bind names to values."""

    def __init__(self, statement: Executable | Callable[[Kind], Executable]) -> None:
        self._statement = statement
        self._compiled: dict[Kind, Compiled] = {}
        # A select's rows get the names of its columns; those of RETURNING are read by position.
        columns = statement.selected_columns.keys() if isinstance(statement, Select) else []
        self.shape = namedtuple("Row", columns)  # type: ignore[misc]

    def on(self, kind: Kind) -> Compiled:
        """The statement as a database reads it."""
        compiled = self._compiled.get(kind)
        if compiled is None:
            statement = self._statement if isinstance(self._statement, Executable) else self._statement(kind)
            compiled = self._compiled[kind] = Compiled(statement, kind)
        return compiled


def marks(kind: Kind, count: int) -> str:
    """So many marks for values, with commas between them."""
    return ", ".join(["?" if kind == "sqlite" else "%s"] * count)


def insert_into(kind: Kind, table: Any) -> Any:
    """An insert that can be made to say what happens to a row that is there."""
    if kind == "sqlite":
        return sqlite.insert(table)
    if kind == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import mysql

    return mysql.insert(table)


def insert_once(kind: Kind, table: Any, values: Mapping[str, Any]) -> Any:
    """Insert a row, or change nothing where its key is there."""
    insert = insert_into(kind, table).values(**values)
    if kind == "mariadb":  # INSERT IGNORE would also cut what is too long
        key = next(iter(table.primary_key))
        return insert.on_duplicate_key_update(**{key.name: key})
    return insert.on_conflict_do_nothing()


def upsert(kind: Kind, insert: Any, keys: list[Any], changes: Callable[[Any], dict[str, Any]]) -> Any:
    """Let an insert change the row that is there. ``changes`` is given the values of the insert, as columns."""
    if kind == "mariadb":
        return insert.on_duplicate_key_update(**changes(insert.inserted))
    return insert.on_conflict_do_update(index_elements=keys, set_=changes(insert.excluded))
