"""A flood of writes to seven windows: important entries up to a load, and many times as much noise."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from support.boards import sentence


@dataclass(frozen=True, kw_only=True)
class Write:
    """One write of a flood."""

    window: int
    priority: int
    text: str


def flood(seed: int, *, operations: int, important_every: int, homes: tuple[int, ...]) -> Iterator[Write]:
    """Writes in a random order, the same for the same seed; important ones go to `homes` only."""
    chance = random.Random(seed)  # noqa: S311 - test data
    for at in range(operations):
        important = chance.randrange(important_every) == 0
        yield Write(
            window=chance.choice(homes) if important else chance.randint(1, 7),
            priority=chance.choice((4, 4, 5)) if important else chance.randint(0, 3),
            text=sentence(seed * 1_000_000 + at, chance.randint(5, 60)),
        )
