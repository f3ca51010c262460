"""The page itself: data, words, style and scripts in one file that needs no network."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

ASSETS = Path(__file__).parent / "assets"
STYLES = ("report.css",)
SCRIPTS = (
    "echarts.min.js",
    "core.js",
    "charts.js",
    "map.js",
    "pointing.js",
    "tables.js",
    "parts.js",
    "main.js",
)
"""In the order they run; echarts.min.js is Apache ECharts 6.1.0 as published on npm."""


def report_html(payload: dict[str, Any]) -> bytes:
    """Return the report as UTF-8; the same payload gives the same bytes."""
    environment = Environment(
        loader=FileSystemLoader(ASSETS), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    page = environment.get_template("report.html.j2").render(
        meta=payload["meta"],
        words=payload["words"],
        payload=payload,
        data=_json(payload),
        styles=[_asset(name) for name in STYLES],
        scripts=[_asset(name) for name in SCRIPTS],
    )
    return page.encode()


@cache
def _asset(name: str) -> Markup:
    return Markup((ASSETS / name).read_text(encoding="utf-8"))  # noqa: S704  # our own file


def _json(payload: dict[str, Any]) -> Markup:
    """Return JSON that cannot end the script element it stands in."""
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704  # `<` is escaped just here
