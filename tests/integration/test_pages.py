"""Report and notices as people see them: opened in a real headless Chromium.

Pictures are kept in ``build/pages`` for people to look at.
"""

from __future__ import annotations

import io
import shutil
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from pypdf import PdfReader

from scheduler.app.init import init_round
from scheduler.app.notices import NoticeOptions, make_notices
from scheduler.app.plan import PlanOptions, plan_round
from scheduler.app.report import report_revision
from scheduler.publish.report.page import report_html
from scheduler.publish.report.payload import report_payload
from scheduler.solve.spacing import site_quota
from tests.browser import DESK, PAPER_PX, PHONE, Opened, chromium, open_page
from tests.pages import HOSTILE, LONG, hard_round, nobody_called, with_extras

pytestmark = pytest.mark.slow
CHARTS = ("sampling", "testing", "pile", "heat", "walking", "turnaround")
A4_POINTS = (595, 842)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return one browser for all tests of this file."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report of a small synthetic Dalian: ten districts."""
    folder = tmp_path_factory.mktemp("city") / "round"
    init_round(folder, city="dalian", people=60_000)
    plan_round(folder, PlanOptions())
    return report_revision(folder).path


@pytest.fixture(scope="module", params=["zh", "en"])
def hard(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a round with long and hostile names, two revisions and all that others leave."""
    folder = tmp_path_factory.mktemp("hard") / request.param
    return with_extras(hard_round(folder, language=request.param))


def _card(opened: Opened, number: int) -> str:
    return opened.page.locator(".card b").nth(number).inner_text()


def _marks(opened: Opened, chart: str) -> int:
    return opened.page.locator(f"#{chart} svg path").count()


def test_report_draws_everything_without_an_error(browser: Browser, city: Path) -> None:
    """Rule: no message on the console, no request but the file, every chart and map drawn."""
    opened = open_page(browser, city)
    opened.page.wait_for_selector("html[data-ready=yes]")
    assert opened.errors == []
    assert opened.requests == [city.as_uri()]
    assert all(_marks(opened, chart) > 10 for chart in CHARTS)
    drawn, there = opened.page.evaluate(
        "[+canvas.dataset.drawn, D.communities.id.length + D.sites.id.length]"
    )
    assert drawn >= there
    assert _card(opened, 0) == "60,000"
    assert opened.page.locator("#worstlist > li").count() == 10
    opened.keep("report-desk")


def test_filter_shows_one_district(browser: Browser, city: Path) -> None:
    """Rule: figures, charts and tables follow the district chosen."""
    opened = open_page(browser, city)
    before = opened.page.locator("#sampling").inner_html()
    opened.page.select_option("#district", label="西岗区")
    people, rows = opened.page.evaluate(
        """() => {
            const mine = D.communities.district.map((d) => D.districts[d] === "西岗区");
            return [D.communities.people.reduce((s, n, c) => s + (mine[c] ? n : 0), 0),
                    mine.filter(Boolean).length];
        }"""
    )
    assert _card(opened, 0) == f"{people:,}"
    assert f"共 {rows} 行" in opened.page.locator("#pager").inner_text()
    assert opened.page.locator("#sampling").inner_html() != before
    assert {s.inner_text() for s in opened.page.locator(".scope").all()} == {"西岗区"}
    opened.keep("report-district")
    assert opened.errors == []


def test_pointing_at_the_map_tells_the_site(browser: Browser, city: Path) -> None:
    """Rule: a mark pointed at says its name, and lines lead to whom it serves."""
    opened = open_page(browser, city)
    site, x, y = opened.page.evaluate(
        """() => {
            const ticks = document.querySelectorAll("#layers input");
            ticks[0].click();
            ticks[2].click();
            document.querySelector("#mapbox").scrollIntoView({ block: "center" });
            const s = D.sites.people.indexOf(Math.max(...D.sites.people));
            const box = canvas.getBoundingClientRect(), { x, y } = points.sites;
            return [D.sites.name[s], box.left + toX(x[s]), box.top + toY(y[s])];
        }"""
    )
    opened.page.mouse.move(x, y)
    tip = opened.page.locator("#tip")
    assert tip.is_visible()
    assert site in tip.inner_text()
    assert int(opened.page.locator("#canvas").get_attribute("data-lines") or 0) > 0
    opened.keep("report-hover")


def test_tables_sort_and_search(browser: Browser, city: Path) -> None:
    """Rule: a click on a head sorts, largest first; search keeps the rows that fit."""
    opened = open_page(browser, city)
    opened.page.get_by_role("button", name="人数", exact=True).click()
    column = opened.page.locator("#table tbody td:nth-child(5)").all_inner_texts()
    people = [int(text.replace(",", "")) for text in column]
    assert people == sorted(people, reverse=True)
    name = opened.page.locator("#table tbody td").first.inner_text()
    opened.page.fill("#search", name)
    found = opened.page.locator("#table tbody td:first-child").all_inner_texts()
    assert found
    assert all(name in each for each in found)
    opened.page.get_by_role("tab", name="检测机构").click()
    opened.page.fill("#search", "没有这样的机构")
    assert opened.page.locator("#table tbody tr").count() == 0


def test_report_on_a_phone(browser: Browser, city: Path) -> None:
    """Rule: at 390 px nothing sticks out, and a tap on the map tells a mark."""
    opened = open_page(browser, city, PHONE)
    assert opened.overflow() == []
    opened.page.locator("#map").scroll_into_view_if_needed()
    x, y = opened.page.evaluate(
        """() => {
            document.querySelector("#mapbox").scrollIntoView({ block: "center" });
            const box = canvas.getBoundingClientRect();
            return [box.left + toX(points.labs.x[0]), box.top + toY(points.labs.y[0])];
        }"""
    )
    opened.page.touchscreen.tap(x, y)
    assert opened.page.locator("#tip").is_visible()
    opened.keep("report-phone")
    assert opened.errors == []


def test_report_on_paper(browser: Browser, city: Path) -> None:
    """Rule: A4 pages on which no chart is cut off: the last lab and hour are there to be read."""
    opened = open_page(browser, city)
    pages = PdfReader(io.BytesIO(opened.page.pdf(prefer_css_page_size=True))).pages
    assert all(_size(page) == A4_POINTS for page in pages)
    text = "".join(page.extract_text() for page in pages).replace("\n", "")
    text = unicodedata.normalize("NFKC", text)  # PDF viewers read radicals for characters
    last_lab, rows = opened.page.evaluate(
        "[D.labs.name.at(-1), document.querySelectorAll('#table tbody tr').length]"
    )
    assert last_lab in text
    assert rows > 1
    opened.page.set_viewport_size({"width": PAPER_PX, "height": 1000})
    opened.page.emulate_media(media="print")
    opened.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert opened.overflow() == []
    cut = opened.page.evaluate(
        """() => [...document.querySelectorAll(".chart")].filter((box) => {
            const own = box.getBoundingClientRect();
            const svg = box.querySelector("svg").getBoundingClientRect();
            return svg.right > own.right + 1 || svg.bottom > own.bottom + 1;
        }).map((box) => box.id)"""
    )
    assert cut == []
    opened.keep("report-paper")


def _size(page: Any) -> tuple[int, int]:  # noqa: ANN401  # pypdf's page
    return round(float(page.mediabox.width)), round(float(page.mediabox.height))


def test_hostile_names_are_only_text(browser: Browser, hard: Path) -> None:
    """Rule: names of the input are shown as they are, and never run."""
    made = report_revision(hard)
    opened = open_page(browser, made.path)
    opened.page.wait_for_selector("html[data-ready=yes]")
    assert opened.errors == []
    assert opened.page.title() != "run"
    names = opened.page.locator("#table tbody td:first-child").all_inner_texts()
    assert HOSTILE in names
    assert LONG in names
    for size, name in ((DESK, "desk"), (PHONE, "phone")):
        page = open_page(browser, made.path, size)
        assert page.overflow() == []
        page.keep(f"hard-{hard.name}-{name}")


def test_what_others_left_is_shown(browser: Browser, hard: Path) -> None:
    """Rule: remedies, simulations, coverage and the revision before are shown when there."""
    opened = open_page(browser, report_revision(hard).path)
    assert opened.page.locator("#remedylist li").count() == 2
    assert opened.page.locator("#simtable tbody tr").count() == 3
    assert opened.page.locator("#beforetable tbody tr").count() == 12
    cards = opened.page.locator("#cards")
    assert "47.3%" in cards.inner_text()
    opened.page.select_option("#district", label="中山区")
    assert "70.4%" in cards.inner_text()
    assert "83.6%" in opened.page.locator("#table tbody").inner_text()
    assert opened.page.locator("#metric option").count() == 4
    assert opened.page.locator("#fates svg path").count() > 4


def test_report_without_what_others_leave(browser: Browser, tmp_path: Path) -> None:
    """Rule: a part whose data are not there is not on the page."""
    folder = hard_round(tmp_path / "round")
    shutil.rmtree(folder / "plans" / "0001")
    opened = open_page(browser, report_revision(folder).path)
    assert opened.page.locator("#remedies, #simulated, #before").count() == 0
    assert opened.page.locator("#metric option").count() == 3
    assert opened.errors == []


def test_a_plan_that_calls_nobody_is_shown(browser: Browser, tmp_path: Path) -> None:
    """Rule: the page of a plan without any call opens without an error, all tables there."""
    schedule = nobody_called()
    nothing: dict[str, Any] = {"simulations": [], "size": {}, "coverage": {}, "boundaries": []}
    quota = site_quota(schedule.instance)
    payload = report_payload(schedule, quota, breaches=["B111"], before=None, extras=nothing)
    path = tmp_path / "report.html"
    path.write_bytes(report_html(payload))
    opened = open_page(browser, path)
    opened.page.wait_for_selector("html[data-ready=yes]")
    assert opened.errors == []
    assert _card(opened, 2) == "740"
    assert opened.page.locator("#alarm").inner_text() == "B111"
    assert opened.page.locator("#table tbody tr").count() == 5


def test_notice_on_screen_paper_and_phone(browser: Browser, hard: Path) -> None:
    """Rule: a notice is complete on A4 and on a phone, with nothing cut off and no script."""
    made = make_notices(hard, NoticeOptions())
    assert len(made.pages) == 3
    for path in made.pages:
        for size, name in ((DESK, "desk"), (PHONE, "phone"), ((PAPER_PX, 1000), "paper")):
            opened = open_page(browser, path, size)
            if name == "paper":
                opened.page.emulate_media(media="print")
                pages = PdfReader(io.BytesIO(opened.page.pdf(prefer_css_page_size=True))).pages
                assert [_size(page) for page in pages] == [A4_POINTS]
            assert opened.overflow() == []
            assert (opened.errors, opened.requests) == ([], [path.resolve().as_uri()])
            opened.keep(f"notice-{hard.name}-{path.stem}-{name}")
