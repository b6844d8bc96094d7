"""What a project's Python code does, read from its syntax tree, never by running it."""
