"""A sketch map: the community's blocks, its sites by number, a scale; north is up."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

METRES_PER_DEGREE = 111_195.0
"""Of latitude, on the mean sphere of IUGG."""
WIDTH, HEIGHT, MARGIN = 300, 220, 28
RADIUS, APART_PX = 12, 21.0
"""Of a numbered mark, and what lies between two of them at least."""
NARROWEST_M = 200.0
"""A sketch shows no less, so that one building does not fill it."""

Point = tuple[float, float]
"""Latitude and longitude in degrees."""


@dataclass(frozen=True)
class _Frame:
    """From degrees to the sketch."""

    lat: float
    lng: float
    metres_per_px: float

    @staticmethod
    def around(points: Sequence[Point]) -> _Frame:
        lats, lngs = [p[0] for p in points], [p[1] for p in points]
        lat, lng = (min(lats) + max(lats)) / 2, (min(lngs) + max(lngs)) / 2
        squeeze = math.cos(math.radians(lat))
        wide = (max(lngs) - min(lngs)) * METRES_PER_DEGREE * squeeze
        high = (max(lats) - min(lats)) * METRES_PER_DEGREE
        scale = max(
            max(wide, NARROWEST_M) / (WIDTH - 2 * MARGIN),
            max(high, NARROWEST_M) / (HEIGHT - 2 * MARGIN),
        )
        return _Frame(lat, lng, scale)

    def place(self, point: Point) -> Point:
        squeeze = math.cos(math.radians(self.lat))
        x = (point[1] - self.lng) * METRES_PER_DEGREE * squeeze / self.metres_per_px
        y = (point[0] - self.lat) * METRES_PER_DEGREE / self.metres_per_px
        return WIDTH / 2 + x, HEIGHT / 2 - y


def sketch(blocks: Sequence[Point], sites: Sequence[Point]) -> str:
    """Return the map as SVG; sites are numbered from 1 in their order."""
    frame = _Frame.around([*blocks, *sites])
    homes = [frame.place(p) for p in blocks]
    places = [frame.place(p) for p in sites]
    middle = (sum(x for x, _ in homes) / len(homes), sum(y for _, y in homes) / len(homes))
    lines = [
        f'<line x1="{middle[0]:.1f}" y1="{middle[1]:.1f}" x2="{x:.1f}" y2="{y:.1f}"'
        ' stroke="#8a97a3" stroke-dasharray="4 3"/>'
        for x, y in places
    ]
    dots = [
        f'<rect x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6" fill="#56b4e9"/>'
        for x, y in sorted(set(homes))
    ]
    marks = [_mark(number, x, y) for number, (x, y) in enumerate(_apart(places), 1)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sketch" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#f7f9fa"/>'
        f"{''.join((*lines, *dots, *marks))}{_north()}{_scale(frame.metres_per_px)}</svg>"
    )


def _mark(number: int, x: float, y: float) -> str:
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS - 1}" fill="#c04000" stroke="#fff"/>'
        f'<text x="{x:.1f}" y="{y + 4.8:.1f}" text-anchor="middle" font-size="13.5"'
        f' font-weight="700" fill="#fff">{number}</text>'
    )


def _apart(places: Sequence[Point]) -> list[Point]:
    """Move a mark that would cover an earlier one to the side, so that its number can be read."""
    put: list[Point] = []
    for place in places:
        free = (s for s in _around(place) if all(math.dist(s, other) > APART_PX for other in put))
        put.append(next(free, place))
    return put


def _around(place: Point) -> Iterator[Point]:
    """Yield a point, then points around it, nearest first, all inside the frame."""
    for ring in range(4):
        for turn in range(8):
            x = place[0] + ring * APART_PX * 1.05 * math.cos(turn * math.pi / 4)
            y = place[1] + ring * APART_PX * 1.05 * math.sin(turn * math.pi / 4)
            yield min(max(x, RADIUS), WIDTH - RADIUS), min(max(y, RADIUS), HEIGHT - RADIUS)


def _north() -> str:
    x = WIDTH - 16
    return (
        f'<path d="M{x} 8 l6 17 l-6 -4 l-6 4 z" fill="#1b2733"/>'
        f'<text x="{x}" y="40" text-anchor="middle" font-size="13">N</text>'
    )


def _scale(metres_per_px: float) -> str:
    rough = metres_per_px * WIDTH / 4
    power = 10 ** math.floor(math.log10(rough))
    metres = next(n * power for n in (5, 2, 1) if n * power <= rough)
    wide, y = metres / metres_per_px, HEIGHT - 8
    told = f"{metres:g} m" if metres < 1000 else f"{metres / 1000:g} km"  # noqa: PLR2004  # a km
    return (
        f'<path d="M10 {y - 4} v4 h{wide:.1f} v-4" fill="none" stroke="#1b2733"/>'
        f'<text x="14" y="{y - 5}" font-size="13">{told}</text>'
    )
