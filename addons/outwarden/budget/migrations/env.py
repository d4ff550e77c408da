"""Alembic runs this for each of its commands: on the program's own connection, within the program's transaction."""

from alembic import context

from outwarden.budget import schema

context.configure(connection=context.config.attributes["connection"], version_table=schema.versions.name)
with context.begin_transaction():
    context.run_migrations()
