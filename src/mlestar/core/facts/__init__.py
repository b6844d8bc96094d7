"""What was collected of a project, its data and its runs before judging."""
