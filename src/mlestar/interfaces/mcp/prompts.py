"""The prompts: ready-made starts for a user, each a plain use of the tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer


def add_prompts(server: MCPServer[Any]) -> None:
    """Register the three prompts. Arguments have defaults: clients differ in how they report a missing one."""

    @server.prompt(title="Evaluate this project")
    def evaluate_project(project: str = ".") -> str:
        """Judge a project folder in all five dimensions and say what to do next."""
        return (
            f"Call evaluate_dimension with dimension 'all' and project {project!r}; add train, test, target and "
            "predictions when the folder has them. Then call get_score. Report the score beside its coverage and "
            "ceiling, the blockers, and the three next actions with their place in the files. "
            "Say what was not measured; do not guess."
        )

    @server.prompt(title="Think with the windows")
    def think_with_context(problem: str = "") -> str:
        """Plan with the memory: what is known, what is open, step by step."""
        return (
            f"Problem: {problem or 'ask the user for it'}. Call context7_read for the overview, then sequential_think "
            "with the problem and your steps; work through the brief of each step, and write what you learn with "
            "context7_update (decisions and constraints at priority 4 or 5)."
        )

    @server.prompt(title="Plan improvements")
    def plan_improvements(goal: str = "production ready") -> str:
        """Turn the open findings into an ordered plan."""
        return (
            f"Goal: {goal}. Call get_score with view 'findings', group what it lists by cause, and order the work by "
            "points gained for the effort. Put the plan into window 1 with context7_update, start with the blockers, "
            "and evaluate again after each step."
        )
