"""Brings the windows back within their caps: what matters stays verbatim, what gives way is archived, never lost.

In this order, each step only while a window is still over its cap:

1. archive scratch and ephemeral entries (P0, then P1), oldest first
2. shorten low, then normal ones (P2, P3), least telling first: function words go
3. shorten them to their telling sentences, then archive them, leaving a first line while those take under 5%
4. spill important entries to the window where the least has to leave for them
5. repack all important entries over the seven windows
6. only when nothing below P4 is left anywhere: shorten P4
7. archive P4, leaving a first line; the receipt says `degraded`
8. refuse: critical entries (P5, pinned) are never altered

Order depends on priority, logical time and id alone: the same writes give the same windows.
"""

from __future__ import annotations

from collections.abc import Iterable

from mlestar.core.windows.board import NUMBERS, Board
from mlestar.core.windows.entry import EXTRACT, STUB, TELEGRAPHIC, Entry
from mlestar.core.windows.model import CRITICAL, IMPORTANT
from mlestar.errors import BudgetExceeded

TARGET_SHARE = 0.9
"""Once a window overflows, P<=3 gives way down to this share: the next few writes cost no balancing."""
WORTH_SHORTENING = 0.2
"""A P4 is not touched for less than this share of its tokens: terse notes stay verbatim, a few others give more."""
STUB_SHARE = 0.05
"""First lines of archived entries take at most this share of a window."""


def balance(board: Board, windows: Iterable[int]) -> None:
    """Bring each window within its cap.

    Raises:
        BudgetExceeded: critical entries alone do not fit; the caller's transaction must be undone.
    """
    for window in sorted(set(windows)):
        if board.overflow(window):
            relieve(board, window)
        if board.overflow(window):
            _spill(board, window)
    if any(board.overflow(number) for number in windows):
        _place_important(board)


def relieve(board: Board, window: int) -> None:
    """Steps 1 to 3, on the entries below P4 of one window, down to the target."""
    target = int(board.cap * TARGET_SHARE) - (board.cap - board.room)
    if board.important(window) > target:
        target = board.room
    for priority in (0, 1):
        for entry in board.by_age(_ranked(board, window, priority)):
            if board.used(window) <= target:
                return
            board.archive(entry, stub=False)
    for level in (TELEGRAPHIC, EXTRACT):
        for priority in (2, 3):
            for entry in board.by_density(e for e in _ranked(board, window, priority) if e.level < level):
                if board.used(window) <= target:
                    return
                board.reduce(entry, level)
    _archive_lesser(board, window, target)


def _archive_lesser(board: Board, window: int, target: int) -> None:
    quota = int(board.cap * STUB_SHARE)
    for priority in (2, 3):
        for entry in board.by_age(e for e in _ranked(board, window, priority) if e.level < STUB):
            if board.used(window) <= target:
                return
            board.archive(entry, stub=True)
            _drop_old_stubs(board, window, quota)
    for priority in (2, 3):
        for entry in board.by_age(_ranked(board, window, priority)):
            if board.used(window) <= target:
                return
            board.archive(entry, stub=False)


def _drop_old_stubs(board: Board, window: int, quota: int) -> None:
    excess = board.stub_tokens(window) - quota
    if excess <= 0:
        return
    for entry in board.by_age(e for e in board.entries(window) if e.level == STUB and not e.is_important):
        if excess <= 0:
            return
        excess -= board.archive(entry, stub=False)


def _spill(board: Board, window: int) -> None:
    """Step 4: lowest, oldest important entries first, each to where the fewest lesser tokens have to leave."""
    for entry in sorted((e for e in board.entries(window) if e.is_important), key=lambda e: (e.rank, e.age)):
        if not board.overflow(window):
            return
        host = _host_for(board, entry)
        if host:
            board.move(entry, host)
            if board.overflow(host):
                relieve(board, host)


def _host_for(board: Board, entry: Entry) -> int:
    """The window that can show it at the least loss; 0 when none can."""
    best = (0, 0)
    for number in NUMBERS:
        if number == entry.shown_in:
            continue
        if board.important(number) + entry.tokens > board.room:
            continue
        leaving = max(0, board.used(number) + entry.tokens - board.room)
        if not best[1] or leaving < best[0]:
            best = (leaving, number)
    return best[1]


def _place_important(board: Board) -> None:
    """Steps 5 to 8."""
    if _repack(board):
        return
    for entry in board.everything():
        if not entry.is_important:
            board.archive(entry, stub=False)
    for level, worth in ((TELEGRAPHIC, WORTH_SHORTENING), (EXTRACT, 0.0)):
        candidates = [e for e in board.everything() if e.rank == IMPORTANT and e.level < level]
        if _shorten_until_it_fits(board, candidates, level, worth):
            return
    board.degraded = True
    if not _archive_until_it_fits(board) and not _repack(board):
        raise _refusal(board)


def _archive_until_it_fits(board: Board) -> bool:
    for stub in (True, False):
        for entry in board.by_age(e for e in board.everything() if e.rank == IMPORTANT):
            if stub and entry.level >= STUB:
                continue
            board.archive(entry, stub=stub)
            if _shortage(board) <= 0 and _settle(board):
                return True
    return False


def _shorten_until_it_fits(board: Board, candidates: list[Entry], level: int, worth: float) -> bool:
    for entry in board.by_density(candidates):
        if board.reduce(entry, level, worth=worth) and _shortage(board) <= 0 and _settle(board):
            return True
    return False


def _shortage(board: Board) -> int:
    """Tokens that are too many in all seven windows together."""
    return sum(board.used(number) for number in NUMBERS) - board.room * len(NUMBERS)


def _settle(board: Board) -> bool:
    """Whether every window fits, once a few entries have moved, or all of them."""
    over = [number for number in NUMBERS if board.overflow(number)]
    for number in over:
        _spill(board, number)
    return not any(board.overflow(number) for number in over) or _repack(board)


def _repack(board: Board) -> bool:
    """Step 5: important entries, largest first, each into the first window with room, its home before the others.

    Nothing is moved unless all of them fit.
    """
    important = [entry for entry in board.everything() if entry.is_important]
    if sum(entry.tokens for entry in important) > board.room * len(NUMBERS):
        return False
    important.sort(key=lambda e: (-e.tokens, -e.rank, e.age))
    free = dict.fromkeys(NUMBERS, board.room)
    plan: list[tuple[Entry, int]] = []
    for entry in important:
        for number in (entry.home, *(n for n in NUMBERS if n != entry.home)):
            if entry.tokens <= free[number]:
                free[number] -= entry.tokens
                plan.append((entry, number))
                break
        else:
            return False
    for entry, number in plan:
        board.move(entry, number)
    for number in NUMBERS:
        if board.overflow(number):
            relieve(board, number)
    return True


def _refusal(board: Board) -> BudgetExceeded:
    critical = [entry for entry in board.everything() if entry.rank == CRITICAL]
    need = sum(entry.tokens for entry in critical if entry.pk in board.fresh)
    held = sum(entry.tokens for entry in critical if entry.pk not in board.fresh)
    largest = max((board.room - board.important(n) for n in NUMBERS), default=0)
    return BudgetExceeded(
        f"Critical entries already take {held} of {board.room * len(NUMBERS)} tokens and are never altered; "
        f"{need} more do not fit. Nothing was stored.",
        do="lower a priority, shorten the content, or compact critical entries",
        details={
            "need": need,
            "free": max(0, board.room * len(NUMBERS) - held),
            "largest": max(0, largest),
            "retryable": False,
        },
    )


def _ranked(board: Board, window: int, rank: int) -> list[Entry]:
    return [entry for entry in board.entries(window) if entry.rank == rank]
