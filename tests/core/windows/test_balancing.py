"""What gives way, in which order, and what never does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlestar.core.windows.balancing import balance
from mlestar.core.windows.board import NUMBERS, Board
from mlestar.core.windows.entry import GONE, STUB, VERBATIM, Entry
from mlestar.core.windows.rendering import text_of
from mlestar.errors import BudgetExceeded
from support.boards import TOKENIZER, board_of, entry, sentence

CAP = 512

ENTRIES = st.lists(
    st.tuples(
        st.integers(1, 7), st.integers(0, 5), st.integers(3, 30), st.booleans().filter(lambda pinned: not pinned)
    ),
    max_size=60,
).map(
    lambda rows: [
        entry(at, window=window, priority=priority, text=sentence(at, words), pinned=pinned)
        for at, (window, priority, words, pinned) in enumerate(rows, start=1)
    ]
)


def balanced(entries: list[Entry], cap: int = CAP) -> Board:
    board = board_of(entries, cap=cap)
    for number in NUMBERS:
        board.entries(number)
    balance(board, NUMBERS)
    return board


@settings(max_examples=60, deadline=None)
@given(ENTRIES)
def test_no_window_passes_its_cap_by_the_real_tokenizer(entries: list[Entry]) -> None:
    board = balanced(entries)
    for number in NUMBERS:
        shown = board.entries(number)
        assert TOKENIZER.count(text_of(number, shown)) <= CAP
        assert board.used(number) == sum(item.tokens for item in shown)


@settings(max_examples=60, deadline=None)
@given(ENTRIES)
def test_p4_is_verbatim_while_anything_below_it_is_live(entries: list[Entry]) -> None:
    live = balanced(entries).everything()
    if any(item.rank < 4 for item in live):
        important = {item.pk for item in entries if item.rank >= 4}
        assert important == {item.pk for item in live if item.rank >= 4 and item.level == VERBATIM}


@settings(max_examples=60, deadline=None)
@given(ENTRIES)
def test_critical_entries_are_never_altered(entries: list[Entry]) -> None:
    live = {item.pk: item for item in balanced(entries).everything()}
    for item in entries:
        if item.rank == 5:
            assert live[item.pk].view == item.view


@settings(max_examples=40, deadline=None)
@given(ENTRIES)
def test_the_same_entries_give_the_same_windows(entries: list[Entry]) -> None:
    def shown(board: Board) -> list[str]:
        return [text_of(number, board.entries(number)) for number in NUMBERS]

    assert shown(balanced(entries)) == shown(balanced(entries))


@settings(max_examples=30, deadline=None)
@given(ENTRIES)
def test_balancing_again_changes_nothing(entries: list[Entry]) -> None:
    board = balanced(entries)
    again = board_of(board.everything(), cap=CAP)
    balance(again, NUMBERS)
    assert again.changes() == []


@settings(max_examples=60, deadline=None)
@given(ENTRIES)
def test_in_a_window_scratch_goes_before_anything_above_it(entries: list[Entry]) -> None:
    board = balanced(entries)
    for number in NUMBERS:
        shown = {item.pk for item in board.entries(number)}
        home = [item for item in entries if item.home == number]
        if any(item.priority == 0 and item.pk in shown for item in home):
            assert all(item.pk in shown for item in home if item.priority >= 1)


def test_each_step_is_taken_in_turn() -> None:
    """P0 and P1 leave, then P2 is shortened, then P3; P4 stays."""
    entries = [
        *(entry(at, window=7, priority=0, text=sentence(at, 20)) for at in range(1, 4)),
        *(entry(at, window=7, priority=1, text=sentence(at, 20)) for at in range(4, 7)),
        *(entry(at, window=7, priority=2, text=sentence(at, 20)) for at in range(7, 12)),
        *(entry(at, window=7, priority=3, text=sentence(at, 20)) for at in range(12, 16)),
        *(entry(at, window=7, priority=4, text=sentence(at, 20)) for at in range(16, 19)),
    ]
    sizes = {item.pk: item.tokens for item in entries}
    only_important_and_normal = sum(sizes[pk] for pk in range(7, 19))
    board = balanced(entries, cap=64 + int(only_important_and_normal * 1.06))
    levels = {item.pk: item.level for item in board.everything()}
    assert not levels.keys() & range(1, 7)
    assert any(levels[pk] > VERBATIM for pk in range(7, 12))
    assert all(levels[pk] == VERBATIM for pk in range(12, 19))


def test_important_entries_spill_to_where_nothing_has_to_leave_and_keep_their_home() -> None:
    entries = [entry(at, window=1, priority=4, text=sentence(at, 30)) for at in range(1, 15)]
    crowd = [entry(at, window=2, priority=3, text=sentence(at, 60)) for at in range(20, 24)]
    board = balanced([*entries, *crowd])
    moved = [item for item in board.everything() if item.shown_in != item.home]
    assert moved
    assert len(board.everything()) == len(entries) + len(crowd)
    assert all(item.level == VERBATIM for item in board.everything())
    assert 3 in {item.shown_in for item in moved}
    assert "(from W1)\n- [#" in text_of(3, board.entries(3))


def test_important_entries_are_shortened_only_when_nothing_else_is_left_then_archived_with_a_stub() -> None:
    room = 7 * (CAP - 64)
    entries: list[Entry] = []
    while sum(item.tokens for item in entries) < 1.3 * room:
        entries.append(entry(len(entries) + 1, window=1, priority=4, text=sentence(len(entries), 80)))
    board = balanced([*entries, entry(9000, window=7, priority=3, text=sentence(9, 10))])
    assert not board.degraded
    assert all(item.rank == 4 for item in board.everything())
    assert len(board.everything()) == len(entries)
    while sum(item.tokens for item in entries) < 7 * room:
        entries.append(entry(len(entries) + 1, window=1, priority=4, text=sentence(len(entries), 80)))
    board = balanced(entries)
    assert board.degraded
    assert any(item.level == STUB for item in board.everything())


def test_critical_entries_that_do_not_fit_are_refused_with_the_figures() -> None:
    entries = [entry(at, window=1, priority=5, text=sentence(at, 30)) for at in range(1, 150)]
    with pytest.raises(BudgetExceeded) as refused:
        balanced(entries)
    assert refused.value.details.keys() == {"need", "free", "largest", "retryable"}
    assert refused.value.details["retryable"] is False


def test_a_pinned_entry_counts_as_critical() -> None:
    entries = [entry(at, window=7, priority=2, text=sentence(at, 20), pinned=at == 1) for at in range(1, 40)]
    board = balanced(entries)
    assert next(item for item in board.everything() if item.pk == 1).level == VERBATIM


def test_stubs_take_under_five_percent_of_a_window() -> None:
    entries = [entry(at, window=7, priority=3, text=sentence(at, 40)) for at in range(1, 120)]
    board = balanced(entries, cap=2000)
    assert any(item.level == STUB for item in board.everything())
    assert board.stub_tokens(7) <= 0.05 * 2000
    assert any(change.entry.level == GONE for change in board.changes())
