"""What processes tell each other of upstreams."""

from alembic import op
from sqlalchemy import BigInteger, Column, String

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """One table; lengths and collation are what MariaDB wants to be told."""

    def name(characters_max: int) -> String:
        return String().with_variant(String(characters_max, collation="utf8mb4_nopad_bin"), "mysql", "mariadb")

    op.create_table(
        "rests",
        Column("name", name(255), primary_key=True),
        Column("owner", name(128), primary_key=True),
        Column("why", name(16), nullable=False),
        Column("until", BigInteger, nullable=False),
        Column("written", BigInteger, nullable=False),
        if_not_exists=True,
    )
