"""Pictures of pages for chat groups, taken by a headless Chromium that is on the machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from scheduler.errors import CannotRunError
from scheduler.publish.files import write_beside

BROWSER_VARIABLE = "NAT_SCHEDULER_BROWSER"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")
QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""The browser asks nothing of any network, not even for its own updates."""
WIDTH_PX, SCALE = 640, 2
"""A picture is as wide as a telephone's, in twice its pixels."""


def find_browser() -> str:
    """Return the browser: NAT_SCHEDULER_BROWSER, or the first that is on the path.

    Raises
    ------
    CannotRunError
        When there is none.
    """
    named = os.environ.get(BROWSER_VARIABLE)
    found = [named] if named else [path for name in BROWSERS if (path := shutil.which(name))]
    if not found:
        raise CannotRunError(
            "Expected Chromium on this machine, found none",
            hint="Debian: `apt-get install chromium fonts-noto-cjk`, as root. Without root, name "
            f"another Chromium or Chrome in {BROWSER_VARIABLE}; or open the .html and print it.",
        )
    return found[0]


def take_pictures(pages: list[Path]) -> Iterator[Path]:
    """Yield the PNG beside each page, whole page high, as soon as it is written.

    Raises
    ------
    CannotRunError
        When the browser, or the package that drives it, is missing or refuses.
    """
    browser = find_browser()
    try:
        from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415  # optional package
    except ImportError:
        raise CannotRunError(
            "Expected the package playwright for pictures, found none",
            hint="Run `pip install 'nat-scheduler[pictures]'`.",
        ) from None
    try:
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=browser, args=browser_flags())
            tab = chromium.new_page(
                viewport={"width": WIDTH_PX, "height": WIDTH_PX}, device_scale_factor=SCALE
            )
            for page in pages:
                tab.goto(page.resolve().as_uri())
                yield write_beside(page.with_suffix(".png"), tab.screenshot(full_page=True))
            chromium.close()
    except Error as error:
        words = str(error).splitlines()[0]
        raise CannotRunError(f"Expected {browser} to take a picture, got: {words}") from None


def browser_flags() -> list[str]:
    """Return flags of the browser; as root, also the one without which Chromium refuses to run."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [*QUIET, "--no-sandbox"] if root else list(QUIET)
