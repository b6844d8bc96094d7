"""Completions for what a user types into a prompt's argument or a resource template: names that exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp import MCPError
from mcp.types import INVALID_PARAMS, Completion

from mlestar.core.windows.model import WINDOWS
from mlestar.errors import MlestarError
from mlestar.interfaces.access import current
from mlestar.interfaces.mcp.prompts import ALL
from mlestar.interfaces.mcp.resources import CHECK_TEMPLATE, DEFAULT_WORKSPACE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mcp.server.mcpserver import MCPServer
    from mcp.types import CompletionArgument, CompletionContext, PromptReference, ResourceTemplateReference

    from mlestar.app import Services

MOST_VALUES = 100
"""Source: the protocol's limit on the values of one completion."""

_OF_A_WORKSPACE = frozenset({"session", "run_id"})


def add_completions(server: MCPServer[Any], services: Services) -> None:
    """Serve `completion/complete`; an argument without a list of names gets an empty answer."""

    @server.completion()
    async def complete(
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion:
        resolved = (context.arguments if context else None) or {}
        name = "check" if getattr(ref, "uri", "") == CHECK_TEMPLATE and argument.name == "id" else argument.name
        workspace = resolved.get("workspace") or DEFAULT_WORKSPACE
        try:
            if name in _OF_A_WORKSPACE:
                current.get().require(workspace=workspace, write=False, action="completion")
            known = await _known(services, name, workspace)
        except MlestarError as error:
            raise MCPError(code=INVALID_PARAMS, message=str(error)) from error
        found = ranked(known, argument.value)
        return Completion(values=found[:MOST_VALUES], total=len(found), has_more=len(found) > MOST_VALUES)


def ranked(known: Iterable[str], typed: str) -> list[str]:
    """What starts with `typed`, then what contains it, upper and lower case alike, else in the order of `known`."""
    part = typed.casefold()
    containing = [name for name in known if part in name.casefold()]
    return sorted(containing, key=lambda name: not name.casefold().startswith(part))


async def _known(services: Services, name: str, workspace: str) -> list[str]:
    match name:
        case "workspace":
            return list(filter(current.get().opens, await services.windows.workspaces()))
        case "session":
            return [found.session for found in await services.thinking.sessions(workspace=workspace, limit=200)]
        case "run_id":
            return [run.run_id for run in await services.pipelines.runs(workspace=workspace)]
        case "n":
            return [str(window.number) for window in WINDOWS]
        case "check" | "dimension":
            return _in_the_rubric(name)
        case _:
            return []


def _in_the_rubric(name: str) -> list[str]:
    from mlestar.core.score.rubric import CHECKS, DIMENSIONS  # not on the way to the first answer

    return list(CHECKS) if name == "check" else [*(dimension.key for dimension in DIMENSIONS), ALL]
