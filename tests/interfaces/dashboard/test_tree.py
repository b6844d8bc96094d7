from __future__ import annotations

from typing import Any

import pytest

from mlestar.core.thinking.model import Thought
from mlestar.interfaces.dashboard.thinking import DEEPEST, tree


def thought(seq: int, **more: Any) -> Thought:
    parts: dict[str, Any] = {
        "seq": seq, "number": seq, "total": 9, "branch": "", "branch_from": 0, "revises": 0, "entry": seq,
        "next_needed": True, "duration_s": 0.0, "at": 0.0,
    }  # fmt: skip
    return Thought(**{**parts, **more})


CASES: dict[str, tuple[list[Thought], list[tuple[int, int]]]] = {
    "thoughts in a line": ([thought(1), thought(2)], [(1, 0), (2, 0)]),
    "a revision hangs below what it revises": (
        [thought(1), thought(2), thought(3, revises=1)],
        [(1, 0), (3, 1), (2, 0)],
    ),
    "a branch hangs below where it left": (
        [thought(1), thought(2), thought(3, branch="b", branch_from=1), thought(4, branch="b")],
        [(1, 0), (3, 1), (4, 1), (2, 0)],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_order_and_depth(case: str) -> None:
    thoughts, expected = CASES[case]
    assert [(node.thought.seq, node.depth) for node in tree(thoughts)] == expected


def test_a_chain_of_a_thousand_revisions_is_listed_whole() -> None:
    thoughts = [thought(1), *(thought(at, revises=at - 1) for at in range(2, 1001))]
    nodes = tree(thoughts)
    assert [node.thought.seq for node in nodes] == list(range(1, 1001))
    assert max(node.depth for node in nodes) == DEEPEST
