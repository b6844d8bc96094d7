"""The machine's own Chromium, and what every page is held to in it."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Generator

    from playwright.sync_api import Browser, Dialog, Frame, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
GRAVE = frozenset({"serious", "critical"})


def installed() -> str:
    """Where the machine's Chromium is; skips the test where there is none."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("lacks Chromium: apt-get install chromium")
    return found


@contextmanager
def chromium() -> Generator[Browser]:
    """A headless browser with a profile of its own; while it is open, no other event loop runs in this thread."""
    found = installed()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


def grave_violations(shown: Page | Frame) -> list[str]:
    """What axe-core calls serious or critical, each with its first element."""
    shown.evaluate(AXE_FILE_PATH.read_text(encoding="utf-8"))
    found: dict[str, Any] = shown.evaluate("axe.run()")
    return [
        f"{one['id']} at {one['nodes'][0]['target']}: {one['help']}"
        for one in found["violations"]
        if one["impact"] in GRAVE
    ]


def complaints(page: Page) -> list[str]:
    """Fills with what the browser complains of: errors in scripts, things the policy refused, files not found."""
    found: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        found.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("dialog", dismiss)
    return found
