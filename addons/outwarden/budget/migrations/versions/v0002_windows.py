"""Windows that move, top-ups, and orders given by command."""

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """From tables that were only ever in SQLite, whose transaction holds all of it."""
    zero = text("0")
    for column in (
        Column("burst_seen", BigInteger),
        Column("credit", BigInteger, nullable=False, server_default=zero),
        Column("refilled", BigInteger, nullable=False, server_default=zero),
        Column("carry", BigInteger, nullable=False, server_default=zero),
        Column("idle_s", BigInteger),
    ):
        op.add_column("accounts", column)
    op.add_column("entries", Column("credit", BigInteger, nullable=False, server_default=zero))
    op.create_index("entries_account", "entries", ["account"])
    op.create_table(
        "charges",
        Column("account", Integer, ForeignKey("accounts.number"), primary_key=True),
        Column("leaves", BigInteger, primary_key=True),
        Column("posted", BigInteger, nullable=False),
        Column("debt", BigInteger, nullable=False),
        Column("credit", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pauses",
        Column("target", String, primary_key=True),
        Column("at", BigInteger, nullable=False),
    )
    op.create_table(
        "orders",
        Column("number", Integer, primary_key=True),
        Column("at", BigInteger, nullable=False),
        Column("by", String, nullable=False),
        Column("step", String, nullable=False),
        Column("target", String, nullable=False),
        Column("amount", BigInteger, nullable=False),
        Column("told", Integer, nullable=False),
    )
