"""Time that the test moves."""


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        """Begin at a fixed time."""
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        """The time, in seconds since 1970."""
        return self.now
