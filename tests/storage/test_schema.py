"""The migrations and the tables say the same, and opening a database never waits for a writer."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from mlestar.storage import migrations
from mlestar.storage.database import Database
from mlestar.storage.schema import NEWEST, create, ensure_current, is_current, migrate
from mlestar.storage.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from support.postgres import Server

CATALOGUE = (
    """SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default, collation_name)
       FROM information_schema.columns WHERE table_schema = 'public'""",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    """SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid))
       FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "SELECT concat_ws(' ', dictname, dictinitoption) FROM pg_ts_dict WHERE dictnamespace = 'public'::regnamespace",
)


def test_the_newest_revision_is_the_newest_file() -> None:
    versions = Path(migrations.__file__).parent / "versions"
    assert max(path.name[:4] for path in versions.glob("[0-9]*.py")) == NEWEST


def test_a_new_database_has_exactly_the_declared_tables(database_url: str) -> None:
    database = Database(database_url.replace("memory.db", "new/memory.db"))

    def is_declared(name: str | None, kind: str, _: object) -> bool:
        return kind != "table" or not (name or "").startswith(("entry_terms", "schema_version"))

    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_declared})
        assert compare_metadata(context, metadata) == []
    database.close()


def test_a_new_sqlite_database_is_created_as_the_migrations_leave_it() -> None:
    def schema(build: Callable[[Connection], None]) -> list[str]:
        with create_engine("sqlite://").begin() as connection:
            build(connection)
            assert is_current(connection)
            rows = connection.exec_driver_sql("SELECT type, name, sql FROM sqlite_master ORDER BY type, name")
            return [" ".join(" ".join(map(str, row)).replace("(", " ( ").replace(")", " ) ").split()) for row in rows]

    assert schema(create) == schema(migrate)


def test_a_new_postgresql_database_is_created_as_the_migrations_leave_it(postgres_server: Server) -> None:
    def schema(build: Callable[[Connection], None]) -> list[list[str]]:
        with postgres_server.database(empty=True) as url:
            engine = create_engine(url)
            with engine.begin() as connection:
                build(connection)
                assert is_current(connection)
                found = [sorted(connection.execute(text(query)).scalars()) for query in CATALOGUE]
            engine.dispose()
        return found

    made = schema(create)
    assert made == schema(migrate)
    assert all(made)


def test_two_servers_may_open_an_empty_postgresql_database_at_once(postgres_server: Server) -> None:
    with postgres_server.database(empty=True) as url:
        databases = [Database(url) for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            assert [engine.name for engine in pool.map(lambda database: database.engine, databases)] == 4 * [
                "postgresql"
            ]
        for database in databases:
            database.close()


def test_a_database_of_an_older_revision_is_migrated() -> None:
    with create_engine("sqlite://").begin() as connection:
        connection.exec_driver_sql("CREATE TABLE schema_version (version_num VARCHAR(32) PRIMARY KEY)")
        ensure_current(connection)
        assert is_current(connection)


def test_creating_a_database_does_not_load_the_migrations(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom mlestar.storage.database import Database\n"
        f"Database('sqlite:///{(tmp_path / 'm.db').as_posix()}').engine\n"
        "sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_current_database_opens_while_another_connection_writes(tmp_path: Path) -> None:
    first, second = (Database(f"sqlite:///{tmp_path / 'memory.db'}") for _ in range(2))
    with first.write(), second.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
    first.close()
    second.close()
