"""What clients of the official sequential-thinking server rely on, behaviour by behaviour, and how values are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mlestar.errors import InvalidInput

if TYPE_CHECKING:
    from mlestar.core.thinking.model import ThinkResult
    from mlestar.services.thinking import ThinkingService


async def think(thinking: ThinkingService, thought: str, number: int, total: int, **more: Any) -> ThinkResult:
    """A call as such a client makes it: no session, every number given."""
    more = {"next_thought_needed": True, **more}
    return await thinking.think(thought=thought, thought_number=number, total_thoughts=total, **more)


async def test_a_basic_thought_is_answered_with_the_five_fields(thinking: ThinkingService) -> None:
    result = await think(thinking, "First", 1, 3)
    five = (result.thought_number, result.total_thoughts, result.next_thought_needed, result.branches)
    assert (*five, result.thought_history_length) == (1, 3, True, (), 1)


async def test_optional_fields_are_accepted(thinking: ThinkingService) -> None:
    await think(thinking, "First", 1, 3)
    result = await think(
        thinking, "Second", 2, 3, is_revision=True, revises_thought=1, needs_more_thoughts=False, branch_id=""
    )
    assert result.thought_number == 2


async def test_the_history_grows_by_one_a_thought(thinking: ThinkingService) -> None:
    lengths = [(await think(thinking, f"Thought {n}", n, 3)).thought_history_length for n in (1, 2, 3)]
    assert lengths == [1, 2, 3]


async def test_the_total_is_raised_when_the_number_passes_it(thinking: ThinkingService) -> None:
    assert (await think(thinking, "Fifth", 5, 3)).total_thoughts == 5


async def test_the_total_stays_when_the_number_is_below_it(thinking: ThinkingService) -> None:
    assert (await think(thinking, "First", 1, 9)).total_thoughts == 9


async def test_branches_are_listed_once_each(thinking: ThinkingService) -> None:
    await think(thinking, "Main", 1, 3)
    await think(thinking, "A", 2, 3, branch_from_thought=1, branch_id="branch-a")
    await think(thinking, "B", 2, 3, branch_from_thought=1, branch_id="branch-b")
    result = await think(thinking, "A again", 3, 3, branch_from_thought=1, branch_id="branch-a")
    assert result.branches == ("branch-a", "branch-b")
    assert result.thought_history_length == 4


async def test_a_very_long_thought_is_kept_whole(thinking: ThinkingService) -> None:
    text = "a" * 10_000
    result = await think(thinking, text, 1, 1)
    assert (await thinking.view(session=result.session, form="linear")).endswith(text + "\n")


async def test_one_of_one(thinking: ThinkingService) -> None:
    result = await think(thinking, "Only", 1, 1, next_thought_needed=False)
    assert (result.thought_number, result.total_thoughts, result.next_thought_needed) == (1, 1, False)


async def test_the_last_thought_ends_the_line(thinking: ThinkingService) -> None:
    await think(thinking, "First", 1, 2)
    result = await think(thinking, "Last", 2, 2, next_thought_needed=False)
    assert not result.next_thought_needed
    assert result.session == "s1"


async def test_a_client_without_sessions_goes_on_where_it_was(thinking: ThinkingService) -> None:
    sessions = [(await think(thinking, f"T{n}", n, 3)).session for n in (1, 2, 3)]
    assert sessions == ["s1", "s1", "s1"]
    assert (await think(thinking, "A new problem", 1, 2)).session == "s2"


COERCED: list[tuple[dict[str, Any], str, Any]] = [
    ({"thought_number": "3"}, "thought_number", 3),
    ({"thought_number": 3.0}, "thought_number", 3),
    ({"thought_number": " 3 "}, "thought_number", 3),
    ({"thought_number": None}, "thought_number", 1),
    ({"thought_number": ""}, "thought_number", 1),
    ({"total_thoughts": "7"}, "total_thoughts", 7),
    ({"next_thought_needed": "true"}, "next_thought_needed", True),
    ({"next_thought_needed": "False"}, "next_thought_needed", False),
    ({"next_thought_needed": "FALSE"}, "next_thought_needed", False),
    ({"next_thought_needed": 0}, "next_thought_needed", False),
    ({"next_thought_needed": "1"}, "next_thought_needed", True),
    ({"next_thought_needed": None}, "next_thought_needed", True),
    ({"is_revision": "false"}, "thought_number", 1),
]


@pytest.mark.parametrize(("arguments", "field", "value"), COERCED)
async def test_a_loosely_typed_value_is_read_as_meant(
    thinking: ThinkingService, arguments: dict[str, Any], field: str, value: Any
) -> None:
    result = await thinking.think(thought="x", **arguments)
    assert getattr(result, field) == value
    assert type(getattr(result, field)) is type(value)


WRONG: list[dict[str, Any]] = [
    {"thought_number": True},
    {"thought_number": [3]},
    {"thought_number": {"n": 3}},
    {"thought_number": "three"},
    {"thought_number": "3.5"},
    {"thought_number": 2.5},
    {"thought_number": 0},
    {"thought_number": -1},
    {"thought_number": float("nan")},
    {"thought_number": "\u0663\u0663\u0663\u0663\u0663\u0663\u0663\u0663\u0663\u0663"},
    {"total_thoughts": False},
    {"next_thought_needed": "yes please"},
    {"next_thought_needed": 2},
    {"next_thought_needed": [True]},
    {"is_revision": {}},
    {"revises_thought": 1},
    {"branch_from_thought": 1},
    {"branch_id": "unknown"},
    {"importance": 9},
    {"context_budget_tokens": "lots"},
    {"thought": "  "},
    {"thought": ""},
    {"thought": "", "problem": "p"},
    {"thought": "", "steps": ["s"]},
    {"thought": "", "problem": "p", "steps": ["s", " "]},
    {"thought": "", "problem": "p", "steps": ["s"] * 101},
    {"thought": "", "problem": "p", "steps": [1]},
    {"thought": "", "problem": "p", "steps": {"a": 1}},
]


@pytest.mark.parametrize("arguments", WRONG, ids=str)
async def test_a_value_with_no_one_reading_is_refused_and_nothing_is_stored(
    thinking: ThinkingService, arguments: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput):
        await thinking.think(**{"thought": "x", **arguments})
    assert await thinking.sessions() == []
