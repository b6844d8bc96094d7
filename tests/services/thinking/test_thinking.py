"""Sessions that remember: references, revisions, branches, conclusions, plans with briefs, views, resuming."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mlestar.core.thinking.next_tool import next_tool
from mlestar.errors import Conflict, InvalidInput, NotFound
from mlestar.services.thinking import ThinkingService

if TYPE_CHECKING:
    from mlestar.services.windows import WindowsService

GUIDE_STEPS = [
    "Analyze historical engagement data",
    "Identify key engagement factors",
    "Generate optimization strategies",
    "Test and validate approaches",
    "Deploy best performing model",
]


async def test_a_plan_quotes_the_goal_and_constraint_in_each_brief(
    thinking: ThinkingService, windows: WindowsService
) -> None:
    await windows.update(window=1, content="Goal: raise engagement by 30%")
    await windows.update(window=1, content="Constraint: no personal data", priority=4)
    result = await thinking.think(problem="Optimize content for maximum engagement", steps=GUIDE_STEPS)
    assert [step.description for step in result.steps] == GUIDE_STEPS
    for step in result.steps:
        assert "Goal: raise engagement by 30%" in step.brief
        assert "Constraint: no personal data" in step.brief
        assert step.next_tool in step.brief
        assert step.duration_s > 0
    assert (result.thought_number, result.total_thoughts, result.thought_history_length) == (5, 5, 5)
    assert "Problem: Optimize content" in await windows.window_text(window=6)


async def test_a_brief_names_the_open_findings_that_match_its_step(
    thinking: ThinkingService, windows: WindowsService
) -> None:
    item = {"key": "T1.3", "text": "T1.3 fail: column cancel_date leaks the target", "priority": 4}
    await windows.replace_findings(window=2, items=[item])
    result = await thinking.think(problem="Churn", steps=["Look for a target leak in the columns", "Write the report"])
    assert [finding.text for finding in result.steps[0].findings] == [item["text"]]
    assert result.steps[1].findings == ()


async def test_a_plan_is_all_or_nothing(thinking: ThinkingService, windows: WindowsService) -> None:
    with pytest.raises(InvalidInput):
        await thinking.think(problem="p", steps=["fine", "x" * (2**20 + 1)])
    assert await thinking.sessions() == []
    assert (await windows.report()).entries == 0


async def test_a_revision_supersedes_the_thought_it_revises(thinking: ThinkingService, windows: WindowsService) -> None:
    first = await thinking.think(thought="Drop the age column")
    second = await thinking.think(
        thought="Keep the age column, it is allowed", session=first.session, is_revision=True, revises_thought=1
    )
    assert second.receipt.superseded == (first.thought_id,)
    old = (await windows.read(id=first.thought_id)).entries[0]
    assert (old.state, old.superseded_by) == ("superseded", second.thought_id)


async def test_an_unknown_reference_lists_the_valid_ones_and_stores_nothing(
    thinking: ThinkingService, windows: WindowsService
) -> None:
    session = (await thinking.think(thought="one")).session
    for number in (2, 3):
        await thinking.think(thought=f"n{number}", session=session)
    with pytest.raises(InvalidInput, match="1 to 3"):
        await thinking.think(thought="x", session=session, revises_thought=9)
    with pytest.raises(InvalidInput, match="no branch 'b9'"):
        await thinking.think(thought="x", session=session, branch_id="b9")
    with pytest.raises(NotFound, match=session):
        await thinking.think(thought="x", session="nope")
    assert (await windows.report()).sequential_steps == 3


async def test_branch_ids_are_data(thinking: ThinkingService) -> None:
    session = (await thinking.think(thought="root")).session
    for name in ("__proto__", "constructor", "'; DROP TABLE thoughts; --"):
        await thinking.think(thought="on it", session=session, branch_from_thought=1, branch_id=name)
    result = await thinking.think(thought="main", session=session)
    assert result.branches == ("__proto__", "constructor", "'; DROP TABLE thoughts; --")
    assert "on it" in await thinking.view(session=session, branch="__proto__", form="linear")
    with pytest.raises(InvalidInput, match="no branch"):
        await thinking.view(session=session, branch="toString")


async def test_a_branch_goes_on_from_where_it_left(thinking: ThinkingService) -> None:
    session = (await thinking.think(thought="1")).session
    await thinking.think(thought="2", session=session)
    await thinking.think(thought="3", session=session)
    branched = await thinking.think(thought="2b", session=session, branch_from_thought=2)
    onward = await thinking.think(thought="3b", session=session, branch_id=branched.branches[0])
    main = await thinking.think(thought="4", session=session)
    assert (branched.thought_number, onward.thought_number, main.thought_number) == (3, 4, 4)


async def test_twenty_branches_are_named_and_all_are_counted(thinking: ThinkingService) -> None:
    session = (await thinking.think(thought="root")).session
    for at in range(22):
        await thinking.think(thought=f"b{at}", session=session, branch_from_thought=1, branch_id=f"b{at}")
    result = await thinking.think(thought="last", session=session, branch_from_thought=1, branch_id="last")
    assert (len(result.branches), result.branch_count) == (20, 23)


async def test_the_conclusion_is_important_and_the_rest_of_the_session_steps_back(
    thinking: ThinkingService, windows: WindowsService
) -> None:
    session = (await thinking.think(thought="maybe the split")).session
    kept = await thinking.think(thought="note this one", session=session, importance="high")
    other = await thinking.think(thought="another problem", problem="b")
    done = await thinking.think(thought="It was the split", session=session, next_thought_needed=False)
    priorities = {entry.id: entry.priority for entry in (await windows.read(window=6)).entries}
    assert priorities == {"1": 1, kept.thought_id: 4, other.thought_id: 2, done.thought_id: 4}
    assert {found.session: found.concluded for found in await thinking.sessions()} == {session: True, "s2": False}


async def test_importance_overrides_the_priority(thinking: ThinkingService, windows: WindowsService) -> None:
    result = await thinking.think(thought="scratch", importance=0, next_thought_needed=False)
    assert (await windows.read(id=result.thought_id)).entries[0].priority == 0


async def test_sessions_do_not_mix(thinking: ThinkingService) -> None:
    first = await thinking.think(thought="about churn")
    second = await thinking.think(thought="about fraud")
    assert first.session != second.session
    assert "fraud" not in await thinking.view(session=first.session)
    assert second.thought_history_length == 1


async def test_a_session_is_resumed_after_a_restart(thinking: ThinkingService, windows: WindowsService) -> None:
    session = (await thinking.think(thought="before", total_thoughts=4)).session
    windows.database.close()
    again = ThinkingService(windows=windows, database=windows.database)
    result = await again.think(thought="after", session=session)
    assert (result.thought_number, result.total_thoughts, result.thought_history_length) == (2, 4, 2)


async def test_the_digest_finds_what_bears_on_a_thought_within_its_budget(
    thinking: ThinkingService, windows: WindowsService
) -> None:
    await windows.update(window=3, content="Recall for the region north is 0.31, far below the others")
    for at in range(30):
        await windows.update(window=7, content=f"Run {at} of the region model ended after {at} minutes " * 3)
    result = await thinking.think(thought="Why is recall so low in region north?")
    assert "region north is 0.31" in result.context[0].text
    assert sum(windows.tokenizer.count(entry.text) for entry in result.context) <= 1200
    assert (await thinking.think(thought="Again: recall in region north", context_budget_tokens=0)).context == ()


async def test_a_retried_request_thinks_once(thinking: ThinkingService, windows: WindowsService) -> None:
    first = await thinking.think(thought="once", request_id="r")
    again = await thinking.think(thought="once", request_id="r")
    assert (again.thought_id, again.session, again.receipt) == (first.thought_id, first.session, first.receipt)
    assert (await windows.report()).sequential_steps == 1
    with pytest.raises(Conflict):
        await thinking.think(thought="twice", request_id="r")


async def test_hints_say_what_was_not_followed(thinking: ThinkingService) -> None:
    result = await thinking.think(thought="x", is_revision=True, total_thoughts=1, thought_number=4)
    assert any("supersedes none" in hint for hint in result.hints)
    assert any("raised to 4" in hint for hint in result.hints)
    assert result.hints[-1] == "Pass session=s1 to go on in this session."


VIEWS = {
    "linear": "Session s1 (open): no problem stated\n1/3 (superseded): root\n2/3 b: side\n2/3 revises 1: other\n",
    "tree": (
        "Session s1 (open): no problem stated\n"
        "`- 1/3 (superseded): root\n   |- 2/3 b: side\n   `- 2/3 revises 1: other\n"
    ),
    "mermaid": (
        'flowchart TD\n  s0(["s1"])\n  s1["1/3: root"]\n  s0 --> s1\n  s2["2/3 b: side"]\n  s1 --> s2\n'
        '  s3["2/3 revises 1: other"]\n  s1 -. revises .-> s3\n'
    ),
    "markdown": (
        "# s1\n\n## Thought 1/3 (superseded)\n\nroot\n\n## Thought 2/3 b\n\nside\n\n## Thought 2/3 revises 1\n\nother\n"
    ),
}


async def grow(thinking: ThinkingService) -> str:
    """A session with a branch and a revision."""
    session = (await thinking.think(thought="root", total_thoughts=3)).session
    await thinking.think(thought="side", session=session, branch_from_thought=1, branch_id="b")
    await thinking.think(thought="other", session=session, revises_thought=1)
    return session


@pytest.mark.parametrize(("form", "text"), VIEWS.items(), ids=VIEWS)
async def test_each_view_shows_branches_and_revisions(thinking: ThinkingService, form: str, text: str) -> None:
    assert await thinking.view(session=await grow(thinking), form=form) == text


async def test_the_json_view_holds_everything(thinking: ThinkingService) -> None:
    exported = json.loads(await thinking.view(session=await grow(thinking), form="json"))
    assert [thought["text"] for thought in exported["thoughts"]] == ["root", "side", "other"]
    assert [thought["superseded"] for thought in exported["thoughts"]] == [True, False, False]


async def test_an_unknown_view_or_session_names_the_valid_ones(thinking: ThinkingService) -> None:
    session = await grow(thinking)
    with pytest.raises(InvalidInput, match="mermaid"):
        await thinking.view(session=session, form="merm")
    with pytest.raises(NotFound, match=session):
        await thinking.view(session="other")


async def test_quotes_in_a_thought_cannot_leave_a_mermaid_label(thinking: ThinkingService) -> None:
    session = (await thinking.think(thought='x"] --> evil["<b>')).session
    assert 'evil["' not in await thinking.view(session=session, form="mermaid")


@pytest.mark.parametrize(
    ("step", "tool"),
    [
        ("Train a baseline model", "run_pipeline"),
        ("Check the training data for target leakage", 'evaluate_dimension(dimension="training")'),
        ("Audit fairness over slices", 'evaluate_dimension(dimension="analysis")'),
        ("Are we ready for production?", "get_score"),
        ("Wait for the run to be finished", "get_run"),
        ("Record the decision", "context7_update"),
        ("Recall earlier results", "context7_read"),
        ("Ponder", "sequential_think"),
    ],
)
def test_a_step_is_given_the_tool_its_words_call_for(step: str, tool: str) -> None:
    assert next_tool(step) == tool
