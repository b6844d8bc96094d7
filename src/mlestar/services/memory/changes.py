"""Single steps of a write to the windows: finding the entry that is meant, and what each mode does to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlestar.core.windows.model import State
from mlestar.core.windows.receipt import Receipt, receipt_from_json
from mlestar.errors import Conflict, InvalidInput, NotFound
from mlestar.services.memory.arguments import parse_id
from mlestar.services.memory.entry_writer import SEARCHABLE
from mlestar.storage import window_reads
from mlestar.storage import windows as store

if TYPE_CHECKING:
    from sqlalchemy import Row

    from mlestar.services.memory.transaction import WindowTransaction

GONE_ACTIONS = frozenset({"superseded", "removed", "expired", "purged", "archived", "retired"})
"""After one of these an entry is in no window."""


def expect_version(transaction: WindowTransaction, window: int, expected: int | None) -> None:
    """Refuse the write when the window has moved on.

    Raises:
        Conflict: with the current version and the ids that changed since.
    """
    current = transaction.row.windows[window].version
    if expected is None or expected == current:
        return
    changed = window_reads.changed_since(transaction.connection, transaction.workspace_id, window, expected)
    raise Conflict(
        f"Window {window} is at version {current}, not {expected}. Nothing was stored.",
        do="read the changed entries, then write again with expected_version " + str(current),
        details={"current": current, "changed": changed},
    )


def target_of(transaction: WindowTransaction, window: int, key: str, entry_id: str) -> Row[Any]:
    """The entry of an id, or of a key in a window.

    Raises:
        NotFound: there is none.
    """
    if entry_id:
        return entry_of(transaction, parse_id(entry_id)[0])
    row = store.keyed(transaction.connection, transaction.workspace_id, window, key)
    if row is None:
        raise NotFound(f"No entry of window {window} has the key {key!r}.", do="read the window for its keys")
    return row


def entry_of(transaction: WindowTransaction, number: int) -> Row[Any]:
    """The entry of a number.

    Raises:
        NotFound: there is none.
    """
    row = store.entry(transaction.connection, transaction.workspace_id, number)
    if row is None:
        newest = transaction.row.next_number - 1
        raise NotFound(
            f"There is no entry {number} in workspace {transaction.row.name!r}.",
            do=f"use an id from 1 to {newest}" if newest else "write something first",
        )
    return row


def required(row: Row[Any] | None, mode: str) -> Row[Any]:
    """The entry that a mode works on.

    Raises:
        InvalidInput: none was named.
    """
    if row is None:
        raise InvalidInput(f"mode {mode} needs the id or key of an entry.", do="read the window for ids")
    return row


def change_entry(transaction: WindowTransaction, row: Row[Any], mode: str) -> str:
    """Remove, pin or unpin; returns the receipt's status.

    Raises:
        Conflict: the entry's text was purged, or another entry stands in its place.
    """
    if row.state == State.PURGED:
        raise Conflict(f"The text of entry {row.number} was purged.", do="choose another entry")
    if mode == "remove":
        transaction.remove(row)
    elif row.state not in SEARCHABLE or row.superseded_by:
        raise Conflict(f"Entry {row.number} is no longer in the windows ({row.state}).", do="restore it first")
    else:
        transaction.set_pinned(row, pinned=mode == "pin")
    return "changed"


def restore_window(transaction: WindowTransaction, window: int, version: int | None) -> None:
    """Show again what a window showed at a version; what came later is archived.

    Raises:
        InvalidInput: there was no such version.
    """
    current = transaction.row.windows[window].version
    if version is None or not 0 <= version <= current:
        raise InvalidInput(f"Window {window} has no version {version}.", valid=[f"0 to {current}"])
    then = window_reads.written_by(transaction.connection, transaction.workspace_id, window, version)
    shown_then = {number for number, action in then.items() if action not in GONE_ACTIONS}
    standing = store.standing_in(transaction.connection, transaction.workspace_id, window)
    for row in standing:
        if row.number not in shown_then:
            transaction.retire(row)
    for number in sorted(shown_then - {row.number for row in standing}):
        row = entry_of(transaction, number)
        if row.state != State.PURGED and row.home == window:
            transaction.restore(row)


def replayed(kept: tuple[str, Mapping[str, Any]], fingerprint: str, request_id: str) -> Receipt:
    """The reply that an earlier try of this request got.

    Raises:
        Conflict: the id was used for something else.
    """
    if kept[0] != fingerprint:
        raise Conflict(
            f"request_id {request_id!r} was already used for another write. Nothing was stored.",
            do="use a new request_id",
        )
    return receipt_from_json(kept[1])
