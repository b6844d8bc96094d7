from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from mlestar.interfaces.mcp.apps import VIEWS, page

if TYPE_CHECKING:
    from mcp import Client

PAGES = [uri.rpartition("/")[2] for uri, _ in VIEWS.values()]


async def test_the_two_tools_name_a_page_that_can_be_read(client: Client) -> None:
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert {name for name, tool in tools.items() if tool.meta} == set(VIEWS)
    for name in VIEWS:
        meta = tools[name].meta or {}
        assert meta["ui"]["resourceUri"] == meta["ui/resourceUri"]
        read = (await client.read_resource(meta["ui"]["resourceUri"])).contents[0]
        assert read.mime_type == "text/html;profile=mcp-app"
        assert "<main" in getattr(read, "text", "")


async def test_the_answer_stands_alone_for_a_host_without_pages(client: Client) -> None:
    score = await client.call_tool("get_score", {})
    assert "Overall" in getattr(score.content[0], "text", "")
    runs = await client.call_tool("get_run", {})
    assert "0 runs" in getattr(runs.content[0], "text", "")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_one_file_that_needs_nothing_from_outside(name: str) -> None:
    html = page(name)
    assert not re.search(r"(?:src|href)\s*=|@import|url\(|import\s*\(|fetch\(", html)
    addresses = set(re.findall(r"https?://[^\"'\s]+", html))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    assert "/* host.js */" not in html
    assert "/* view.css */" not in html


@pytest.mark.parametrize("name", PAGES)
def test_a_page_never_makes_markup_of_data(name: str) -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", page(name))
