"""What is said of a project, by a caller or in its documents, and whether it can be true."""
