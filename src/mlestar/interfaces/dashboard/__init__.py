"""The pages at `/`: server-rendered, no build step, nothing from outside."""
