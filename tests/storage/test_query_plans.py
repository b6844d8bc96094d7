"""A write costs the same at a hundred and at a hundred thousand entries: no statement walks through a workspace."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sqlalchemy import event

from mlestar.services.thinking import ThinkingService
from mlestar.services.windows import WindowsService
from mlestar.storage.database import Database
from support.boards import TOKENIZER

WALKS = re.compile(r"SCAN (entries|events|thoughts)\b|(entries|events) USING .*\(workspace_id=\?\)$")


async def test_writes_and_searches_use_indexes_that_stay_small(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'memory.db'}")
    windows = WindowsService(database=database, tokenizer=TOKENIZER, cap_tokens=256)
    thinking = ThinkingService(windows=windows, database=database)
    await windows.update(window=1, content="opens the database")
    plans: dict[str, list[str]] = {}

    def explain(_: Any, cursor: Any, statement: str, values: Any, __: Any, many: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")) and statement not in plans:
            rows = cursor.connection.execute("EXPLAIN QUERY PLAN " + statement, values[0] if many else values)
            plans[statement] = [row[3] for row in rows]

    event.listen(database.engine, "before_cursor_execute", explain)
    for at in range(30):
        await windows.update(window=7, content=f"note {at} with a few words in it", priority=at % 5, key=f"k{at % 9}")
    await windows.replace_findings(window=2, items=[{"key": "T1.3", "text": "leak", "priority": 4}])
    await windows.update(window=7, content="new", mode="replace", request_id="r", ttl_s=60)
    await windows.read(query="few words")
    await windows.read(window=7)
    await thinking.think(thought="a few words", next_thought_needed=False)
    event.remove(database.engine, "before_cursor_execute", explain)
    database.close()
    walking = {statement: plan for statement, plan in plans.items() if any(map(WALKS.search, plan))}
    assert len(plans) > 20
    assert not walking
