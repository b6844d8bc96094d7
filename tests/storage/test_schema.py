"""The migrations and the tables say the same, and opening a database never waits for a writer."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from mlestar.storage import migrations
from mlestar.storage.database import Database
from mlestar.storage.schema import NEWEST
from mlestar.storage.tables import metadata


def test_the_newest_revision_is_the_newest_file() -> None:
    versions = Path(migrations.__file__).parent / "versions"
    assert max(path.name[:4] for path in versions.glob("[0-9]*.py")) == NEWEST


def test_a_migrated_database_has_exactly_the_declared_tables(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new' / 'memory.db'}")

    def is_declared(name: str | None, kind: str, _: object) -> bool:
        return kind != "table" or not (name or "").startswith(("entry_terms", "schema_version"))

    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_declared})
        assert compare_metadata(context, metadata) == []
    database.close()


def test_a_current_database_opens_while_another_connection_writes(tmp_path: Path) -> None:
    first, second = (Database(f"sqlite:///{tmp_path / 'memory.db'}") for _ in range(2))
    with first.write(), second.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
    first.close()
    second.close()
