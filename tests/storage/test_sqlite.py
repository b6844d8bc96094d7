"""What is particular to the file database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlestar.errors import Unavailable
from mlestar.storage import sqlite
from mlestar.storage.database import Database

if TYPE_CHECKING:
    from pathlib import Path


def test_a_lock_that_does_not_come_free_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "WRITE_WAIT_S", 0.05)
    url = f"sqlite:///{tmp_path / 'm.db'}"
    holder, waiter = Database(url), Database(url)
    with (
        holder.write(),
        pytest.raises(Unavailable, match=r"busy for 0 s; nothing was written.*call again"),
        waiter.write(),
    ):
        pass
    with waiter.write():
        pass  # once it is free, the same connection takes it
    holder.close()
    waiter.close()
