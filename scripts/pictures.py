#!/usr/bin/env python3
"""Take the pictures of README.md from a round folder that has a plan: report and a notice."""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, FloatRect, Page, sync_playwright

from scheduler.app.notices import NoticeOptions, make_notices
from scheduler.app.report import report_revision
from scheduler.publish.notices.pictures import browser_flags, find_browser

PLACE = Path(__file__).parents[1] / "tests" / "data" / "pictures"
COLOURS = 256  # enough for pages, and a third of the bytes


def main() -> int:
    """Write report.png, phone.png and notice.png."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("community", help="whose notice is shown")
    options = parser.parse_args()
    report = report_revision(options.folder).path
    notice = make_notices(options.folder, NoticeOptions(communities=[options.community])).pages[0]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=browser_flags())
        _keep("report", _open(browser, report, 1280).screenshot(clip=_box(1280, 1620)))
        _keep("phone", _open(browser, report, 390).screenshot(clip=_box(390, 1180)))
        _keep("notice", _open(browser, notice, 794, 400).screenshot(full_page=True))
        browser.close()
    return 0


def _open(browser: Browser, path: Path, width: int, height: int = 1700) -> Page:
    page = browser.new_page(viewport={"width": width, "height": height})
    page.goto(path.resolve().as_uri())
    return page


def _box(width: int, height: int) -> FloatRect:
    return {"x": 0, "y": 0, "width": width, "height": height}


def _keep(name: str, png: bytes) -> None:
    PLACE.mkdir(parents=True, exist_ok=True)
    with Image.open(io.BytesIO(png)) as picture:
        few = picture.convert("RGB").quantize(COLOURS)
        few.save(PLACE / f"{name}.png", optimize=True)


if __name__ == "__main__":
    sys.exit(main())
