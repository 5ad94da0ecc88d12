from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from reports.html import render_html
from reports.report import ReportData

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]

WATCH = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


@dataclass
class Opened:
    """A report in a browser, and everything about it that should not happen."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def names(self) -> list[str]:
        """The function names on screen, from the top."""
        return self.page.locator("#grid tbody td[data-key=name]").all_text_contents()

    def status(self) -> str:
        return self.page.locator("#status").text_content() or ""

    def focused(self) -> tuple[str, str]:
        """Row and column that have the focus, as the screen reader counts them."""
        cell = self.page.locator("#grid :focus")
        row = cell.locator("xpath=..").get_attribute("aria-rowindex")
        return (row or "", cell.get_attribute("aria-colindex") or "")

    def clipboard(self) -> str:
        return str(self.page.evaluate("navigator.clipboard.readText()"))


Open = Callable[..., Opened]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium a worker."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_report(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Render a report into a file and open it; at the end nothing may have gone wrong in it."""
    opened: list[Opened] = []

    def render_and_open(data: ReportData, *, ready: bool = True, **options: object) -> Opened:
        path = tmp_path / f"{len(opened)}.html"
        path.write_text(render_html(data), encoding="utf-8", newline="")
        context = browser.new_context(**options)  # type: ignore[arg-type] # playwright checks them
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.add_init_script(WATCH)
        seen = Opened(context.new_page())
        opened.append(seen)
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        seen.page.on("console", lambda message: seen.complaints.append(message.text))
        seen.page.on("dialog", lambda dialog: seen.complaints.append(dialog.message))
        seen.page.goto(path.as_uri())
        if ready:
            seen.page.locator("#tool").wait_for(state="visible")
        return seen

    yield render_and_open
    for each in opened:
        page_requests = [url for url in each.requests if not url.startswith("file:")]
        each.page.context.close()
        assert each.complaints == []
        assert page_requests == []
