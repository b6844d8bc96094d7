"""The first schema."""

from alembic import op

from mlestar.storage import full_text
from mlestar.storage.tables import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table and the full-text index."""
    bind = op.get_bind()
    metadata.create_all(bind)
    full_text.create(bind)
