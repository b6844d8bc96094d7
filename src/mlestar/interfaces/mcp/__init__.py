"""The MCP edge: tools, resources, prompts, subscriptions."""
