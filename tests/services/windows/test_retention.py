"""The retention guarantee, R1, R3, R5 and R6 of the design, on the real store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlestar.core.windows.content import part_limit
from mlestar.core.windows.rendering import HEADER_TOKENS
from mlestar.errors import BudgetExceeded
from mlestar.storage import windows as store
from support.boards import TOKENIZER
from support.flood import flood
from support.memory import Memory

if TYPE_CHECKING:
    from mlestar.services.windows import WindowsService
    from mlestar.storage.database import Database

CAP = 2000
BUDGET = 7 * CAP
HOMES = {"even": (1, 2, 3, 4, 5, 6, 7), "skewed": (1,), "two": (6, 7)}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Only SQLite: what stays in a window is decided above the database."""
    return f"sqlite:///{tmp_path / 'memory.db'}"


@pytest.fixture
def memory(database: Database) -> Iterator[Memory]:
    """A workspace in one open transaction."""
    with database.write() as connection:
        yield Memory(connection, cap=CAP)


def pour(memory: Memory, seed: int, load: float, homes: tuple[int, ...], operations: int) -> dict[str, str]:
    """Write a flood whose important tokens stop at `load` of the budget; returns the important texts by id."""
    important: dict[str, str] = {}
    held = 0
    for write in flood(seed, operations=operations, important_every=2, homes=homes):
        size = TOKENIZER.count(f"- [#1000 p{write.priority}] {write.text}\n")
        if write.priority >= 4 and held + size > load * BUDGET:
            continue
        receipt = memory.write(write.window, write.priority, write.text)
        if write.priority >= 4:
            important[receipt.ids[0]] = write.text
            held += size
        assert all(use.used <= memory.cap for use in receipt.windows)
    assert all(TOKENIZER.count(text) <= memory.cap for text in memory.texts())
    return important


@pytest.mark.parametrize("homes", HOMES.values(), ids=HOMES)
def test_important_entries_stay_verbatim_up_to_95_percent_load(memory: Memory, homes: tuple[int, ...]) -> None:
    important = pour(memory, 7, 0.95, homes, 900)
    shown = "".join(memory.texts())
    total, verbatim = memory.important()
    assert total > 0.9 * BUDGET
    assert verbatim >= 0.95 * total
    assert sum(len(text) for text in important.values() if text in shown) >= 0.95 * sum(map(len, important.values()))
    assert all(memory.text_by_id(number) == text for number, text in important.items())


def test_parts_of_one_adversarial_size_still_reach_95_percent(memory: Memory) -> None:
    """The worst case for first-fit: every piece just too large for one more to fit beside the others."""
    memory.cap = 4000
    room, limit = 4000 - HEADER_TOKENS, part_limit(4000)
    size = room // (room // limit + 1) + 1
    for at in range(int(0.95 * 28_000 / size)):
        memory.write(1, 4, f"{at:03d} " + "alpha " * (size - 11))
    total, verbatim = memory.important()
    assert total > 0.9 * 28_000
    assert verbatim >= 0.95 * total


def test_overload_keeps_95_percent_of_important_entries_visible(memory: Memory) -> None:
    important = pour(memory, 11, 1.3, (1, 2, 3), 1100)
    shown = "".join(memory.texts())
    assert memory.important()[0] > 1.1 * BUDGET
    assert sum(f"[#{number} " in shown for number in important) >= 0.95 * len(important)


def test_the_same_writes_give_byte_identical_windows(database: Database) -> None:
    texts: list[list[str]] = []
    for name in ("first", "second"):
        with database.write() as connection:
            memory = Memory(connection, cap=512, workspace=name)
            for write in flood(3, operations=250, important_every=6, homes=(1, 5)):
                memory.write(write.window, write.priority, write.text)
            texts.append(memory.texts())
    assert texts[0] == texts[1]


async def test_the_sums_kept_for_each_window_are_those_of_its_text(make: Callable[[int], WindowsService]) -> None:
    windows = make(512)
    for write in flood(5, operations=150, important_every=5, homes=(2,)):
        await windows.update(window=write.window, content=write.text, priority=write.priority)
    for use in (await windows.report()).windows:
        entries = await windows.database.reading(
            lambda connection, number=use.window: store.live_entries(connection, 1, number)
        )
        assert use.used == (sum(entry.tokens for entry in entries) + HEADER_TOKENS if entries else 0)


async def test_a_refused_write_stores_nothing(make: Callable[[int], WindowsService]) -> None:
    windows = make(256)
    for at in range(7):
        await windows.update(window=1, content=f"Rule {at} " + "must always hold for every run " * 16, priority=5)
    before = await windows.report()
    newest = (await windows.read(window=0, limit=1, budget_tokens=50)).version
    with pytest.raises(BudgetExceeded) as refused:
        await windows.update(
            window=3, content="Another rule that must hold too, with many more words " * 40, priority=5
        )
    assert refused.value.details["free"] < refused.value.details["need"]
    assert await windows.report() == before
    assert (await windows.read(window=0, limit=1, budget_tokens=50)).version == newest


async def test_a_long_important_entry_is_shown_in_parts_and_read_back_whole(windows: WindowsService) -> None:
    text = "\n\n".join(f"Paragraph {at}. " + "The rule holds for every fold of the data. " * 12 for at in range(8))
    receipt = await windows.update(window=1, content=text, priority=5)
    shown_text = await windows.window_text(window=1)
    assert f"[#{receipt.ids[0]}.1 p5]" in shown_text
    assert f"[#{receipt.ids[0]}.2 p5]" in shown_text
    assert await windows.entry_text(id=receipt.ids[0]) == text
    assert receipt.important_retention == 1.0
