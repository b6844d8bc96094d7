"""A process that writes entries and prints each one once it is acknowledged: `writer.py URL NAME COUNT`.

A line is the entry's id, a tab, its text. It is made to be killed.
"""

from __future__ import annotations

import asyncio
import sys

from mlestar.core.tokens import Tokenizer
from mlestar.services.windows import WindowsService
from mlestar.storage.database import Database


async def main(url: str, name: str, count: int) -> None:
    """Write `count` entries, of all priorities, to windows 1 to 7."""
    windows = WindowsService(database=Database(url), tokenizer=Tokenizer())
    for at in range(count):
        text = f"Writer {name} saw accuracy 0.{at:04d} on fold {at % 5} and noted that column c{at} has no leak."
        receipt = await windows.update(window=at % 7 + 1, content=text, priority=at % 5)
        sys.stdout.write(f"{receipt.ids[0]}\t{text}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
