"""One async function a use case, the same for MCP, REST and CLI."""
