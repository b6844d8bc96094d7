"""The catalogue of pipeline stages and their options."""
