"""The tables of a ledger. Amounts are 64-bit integers in the unit of their account; times are seconds since 1970."""

from typing import cast

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, String, Table, UniqueConstraint, text

# Of this file and the last step in `migrations`: a database of an older version is migrated, of a newer one refused.
VERSION = "0004"
OLD_NUMBER = 4  # what programs from before version 4 find where they look for the version: too new for them

metadata = MetaData()

_NUMBER = BigInteger().with_variant(Integer, "sqlite")  # SQLite gives numbers by itself to an INTEGER alone


def _name(characters_max: int) -> String:
    """Text that is compared byte by byte, as SQLite and PostgreSQL do; MariaDB wants to be told, and a length."""
    return String().with_variant(String(characters_max, collation="utf8mb4_nopad_bin"), "mysql", "mariadb")


# One counter. `window` and `unit` belong to the key: a budget whose window or unit is changed starts a new counter.
# `limit_seen` is for display only; the limit that counts comes with every call from the rules in force.
accounts = Table(
    "accounts",
    metadata,
    Column("number", _NUMBER, primary_key=True),
    Column("budget", _name(255), nullable=False),
    Column("scope", _name(16), nullable=False),
    Column("id", _name(255), nullable=False),
    Column("unit", _name(16), nullable=False),
    Column("window", _name(64), nullable=False),
    Column("starts", BigInteger, nullable=False),  # 0 for lifetime
    Column("ends", BigInteger),
    Column("limit_seen", BigInteger, nullable=False),
    Column("posted", BigInteger, nullable=False),
    Column("pending", BigInteger, nullable=False),
    Column("debt", BigInteger, nullable=False),
    Column("touched", BigInteger, nullable=False),
    # Since version 2. `burst_seen` is like `limit_seen`; `credit` is what was topped up; `refilled` and `carry` say how
    # far a refill has got (`ageing`); `idle_s` is after how long a silence an account tells nothing any more.
    Column("burst_seen", BigInteger),
    Column("credit", BigInteger, nullable=False, server_default=text("0")),
    Column("refilled", BigInteger, nullable=False, server_default=text("0")),
    Column("carry", BigInteger, nullable=False, server_default=text("0")),
    Column("idle_s", BigInteger),
    UniqueConstraint("budget", "scope", "id", "unit", "window", "starts"),
)

owners = Table(
    "owners",
    metadata,
    Column("id", _name(128), primary_key=True),
    Column("pid", Integer, nullable=False),
    Column("started", _name(32), nullable=False),
    Column("host", _name(512), nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("ended", Integer, nullable=False),
)

# The owner of a hold outlives its row in `owners` (a dead one is forgotten last), so there is no foreign key.
holds = Table(
    "holds",
    metadata,
    Column("id", _name(128), primary_key=True),
    Column("owner", _name(128), nullable=False),
    Column("state", _name(16), nullable=False),
    Column("usd", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("requests", BigInteger, nullable=False),
    Column("steps", Integer, nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("closed", BigInteger),
    sqlite_with_rowid=False,
)
_is_open, _is_over = holds.c.state == "open", holds.c.state != "open"
# MariaDB has no index of some rows only. (SQLAlchemy takes several names; its types say one.)
_PARTIAL, _WHOLE = cast(str, ("sqlite", "postgresql")), cast(str, ("mysql", "mariadb"))
Index("holds_open", holds.c.owner, sqlite_where=_is_open, postgresql_where=_is_open).ddl_if(_PARTIAL)
Index("holds_closed", holds.c.closed, sqlite_where=_is_over, postgresql_where=_is_over).ddl_if(_PARTIAL)
Index("holds_owner", holds.c.owner, holds.c.state).ddl_if(_WHOLE)
Index("holds_over", holds.c.closed).ddl_if(_WHOLE)

# The journal: never changed; when folded, many lines become one with the same sum (hold "", step "carried"). The line
# of what aged before step n of a hold has the number -1 - n.
entries = Table(
    "entries",
    metadata,
    Column("hold", _name(128), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("account", _NUMBER, ForeignKey("accounts.number"), primary_key=True),
    Column("step", _name(16), nullable=False),
    Column("posted", BigInteger, nullable=False),
    Column("pending", BigInteger, nullable=False),
    Column("debt", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("credit", BigInteger, nullable=False, server_default=text("0")),  # since version 2
    sqlite_with_rowid=False,
)
Index("entries_account", entries.c.account)

# Since version 2: what a rolling account was charged, by the second in which it leaves the window.
charges = Table(
    "charges",
    metadata,
    Column("account", _NUMBER, ForeignKey("accounts.number"), primary_key=True),
    Column("leaves", BigInteger, primary_key=True),
    Column("posted", BigInteger, nullable=False),
    Column("debt", BigInteger, nullable=False),
    Column("credit", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Since version 2: what is paused (`orders.Target`), and every order that was ever given. `told` is the one thing of an
# order that changes: that a process has taken it on to tell of it.
pauses = Table(
    "pauses",
    metadata,
    Column("target", _name(512), primary_key=True),
    Column("at", BigInteger, nullable=False),
)
orders = Table(
    "orders",
    metadata,
    Column("number", _NUMBER, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("by", _name(255), nullable=False),
    Column("step", _name(16), nullable=False),
    Column("target", _name(512), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("told", Integer, nullable=False),
)

# Since version 3: upstreams that a process found failing, for the others to leave alone as well. `until` and `written`
# are milliseconds since 1970, by the clock of who wrote it.
rests = Table(
    "rests",
    metadata,
    Column("name", _name(255), primary_key=True),
    Column("owner", _name(128), primary_key=True),
    Column("why", _name(16), nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("written", BigInteger, nullable=False),
)

# The version, as Alembic keeps it: one row. While there is none, the tables are being made.
versions = Table("ledger_version", MetaData(), Column("version_num", String(32), primary_key=True))

# Of a server only: one row, which who folds old entries locks, so that one process at a time does. Its number is what
# `user_version` is in SQLite (`OLD_NUMBER`).
ledger_table = Table("ledger", MetaData(), Column("version", Integer, nullable=False))
