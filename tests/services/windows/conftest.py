"""The windows on a database of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from mlestar.services.windows import WindowsService
from mlestar.storage.database import Database
from support.boards import TOKENIZER
from support.clock import Clock


@pytest.fixture
def clock() -> Clock:
    """A clock that the test moves."""
    return Clock()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """SQLite and PostgreSQL in turn."""
    made = Database(database_url)
    yield made
    made.close()


@pytest.fixture
def make(database: Database, clock: Clock) -> Callable[[int], WindowsService]:
    """Windows of a chosen cap, in tokens."""
    return lambda cap: WindowsService(database=database, tokenizer=TOKENIZER, cap_tokens=cap, clock=clock)


@pytest.fixture
def windows(make: Callable[[int], WindowsService]) -> WindowsService:
    """Windows of the usual cap."""
    return make(4000)
