"""A real headless Chromium for tests, and where the pictures of their pages are kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from scheduler.publish.notices.pictures import browser_flags, find_browser

TOP = Path(__file__).parents[1]
PICTURES = TOP / "build" / "pages"
"""Build results: looked at by people, ignored by git."""
DESK, PHONE = (1280, 900), (390, 844)
PAPER_PX = 703  # A4 less margins of 12 mm, at 96 px to the inch


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser; fails where there is none, and says how to install it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=browser_flags())
        yield browser
        browser.close()


@dataclass
class Opened:
    """A page with all that went wrong on it and all that it asked for."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def keep(self, name: str) -> None:
        """Keep a picture of the whole page as a build result."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)

    def overflow(self) -> list[str]:
        """Return what sticks out of the page's right edge, outside boxes that scroll."""
        found: list[str] = self.page.evaluate(
            """() => [...document.body.querySelectorAll("*")].filter((e) => {
                const box = e.getBoundingClientRect(), scroll = e.closest(".scroll");
                const hidden = getComputedStyle(e).visibility === "hidden" || e.closest(".hidden");
                const scrolls = scroll && getComputedStyle(scroll).overflowX === "auto";
                return box.width && !scrolls && !hidden && !e.closest("svg, datalist")
                  && box.right > document.documentElement.clientWidth + 1;
            }).map((e) => e.tagName + "#" + e.id + "." + e.className)"""
        )
        return found


def open_page(browser: Browser, path: Path, size: tuple[int, int] = DESK) -> Opened:
    """Open a file as by double click."""
    width, height = size
    touch = size == PHONE
    page = browser.new_page(viewport={"width": width, "height": height}, has_touch=touch)
    opened = Opened(page)
    page.on("console", lambda message: opened.errors.append(message.text))
    page.on("pageerror", lambda error: opened.errors.append(str(error)))
    page.on("request", lambda request: opened.requests.append(request.url))
    page.goto(path.resolve().as_uri())
    return opened
