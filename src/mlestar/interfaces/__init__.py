"""Thin edges: MCP, HTTP, CLI."""
