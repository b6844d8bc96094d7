"""How much of what matters stays verbatim while noise floods in: ours beside FIFO and priority in each window.

Usage: python .bench/memory/flood.py [SEEDS] [OPERATIONS]     (the full run is 200 5000)
Important tokens stop at a load of the 28,000-token budget; everything else written is noise below P4. Every tenth
window's text is held to its cap by the real tokenizer; a sample of originals is read back byte for
byte. Loads and homes take turns over the seeds.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from mlestar.core.tokens import Tokenizer
from mlestar.core.windows.content import read_content
from mlestar.core.windows.rendering import HEADER_TOKENS, text_of
from mlestar.services.memory.entry_writer import Draft
from mlestar.services.memory.transaction import WindowTransaction
from mlestar.storage import windows as store
from mlestar.storage.database import Database
from support.agent_trace import trace

CAP = 4000
BUDGET = 7 * CAP
LOADS = (0.5, 0.95, 1.0, 1.3)
HOMES = {"even": (1, 2, 3, 4, 5, 6, 7), "skewed": (1,), "two": (1, 6)}
CHECK_EVERY = 10
"""Every so many writes the window just written is recounted by the real tokenizer."""
TOKENIZER = Tokenizer()


@dataclass(frozen=True, kw_only=True)
class Write:
    """One write of a flood, with the tokens it takes rendered."""

    window: int
    priority: int
    text: str
    tokens: int


def flood(seed: int, operations: int, load: float, homes: tuple[int, ...]) -> list[Write]:
    """Important entries spread over the whole run up to the load, noise between them."""
    chance = random.Random(seed)  # noqa: S311 - a benchmark's data
    traced, _ = trace(seed, operations, operations // 20)
    texts = [f"{text} [{at}]" for at, text in enumerate(traced)]
    sizes = [TOKENIZER.count(f"- [#{at} p4] {text}\n") for at, text in enumerate(texts, start=1)]
    order = list(range(operations))
    chance.shuffle(order)
    important: set[int] = set()
    held = 0
    for at in order:
        if held + sizes[at] <= load * BUDGET:
            important.add(at)
            held += sizes[at]
    return [
        Write(
            window=chance.choice(homes) if at in important else chance.randint(1, 7),
            priority=4 if at in important else chance.randint(0, 3),
            text=text,
            tokens=sizes[at],
        )
        for at, text in enumerate(texts)
    ]


def first_in_first_out(writes: list[Write]) -> float:
    """Share of important tokens left when each window drops its oldest."""
    held: dict[int, deque[Write]] = {number: deque() for number in range(1, 8)}
    used = dict.fromkeys(held, 0)
    for write in writes:
        held[write.window].append(write)
        used[write.window] += write.tokens
        while used[write.window] > CAP - HEADER_TOKENS:
            used[write.window] -= held[write.window].popleft().tokens
    return kept(writes, [write for window in held.values() for write in window])


def priority_per_window(writes: list[Write]) -> float:
    """Share of important tokens left when each window drops its lowest, oldest."""
    held: dict[int, list[Write]] = {number: [] for number in range(1, 8)}
    used = dict.fromkeys(held, 0)
    for write in writes:
        window = held[write.window]
        window.append(write)
        used[write.window] += write.tokens
        while used[write.window] > CAP - HEADER_TOKENS:
            lowest = min(range(len(window)), key=lambda at: (window[at].priority, at))
            used[write.window] -= window.pop(lowest).tokens
    return kept(writes, [write for window in held.values() for write in window])


def kept(writes: list[Write], left: list[Write]) -> float:
    """Important tokens left, as a share of those written."""
    total = sum(write.tokens for write in writes if write.priority == 4)
    return sum(write.tokens for write in left if write.priority == 4) / total


def ours(writes: list[Write], seed: int) -> tuple[float, float, int, int]:
    """Share kept verbatim, share of important entries visible, windows over their cap, originals lost."""
    over = lost = 0
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'flood.db'}")
        with database.write() as connection:
            row = 0
            for write in writes:
                transaction = WindowTransaction(connection, workspace="flood", tokenizer=TOKENIZER, cap=CAP, now=0.0)
                row = transaction.workspace_id
                draft = Draft(window=write.window, priority=write.priority, content=read_content(write.text, "note"))
                transaction.append(draft)
                transaction.finish()
                if transaction.row.clock % CHECK_EVERY == 0:
                    shown = text_of(write.window, store.live_entries(connection, row, write.window))
                    over += TOKENIZER.count(shown) > CAP
            live = [entry for number in range(1, 8) for entry in store.live_entries(connection, row, number)]
            texts = "".join(text_of(n, [entry for entry in live if entry.shown_in == n]) for n in range(1, 8))
            for at in random.Random(seed).sample(range(len(writes)), min(500, len(writes))):  # noqa: S311 - a benchmark's data
                lost += store.text_of(connection, row, at + 1) != writes[at].text
        database.close()
    visible = {entry.number for entry in live}
    numbers = [at for at, write in enumerate(writes, start=1) if write.priority == 4]
    left = [write for write in writes if write.priority == 4 and write.text in texts]
    return kept(writes, left), sum(number in visible for number in numbers) / len(numbers), over, lost


def main() -> None:
    """Print the table: means, and the worst seed of ours."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    operations = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    print(f"{seeds} seeds x {operations} operations, cap {CAP} tokens; important tokens kept verbatim")
    names = "".join(f"{name:>11}" for name in ("FIFO", "per window", "ours", "worst", "visible", "over cap", "lost"))
    print(f"{'load':>5} {'homes':<7}{names}", flush=True)
    cells = [(load, name) for load in LOADS for name in HOMES]
    found: dict[tuple[float, str], list[tuple[float, ...]]] = {cell: [] for cell in cells}
    for seed in range(seeds):
        load, name = cells[seed % len(cells)]
        writes = flood(seed, operations, load, HOMES[name])
        found[load, name].append((first_in_first_out(writes), priority_per_window(writes), *ours(writes, seed)))
        if seed >= seeds - len(cells):
            show(load, name, found[load, name])


def show(load: float, homes: str, rows: list[tuple[float, ...]]) -> None:
    mean = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    shares = "".join(f"{share:>11.1%}" for share in (*mean[:3], min(row[2] for row in rows), mean[3]))
    counts = "".join(f"{sum(row[at] for row in rows):>11.0f}" for at in (4, 5))
    print(f"{load:>5} {homes:<7}{shares}{counts}", flush=True)


if __name__ == "__main__":
    main()
