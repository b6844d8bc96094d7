"""The REST edge: the integration guide's paths over the same services as MCP."""
