"""A throw-away PostgreSQL server, and an own database on it for whoever asks."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from mlestar.storage.database import Database
from support.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

LACKS = "lacks PostgreSQL's initdb: install the package postgresql"
PORT = 5432  # of a socket in the server's own folder: no other server has it
UNTIL_STDIN_ENDS = ("/bin/sh", "-c", '"$@" & cat >/dev/null; kill -INT $!; wait', "sh")
"""Ends the server (a fast shutdown: it waits for no client) with whoever started it, however that one ends."""
FAST = ("fsync=off", "full_page_writes=off", "max_connections=60")
"""What makes a database quick that need not outlive its machine."""


def programs() -> Path | None:
    """The folder of initdb and postgres: on PATH, where Debian puts them, or where pg_config says; None without."""
    found = shutil.which("initdb")
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    folders = [Path(found).resolve().parent] if found else sorted(debian, key=_version, reverse=True)
    if not folders and (config := shutil.which("pg_config")):
        told = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True)
        folders = [Path(told.stdout.strip())]
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def _version(folder: Path) -> float:
    name = folder.parent.name
    return float(name) if name.replace(".", "", 1).isdecimal() else 0.0


@dataclass(frozen=True)
class Server:
    """A running server; databases are copies of one that has the schema already."""

    folder: Path
    process: subprocess.Popen[Any]
    numbers: Iterator[int]

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://t@/{database}?host={self.folder}&port={PORT}"

    def run(self, statement: str) -> None:
        """Run a statement outside every transaction, on the server's own database."""
        place: dict[str, Any] = {"host": str(self.folder), "port": PORT, "user": "t", "dbname": "postgres"}
        with psycopg.connect(**place, autocommit=True) as connection:
            connection.execute(statement.encode())

    @cached_property
    def _template(self) -> str:
        self.run("CREATE DATABASE schema_template")
        database = Database(self.url("schema_template"))
        database.engine  # noqa: B018 - the first use makes the schema
        database.close()
        return "schema_template"

    @contextmanager
    def database(self, *, empty: bool = False) -> Generator[str]:
        """A database's URL, gone afterwards; `empty` has no tables yet."""
        name = f"test_{next(self.numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {'template0' if empty else self._template}")
        try:
            yield self.url(name)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def running_postgres(binaries: Path, options: Sequence[str] = FAST) -> Generator[Server]:
    """A server on a socket in a folder of its own; it refuses to run as root, so root lends it another user."""
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        folder = Path(name)
        user: Any = {"user": "nobody"} if os.getuid() == 0 else {}
        if user:
            shutil.chown(folder, "nobody")
        with (folder / "log").open("wb") as log:
            common: Any = {"stdout": log, "stderr": log, "cwd": folder, **user}
            make = ["-D", "db", "-U", "t", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
            subprocess.run([binaries / "initdb", *make], check=True, **common)
            set_to = [part for option in ("listen_addresses=", *options) for part in ("-c", option)]
            command = [
                *UNTIL_STDIN_ENDS,
                binaries / "postgres",
                "-D",
                "db",
                "-p",
                str(PORT),
                "-k",
                str(folder),
                *set_to,
            ]
            with subprocess.Popen(command, stdin=subprocess.PIPE, **common) as process:
                server = Server(folder, process, count(1))
                try:
                    _wait_until_it_answers(server)
                    yield server
                finally:
                    process.communicate(timeout=PATIENCE_S)


def _wait_until_it_answers(server: Server) -> None:
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            server.run("SELECT 1")
        except psycopg.OperationalError:
            assert time.monotonic() < until, (server.folder / "log").read_text(encoding="utf-8")
        else:
            return
