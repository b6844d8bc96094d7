"""What every tool here does beyond the SDK: refuses unknown arguments by name, and answers errors an agent can use."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import ValidationError

from mlestar.errors import InvalidInput, MlestarError, WorkFailed
from mlestar.interfaces.access import current
from mlestar.interfaces.wire import wire

if TYPE_CHECKING:
    from mcp.server.mcpserver import Context

logger = logging.getLogger(__name__)
ToolFunction = Callable[..., Awaitable[CallToolResult]]
_MARK = "__mlestar_tool__"
TEXT_LIMIT = 200
"""Characters of a caller's text that an error repeats."""


@dataclass(frozen=True, kw_only=True)
class _Mark:
    title: str
    annotations: ToolAnnotations


def tool(
    *, title: str, read_only: bool, destructive: bool = False, idempotent: bool = False
) -> Callable[[ToolFunction], ToolFunction]:
    """Mark a method as an MCP tool. All four hints are stated; no tool here reaches an open world."""
    annotations = ToolAnnotations(
        read_only_hint=read_only,
        destructive_hint=destructive,
        idempotent_hint=idempotent,
        open_world_hint=False,
    )

    def mark(function: ToolFunction) -> ToolFunction:
        setattr(function, _MARK, _Mark(title=title, annotations=annotations))
        return function

    return mark


def tools_of(owner: object) -> list[Tool]:
    """Every marked method of `owner`, as the SDK's tools, in the order they are written."""
    found: list[Tool] = []
    for name, function in vars(type(owner)).items():
        mark = getattr(function, _MARK, None)
        if mark is not None:
            found.append(StrictTool.of(getattr(owner, name), mark))
    return found


class StrictTool(Tool):
    """A tool that takes exactly its arguments, in camelCase or snake_case, and funnels every error."""

    @classmethod
    def of(cls, function: ToolFunction, mark: _Mark) -> StrictTool:
        """Build the tool; its schema carries no generated titles and allows nothing else."""
        made = cast(
            "StrictTool",
            cls.from_function(
                function,
                title=mark.title,
                annotations=mark.annotations,
                description=inspect.cleandoc(function.__doc__ or ""),
            ),
        )
        made.parameters = _slim(made.parameters) | {"additionalProperties": False}
        if made.fn_metadata.output_schema is not None:
            made.fn_metadata.output_schema = _slim(made.fn_metadata.output_schema)
        return made

    async def run(
        self,
        arguments: dict[str, Any],
        context: Context[Any, Any],
        convert_result: bool = False,
    ) -> Any:
        """Validate, call, and answer an error as a tool error with a code, the valid choices and the next step."""
        try:
            validated = self._validated(arguments)
            writes = self.annotations is None or not self.annotations.read_only_hint
            current.get().require(workspace=validated["workspace"], write=writes, action=f"tool {self.name}")
            if self.context_kwarg is not None:
                validated[self.context_kwarg] = context
            result = await self.fn(**validated)
        except MlestarError as error:
            return refusal(error)
        except Exception as error:
            reference = uuid4().hex[:8]
            logger.exception("tool %s failed, reference %s", self.name, reference)
            return refusal(
                WorkFailed(
                    f"{self.name} met an unexpected {type(error).__name__} (reference {reference}).",
                    do="call again; if it repeats, report it with the reference and the server's log",
                )
            )
        return self.fn_metadata.convert_result(result) if convert_result else result

    def _validated(self, arguments: dict[str, Any]) -> dict[str, Any]:
        known = list(self.parameters.get("properties", {}))
        by_plain_name = {_plain(name): name for name in known}
        given: dict[str, Any] = {}
        for name, value in arguments.items():
            canonical = by_plain_name.get(_plain(name))
            if canonical is None:
                close = get_close_matches(name, known, n=1)
                raise InvalidInput(
                    f"{self.name} has no argument {name[:TEXT_LIMIT]!r}.",
                    valid=known,
                    do=f"use {close[0]!r}" if close else "drop it",
                )
            if canonical in given:
                raise InvalidInput(f"{canonical!r} was given twice, in two spellings.", do="give it once")
            given[canonical] = value
        free = {name: value for name, value in given.items() if self._is_free(name)}
        try:
            return self.fn_metadata.validate_arguments({**given, **dict.fromkeys(free)}) | free
        except ValidationError as error:
            raise _explained(error) from None

    def _is_free(self, name: str) -> bool:
        """Free JSON and loosely typed values go to the service untouched: a text that looks like JSON stays text."""
        return self.fn_metadata.arg_model.model_fields[name].annotation is Any


def answer(sentence: Callable[[dict[str, Any]], str], result: object) -> CallToolResult:
    """One or two plain sentences for the reader, made from the data for the program."""
    data = wire(result)
    return CallToolResult(content=[TextContent(type="text", text=sentence(data))], structured_content=data)


def refusal(error: MlestarError) -> CallToolResult:
    """An error as the protocol's tool error: never dressed as success."""
    return CallToolResult(
        content=[TextContent(type="text", text=str(error))],
        structured_content={"error": error.to_json()},
        is_error=True,
    )


def _explained(error: ValidationError) -> InvalidInput:
    problems: list[str] = []
    valid: list[str] = []
    for item in error.errors(include_url=False):
        name = ".".join(str(part) for part in item["loc"])
        problems.append(f"{name}: {item['msg']}" + (f" (got {_short(item['input'])})" if item["loc"] else ""))
        expected = item.get("ctx", {}).get("expected")
        if expected:
            valid.append(str(expected).replace("'", "").replace(" or ", ", "))
    return InvalidInput("; ".join(problems) + ".", valid=valid, do="correct the argument and call again")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= TEXT_LIMIT else text[:TEXT_LIMIT] + "..."


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _slim(schema: Any) -> Any:
    """Drop generated titles (a fifth of the listing's tokens) and null defaults, which no schema type allows."""
    if isinstance(schema, dict):
        parts = cast("dict[str, Any]", schema)
        return {
            key: {name: _slim(part) for name, part in value.items()} if key == "properties" else _slim(value)
            for key, value in parts.items()
            if not (key == "title" and isinstance(value, str)) and not (key == "default" and value is None)
        }
    if isinstance(schema, list):
        return [_slim(part) for part in cast("list[Any]", schema)]
    return schema
