"""Windows in memory, for tests of balancing alone."""

from __future__ import annotations

import random
from dataclasses import replace

from mlestar.core.tokens import Tokenizer
from mlestar.core.windows.board import Board
from mlestar.core.windows.entry import Entry
from mlestar.core.windows.rendering import measure

TOKENIZER = Tokenizer()
_TEXT = (
    "the of and to model training is leak column not accuracy 0.83 because recall feature we that drift latency"
    " p95 240 ms AUC dropped on rows with missing age src/train.py line 42 split by group customer_id never"
)
_WORDS = _TEXT.split()


def sentence(seed: int, words: int) -> str:
    """Text that reads like notes; the same for the same seed."""
    chosen = random.Random(seed).choices(_WORDS, k=words)  # noqa: S311 - test data
    return f"Note {seed}: " + " ".join(chosen) + "."


def entry(pk: int, *, window: int, priority: int, text: str, pinned: bool = False) -> Entry:
    """A live entry, measured."""
    made = Entry(
        pk=pk, number=pk, home=window, shown_in=window, priority=priority, pinned=pinned, touched=pk, view=text
    )
    tokens = measure(made, TOKENIZER)
    return replace(made, tokens=tokens, verbatim_tokens=tokens)


def board_of(entries: list[Entry], *, cap: int, fresh: int = 0) -> Board:
    """A board over copies of these entries."""
    copies = [replace(item) for item in entries]
    return Board(
        cap=cap,
        tokenizer=TOKENIZER,
        fetch=lambda window: [item for item in copies if item.shown_in == window],
        fresh=[fresh],
    )
