"""X: documentation, review, security, reproducibility, practice."""
