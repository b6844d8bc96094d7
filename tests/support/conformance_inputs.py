"""The conformance suite's fixtures that ask the client for input, as a table of what each asks in which round.

Source of names and texts: the scenario descriptions of @modelcontextprotocol/conformance 0.2.0-alpha.12 (SEP-2322).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp.server.mcpserver import Context  # noqa: TC002 - the SDK reads the annotations
from mcp.types import CallToolResult, InputRequiredResult, TextContent

if TYPE_CHECKING:
    from mcp.server import MCPServer

Round = dict[str, dict[str, Any]]


def elicitation(message: str, **properties: str) -> dict[str, Any]:
    """A form with required fields, each `name=type`."""
    fields = {name: {"type": kind} for name, kind in properties.items()}
    schema = {"type": "object", "properties": fields, "required": list(fields)}
    return {"method": "elicitation/create", "params": {"message": message, "requestedSchema": schema}}


def sampling(text: str, max_tokens: int) -> dict[str, Any]:
    """One user message for the client's model."""
    message = {"role": "user", "content": {"type": "text", "text": text}}
    return {"method": "sampling/createMessage", "params": {"messages": [message], "maxTokens": max_tokens}}


NAME = elicitation("What is your name?", name="string")
CONFIRM = elicitation("Please confirm", ok="boolean")
ROOTS = {"method": "roots/list", "params": {}}

ROUNDS: dict[str, tuple[Round, ...]] = {
    "test_input_required_result_elicitation": ({"user_name": NAME},),
    "test_input_required_result_sampling": (
        {"capital_question": sampling("What is the capital of France?", max_tokens=100)},
    ),
    "test_input_required_result_list_roots": ({"client_roots": ROOTS},),
    "test_input_required_result_request_state": ({"confirm": CONFIRM},),
    "test_input_required_result_tampered_state": ({"confirm": CONFIRM},),
    "test_input_required_result_multiple_inputs": (
        {"user_name": NAME, "greeting": sampling("Generate a greeting", max_tokens=50), "client_roots": ROOTS},
    ),
    "test_input_required_result_multi_round": (
        {"step1": elicitation("Step 1: What is your name?", name="string")},
        {"step2": elicitation("Step 2: What is your favorite color?", color="string")},
    ),
    "test_streaming_elicitation": ({"user_name": NAME},),
}


def add_input_tools(server: MCPServer[Any]) -> None:
    """Register every tool and the prompt that ask for input."""
    for name, rounds in ROUNDS.items():
        server.add_tool(_asking(rounds), name=name, description="Asks for input, then completes")

    @server.tool(structured_output=False)
    async def test_input_required_result_capabilities(ctx: Context[Any]) -> CallToolResult | InputRequiredResult:
        """Asks only for what the client can answer."""
        able = ctx.client_capabilities
        asked: Round = {}
        if able and able.sampling is not None:
            asked["greeting"] = sampling("Generate a greeting", max_tokens=50)
        if able and able.elicitation is not None:
            asked["user_name"] = NAME
        return await _asking((asked,))(ctx)

    @server.prompt()
    async def test_input_required_result_prompt(ctx: Context[Any]) -> Any:
        """Asks for a context, then renders."""
        asked = elicitation("What context should the prompt use?", context="string")
        if "user_context" not in (ctx.input_responses or {}):
            return _required({"user_context": asked}, state="")
        return "The prompt with the context that was given."


def _asking(rounds: tuple[Round, ...]) -> Any:
    async def run(ctx: Context[Any]) -> CallToolResult | InputRequiredResult:
        """The state is how many rounds were answered; the SDK seals it, so it cannot be made up."""
        answered = int(ctx.request_state or 0)
        if set(rounds[answered]) <= set(ctx.input_responses or {}):
            answered += 1
        if answered < len(rounds):
            return _required(rounds[answered], state=str(answered))
        said = f"state-ok: {len(rounds)} rounds answered"
        return CallToolResult(content=[TextContent(type="text", text=said)])

    return run


def _required(asked: Round, *, state: str) -> InputRequiredResult:
    given = {"resultType": "input_required", "inputRequests": asked}
    return InputRequiredResult.model_validate(given | ({"requestState": state} if state else {}))
