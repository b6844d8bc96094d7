"""The seven windows: how full they are and what stands in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlestar.core.windows.model import PRIORITY_NAMES, WINDOWS, window_number
from mlestar.core.windows.reading import MOST_REPLY_TOKENS
from mlestar.errors import NotFound

if TYPE_CHECKING:
    from starlette.responses import Response

    from mlestar.interfaces.dashboard.page import Page

PER_PAGE = 50
IMPORTANT_SHOWN = 10
EVENTS_SHOWN = 30


async def overview(page: Page) -> Response:
    """Use and priority of each window, and what matters most; with `q`, what a recall finds."""
    query = page.asked("q")
    report = await page.services.windows.report(workspace=page.workspace)
    read = await page.services.windows.read(
        workspace=page.workspace,
        query=query,
        limit=PER_PAGE if query else IMPORTANT_SHOWN,
        budget_tokens=MOST_REPLY_TOKENS,
        offset=page.number("offset"),
    )
    return page.show(
        "windows.html", report=report, windows=WINDOWS, read=read, q=query, offset=page.number("offset"),
        priorities=_priorities(),
    )  # fmt: skip


async def window(page: Page) -> Response:
    """One window's entries, most important first, and what happened in it."""
    asked = page.request.path_params["number"]
    if not (asked.isascii() and asked.isdecimal() and 1 <= int(asked) <= len(WINDOWS)):
        raise NotFound(
            f"there is no window {asked[:40]!r}", valid=[w.number for w in WINDOWS], do="choose one of the seven"
        )
    number = window_number(asked)
    least, offset = page.number("min_priority", most=5), page.number("offset")
    read = await page.services.windows.read(
        workspace=page.workspace,
        window=number,
        limit=PER_PAGE,
        budget_tokens=MOST_REPLY_TOKENS,
        min_priority=least,
        offset=offset,
    )
    events = await page.services.windows.history(workspace=page.workspace, window=number, limit=EVENTS_SHOWN)
    return page.show(
        "window.html",
        window=WINDOWS[number - 1],
        windows=WINDOWS,
        use=read.windows[number - 1],
        read=read,
        events=events,
        least=least,
        offset=offset,
        priorities=_priorities(),
    )


def _priorities() -> dict[int, str]:
    return {number: name for name, number in PRIORITY_NAMES.items()}
