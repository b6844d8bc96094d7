"""Use cases over what the windows have held: history, restore, purge, and the figures of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlestar.core.windows.model import State, window_number
from mlestar.core.windows.reading import HistoryEvent, WindowReport
from mlestar.errors import Conflict
from mlestar.services.memory.access import WindowAccess
from mlestar.services.memory.arguments import checked_workspace, parse_id
from mlestar.services.memory.changes import entry_of, restore_window
from mlestar.storage import window_reads, workspaces
from mlestar.storage import windows as store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mlestar.core.windows.receipt import Receipt
    from mlestar.services.memory.reading import WindowReader
    from mlestar.services.memory.transaction import WindowTransaction


class WindowArchive(WindowAccess):
    """Looks back over a workspace, and brings back or erases what it held."""

    async def history(
        self,
        *,
        workspace: str = "default",
        window: int | str = 0,
        id: str = "",  # noqa: A002 - the name the tool gives it
        limit: int = 50,
    ) -> list[HistoryEvent]:
        """What happened, newest first; of one window or one entry where given."""
        number = window_number(window) if window else 0
        entry = parse_id(id)[0] if id else 0

        def use(connection: Connection) -> list[HistoryEvent]:
            row = workspaces.find(connection, name)
            found = window_reads.history(connection, row.id, number, entry, min(max(limit, 1), 500)) if row else ()
            return [
                HistoryEvent(
                    seq=event.seq, window=event.window, version=event.version, action=event.action,
                    id=f"{event.number}.{event.part}" if event.part else str(event.number), detail=event.detail,
                    at=event.at,
                )
                for event in found
            ]  # fmt: skip

        name = checked_workspace(workspace)
        return await self.database.reading(use)

    async def restore(
        self,
        *,
        workspace: str = "default",
        id: str = "",  # noqa: A002 - the name the tool gives it
        window: int | str = 0,
        version: int | None = None,
    ) -> Receipt:
        """Bring one entry back, or a window's entries as they stood at a version."""
        target = parse_id(id)[0] if id else 0
        number = 0 if target else window_number(window)

        def apply(transaction: WindowTransaction) -> str:
            if target:
                row = entry_of(transaction, target)
                if row.state == State.PURGED:
                    raise Conflict(f"The text of entry {target} was purged and cannot come back.")
                transaction.restore(row)
                return "changed"
            restore_window(transaction, number, version)
            return "changed"

        return await self.write(workspace, apply)

    async def purge(self, *, workspace: str = "default", id: str) -> Receipt:  # noqa: A002 - the name the tool gives it
        """Erase an entry's text for good; its id stays, as a tombstone."""
        target = parse_id(id)[0]

        def apply(transaction: WindowTransaction) -> str:
            transaction.forget(entry_of(transaction, target))
            return "changed"

        receipt = await self.write(workspace, apply)
        await self.database.forget_erased()
        return receipt

    async def workspaces(self) -> list[str]:
        """The names of the workspaces that something was written to, the default one first."""
        return await self.database.reading(window_reads.workspace_names)

    async def report(self, *, workspace: str = "default") -> WindowReport:
        """The figures of all seven windows."""
        name = checked_workspace(workspace)

        def use(reader: WindowReader) -> WindowReport:
            uses = reader.uses()
            live, steps, mean, total, verbatim = 0, 0, 0.0, 0, 0
            if reader.row:
                live, steps, mean = window_reads.counts(reader.connection, reader.row.id)
                total, verbatim = store.important_tokens(reader.connection, reader.row.id)
            return WindowReport(
                workspace=name,
                total_windows=len(uses),
                active_windows=sum(use.used > 0 for use in uses),
                total_tokens=sum(use.used for use in uses),
                max_tokens=self.cap_tokens * len(uses),
                windows=uses,
                entries=live,
                archived=(reader.row.next_number - 1 if reader.row else 0) - live,
                important_retention=round(verbatim / total, 4) if total else 1.0,
                sequential_steps=steps,
                average_step_duration=mean,
            )

        return await self._read(name, use)
