"""Alembic keeps the number of the tables."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Programs from before look where it was, and refuse what they find there from now on."""
    op.execute("PRAGMA user_version=4" if op.get_bind().dialect.name == "sqlite" else "UPDATE ledger SET version = 4")
