"""Alembic's entry: runs on the connection, and in the transaction, that the caller holds."""

from alembic import context

from mlestar.storage.schema import VERSION_TABLE
from mlestar.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=False,  # the caller's transaction covers the migration
)
context.run_migrations()
