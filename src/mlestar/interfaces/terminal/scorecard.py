"""The scorecard in a terminal: the same for the demo and for `mlestar evaluate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from mlestar.interfaces.mcp.sentences import place

if TYPE_CHECKING:
    from rich.console import Console

FIGURES = ("score", "declared", "ceiling", "coverage")


def print_scorecard(console: Console, card: dict[str, Any]) -> None:
    """Print five dimensions and overall, what they rest on, the blockers, and what to do next.

    Args:
        console: Where to print.
        card: The answer of `get_score`, as JSON values.
    """
    table = Table(title="Scorecard", title_justify="left")
    table.add_column("dimension")
    for column in FIGURES:
        table.add_column(column, justify="right")
    for dimension in card["dimensions"]:
        table.add_row(dimension["name"], *(str(dimension[figure]) for figure in FIGURES))
    table.add_section()
    table.add_row("[bold]overall[/]", str(card["score"]["overall"]), *(str(card[figure]) for figure in FIGURES[1:]))
    console.print(table)
    word = card["interpretation"]
    ready = "[green]production ready[/]" if word["productionReady"] else "[yellow]not production ready[/]"
    console.print(f"   {word['overall']}, {ready}; {len(card['alerts'])} alerts")
    for blocker in card["blockers"]:
        at = escape(place(blocker["where"]))
        console.print(f"   [red]blocked by {blocker['check']}[/] at {at}: {escape(blocker['observed'])}")
    for action in card["nextActions"]:
        at = place(action["where"])
        where = f" at [bold]{escape(at)}[/]" if at else ""
        console.print(f"   next: {action['check']} (+{action['gain']}){where}: {escape(action['text'])}")
