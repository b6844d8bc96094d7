"""Thin edges: MCP, HTTP, CLI. One function a use case, no logic."""
