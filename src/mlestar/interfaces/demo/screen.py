"""What the demo shows: steps, progress bars, the scorecard. All wording of the demo's output is here."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table


class Screen:
    """Draws on one console."""

    def __init__(self) -> None:
        """Use standard output; nothing else of the demo writes there."""
        self.console = Console(highlight=False)

    def step(self, number: int, title: str) -> None:
        """Open a step."""
        self.console.print(f"\n[bold cyan]{number}[/] [bold]{escape(title)}[/]")

    def say(self, text: str) -> None:
        """One line of what happened."""
        self.console.print(f"   {escape(text)}")

    def wrong(self, text: str) -> None:
        """Something did not do what it says."""
        self.console.print(f"   [bold red]FAILED[/] {escape(text)}")

    def metrics(self, run: dict[str, Any]) -> None:
        """The model's held-out metrics beside the dummy and the simple model."""
        table = Table(title="Measured on held-out rows, 95% confidence interval", title_justify="left")
        table.add_column("metric")
        rows = {"model": run["metrics"], **run["baselines"]}
        for name in rows:
            table.add_column(name)
        for metric in run["metrics"]:
            table.add_row(metric, *(_estimate(values.get(metric)) for values in rows.values()))
        self.console.print(table)

    def verdict(self, problems: list[str], seconds: float) -> None:
        """The last line."""
        if problems:
            self.console.print(Panel("\n".join(escape(problem) for problem in problems), title="Not everything worked"))
        else:
            self.console.print(f"\n[bold green]All of it worked[/], in {seconds:.0f} s.")


def _estimate(value: dict[str, float] | None) -> str:
    if value is None:
        return "-"
    return f"{value['value']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"
