"""A live bar on standard error for long work, so that standard output stays a program's input."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Generator

WIDTH = 48
"""Columns of a bar's text, so that bars stand below each other."""


class Listener(Protocol):
    """Takes the progress of long work: the SDK's client and our services both call it."""

    async def __call__(self, progress: float, total: float | None, message: str | None = None) -> None:
        """Show `progress` of `total` (of 1 when the total is not known) and what is being done."""
        ...


@contextmanager
def live_bar(title: str, *, console: Console | None = None) -> Generator[Listener]:
    """Show a bar while the block runs."""
    columns = (TextColumn("   {task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    with Progress(*columns, TimeElapsedColumn(), console=console or Console(stderr=True)) as bar:
        task = bar.add_task(title, total=1.0)

        async def listen(progress: float, total: float | None, message: str | None = None) -> None:
            what = escape(message or title)[:WIDTH].ljust(WIDTH)
            bar.update(task, completed=progress, total=total or 1.0, description=what)

        yield listen
