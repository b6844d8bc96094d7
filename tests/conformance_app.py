# pyright: reportDeprecated=false
# Logging and sampling are deprecated as of 2026-07-28, and what the suite asks of 2025-11-25.
"""The product's own application with the fixtures of the protocol's conformance suite added.

Usage: python tests/conformance_app.py PORT DATA_DIR
The factory and the transport settings are the product's: `asgi.serve_http` with `build` replaced.
Source of names and texts: the scenario descriptions of @modelcontextprotocol/conformance 0.2.0-alpha.12.
"""

from __future__ import annotations

import base64
import io
import json
import sys
import wave
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import anyio
from mcp import MCPError
from mcp.server.mcpserver import AcceptedElicitation, Context, Elicit, ElicitationResult, Message, Resolve, Sample
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    AudioContent,
    CallToolResult,
    ClientCapabilities,
    CreateMessageResult,
    EmbeddedResource,
    EmptyResult,
    ImageContent,
    SamplingCapability,
    SamplingMessage,
    SetLevelRequestParams,
    TextContent,
    TextResourceContents,
)
from pydantic import BaseModel, Field

from mlestar.app import Services
from mlestar.interfaces.asgi import serve_http
from mlestar.interfaces.mcp.server import build_server
from mlestar.settings import Settings

sys.path.insert(0, str(Path(__file__).parent))
from support.conformance_inputs import add_input_tools

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp.server import MCPServer
    from mcp.types import ContentBlock

    from mlestar.interfaces.mcp.subscriptions import Notifier

PAUSE_S = 0.05
"""Source: the suite's scenarios; the client must be able to receive between two notifications."""

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="

SCHEMA_2020_12: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}

ENUMS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
        "titledSingle": {
            "type": "string",
            "oneOf": [
                {"const": "value1", "title": "First Option"},
                {"const": "value2", "title": "Second Option"},
                {"const": "value3", "title": "Third Option"},
            ],
        },
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": ["option1", "option2", "option3"]}},
        "titledMulti": {
            "type": "array",
            "items": {
                "anyOf": [
                    {"const": "value1", "title": "First Choice"},
                    {"const": "value2", "title": "Second Choice"},
                    {"const": "value3", "title": "Third Choice"},
                ]
            },
        },
    },
}


class Person(BaseModel):
    """What `test_elicitation` asks for."""

    username: str = Field(description="User's response")
    email: str = Field(description="User's email address")


class Defaults(BaseModel):
    """A form with a default of every primitive type."""

    name: str = "John Doe"
    age: int = 30
    score: float = 95.5
    status: Literal["active", "inactive", "pending"] = "active"
    verified: bool = True


def build(services: Services) -> tuple[MCPServer[Any], Notifier]:
    """The product's server with the fixtures."""
    server, notifier = build_server(services)
    for add in (_add_content_tools, _add_tools_with_notifications, _add_asking_tools, add_input_tools):
        add(server)
    _add_tools_of_2026(server)
    _add_resources(server)
    _add_prompts(server)
    _add_log_level(server)
    return server, notifier


def _add_content_tools(server: MCPServer[Any]) -> None:
    contents: dict[str, list[ContentBlock]] = {
        "test_simple_text": [text("This is a simple text response for testing.")],
        "test_image_content": [image()],
        "test_audio_content": [AudioContent(type="audio", data=silence(), mime_type="audio/wav")],
        "test_embedded_resource": [
            embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")
        ],
        "test_multiple_content_types": [
            text("Multiple content types test:"),
            image(),
            embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
        ],
    }
    for name, content in contents.items():
        server.add_tool(_giving(content), name=name, description=f"Gives what {name} promises")

    @server.tool()
    async def test_error_handling() -> str:
        """Always fails."""
        raise ToolError("This tool intentionally returns an error for testing")


def _giving(content: list[ContentBlock]) -> Callable[[], Awaitable[CallToolResult]]:
    async def give() -> CallToolResult:
        return CallToolResult(content=content)

    return give


def _add_tools_with_notifications(server: MCPServer[Any]) -> None:
    async def logs(ctx: Context[Any]) -> str:
        for line in ("Tool execution started", "Tool processing data", "Tool execution completed"):
            await ctx.log("info", line)
            await anyio.sleep(PAUSE_S)
        return "Logged three times."

    for name in ("test_tool_with_logging", "test_logging_tool"):
        server.add_tool(logs, name=name, description="Logs three lines")

    @server.tool()
    async def test_tool_with_progress(ctx: Context[Any]) -> str:
        """Reports 0, 50 and 100 of 100."""
        for done in (0, 50, 100):
            await ctx.report_progress(done, 100)
            await anyio.sleep(PAUSE_S)
        return "Reported three times."


def sample(prompt: str) -> Sample:
    """Asks the client's model what was prompted."""
    return Sample([SamplingMessage(role="user", content=text(prompt))], max_tokens=100)


def person(message: str) -> Elicit[Person]:
    """Asks the user who they are."""
    return Elicit(message, Person)


def form() -> Elicit[Defaults]:
    """Asks the user to look over the defaults."""
    return Elicit("Please review the defaults", Defaults)


def _add_asking_tools(server: MCPServer[Any]) -> None:
    @server.tool()
    async def test_sampling(prompt: str, answer: Annotated[CreateMessageResult, Resolve(sample)]) -> str:
        """Asks the client's model."""
        return f"LLM response: {getattr(answer.content, 'text', '')} (to {prompt!r})"

    @server.tool()
    async def test_elicitation(message: str, asked: Annotated[ElicitationResult[Person], Resolve(person)]) -> str:
        """Asks the user."""
        return f"User response to {message!r}: {said(asked)}"

    @server.tool()
    async def test_elicitation_sep1034_defaults(
        asked: Annotated[ElicitationResult[Defaults], Resolve(form)],
    ) -> str:
        """Asks with a default for every primitive type."""
        return f"Elicitation completed: {said(asked)}"

    @server.tool()
    async def test_elicitation_sep1330_enums(ctx: Context[Any]) -> str:
        """Asks with every kind of choice."""
        asked = await ctx.session.elicit_form("Please choose", ENUMS, related_request_id=ctx.request_id)
        return f"Elicitation completed: action={asked.action}, content={json.dumps(asked.content)}"


def _add_tools_of_2026(server: MCPServer[Any]) -> None:
    @server.tool()
    async def test_missing_capability(ctx: Context[Any]) -> str:
        """Needs a client that samples."""
        able = ctx.client_capabilities
        if able is None or able.sampling is None:
            needed = ClientCapabilities(sampling=SamplingCapability())
            raise MCPError(
                code=MISSING_REQUIRED_CLIENT_CAPABILITY,
                message="This tool needs the sampling capability",
                data={"requiredCapabilities": needed.model_dump(by_alias=True, exclude_none=True)},
            )
        return "The client samples."

    @server.tool()
    async def test_trigger_tool_change(ctx: Context[Any]) -> str:
        """Says that the list of tools changed."""
        await ctx.notify_tools_changed()
        return "Told."

    @server.tool()
    async def test_trigger_prompt_change(ctx: Context[Any]) -> str:
        """Says that the list of prompts changed."""
        await ctx.notify_prompts_changed()
        return "Told."

    @server.tool()
    async def test_x_mcp_header(
        region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})],
    ) -> str:
        """Takes an argument that is mirrored in a header."""
        return f"Region: {region}"

    @server.tool()
    async def json_schema_2020_12_tool(name: str = "") -> str:
        """Tool with JSON Schema 2020-12 features."""
        return f"Hello, {name}"

    listed = server._tool_manager.get_tool("json_schema_2020_12_tool")  # pyright: ignore[reportPrivateUsage]
    assert listed
    listed.parameters = SCHEMA_2020_12


def _add_resources(server: MCPServer[Any]) -> None:
    @server.resource("test://static-text", mime_type="text/plain", description="A text")
    async def static_text() -> str:
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", mime_type="image/png", description="An image")
    async def static_binary() -> bytes:
        return base64.b64decode(PNG)

    @server.resource("test://watched-resource", mime_type="text/plain", description="A text to subscribe to")
    async def watched_resource() -> str:
        return "Watched."

    @server.resource("test://template/{id}/data", mime_type="application/json", description="A template")
    async def template(id: str) -> str:  # noqa: A002 - the template's name
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


def _add_prompts(server: MCPServer[Any]) -> None:
    @server.prompt()
    def test_simple_prompt() -> str:
        """A prompt without arguments."""
        return "This is a simple prompt for testing."

    @server.prompt()
    def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        """A prompt with two arguments."""
        return f"Prompt with arguments: arg1={arg1!r}, arg2={arg2!r}"

    @server.prompt()
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[Message]:  # noqa: N803 - the suite's name
        """A prompt with a resource in it."""
        resource = embedded(resourceUri, "text/plain", "Embedded resource content for testing.")
        return [
            Message(role="user", content=resource),
            Message(role="user", content="Please process the embedded resource above."),
        ]

    @server.prompt()
    def test_prompt_with_image() -> list[Message]:
        """A prompt with an image in it."""
        return [Message(role="user", content=image()), Message(role="user", content="Please analyze the image above.")]


def _add_log_level(server: MCPServer[Any]) -> None:
    async def set_level(_: Any, __: SetLevelRequestParams) -> EmptyResult:
        return EmptyResult()

    low = server._lowlevel_server  # pyright: ignore[reportPrivateUsage] - as in subscriptions.py
    low.add_request_handler("logging/setLevel", SetLevelRequestParams, set_level)


def text(words: str) -> TextContent:
    """A text block."""
    return TextContent(type="text", text=words)


def image() -> ImageContent:
    """One red pixel."""
    return ImageContent(type="image", data=PNG, mime_type="image/png")


def embedded(uri: str, mime_type: str, words: str) -> EmbeddedResource:
    """A resource inside an answer."""
    return EmbeddedResource(type="resource", resource=TextResourceContents(uri=uri, mime_type=mime_type, text=words))


def silence() -> str:
    """A hundredth of a second of silence as base64 of a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(bytes([128] * 80))
    return base64.b64encode(file.getvalue()).decode()


def said(asked: ElicitationResult[Any]) -> str:
    """What the user answered."""
    content = asked.data.model_dump_json() if isinstance(asked, AcceptedElicitation) else "{}"
    return f"action={asked.action}, content={content}"


if __name__ == "__main__":
    port, data_dir = sys.argv[1:]
    made = Services(Settings(data_dir=Path(data_dir)))
    anyio.run(partial(serve_http, made, host="127.0.0.1", port=int(port), token="", build=build))
