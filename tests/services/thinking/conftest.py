"""Thinking and windows on a database of their own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from mlestar.services.thinking import ThinkingService
from mlestar.services.windows import WindowsService
from mlestar.storage.database import Database
from support.boards import TOKENIZER
from support.clock import Clock


@pytest.fixture
def windows(tmp_path: Path) -> Iterator[WindowsService]:
    """Windows on a SQLite file in the test's folder."""
    database = Database(f"sqlite:///{tmp_path / 'memory.db'}")
    yield WindowsService(database=database, tokenizer=TOKENIZER, clock=Clock())
    database.close()


@pytest.fixture
def thinking(windows: WindowsService) -> ThinkingService:
    """Thinking over these windows; sessions are s1, s2, ..."""
    numbers = count(1)
    return ThinkingService(windows=windows, database=windows.database, new_session=lambda: f"s{next(numbers)}")
