"""The tables of a ledger. Amounts are 64-bit integers in the unit of their account; times are seconds since 1970."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, String, Table, UniqueConstraint, text

VERSION = 2  # of this file; a database of an older version is migrated (`migrations`), of a newer one refused

metadata = MetaData()

# One counter. `window` and `unit` belong to the key: a budget whose window or unit is changed starts a new counter.
# `limit_seen` is for display only; the limit that counts comes with every call from the rules in force.
accounts = Table(
    "accounts",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("budget", String, nullable=False),
    Column("scope", String, nullable=False),
    Column("id", String, nullable=False),
    Column("unit", String, nullable=False),
    Column("window", String, nullable=False),
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
    Column("id", String, primary_key=True),
    Column("pid", Integer, nullable=False),
    Column("started", String, nullable=False),
    Column("host", String, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("ended", Integer, nullable=False),
)

# The owner of a hold outlives its row in `owners` (a dead one is forgotten last), so there is no foreign key.
holds = Table(
    "holds",
    metadata,
    Column("id", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("state", String, nullable=False),
    Column("usd", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("requests", BigInteger, nullable=False),
    Column("steps", Integer, nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("closed", BigInteger),
    sqlite_with_rowid=False,
)
Index("holds_open", holds.c.owner, sqlite_where=holds.c.state == "open")
Index("holds_closed", holds.c.closed, sqlite_where=holds.c.state != "open")

# The journal: never changed; when folded, many lines become one with the same sum (hold "", step "carried"). The line
# of what aged before step n of a hold has the number -1 - n.
entries = Table(
    "entries",
    metadata,
    Column("hold", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("account", Integer, ForeignKey("accounts.number"), primary_key=True),
    Column("step", String, nullable=False),
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
    Column("account", Integer, ForeignKey("accounts.number"), primary_key=True),
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
    Column("target", String, primary_key=True),
    Column("at", BigInteger, nullable=False),
)
orders = Table(
    "orders",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("by", String, nullable=False),
    Column("step", String, nullable=False),
    Column("target", String, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("told", Integer, nullable=False),
)
