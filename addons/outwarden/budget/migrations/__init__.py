"""Makes the tables of a ledger, or brings older ones to the present version, with Alembic: a file of `versions` a step.

New tables are made from `schema` at once and numbered like the last step. MariaDB commits every statement by itself, so
a step must be one that can be run again where it was cut short.
"""

import logging
from pathlib import Path

from sqlalchemy import Connection, inspect

from outwarden.budget import schema
from outwarden.errors import StateError

FOLDER = Path(__file__).parent
VERSIONS = [FOLDER / "versions"]

logger = logging.getLogger(__name__)
logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of every plug-in it sets up


def make_tables(connection: Connection, place: str, old_number: int) -> None:
    """Make or migrate what is needed, and keep what is there. The caller keeps other processes out.

    In the transaction of ``connection``, where the database can do that with tables. ``old_number`` is where programs
    from before Alembic put the version (`schema.OLD_NUMBER`), 0 for none. Raises StateError for newer tables.
    """
    version = _version(connection, old_number)
    if version is None:
        schema.metadata.create_all(connection)
        schema.versions.create(connection, checkfirst=True)
        connection.execute(schema.versions.insert().values(version_num=schema.VERSION))
    elif version < schema.VERSION:
        logger.info("the tables of the database %s are migrated from %s to %s", place, version, schema.VERSION)
        _migrate(connection, version)
    elif version > schema.VERSION:
        raise StateError(f"the database {place} was made by a newer version of Outwarden (schema {version})")


def _version(connection: Connection, old_number: int) -> str | None:
    """The version of the tables; None where there are none, or not all yet."""
    if inspect(connection).has_table(schema.versions.name):
        version: str | None = connection.scalar(schema.versions.select())
        return version
    return f"{old_number:04}" if 0 < old_number < schema.OLD_NUMBER else None


def _migrate(connection: Connection, version: str) -> None:
    from alembic import command  # a third of a second, which only starts with older tables spend
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", _escaped(FOLDER))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(map(_escaped, VERSIONS)))
    config.attributes["connection"] = connection
    command.stamp(config, version)  # tables from before 0004 have no number that Alembic knows
    command.upgrade(config, "head")


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")  # Alembic's options are a ConfigParser's
