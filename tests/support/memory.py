"""A workspace written to in one open transaction: thousands of writes without a disk flush for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlestar.core.windows.content import read_content
from mlestar.core.windows.rendering import text_of
from mlestar.services.memory.entry_writer import Draft
from mlestar.services.memory.transaction import WindowTransaction
from mlestar.storage import windows as store
from mlestar.storage import workspaces
from support.boards import TOKENIZER

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mlestar.core.windows.receipt import Receipt

NOW = 1_800_000_000.0


class Memory:
    """The windows of one workspace on one connection."""

    def __init__(self, connection: Connection, *, cap: int, workspace: str = "flood") -> None:
        """Nothing is written yet."""
        self.connection = connection
        self.cap = cap
        self.workspace = workspace

    def write(self, window: int, priority: int, text: str) -> Receipt:
        """Append one entry, as one write."""
        transaction = WindowTransaction(
            self.connection, workspace=self.workspace, tokenizer=TOKENIZER, cap=self.cap, now=NOW
        )
        transaction.append(Draft(window=window, priority=priority, content=read_content(text, "note")))
        return transaction.finish()

    @property
    def row(self) -> int:
        """The workspace's row."""
        found = workspaces.find(self.connection, self.workspace)
        return found.id if found else 0

    def texts(self) -> list[str]:
        """The seven windows as text."""
        return [text_of(number, store.live_entries(self.connection, self.row, number)) for number in range(1, 8)]

    def important(self) -> tuple[int, int]:
        """Tokens of all important entries as rendered, and of those shown verbatim."""
        return store.important_tokens(self.connection, self.row)

    def text_by_id(self, number: str) -> str:
        """The whole text of an entry."""
        return store.text_of(self.connection, self.row, int(number))
