"""Recall of the turns that answer a question, over public conversations, beside BM25 and tantivy.

Usage: python .bench/memory/conversations.py FILE...
A file is one conversation as LoCoMo (Maharana et al., 2024) publishes them: `session_N` lists of turns {speaker,
dia_id, text} and `qa` with {question, evidence, category}; the data is not part of this repository. Questions without
an answer (category 5) are left out. tantivy stands in the table if it is there (`pip install tantivy`).
"""

from __future__ import annotations

import json
import re
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from mlestar.core.tokens import Tokenizer
from mlestar.services.windows import WindowsService
from mlestar.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

UNANSWERABLE = 5
DEPTHS = (1, 3, 5, 10)


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """Turns in order, and questions with the numbers (from 1) of the turns that answer them."""

    turns: list[str]
    questions: list[tuple[str, frozenset[int]]]


def read(path: Path) -> Conversation:
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    turns: list[str] = []
    numbers: dict[str, int] = {}
    session = 1
    while f"session_{session}_date_time" in data:
        for turn in data.get(f"session_{session}", []):
            caption = f" [{turn['blip_caption']}]" if turn.get("blip_caption") else ""
            turns.append(f"{turn['speaker']}: {turn['text']}{caption}")
            numbers[turn["dia_id"]] = len(turns)
        session += 1
    questions = [
        (asked["question"], frozenset(numbers[name] for name in _named(asked["evidence"]) if name in numbers))
        for asked in data["qa"]
        if asked["category"] != UNANSWERABLE
    ]
    return Conversation(turns=turns, questions=[(text, wanted) for text, wanted in questions if wanted])


def _named(evidence: list[str]) -> list[str]:
    return re.findall(r"D\d+:\d+", " ".join(evidence))


class Ours:
    """The product: each turn is a write to the working window, each question a read by query."""

    name = "ours"

    def __init__(self, folder: Path) -> None:
        """Keep everything in a folder."""
        self._database = Database(f"sqlite:///{folder / 'ours.db'}")
        self._windows = WindowsService(database=self._database, tokenizer=Tokenizer())
        self._turns: dict[str, int] = {}

    async def learn(self, turns: list[str]) -> None:
        """Take the turns in."""
        for number, turn in enumerate(turns, start=1):
            receipt = await self._windows.update(window=7, content=turn, priority=2)
            self._turns.setdefault(receipt.ids[0], number)  # the same words again are the same entry

    async def ask(self, question: str) -> list[int]:
        """Numbers of turns, best first."""
        found = await self._windows.read(query=question, limit=20, budget_tokens=20_000)
        return [self._turns[entry.id.partition(".")[0]] for entry in found.entries]


class PlainBm25:
    """FTS5 as it comes: every word of the question, Porter's stemmer."""

    name = "BM25 (FTS5)"

    def __init__(self, folder: Path) -> None:
        """Keep everything in a folder."""
        self._database = Database(f"sqlite:///{folder / 'plain.db'}")

    async def learn(self, turns: list[str]) -> None:
        """Take the turns in."""
        with self._database.write() as connection:
            connection.exec_driver_sql("CREATE VIRTUAL TABLE plain USING fts5(text, tokenize = 'porter unicode61')")
            connection.exec_driver_sql("INSERT INTO plain (rowid, text) VALUES (?, ?)", list(enumerate(turns, start=1)))

    async def ask(self, question: str) -> list[int]:
        """Numbers of turns, best first."""
        match = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", question))
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT rowid FROM plain WHERE plain MATCH ? ORDER BY bm25(plain) LIMIT 20", (match,)
            )
            return [int(row[0]) for row in rows]


class Tantivy:
    """Tantivy with its English tokenizer (stemmed)."""

    name = "tantivy"

    def __init__(self, folder: Path) -> None:
        """Keep everything in a folder."""
        import tantivy

        self._tantivy: Any = tantivy
        schema = self._tantivy.SchemaBuilder()
        schema.add_text_field("text", stored=False, tokenizer_name="en_stem")
        schema.add_integer_field("number", stored=True)
        folder.joinpath("tantivy").mkdir()
        self._index: Any = self._tantivy.Index(schema.build(), path=str(folder / "tantivy"))

    async def learn(self, turns: list[str]) -> None:
        """Take the turns in."""
        writer = self._index.writer()
        for number, turn in enumerate(turns, start=1):
            writer.add_document(self._tantivy.Document(text=turn, number=number))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()

    async def ask(self, question: str) -> list[int]:
        """Numbers of turns, best first."""
        searcher = self._index.searcher()
        query = self._index.parse_query(" ".join(re.findall(r"\w+", question)).lower(), ["text"])
        return [searcher.doc(address)["number"][0] for _, address in searcher.search(query, 20).hits]


async def measure(make: Callable[[Path], Any], conversations: list[Conversation]) -> None:
    """Print one method's line."""
    shares: dict[int, list[float]] = {depth: [] for depth in DEPTHS}
    reciprocal: list[float] = []
    took: list[float] = []
    name = ""
    for conversation in conversations:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            method = make(Path(folder))
            name = method.name
            await method.learn(conversation.turns)
            ask: Callable[[str], Awaitable[list[int]]] = method.ask
            for question, wanted in conversation.questions:
                begun = time.perf_counter()
                found = await ask(question)
                took.append((time.perf_counter() - begun) * 1000)
                first = next((rank for rank, number in enumerate(found, start=1) if number in wanted), 0)
                reciprocal.append(1 / first if first else 0.0)
                for depth in DEPTHS:
                    shares[depth].append(len(wanted.intersection(found[:depth])) / len(wanted))
    recalls = "".join(f"{statistics.mean(values):>8.1%}" for values in shares.values())
    print(f"{name:<14}{recalls}{statistics.mean(reciprocal):>8.3f}{statistics.median(took):>9.2f}", flush=True)


async def main() -> None:
    """Print the table."""
    conversations = [read(Path(name)) for name in sys.argv[1:]]
    if not conversations:
        sys.exit(__doc__)
    turns, questions = (sum(len(part) for part in parts) for parts in _sizes(conversations))
    print(f"{len(conversations)} conversations, {turns:,} turns, {questions:,} questions")
    print(f"{'method':<14}" + "".join(f"{f'R@{depth}':>8}" for depth in DEPTHS) + f"{'MRR':>8}{'p50 ms':>9}")
    methods: list[Callable[[Path], Any]] = [PlainBm25, Ours]
    try:
        import tantivy  # noqa: F401 - only whether it is there

        methods.insert(1, Tantivy)
    except ImportError:
        print("tantivy is not installed")
    for method in methods:
        await measure(method, conversations)


def _sizes(conversations: list[Conversation]) -> tuple[list[list[str]], list[list[Any]]]:
    return [each.turns for each in conversations], [each.questions for each in conversations]


if __name__ == "__main__":
    anyio.run(main)
