"""Thinking and windows on a database of their own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from mlestar.services.thinking import ThinkingService
from mlestar.services.windows import WindowsService
from mlestar.storage.database import Database
from support.boards import TOKENIZER
from support.clock import Clock


@pytest.fixture
def windows(database_url: str) -> Iterator[WindowsService]:
    """Windows on SQLite and on PostgreSQL in turn."""
    database = Database(database_url)
    yield WindowsService(database=database, tokenizer=TOKENIZER, clock=Clock())
    database.close()


@pytest.fixture
def thinking(windows: WindowsService) -> ThinkingService:
    """Thinking over these windows; sessions are s1, s2, ..."""
    numbers = count(1)
    return ThinkingService(windows=windows, database=windows.database, new_session=lambda: f"s{next(numbers)}")
