"""What hosts that show interfaces get beside the text: one self-contained page for a score, one for a run.

A tool names its page in `_meta`; every other host ignores that and shows the text.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from mcp.server.apps import Apps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mcp.server.mcpserver.tools import Tool

VIEWS = {
    "get_score": ("ui://mlestar/score.html", "Scorecard"),
    "get_run": ("ui://mlestar/run.html", "Pipeline run"),
}
"""Tool -> the address and title of its page."""


def apps() -> Apps:
    """The extension with the pages; nothing in them comes from outside, so they ask for no permission."""
    made = Apps()
    for uri, title in VIEWS.values():
        made.add_html_resource(uri, page(uri.rpartition("/")[2]), title=title, prefers_border=True)
    return made


def page(name: str) -> str:
    """One page, with the style and the script that the pages share set into it."""
    here = files("mlestar.interfaces.mcp").joinpath("views")
    html = here.joinpath(name).read_text(encoding="utf-8")
    for shared in ("view.css", "host.js"):
        html = html.replace(f"/* {shared} */", here.joinpath(shared).read_text(encoding="utf-8"))
    return html


def with_views(tools: Iterable[Tool]) -> list[Tool]:
    """The tools, those of VIEWS with the address of their page; the flat key is what older hosts read."""
    return [
        tool.model_copy(update={"meta": {"ui": {"resourceUri": uri}, "ui/resourceUri": uri}})
        if (uri := VIEWS.get(tool.name, ("", ""))[0])
        else tool
        for tool in tools
    ]
