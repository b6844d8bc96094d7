"""The prompts: ready-made starts for a user, each a plain use of the tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from mcp import MCPError
from mcp.types import INVALID_PARAMS
from pydantic import Field

from mlestar.errors import InvalidInput

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

ALL = "all"
Workspace = Annotated[str, Field(description="Named store; nothing crosses workspaces")]


def add_prompts(server: MCPServer[Any]) -> None:
    """Register the three prompts. Arguments have defaults: clients differ in how they report a missing one."""

    @server.prompt(title="Evaluate this project")
    def evaluate_project(
        project: Annotated[str, Field(description="Project folder below the roots")] = ".",
        dimension: Annotated[str, Field(description="One of the five dimensions, or all")] = ALL,
        workspace: Workspace = "default",
    ) -> str:
        """Judge a project folder in all five dimensions, or one, and say what to do next."""
        from mlestar.core.score.rubric import DIMENSIONS, dimension_of  # not on the way to the first answer

        if dimension != ALL and dimension_of(dimension) is None:
            valid = [*(known.key for known in DIMENSIONS), ALL]
            refusal = InvalidInput(f"There is no dimension {dimension[:80]!r}.", valid=valid)
            raise MCPError(code=INVALID_PARAMS, message=str(refusal))
        return (
            f"Call evaluate_dimension with dimension {dimension!r} and project {project!r}{_in(workspace)}; add train, "
            "test, target and predictions when the folder has them. Then call get_score. Report the score beside its "
            "coverage and ceiling, the blockers, and the three next actions with their place in the files. "
            "Say what was not measured; do not guess."
        )

    @server.prompt(title="Think with the windows")
    def think_with_context(
        problem: Annotated[str, Field(description="What is to be solved")] = "",
        session: Annotated[str, Field(description="A thinking session to go on with")] = "",
        workspace: Workspace = "default",
    ) -> str:
        """Plan with the memory: what is known, what is open, step by step."""
        start = f"Go on with the thinking session {session!r}. " if session else ""
        return (
            f"Problem: {problem or 'ask the user for it'}. {start}Call context7_read for the overview{_in(workspace)}, "
            "then sequential_think with the problem and your steps; work through the brief of each step, and write "
            "what you learn with context7_update (decisions and constraints at priority 4 or 5)."
        )

    @server.prompt(title="Plan improvements")
    def plan_improvements(
        goal: Annotated[str, Field(description="What the work is to reach")] = "production ready",
        workspace: Workspace = "default",
    ) -> str:
        """Turn the open findings into an ordered plan."""
        return (
            f"Goal: {goal}. Call get_score with view 'findings'{_in(workspace)}, group what it lists by cause, and "
            "order the work by points gained for the effort. Put the plan into window 1 with context7_update, start "
            "with the blockers, and evaluate again after each step."
        )


def _in(workspace: str) -> str:
    return "" if workspace == "default" else f" in workspace {workspace!r}, as in every call that follows"
