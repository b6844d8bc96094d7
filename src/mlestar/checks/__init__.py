"""The catalogue of checks: one function a check, by dimension and criterion."""
