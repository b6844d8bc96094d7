"""The pages in real Chromium, as a person meets them."""

from __future__ import annotations

import asyncio
import random
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from mlestar.app import Services
from mlestar.core.evidence import Level, Where
from mlestar.core.score.rubric import CHECKS
from mlestar.settings import Settings
from support.browser import chromium, complaints, grave_violations, installed
from support.findings import finding
from support.patience import PATIENCE_S
from support.payloads import GUIDE
from support.rest import running_server

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from mlestar.core.evidence import Finding
    from support.rest import Rest

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> ' \" & {{ 7 * 7 }}"
MANY = 10_000
PAGES = (
    "/",
    "/findings",
    "/findings?show=all&workspace=many",
    "/checks/T1.3?workspace=many",
    "/windows",
    "/windows?q=recall",
    "/windows/3",
    "/thinking",
    "/thinking/{session}",
    "/runs",
    "/runs/{run}",
    "/models",
    "/?workspace=empty",
    "/?workspace=many",
)
LOOKS = {
    "light, wide": ("light", 1280, PAGES),
    "dark, narrow": ("dark", 380, ("/", "/findings?outcome=fail", "/windows", "/thinking/{session}", "/runs/{run}")),
}
CONFIG = {"data": {"source": "sklearn:breast_cancer", "target": "target"}, "training": {"algorithm": "linear"}}


def many() -> list[Finding]:
    pick = random.Random(0)  # noqa: S311 - test data
    levels = list(Level)[1:]
    return [
        finding(
            list(CHECKS)[at % len(CHECKS)],
            Fraction(pick.randint(0, 4), 4),
            pick.choice(levels),
            observed=f"observation {at} {HOSTILE}",
            fix="Repair what was observed, then look again.",
            where=Where(path=f"src/module_{at}.py", line=at + 1),
        )
        for at in range(MANY)
    ]


async def fill(services: Services) -> str:
    """Put something on every page; answers the thinking session."""
    await services.windows.update(window=3, content=f"recall fell {HOSTILE}", priority=4)
    planned = await services.thinking.think(problem=HOSTILE, steps=["look at slices", "tune", "evaluate"])
    more: list[dict[str, Any]] = [
        {"thought": HOSTILE, "thought_number": 4, "is_revision": True, "revises_thought": 1},
        {"thought": "per site", "thought_number": 5, "branch_from_thought": 2, "branch_id": "site"},
        {"thought": "done", "thought_number": 6, "next_thought_needed": False},
    ]
    for thought in more:
        await services.thinking.think(session=planned.session, **thought)
    await services.evaluation.evaluate(dimension="all", evidence=GUIDE)
    await services.evaluation.record_run_findings(workspace="many", run_id="run-many", findings=many())
    return planned.session


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    installed()
    folder = tmp_path_factory.mktemp("dashboard")
    services = Services(Settings(data_dir=folder))
    session = asyncio.run(fill(services))
    services.close()
    return folder, session


@pytest.fixture(scope="module")
def browser(filled: tuple[Path, str]) -> Generator[Browser]:
    assert filled[1]
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def rest(filled: tuple[Path, str]) -> Generator[Rest]:
    with running_server(filled[0]) as server:
        yield server


@pytest.fixture(scope="module")
def run_id(rest: Rest) -> str:
    """A run under way; the test that follows it to its end comes first."""
    made = rest.post("/api/mle-star/pipeline/create", {"name": HOSTILE[:100], "config": CONFIG}).json["pipeline"]
    return rest.post(f"/api/mle-star/pipeline/execute/{made['id']}", {"wait": 0}).json["runId"]


def opened(browser: Browser, **context: Any) -> tuple[Page, list[str]]:
    page = browser.new_context(**context).new_page()
    return page, complaints(page)


def test_a_run_is_shown_live_to_its_end_without_a_click(browser: Browser, rest: Rest, run_id: str) -> None:
    page, found = opened(browser)
    page.goto(f"{rest.url}/runs/{run_id}")
    assert page.locator("progress").count() == 1
    page.wait_for_selector("h2:has-text('Measured')", timeout=PATIENCE_S * 1000)
    assert page.locator("progress").count() == 0
    assert page.locator(".stages > li").count() == 5
    assert "roc_auc" in page.inner_text(".metrics")
    assert not found
    page.context.close()


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_is_accessible_fits_and_breaks_no_policy(
    browser: Browser, rest: Rest, filled: tuple[Path, str], run_id: str, look: str
) -> None:
    scheme, width, paths = LOOKS[look]
    page, found = opened(browser, color_scheme=scheme, viewport={"width": width, "height": 900})
    problems: list[str] = []
    for path in paths:
        page.goto(rest.url + path.format(session=filled[1], run=run_id))
        problems += [f"{path}: {problem}" for problem in [*grave_violations(page), *found]]
        found.clear()
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            problems.append(f"{path}: wider than the screen")
        if page.locator("h1").count() != 1 or page.locator("main").count() != 1:
            problems.append(f"{path}: not one heading and one main part")
    assert not problems
    page.context.close()


@pytest.mark.parametrize(
    "path", ["/windows/3", "/thinking/{session}", "/runs/{run}", "/findings?show=all&workspace=many"]
)
def test_what_memory_and_data_hold_is_shown_as_text(
    browser: Browser, rest: Rest, filled: tuple[Path, str], run_id: str, path: str
) -> None:
    page, found = opened(browser)
    page.goto(rest.url + path.format(session=filled[1], run=run_id))
    assert "<script>alert(1)</script>" in page.inner_text("main")
    assert page.locator("main script, main img[src=x]").count() == 0
    assert not found
    page.context.close()


def test_filters_and_pages_lead_through_all_findings(browser: Browser, rest: Rest) -> None:
    page, _ = opened(browser)
    page.goto(f"{rest.url}/findings?workspace=many")
    page.select_option("#show", "all")
    page.click("text=Filter")
    assert "10,000 pieces of evidence" in page.inner_text("#list")
    assert 0 < page.locator("ul.findings > li").count() <= 100
    page.click("a[rel=next]")
    assert "of 10,000" in page.inner_text(".pager")
    page.select_option("#dimension", "training")
    page.select_option("#outcome", "fail")
    page.click("text=Filter")
    ids = page.locator(".finding h3 a").all_inner_texts()
    assert len(ids) == 50
    assert all(check.startswith("T") for check in ids)
    assert page.locator(".finding .is-fail").count() == 50
    page.context.close()


def test_a_keyboard_reaches_the_content_and_the_workspace(browser: Browser, rest: Rest) -> None:
    page, _ = opened(browser)
    page.goto(rest.url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.focus("#workspace")
    page.keyboard.press("Control+A")
    page.keyboard.type("many")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?workspace=many")
    assert page.get_attribute("nav[aria-label=Main] a >> nth=1", "href") == "/findings?workspace=many"
    page.context.close()


def test_pages_work_without_scripts(browser: Browser, rest: Rest, run_id: str) -> None:
    page, _ = opened(browser, java_script_enabled=False)
    page.goto(f"{rest.url}/runs/{run_id}")
    assert "Stages" in page.inner_text("main")
    page.goto(f"{rest.url}/findings?dimension=training")
    assert page.locator(".finding").count() > 5
    page.context.close()
