"""Sequential thinking: what a thought is, how loosely typed arguments are read, and how a session is shown."""
