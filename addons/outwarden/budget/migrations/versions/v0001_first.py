"""The first tables, in SQLite alone: nothing makes these any more."""

revision = "0001"
down_revision = None
