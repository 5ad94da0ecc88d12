"""Chromium, started anew with an empty profile for each page it opens."""

from __future__ import annotations

import time
from dataclasses import dataclass

from playwright.sync_api import sync_playwright

from tests.bench.worker import Block

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


@dataclass(frozen=True, slots=True)
class Opening:
    """Seconds until a page is usable."""

    from_start: float
    """Of the browser, as when a file is opened."""
    from_navigation: float
    """In a browser that has started."""


def opened(page: str, usable: str) -> Block:
    """An Opening of the page at this URL each time; `usable` is a function in JavaScript."""
    playwright = sync_playwright().start()

    def block() -> Opening:
        began = time.perf_counter()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        try:
            tab = browser.new_page()
            started = time.perf_counter()
            tab.goto(page)
            tab.wait_for_function(usable)
            now = time.perf_counter()
        finally:
            browser.close()
        return Opening(now - began, now - started)

    return block
