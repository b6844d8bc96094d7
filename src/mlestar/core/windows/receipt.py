"""What a write answers: everything it did to the windows, so that nothing is ever dropped silently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True, kw_only=True)
class WindowUse:
    """How full a window is. `used` and `cap` are tokens, the header's 64 included."""

    window: int
    name: str
    used: int
    cap: int
    version: int


@dataclass(frozen=True, kw_only=True)
class CompressedEntry:
    """An entry now shown shorter: its level before and after (0 verbatim, 1 telegraphic, 2 extract)."""

    id: str
    from_level: int
    to_level: int


@dataclass(frozen=True, kw_only=True)
class SpilledEntry:
    """An important entry now shown in another window than before."""

    id: str
    to_window: int


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """The answer of every write.

    Attributes:
        version: Of the workspace: +1 for each write.
        status: stored, merged (the same text was there), changed (pin, remove, restore ...), unchanged, or degraded
            (important entries had to be archived: all of them together do not fit).
        ids: Entries this write created or addressed.
        merged_into: The entry that already held this text; empty when it is new.
        superseded: Entries that the new one stands in for.
        archived: Entries that left the windows; they stay readable by id and by query.
        important_retention: Share, 0 to 1, of the tokens of all important entries that is shown verbatim.
        notes: What the caller should know: a replaced character, a window over 90% full.
    """

    workspace: str
    version: int
    status: str
    ids: tuple[str, ...]
    windows: tuple[WindowUse, ...]
    merged_into: str = ""
    superseded: tuple[str, ...] = ()
    compressed: tuple[CompressedEntry, ...] = ()
    archived: tuple[str, ...] = ()
    spilled: tuple[SpilledEntry, ...] = ()
    expired: tuple[str, ...] = ()
    important_retention: float = 1.0
    tokenizer: str = ""
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, to be kept for a retry."""
        return asdict(self)


def receipt_from_json(parts: Mapping[str, Any]) -> Receipt:
    """The receipt that `to_json` took apart."""
    plain: dict[str, Any] = {name: tuple(item) if isinstance(item, list) else item for name, item in parts.items()}
    return replace(
        Receipt(**plain),
        windows=tuple(WindowUse(**item) for item in parts["windows"]),
        compressed=tuple(CompressedEntry(**item) for item in parts["compressed"]),
        spilled=tuple(SpilledEntry(**item) for item in parts["spilled"]),
    )
