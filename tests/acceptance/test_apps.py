"""The views in a host of MCP Apps on the official bridge, in a sandboxed frame, as a chat client embeds them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from support.browser import chromium, complaints, grave_violations
from support.patience import PATIENCE_S
from support.rest import running_server

if TYPE_CHECKING:
    from collections.abc import Generator

    from playwright.sync_api import Browser, Frame, Page, Route

    from support.rest import Rest

API = "/api/mle-star"
HOST = (
    "<!doctype html><title>host</title><iframe id=app sandbox=allow-scripts width=720 height=300 title=view></iframe>"
)
POLICY = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'"
"""What a frame inherits from its host: nothing from outside."""
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def bundle() -> str:
    folder = os.environ.get("MLESTAR_APPS_HOST", "")
    if not folder:
        pytest.skip("lacks the bundled host: python .ci/apps_host.py FOLDER, then MLESTAR_APPS_HOST=FOLDER")
    return Path(folder, "host.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rest(bundle: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Rest]:
    assert bundle
    with running_server(tmp_path_factory.mktemp("apps")) as server:
        details = {"name": HOSTILE, "goal": HOSTILE}
        assert server.post(f"{API}/evaluate/scoping", {"projectDetails": details}).status == 200
        yield server


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with chromium() as started:
        yield started


def shown(page: Page, rest: Rest, bundle: str, tool: str, *, theme: str = "light", **arguments: Any) -> Frame:
    """The view's frame, once the host has handed it the tool's result."""

    def answer(route: Route) -> None:
        script = "/host.js" in route.request.url
        route.fulfill(
            body=bundle if script else f"{HOST}<script type=module src=/host.js></script>",
            content_type="text/javascript" if script else "text/html",
            headers={"Content-Security-Policy": POLICY},
        )

    page.route("**/host*", answer)
    page.goto(f"{rest.url}/host?{urlencode({'tool': tool, 'theme': theme, 'arguments': json.dumps(arguments)})}")
    page.wait_for_selector("#app[data-result=sent]", timeout=PATIENCE_S * 1000)
    frame = page.frames[1]
    frame.wait_for_selector("h1")
    return frame


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_score_s_view_draws_the_radar_in_the_host_s_theme(
    browser: Browser, rest: Rest, bundle: str, theme: str
) -> None:
    page = browser.new_page()
    found = complaints(page)
    frame = shown(page, rest, bundle, "get_score", theme=theme)
    assert "Overall" in frame.inner_text("h1")
    assert frame.locator("svg.radar text").count() == 5
    assert frame.evaluate("document.documentElement.dataset.theme") == theme
    assert page.eval_on_selector("#app", "frame => frame.clientHeight") > 300
    assert not grave_violations(frame)
    assert not found
    page.close()


def test_findings_come_through_the_host_and_stay_text(browser: Browser, rest: Rest, bundle: str) -> None:
    page = browser.new_page()
    found = complaints(page)
    frame = shown(page, rest, bundle, "get_score")
    frame.click("text=Show findings")
    frame.wait_for_selector("h2:has-text('Findings')")
    assert frame.locator("main li").count() > 10
    assert frame.locator("main img").count() == 0
    assert not found
    page.close()


def test_the_run_s_view_follows_a_run_to_its_end(browser: Browser, rest: Rest, bundle: str) -> None:
    config = {"data": {"source": "sklearn:breast_cancer", "target": "target"}, "training": {"algorithm": "linear"}}
    made = rest.post(f"{API}/pipeline/create", {"name": HOSTILE, "config": config}).json["pipeline"]
    run_id = rest.post(f"{API}/pipeline/execute/{made['id']}", {"wait": 0}).json["runId"]
    page = browser.new_page()
    found = complaints(page)
    frame = shown(page, rest, bundle, "get_run", run_id=run_id)
    assert frame.inner_text("h1") == HOSTILE
    frame.wait_for_selector("[role=status] strong:text-is('succeeded')", timeout=PATIENCE_S * 1000)
    assert "roc_auc" in frame.inner_text("main")
    assert frame.locator("svg rect").count() == 5
    assert not grave_violations(frame)
    assert not found
    page.close()
