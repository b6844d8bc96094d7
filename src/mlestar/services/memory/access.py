"""Runs what reads and writes the windows: each write in one transaction, answered again when it is sent again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from mlestar.services.memory.arguments import checked_workspace, fingerprint_of
from mlestar.services.memory.changes import replayed
from mlestar.services.memory.reading import WindowReader
from mlestar.services.memory.transaction import WindowTransaction
from mlestar.storage import replies, workspaces

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mlestar.core.tokens import Tokenizer
    from mlestar.core.windows.receipt import Receipt
    from mlestar.storage.database import Database

T = TypeVar("T")
OnChange = Callable[[str, Sequence[int]], None]
CLEAN_UP_EVERY = 256
"""Writes between two looks for old replies."""
KEPT_REPLIES_S = 7 * 24 * 3600.0
"""How long a retried request gets the reply of its first try."""


class WindowAccess:
    """A database, a tokenizer and a cap, and the two ways to use them."""

    def __init__(
        self,
        *,
        database: Database,
        tokenizer: Tokenizer,
        cap_tokens: int = 4000,
        clock: Callable[[], float] = time.time,
        on_change: OnChange | None = None,
    ) -> None:
        """`on_change(workspace, windows)` is called after each commit, on the event loop."""
        self.database = database
        self.tokenizer = tokenizer
        self.cap_tokens = cap_tokens
        self.clock = clock
        self._on_change = on_change

    async def write(
        self,
        workspace: str,
        apply: Callable[[WindowTransaction], str],
        *,
        request_id: str = "",
        arguments: Sequence[object] = (),
    ) -> Receipt:
        """Run one change in one transaction; a request that was answered before gets that answer again."""
        name = checked_workspace(workspace)
        fingerprint = fingerprint_of(arguments)

        def use(connection: Connection) -> tuple[Receipt, bool]:
            if request_id:
                row = workspaces.find(connection, name)
                kept = replies.kept(connection, row.id, request_id) if row else None
                if kept:
                    return replayed(kept, fingerprint, request_id), False
            transaction = WindowTransaction(
                connection, workspace=name, tokenizer=self.tokenizer, cap=self.cap_tokens, now=self.clock()
            )
            receipt = transaction.finish(apply(transaction))
            if transaction.row.clock % CLEAN_UP_EVERY == 0:
                replies.forget(connection, transaction.workspace_id, transaction.now - KEPT_REPLIES_S)
            if request_id:
                replies.keep(
                    connection, transaction.workspace_id, request_id, fingerprint=fingerprint,
                    reply=receipt.to_json(), now=transaction.now,
                )  # fmt: skip
            return receipt, True

        receipt, is_new = await self.database.writing(use)
        if is_new:
            self.announce(receipt)
        return receipt

    def announce(self, receipt: Receipt) -> None:
        """Tell the listener which windows a committed write changed."""
        if self._on_change and receipt.windows:
            self._on_change(receipt.workspace, [use.window for use in receipt.windows])

    async def _read(self, name: str, use: Callable[[WindowReader], T]) -> T:
        def call(connection: Connection) -> T:
            reader = WindowReader(
                connection, workspace=name, tokenizer=self.tokenizer, cap=self.cap_tokens, now=self.clock()
            )
            return use(reader)

        return await self.database.reading(call)
